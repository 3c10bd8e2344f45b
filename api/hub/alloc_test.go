//go:build !race

package hub

import (
	"testing"

	"qcat/core"
)

// TestNoAllocationsPerEvent: quotes, trades and book changes to several
// subscribers allocate nothing once buffers have their size (I1).
func TestNoAllocationsPerEvent(t *testing.T) {
	r := newRig(t, func(c *Config) { c.TradeHistory = 8 })
	r.book(core.FlagSnapshot, 100)
	r.cycle()
	for range 8 {
		r.attach(t, newSink(), BBO, Trades, Depth)
	}
	p := core.Price(0)
	step := func() {
		p++
		quote := core.Event{Kind: core.EventQuote, Instrument: r.in.ID, Price: 100 + p%7, Qty: 1, AskPrice: 110, AskQty: 2}
		trade := core.Event{Kind: core.EventTrade, Instrument: r.in.ID, Price: 100, Qty: 1, Side: core.Buy, Seq: uint64(p)}
		r.ring.Publish(&quote)
		r.ring.Publish(&trade)
		r.book(0, 90+p%5)
		r.cycle()
	}
	for range 5000 {
		step()
	}
	if n := testing.AllocsPerRun(2000, step); n != 0 {
		t.Fatalf("%v allocations an iteration", n)
	}
	if s := r.Stats(); s.Delivered == 0 || s.Unknown != 0 {
		t.Fatalf("nothing was delivered: %+v", s.Delivered)
	}
}
