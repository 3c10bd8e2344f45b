package book

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"qcat/core"
)

// pair drives a Book and a Naive with the same calls and fails at the first
// difference.
type pair struct {
	t     testing.TB
	fast  *Book
	naive *Naive
}

func newPair(t testing.TB) *pair { return &pair{t, New(0), NewNaive()} }

func (p *pair) limit(levels int) {
	p.fast.bids.max, p.fast.asks.max, p.naive.max = int32(levels), int32(levels), levels
}

func (p *pair) set(side core.Side, price core.Price, qty core.Qty) {
	p.t.Helper()
	near := [...]core.Level{{Price: price}, {Price: -price}, {Price: price + 1}}
	p.fast.Ahead() // both are advice: what follows is the same
	p.fast.AheadOf(near[:], near[:])
	if got, want := p.fast.Set(side, price, qty), p.naive.Set(side, price, qty); got != want {
		p.t.Fatalf("Set(%v, %d, %d) = %v, want %v", side, price, qty, got, want)
	}
	p.top()
}

func (p *pair) clear() {
	p.fast.Clear()
	p.naive.Clear()
}

// top compares what is cheap to compare.
func (p *pair) top() {
	p.t.Helper()
	gotBid, okBid := p.fast.BestBid()
	wantBid, wantOKBid := p.naive.BestBid()
	gotAsk, okAsk := p.fast.BestAsk()
	wantAsk, wantOKAsk := p.naive.BestAsk()
	if gotBid != wantBid || okBid != wantOKBid || gotAsk != wantAsk || okAsk != wantOKAsk {
		p.t.Fatalf("best %v %v / %v %v, want %v %v / %v %v",
			gotBid, okBid, gotAsk, okAsk, wantBid, wantOKBid, wantAsk, wantOKAsk)
	}
	if p.fast.Crossed() != p.naive.Crossed() {
		p.t.Fatalf("Crossed %v, want %v", p.fast.Crossed(), p.naive.Crossed())
	}
	for _, side := range []core.Side{core.Buy, core.Sell} {
		if p.fast.Len(side) != p.naive.Len(side) {
			p.t.Fatalf("Len(%v) %d, want %d", side, p.fast.Len(side), p.naive.Len(side))
		}
	}
}

// all compares everything, and checks the tree's own invariants.
func (p *pair) all() {
	p.t.Helper()
	p.top()
	for _, side := range []core.Side{core.Buy, core.Sell} {
		got, want := p.fast.Levels(side, nil, -1), p.naive.Levels(side, nil, -1)
		if !slices.Equal(got, want) {
			p.t.Fatalf("levels of %v differ:\n got %v\nwant %v", side, got, want)
		}
		var walked []core.Level
		p.fast.Walk(side, func(l core.Level) bool { walked = append(walked, l); return true })
		if !slices.Equal(walked, want) {
			p.t.Fatalf("Walk(%v) differs:\n got %v\nwant %v", side, walked, want)
		}
		for _, l := range want[:min(len(want), 50)] {
			if q := p.fast.Qty(side, l.Price); q != l.Qty {
				p.t.Fatalf("Qty(%v, %d) = %d, want %d", side, l.Price, q, l.Qty)
			}
			if q, want := p.fast.Qty(side, l.Price+1), p.naive.Qty(side, l.Price+1); q != want {
				p.t.Fatalf("Qty(%v, %d) = %d, want %d", side, l.Price+1, q, want)
			}
		}
		p.fast.side(side).check(p.t)
	}
	if p.fast.Hash() != p.naive.Hash() {
		p.t.Fatalf("Hash %x, want %x", p.fast.Hash(), p.naive.Hash())
	}
	if p.fast.Evicted() != p.naive.Evicted() {
		p.t.Fatalf("Evicted %d, want %d", p.fast.Evicted(), p.naive.Evicted())
	}
}

