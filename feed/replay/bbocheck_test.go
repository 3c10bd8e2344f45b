package replay

import (
	"math/rand/v2"
	"testing"
	"time"

	"qcat/core"
)

// TestBBOCheck holds the rings against maps: quotes and books come in either
// order, some late, some repeated, some wrong.
func TestBBOCheck(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	var c bboCheck
	quotes, books := map[uint64]best{}, map[uint64]best{}
	say := func(known map[uint64]best, tell func(uint64, core.Level, core.Level), id uint64) {
		bid := core.Level{Price: core.Price(id), Qty: core.Qty(rng.IntN(2))}
		if _, there := known[id]; !there {
			known[id] = best{id: id, bid: bid}
		}
		tell(id, bid, core.Level{})
	}
	base := uint64(1)
	for range 40_000 {
		base += uint64(rng.IntN(3))
		late := func() uint64 { return base + 40 - uint64(rng.IntN(20)) }
		if rng.IntN(3) > 0 {
			say(quotes, c.quote, late())
		}
		if rng.IntN(3) == 0 {
			say(books, c.applied, late())
		}
	}
	var checked, matched uint64
	for id, q := range quotes {
		if b, ok := books[id]; ok {
			checked++
			if b == q {
				matched++
			}
		}
	}
	if c.checked != checked || c.matched != matched || matched == 0 || matched == checked {
		t.Errorf("checked %d matched %d, want %d and %d", c.checked, c.matched, checked, matched)
	}
}
