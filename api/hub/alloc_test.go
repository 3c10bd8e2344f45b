//go:build !race

package hub

import (
	"testing"

	"qcat/api/wire"
	"qcat/core"
	"qcat/core/engine"
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

// TestNoAllocationsPerPrivateEvent: an event that some may see and some may not allocates
// nothing, and one that nobody may see is not encoded.
func TestNoAllocationsPerPrivateEvent(t *testing.T) {
	r, d := privateRig(t, 3)
	p := &r.private
	for _, list := range []string{"a1", "a2/x", "a2", "*"} {
		r.admit(t, newSink(), viewerOf(t, list))
	}
	seq := uint64(0)
	publish := func(account core.AccountID) {
		seq++
		s := d.StrategyNamed(account, core.DefaultStrategy)
		ev := engine.Event{Kind: engine.EventOrder, Seq: seq, Last: true, Order: core.Order{ID: 1, Account: account, Strategy: s.ID, Instrument: r.in.ID}}
		r.cfg.Events.Publish(&ev)
		p.poll()
		p.flush()
	}
	step := func() {
		publish(1)
		publish(2)
		publish(3)
	}
	for range 6000 { // the history is full, buffers have their size
		step()
	}
	if n := testing.AllocsPerRun(1000, step); n != 0 {
		t.Fatalf("%v allocations an iteration", n)
	}
	for _, c := range r.conns {
		if c.sight.all {
			p.remove(wire.Orders, c)
		}
	}
	p.scratch = nil
	publish(3)
	if p.scratch != nil {
		t.Error("an event was encoded for nobody")
	}
	if publish(1); p.scratch == nil {
		t.Error("an event was not encoded for who may see it")
	}
}