// check fails unless the ladder's invariants hold.
func (l *ladder) check(t testing.TB) {
	t.Helper()
	if len(l.low) != len(l.leaves) || l.at < 0 || l.at >= len(l.leaves) || l.low[0] != 0 {
		t.Fatalf("%d bounds from %d, %d leaves, at %d", len(l.low), l.low[0], len(l.leaves), l.at)
	}
	total := 0
	for i, f := range l.leaves {
		total += f.n
		if f.n == 0 && len(l.leaves) > 1 {
			t.Fatalf("leaf %d of %d is empty", i, len(l.leaves))
		}
		for pos := range f.entries {
			e := &f.entries[pos]
			switch {
			case pos >= f.n:
				if e.key != padding {
					t.Fatalf("leaf %d: entry %d of %d is not padding", i, pos, f.n)
				}
			case e.qty <= 0:
				t.Fatalf("leaf %d: entry %d has quantity %d", i, pos, e.qty)
			case pos > 0 && e.key <= f.entries[pos-1].key:
				t.Fatalf("leaf %d: entry %d is not above the one before", i, pos)
			case e.key < l.low[i] || i+1 < len(l.low) && e.key >= l.low[i+1]:
				t.Fatalf("leaf %d: entry %d is out of its range", i, pos)
			}
		}
	}
	if total != int(l.total) {
		t.Fatalf("%d entries, total says %d", total, l.total)
	}
	for _, f := range l.free {
		if f.n != 0 {
			t.Fatalf("a free leaf has %d entries", f.n)
		}
	}
}

func TestEmpty(t *testing.T) {
	p := newPair(t)
	p.all()
	if got := p.fast.Hash(); got != 0xef46db3751d8e999 {
		t.Errorf("the hash of an empty book is %x", got)
	}
	p.set(core.Buy, 1, 0)
	p.set(core.Sell, 0, -5)
	p.all()
	p.clear()
	p.all()
}

// TestHashForm pins the canonical hash: clients compute it too.
func TestHashForm(t *testing.T) {
	b := New(0)
	b.Set(core.Sell, 101, 7)
	b.Set(core.Buy, 99, 3)
	b.Set(core.Buy, 100, 5)
	const want = 0x661e6ab7a9d47fc7 // XXH64 of 01 64… 05… 01 63… 03… 02 65… 07…
	if got := b.Hash(); got != want {
		t.Errorf("hash %#x, want %#x", got, want)
	}
}

func TestSetReportsTop(t *testing.T) {
	b := New(0)
	for i, step := range []struct {
		side  core.Side
		price core.Price
		qty   core.Qty
		top   bool
	}{
		{core.Buy, 100, 1, true},
		{core.Buy, 100, 1, false}, // nothing new
		{core.Buy, 100, 2, true},
		{core.Buy, 99, 1, false},
		{core.Buy, 101, 1, true},
		{core.Buy, 99, 0, false},
		{core.Buy, 101, 0, true},
		{core.Sell, 105, 4, true},
		{core.Sell, 106, 4, false},
		{core.Sell, 104, 4, true},
		{core.Sell, 103, 0, false}, // not there
		{core.Sell, 104, -1, true},
	} {
		if got := b.Set(step.side, step.price, step.qty); got != step.top {
			t.Errorf("step %d: Set(%v, %d, %d) = %v", i, step.side, step.price, step.qty, got)
		}
	}
}

func TestExtremePrices(t *testing.T) {
	p := newPair(t)
	prices := []core.Price{math.MinInt64, math.MinInt64 + 1, -1, 0, 1, math.MaxInt64 - 1, math.MaxInt64}
	for _, side := range []core.Side{core.Buy, core.Sell} {
		for i, price := range prices {
			p.set(side, price, core.Qty(i+1))
			p.all()
		}
		for _, price := range prices {
			p.set(side, price, 0)
			p.all()
		}
	}
}

// TestInOrder loads sides from best to worst and from worst to best, as
// snapshots do, and empties them from either end.
func TestInOrder(t *testing.T) {
	const n = 1_000
	for _, side := range []core.Side{core.Buy, core.Sell} {
		for _, up := range []bool{false, true} {
			p := newPair(t)
			at := func(i int) core.Price {
				if up {
					return core.Price(i)
				}
				return core.Price(n - i)
			}
			for i := range n {
				p.set(side, at(i), 1)
			}
			p.all()
			if leaves := len(p.fast.side(side).leaves); leaves > n/leafCap+2 {
				t.Errorf("%v, up %v: %d levels in %d leaves", side, up, n, leaves)
			}
			for i := range n {
				p.set(side, at(i), 0)
			}
			p.all()
		}
	}
}

