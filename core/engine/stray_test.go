package engine

import (
	"testing"

	"qcat/core"
	"qcat/risk"
)

// A fill of an order that was forgotten halts the firm, in replay as well; other
// reports of it do nothing.
func TestFillOfAForgottenOrderHaltsTheFirm(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.KeepClosedOrders = 2 })
	first := h.order(core.Buy, 9990, 1)
	for id := first; id < first+3; id++ {
		h.report(core.ExecReport{Type: core.ExecCancelled, Order: id})
		h.order(core.Buy, 9990, 1)
	}
	if h.e.m.orders.find(first) != nil {
		t.Fatal("the first order is still kept")
	}
	h.report(core.ExecReport{Type: core.ExecCancelRejected, Order: first})
	h.wantCode(h.ask(h.limit(core.Buy, 9990, 1, "")), risk.OK)
	h.drainEvents()
	h.fill(first, 7, 9990, 1)
	h.wantCode(h.ask(h.limit(core.Buy, 9990, 1, "")), risk.Halted)
	if n := h.e.stats.Stray.Load(); n != 2 {
		t.Errorf("%d stray reports counted, want 2", n)
	}
	ev := h.drainEvents()
	if len(ev) == 0 || ev[0].Kind != EventState || ev[0].State != risk.StateHalted || ev[0].Note.String() == "" {
		t.Errorf("events %+v", ev)
	}
	h.checkReplay()
}
