//go:build !race

package engine

import (
	"testing"

	"qcat/core"
)

// The order path in its steady state: a new order, its acknowledgement, a partial
// fill, an amend, a cancel and its confirmation, with a reply and an event each,
// and closed orders forgotten. Nothing allocates (I1).
func TestOrderPathDoesNotAllocate(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.KeepClosedOrders = 128; c.Journal = NewMemoryJournal(1 << 16) })
	count := countingSink{}
	to, _ := h.e.RegisterSink(&count)
	next := core.OrderID(1)
	round := func() {
		c := h.limit(core.Buy, 9990, 10, "steady")
		c.Reply = to
		h.e.Submit(&c)
		h.run()
		for _, r := range []core.ExecReport{
			{Type: core.ExecNew}, {Type: core.ExecTrade, VenueExecID: 1, LastPx: 9990, LastQty: 1}, {Type: core.ExecReplaced}, {Type: core.ExecCancelled},
		} {
			r.Order, r.Instrument = next, h.btc.ID
			if r.Type == core.ExecReplaced {
				h.e.Submit(&Command{Kind: CmdAmend, Order: next, Qty: 20, Reply: to})
			}
			if r.Type == core.ExecCancelled {
				h.e.Submit(&Command{Kind: CmdCancel, Order: next, Reply: to})
			}
			h.run()
			h.e.Submit(&Command{Kind: CmdReport, Report: r})
			h.run()
		}
		h.gateway.sent = h.gateway.sent[:0]
		next++
		// The same client order id would be a duplicate: a position of its own.
		h.e.m.orders.byClOrdID.remove(hashClOrdID(c.Account, &c.ClOrdID), h.e.m.orders.find(next-1).slot)
		h.e.m.orders.find(next - 1).order.ClOrdID = core.ClOrdID{}
	}
	for range 400 {
		round()
	}
	before := count.accepted
	if n := testing.AllocsPerRun(200, round); n != 0 {
		t.Errorf("%v allocations a round", n)
	}
	if got := count.accepted - before; got != 3*201 {
		t.Errorf("%d accepted answers, want %d", got, 3*201)
	}
}

// countingSink counts the answers that accept.
type countingSink struct{ accepted, refused int }

func (s *countingSink) Deliver(r *Reply) {
	if r.Reason.OK() {
		s.accepted++
	} else {
		s.refused++
	}
}

func TestRefusalAndDuplicateDoNotAllocate(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Journal = NewMemoryJournal(1 << 16) })
	count := countingSink{}
	to, _ := h.e.RegisterSink(&count)
	good := h.limit(core.Buy, 9990, 10, "twice")
	bad := good
	bad.Qty = 11
	good.Reply, bad.Reply = to, to
	round := func() {
		h.e.Submit(&good)
		h.e.Submit(&bad)
		h.run()
	}
	for range 200 {
		round()
	}
	if n := testing.AllocsPerRun(100, round); n != 0 {
		t.Errorf("%v allocations a round", n)
	}
	if count.accepted != count.refused {
		t.Errorf("%d accepted, %d refused", count.accepted, count.refused)
	}
}