// TestRandom is the test that matters: Book says what Naive says, whatever
// happens. The walk has what markets have: churn near the best, levels far away,
// price jumps, sides that empty and books that are replaced.
func TestRandom(t *testing.T) {
	const steps = 20_000
	for _, profile := range []struct {
		name         string
		near, far    int // distance from the middle, in ticks
		removes      int // per cent
		max          int
		clears, jump int // one in so many steps
	}{
		{"shallow", 4, 20, 50, MaxLevels, 500, 200},
		{"deep", 40, 5_000, 30, MaxLevels, 20_000, 5_000},
		{"draining", 30, 300, 55, MaxLevels, 10_000, 1_000},
		{"capped", 20, 500, 30, 70, 5_000, 2_000},
	} {
		t.Run(profile.name, func(t *testing.T) {
			t.Parallel()
			seed := rand.Uint64()
			r := rand.New(rand.NewPCG(seed, 1))
			defer func() {
				if t.Failed() {
					t.Logf("seed %d", seed)
				}
			}()
			p := newPair(t)
			p.limit(profile.max)
			mid := core.Price(100_000)
			for i := range steps {
				if r.IntN(profile.clears) == 0 {
					p.clear()
				}
				if r.IntN(profile.jump) == 0 {
					mid += core.Price(r.IntN(2*profile.far) - profile.far)
				}
				side, span := core.Buy+core.Side(r.IntN(2)), profile.near
				if r.IntN(3) == 0 {
					span = profile.far
				}
				price := mid - core.Price(side.Sign())*core.Price(r.IntN(span)-span/8)
				qty := core.Qty(r.IntN(1_000) + 1)
				if r.IntN(100) < profile.removes {
					qty = 0
				}
				p.set(side, price, qty)
				if n := p.fast.Len(core.Buy) + p.fast.Len(core.Sell); n < 40 || i%(n/4) == 0 {
					p.all()
				}
			}
			p.all()
		})
	}
}

// TestRemoveKnown removes levels that exist, so that leaves merge and drop.
func TestRemoveKnown(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 2))
	p := newPair(t)
	for round := range 4 {
		var prices []core.Price
		for range 2_000 {
			price := core.Price(r.IntN(50_000))
			p.set(core.Sell, price, 9)
			prices = append(prices, price)
		}
		p.all()
		if round%2 == 0 {
			r.Shuffle(len(prices), func(i, j int) { prices[i], prices[j] = prices[j], prices[i] })
		} else {
			slices.Sort(prices)
		}
		for i, price := range prices {
			p.set(core.Sell, price, 0)
			if i%61 == 0 {
				p.all()
			}
		}
		p.all()
		if n := len(p.fast.asks.leaves); n != 1 {
			t.Fatalf("an empty side has %d leaves", n)
		}
	}
}

func TestEviction(t *testing.T) {
	p := newPair(t)
	p.limit(3)
	for _, price := range []core.Price{100, 99, 98, 97, 101} {
		p.set(core.Buy, price, 1)
		p.all()
	}
	got := p.fast.Levels(core.Buy, nil, -1)
	want := []core.Level{{Price: 101, Qty: 1}, {Price: 100, Qty: 1}, {Price: 99, Qty: 1}}
	if !slices.Equal(got, want) || p.fast.Evicted() != 2 {
		t.Errorf("%v with %d evicted, want %v with 2", got, p.fast.Evicted(), want)
	}
}

func TestLevelsLimit(t *testing.T) {
	b := New(0)
	for i := range 100 {
		b.Set(core.Sell, core.Price(i+1), 1)
	}
	head := core.Level{Price: -7}
	for limit, want := range map[int]int{0: 0, 1: 1, 31: 31, 40: 40, 100: 100, 101: 100, -1: 100} {
		got := b.Levels(core.Sell, []core.Level{head}, limit)
		if len(got) != want+1 || got[0] != head {
			t.Errorf("limit %d: %d levels after the head", limit, len(got)-1)
		}
		for i, l := range got[1:] {
			if l.Price != core.Price(i+1) {
				t.Fatalf("limit %d: level %d has price %d", limit, i, l.Price)
			}
		}
	}
	n := 0
	b.Walk(core.Sell, func(core.Level) bool { n++; return n < 5 })
	if n != 5 {
		t.Errorf("Walk went on to level %d after false at 5", n)
	}
}
