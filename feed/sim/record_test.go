package sim

import (
	"encoding/binary"
	"testing"

	"github.com/cespare/xxhash/v2"

	"qcat/core"
	"qcat/feed"
)

// listed returns n listings with ids from 1, as a directory would assign them.
func listed(t testing.TB, n int) []Listing {
	t.Helper()
	ls := Listings(n)
	for i := range ls {
		ls[i].Instrument.ID = core.InstrumentID(i + 1)
		if err := ls[i].Instrument.Validate(); err != nil {
			t.Fatal(err)
		}
	}
	return ls
}

func newExchange(t testing.TB, s Settings, n int) *Exchange {
	t.Helper()
	e, err := NewExchange(s, listed(t, n))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// digest hashes every field of every message, levels included.
type digest struct {
	h   *xxhash.Digest
	buf []byte
	n   int
}

func newDigest() *digest { return &digest{h: xxhash.New()} }

func (d *digest) add(m *feed.Message) {
	b := d.buf[:0]
	b = append(b, byte(m.Kind), byte(m.Side))
	for _, v := range []uint64{
		uint64(m.Instrument), m.FirstID, m.LastID, m.PrevID, uint64(m.ExchangeTime),
		uint64(m.Price), uint64(m.AskPrice), uint64(m.Qty), uint64(m.AskQty),
		uint64(len(m.Bids)), uint64(len(m.Asks)),
	} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	for _, side := range [][]core.Level{m.Bids, m.Asks} {
		for _, l := range side {
			b = binary.LittleEndian.AppendUint64(b, uint64(l.Price))
			b = binary.LittleEndian.AppendUint64(b, uint64(l.Qty))
		}
	}
	d.h.Write(b)
	d.buf = b
	d.n++
}

// follower rebuilds one market's book from its messages by the rules of
// feed.ContinuityPrev and checks what a venue promises.
type follower struct {
	t          *testing.T
	in         core.Instrument
	depth      int
	bids, asks map[core.Price]core.Qty
	live       bool
	lastID     uint64
	snapshotID uint64
	lastTrade  uint64
	lastTime   core.Nanos
	taken      map[core.Level]bool // level as it must be after the trades
	trades     int
	spreads    map[core.Price]int
}

func newFollower(t *testing.T, l Listing) *follower {
	return &follower{
		t: t, in: l.Instrument, depth: l.depth(),
		bids: map[core.Price]core.Qty{}, asks: map[core.Price]core.Qty{},
		taken: map[core.Level]bool{}, spreads: map[core.Price]int{},
	}
}

func (f *follower) apply(m *feed.Message) {
	if m.ExchangeTime < f.lastTime {
		f.t.Fatalf("time went back: %d after %d", m.ExchangeTime, f.lastTime)
	}
	f.lastTime = m.ExchangeTime
	switch m.Kind {
	case feed.MessageSnapshot:
		clear(f.bids)
		clear(f.asks)
		f.levels(m)
		f.live, f.lastID, f.snapshotID = false, 0, m.LastID
	case feed.MessageDepth:
		f.follow(m)
		f.levels(m)
		f.check()
	case feed.MessageTrade:
		f.trade(m)
	case feed.MessageMark:
		if m.Price <= 0 || m.Price%f.in.TickSize != 0 {
			f.t.Fatalf("mark %d is off the grid", m.Price)
		}
	default:
		f.t.Fatalf("message kind %d", m.Kind)
	}
}

// follow checks continuity, by the straddle right after a snapshot.
func (f *follower) follow(m *feed.Message) {
	if !f.live {
		if m.FirstID > f.snapshotID || m.LastID < f.snapshotID {
			f.t.Fatalf("first message %d..%d does not straddle the snapshot %d", m.FirstID, m.LastID, f.snapshotID)
		}
		f.live = true
	} else if m.PrevID != f.lastID || m.FirstID != f.lastID+1 || m.LastID < m.FirstID {
		f.t.Fatalf("message %d..%d after %d says %d was before it", m.FirstID, m.LastID, f.lastID, m.PrevID)
	}
	f.lastID = m.LastID
}

func (f *follower) levels(m *feed.Message) {
	put := func(book map[core.Price]core.Qty, ls []core.Level) {
		for _, l := range ls {
			if l.Price <= 0 || l.Price%f.in.TickSize != 0 || l.Qty < 0 || l.Qty%f.in.StepSize != 0 {
				f.t.Fatalf("level %+v is off the grid", l)
			}
			delete(f.taken, l)
			if l.Qty == 0 {
				delete(book, l.Price)
			} else {
				book[l.Price] = l.Qty
			}
		}
	}
	put(f.bids, m.Bids)
	put(f.asks, m.Asks)
}

// trade takes the quantity from the best level: it must be there, and the depth
// message that follows must say the same.
func (f *follower) trade(m *feed.Message) {
	f.trades++
	if m.LastID != f.lastTrade+1 {
		f.t.Fatalf("trade %d after %d", m.LastID, f.lastTrade)
	}
	f.lastTrade = m.LastID
	book, best := f.asks, f.bestAsk()
	if m.Side == core.Sell {
		book, best = f.bids, f.bestBid()
	}
	if m.Price != best || m.Qty <= 0 || m.Qty > book[best] {
		f.t.Fatalf("trade of %d at %d, the best is %d at %d", m.Qty, m.Price, book[best], best)
	}
	left := book[best] - m.Qty
	f.taken[core.Level{Price: best, Qty: left}] = true
	if book[best] = left; left == 0 {
		delete(book, best)
	}
}

func (f *follower) bestBid() core.Price {
	var best core.Price
	for p := range f.bids {
		best = max(best, p)
	}
	return best
}

func (f *follower) bestAsk() core.Price {
	best := core.Price(1) << 62
	for p := range f.asks {
		best = min(best, p)
	}
	return best
}

func (f *follower) check() {
	if len(f.taken) != 0 {
		f.t.Fatalf("the depth message does not show what the trades took: %v", f.taken)
	}
	for _, n := range []int{len(f.bids), len(f.asks)} {
		if n < f.depth/2 || n > 2*f.depth {
			f.t.Fatalf("a side has %d levels, depth is %d", n, f.depth)
		}
	}
	spread := f.bestAsk() - f.bestBid()
	if spread <= 0 {
		f.t.Fatalf("crossed: bid %d, ask %d", f.bestBid(), f.bestAsk())
	}
	f.spreads[spread/f.in.TickSize]++
}
