package engine

import (
	"slices"
	"testing"
	"time"

	"qcat/core"
	"qcat/risk"
)

func TestOrderIsJournalledThenSentThenAnswered(t *testing.T) {
	h := newHarness(t)
	r := h.ask(h.limit(core.Buy, 9990, 5, "a"))
	if !r.Reason.OK() || r.Order.ID != 1 || r.Order.Status != core.StatusNew || r.Seq == 0 {
		t.Fatalf("reply %+v", r)
	}
	if got := h.gateway.ops(core.VenueNew); !slices.Equal(got, []core.OrderID{1}) {
		t.Errorf("sent %v", got)
	}
	c := h.gateway.sent[0]
	if c.Price != 9990 || c.Qty != 5 || c.Side != core.Buy || c.Instrument != h.btc.ID || c.Account != h.account.ID {
		t.Errorf("sent %+v", c)
	}
	h.checkReplay()
}

// Nothing leaves before its record is committed, however long that takes, and
// the lane goes on meanwhile (I2).
func TestNothingLeavesBeforeTheCommit(t *testing.T) {
	h := newHarness(t)
	h.drainEvents()
	h.journal.hold = true
	for i := range 5 {
		h.submit(h.limit(core.Buy, core.Price(9990-i), 5, ""))
		h.run()
	}
	if len(h.sink.replies)+len(h.gateway.sent)+len(h.drainEvents()) != 0 {
		t.Fatal("something left before its commit")
	}
	first := h.e.m.seq - 4
	h.journal.committed.Store(first + 1)
	h.run()
	if len(h.sink.replies) != 2 || len(h.gateway.sent) != 2 || h.e.Published() != first+1 {
		t.Fatalf("two committed: %d replies, %d sent, published %d", len(h.sink.replies), len(h.gateway.sent), h.e.Published())
	}
	h.journal.commit()
	h.run()
	if len(h.sink.replies) != 5 || len(h.gateway.sent) != 5 {
		t.Fatalf("all committed: %d replies, %d sent", len(h.sink.replies), len(h.gateway.sent))
	}
	for i, r := range h.sink.replies {
		if r.Order.ID != core.OrderID(i+1) || h.gateway.sent[i].Order != r.Order.ID {
			t.Errorf("answer %d is for order %d, sent %d", i, r.Order.ID, h.gateway.sent[i].Order)
		}
	}
}

func TestFillsMoveOrderPositionAndEvent(t *testing.T) {
	h := newHarness(t)
	id := h.order(core.Buy, 10000, 10)
	h.drainEvents()
	h.fill(id, 1, 9999, 4)
	if o := h.stored(id); o.Status != core.StatusPartiallyFilled || o.CumQty != 4 || o.LeavesQty() != 6 {
		t.Errorf("after 4 of 10: %+v", o)
	}
	h.fill(id, 2, 10000, 6)
	o := h.stored(id)
	if o.Status != core.StatusFilled || o.CumQty != 10 || o.CumCost != core.Int128From(9999*4+10000*6) {
		t.Errorf("filled: %+v", o)
	}
	if p := h.position(); p.Qty != 10 || p.Fees != 2 || p.Fills != 2 {
		t.Errorf("position %+v", p)
	}
	evs := h.drainEvents()
	if len(evs) != 2 {
		t.Fatalf("%d events, want 2", len(evs))
	}
	for i, ev := range evs {
		if ev.Kind != EventExecution || ev.Execution.ID != uint64(i+1) || !ev.Last || ev.Index != 0 ||
			ev.Order.ID != id || ev.Position.Instrument != h.btc.ID {
			t.Errorf("event %d: %+v", i, ev)
		}
	}
	if evs[1].Position.Position != h.position() || evs[1].Order != o {
		t.Error("the event's order or position is not the state's")
	}
	h.checkReplay()
}

// Each row ends with the status that the order must have and whether it is open.
func TestOrderRaces(t *testing.T) {
	type step func(h *harness, id core.OrderID)
	rep := func(typ core.ExecType) step {
		return func(h *harness, id core.OrderID) { h.report(core.ExecReport{Type: typ, Order: id}) }
	}
	cancel := func(h *harness, id core.OrderID) { h.cancel(id) }
	fill := func(exec uint64, qty core.Qty) step {
		return func(h *harness, id core.OrderID) { h.fill(id, exec, 10000, qty) }
	}
	amend := func(px core.Price, qty core.Qty) step {
		return func(h *harness, id core.OrderID) {
			if r := h.ask(Command{Kind: CmdAmend, Order: id, Price: px, Qty: qty}); !r.Reason.OK() {
				h.t.Errorf("amend refused: %s", r.Reason.Code)
			}
		}
	}
	for _, c := range []struct {
		name   string
		steps  []step
		status core.OrdStatus
		cum    core.Qty
		pos    core.Qty
		qty    core.Qty // OrderQty, 0: 10
	}{
		{name: "cancelled", steps: []step{cancel, rep(core.ExecCancelled)}, status: core.StatusCancelled},
		{name: "filled while the cancel was on its way", steps: []step{cancel, fill(1, 10), rep(core.ExecCancelRejected)},
			status: core.StatusFilled, cum: 10, pos: 10},
		{name: "cancel rejected first, then the fill", steps: []step{cancel, rep(core.ExecCancelRejected), fill(1, 10)},
			status: core.StatusFilled, cum: 10, pos: 10},
		{name: "part filled, then cancelled", steps: []step{fill(1, 3), cancel, fill(2, 1), rep(core.ExecCancelled)},
			status: core.StatusCancelled, cum: 4, pos: 4},
		{name: "a fill after the cancel was confirmed", steps: []step{cancel, rep(core.ExecCancelled), fill(1, 4)},
			status: core.StatusCancelled, cum: 4, pos: 4},
		{name: "the same fill twice", steps: []step{fill(1, 4), fill(1, 4)}, status: core.StatusPartiallyFilled, cum: 4, pos: 4},
		{name: "an older fill again", steps: []step{fill(1, 4), fill(2, 1), fill(1, 4)}, status: core.StatusPartiallyFilled, cum: 5, pos: 5},
		{name: "more filled than ordered", steps: []step{fill(1, 12)}, status: core.StatusFilled, cum: 12, pos: 12},
		{name: "cancelled twice by the venue", steps: []step{rep(core.ExecCancelled), rep(core.ExecCancelled)}, status: core.StatusCancelled},
		{name: "rejected", steps: []step{rep(core.ExecRejected)}, status: core.StatusRejected},
		{name: "expired by the venue", steps: []step{fill(1, 2), rep(core.ExecExpired)}, status: core.StatusExpired, cum: 2, pos: 2},
		{name: "acknowledged late", steps: []step{fill(1, 10), rep(core.ExecNew)}, status: core.StatusFilled, cum: 10, pos: 10},
		{name: "amended", steps: []step{amend(10001, 20), rep(core.ExecReplaced), fill(1, 10)},
			status: core.StatusPartiallyFilled, cum: 10, pos: 10, qty: 20},
		{name: "amend rejected", steps: []step{amend(10001, 20), rep(core.ExecReplaceRejected), fill(1, 10)},
			status: core.StatusFilled, cum: 10, pos: 10},
		{name: "amend rejected, still open", steps: []step{amend(10001, 20), rep(core.ExecReplaceRejected)}, status: core.StatusNew},
		{name: "amend on its way", steps: []step{amend(10001, 20)}, status: core.StatusNew},
		{name: "amended down, still open", steps: []step{fill(1, 3), amend(0, 5), rep(core.ExecReplaced)},
			status: core.StatusPartiallyFilled, cum: 3, pos: 3, qty: 5},
		{name: "filled below the amended quantity before the venue took it", steps: []step{fill(1, 3), amend(0, 5), fill(2, 4), rep(core.ExecReplaced)},
			status: core.StatusFilled, cum: 7, pos: 7, qty: 5},
		{name: "filled while the amend was on its way", steps: []step{amend(0, 20), fill(1, 10), rep(core.ExecReplaceRejected)},
			status: core.StatusFilled, cum: 10, pos: 10},
		{name: "an amend confirmed that nobody asked for", steps: []step{rep(core.ExecReplaced)}, status: core.StatusNew},
		{name: "cancelled with an amend on its way", steps: []step{amend(0, 20), cancel, rep(core.ExecCancelled), rep(core.ExecReplaced)},
			status: core.StatusCancelled},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t)
			id := h.order(core.Buy, 10000, 10)
			for _, s := range c.steps {
				s(h, id)
			}
			o := h.stored(id)
			if c.qty == 0 {
				c.qty = 10
			}
			if o.Status != c.status || o.CumQty != c.cum || o.Qty != c.qty || h.position().Qty != c.pos {
				t.Errorf("status %s, cum %d of %d, position %d; want %s, %d of %d, %d",
					o.Status, o.CumQty, o.Qty, h.position().Qty, c.status, c.cum, c.qty, c.pos)
			}
			if !o.Status.Open() && (o.PendingCxl || o.PendingRepl || o.NewQty != 0) {
				t.Errorf("closed with something pending: %+v", o)
			}
			h.checkHeld()
			h.checkReplay()
		})
	}
}

// checkHeld compares what the limit tree holds with the open orders.
func (h *harness) checkHeld() {
	h.t.Helper()
	var buys, sells core.Qty
	open := 0
	h.e.m.orders.each(&h.e.m.orders.open, func(e *entry) {
		open++
		q := max(e.order.LeavesQty(), e.order.NewQty-e.order.CumQty)
		if e.order.Side == core.Buy {
			buys += q
		} else {
			sells += q
		}
	})
	v, _ := h.e.m.tree.View(risk.InstrumentScope(h.account.ID, h.strategy.ID, h.btc.ID))
	if v.OpenOrders != open || v.OpenBuy != buys || v.OpenSell != sells || v.Position != h.position().Qty {
		h.t.Errorf("limits hold %d orders, %d bought, %d sold, position %d; open are %d, %d, %d, position %d",
			v.OpenOrders, v.OpenBuy, v.OpenSell, v.Position, open, buys, sells, h.position().Qty)
	}
}

func TestAmendRefusals(t *testing.T) {
	h := newHarness(t)
	id := h.order(core.Buy, 10000, 10)
	h.fill(id, 1, 10000, 4)
	amend := func(px core.Price, qty core.Qty) Reply {
		return h.ask(Command{Kind: CmdAmend, Account: h.account.ID, Order: id, Price: px, Qty: qty})
	}
	below := amend(0, 3)
	h.wantCode(below, risk.InvalidOrder)
	if below.Reason.Limit != 4 || below.Reason.Value != 3 {
		t.Errorf("below what is filled: %+v", below.Reason)
	}
	h.wantCode(amend(0, 4), risk.InvalidOrder)
	h.wantCode(amend(10000, 10), risk.InvalidOrder)
	h.wantCode(h.ask(Command{Kind: CmdAmend, Order: 99, Qty: 5}), risk.UnknownOrder)
	h.wantCode(h.ask(Command{Kind: CmdAmend, Account: h.account.ID + 1, Order: id, Qty: 8}), risk.UnknownOrder)
	h.wantCode(amend(0, 8), risk.OK)
	h.wantCode(amend(0, 9), risk.AmendPending)
	h.report(core.ExecReport{Type: core.ExecReplaced, Order: id})
	h.cancel(id)
	h.wantCode(amend(0, 9), risk.AmendPending)
	h.report(core.ExecReport{Type: core.ExecCancelled, Order: id})
	h.wantCode(amend(0, 9), risk.OrderClosed)
	if got := h.gateway.ops(core.VenueAmend); len(got) != 1 {
		t.Errorf("%d amends sent, want 1", len(got))
	}
	h.checkReplay()
}

func TestClientOrderIDIsIdempotent(t *testing.T) {
	h := newHarness(t)
	c := h.limit(core.Buy, 10000, 10, "once")
	first := h.ask(c)
	h.fill(first.Order.ID, 1, 10000, 4)
	again := h.ask(c)
	if !again.Duplicate || again.Order.ID != first.Order.ID || again.Order.CumQty != 4 || !again.Reason.OK() {
		t.Errorf("the same again: %+v", again)
	}
	other := c
	other.Qty = 11
	h.wantCode(h.ask(other), risk.DuplicateOrder)
	// Amended since: what counts is what was first asked for.
	h.ask(Command{Kind: CmdAmend, Order: first.Order.ID, Qty: 20})
	h.report(core.ExecReport{Type: core.ExecReplaced, Order: first.Order.ID})
	if r := h.ask(c); !r.Duplicate {
		t.Errorf("after an amend: %+v", r)
	}
	if n := len(h.gateway.ops(core.VenueNew)); n != 1 {
		t.Errorf("%d orders sent, want 1", n)
	}
	h.checkReplay()
}

func TestCheckAnswersAsNewAndLeavesNoTrace(t *testing.T) {
	h := newHarness(t)
	var limits risk.Limits
	limits.Set(risk.LimitMaxOrderQty, 5)
	limits.Set(risk.LimitMaxOpenOrders, 0)
	h.e.stop()
	if _, err := h.e.DefineLimits(risk.InstrumentScope(0, 0, h.btc.ID), limits); err != nil {
		t.Fatal(err)
	}
	h.e.running = true
	h.run()
	before, seq := h.stateHash(), h.e.m.seq
	check := h.limit(core.Buy, 10000, 10, "c")
	check.Kind = CmdCheck
	got := h.ask(check)
	if h.stateHash() != before || h.e.m.seq != seq || len(h.gateway.sent) != 0 {
		t.Error("a check left a trace")
	}
	asked := h.ask(h.limit(core.Buy, 10000, 10, "c"))
	if got.Reason != asked.Reason || asked.Reason.OK() {
		t.Errorf("checked %+v, asked %+v", got.Reason, asked.Reason)
	}
	if len(got.Refusals) != 2 || got.Refusals[0] != got.Reason {
		t.Errorf("refusals %+v", got.Refusals)
	}
	h.checkReplay()
}

func TestGoodTillDateExpiresHere(t *testing.T) {
	h := newHarness(t)
	gtd := func(after time.Duration) Command {
		c := h.limit(core.Buy, 10000, 10, "")
		c.TIF, c.ExpireTime = core.GTD, h.clock.Now()+core.Nanos(after)
		return c
	}
	h.wantCode(h.ask(gtd(0)), risk.InvalidOrder)
	none := gtd(time.Second)
	none.ExpireTime = 0
	h.wantCode(h.ask(none), risk.InvalidOrder)
	late, early, gone := h.ask(gtd(3*time.Second)).Order.ID, h.ask(gtd(time.Second)).Order.ID, h.ask(gtd(2*time.Second)).Order.ID
	h.report(core.ExecReport{Type: core.ExecCancelled, Order: gone})
	h.clock.Advance(2500 * time.Millisecond)
	h.run()
	if got := h.gateway.ops(core.VenueCancel); !slices.Equal(got, []core.OrderID{early}) {
		t.Fatalf("cancels %v, want %d", got, early)
	}
	// The venue says it is too late, then that it is not: asked again after a second.
	h.report(core.ExecReport{Type: core.ExecCancelRejected, Order: early})
	h.report(core.ExecReport{Type: core.ExecCancelRejected, Order: early}) // once more, to no effect
	h.clock.Advance(600 * time.Millisecond)
	h.run()
	h.clock.Advance(600 * time.Millisecond)
	h.run()
	if got := h.gateway.ops(core.VenueCancel); !slices.Equal(got, []core.OrderID{early, late, early}) {
		t.Fatalf("cancels %v", got)
	}
	h.fill(early, 1, 10000, 3)
	h.report(core.ExecReport{Type: core.ExecCancelled, Order: early})
	if o := h.stored(early); o.Status != core.StatusExpired || o.CumQty != 3 {
		t.Errorf("%+v", o)
	}
	if len(h.e.m.expiry.slots) != 0 {
		t.Errorf("%d orders still to expire", len(h.e.m.expiry.slots))
	}
	h.checkReplay()
}

func TestClosedOrdersAreForgottenOldestFirst(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.KeepClosedOrders = 3 })
	var ids []core.OrderID
	for i := range 6 {
		r := h.ask(h.limit(core.Buy, 10000, 1, string(rune('a'+i))))
		ids = append(ids, r.Order.ID)
	}
	for _, id := range ids {
		h.fill(id, 1, 10000, 1)
	}
	for i, id := range ids {
		if kept := h.e.m.orders.find(id) != nil; kept != (i >= 3) {
			t.Errorf("order %d kept: %v", id, kept)
		}
	}
	if r := h.ask(h.limit(core.Buy, 10000, 1, "a")); r.Duplicate || !r.Reason.OK() {
		t.Errorf("a forgotten client order id: %+v", r)
	}
	h.fill(ids[0], 2, 10000, 1)
	if h.e.stats.Stray.Load() != 1 {
		t.Error("a report of a forgotten order is a stray")
	}
	h.checkReplay()
}

func TestInvalidFillHaltsTheFirm(t *testing.T) {
	for _, r := range []core.ExecReport{
		{Type: core.ExecTrade, LastPx: 0, LastQty: 1},
		{Type: core.ExecTrade, LastPx: 1, LastQty: 0},
		{Type: core.ExecTrade, LastPx: 1, LastQty: -1},
		{Type: core.ExecTrade, LastPx: 1, LastQty: 1, Instrument: 9},
		{Type: 99},
	} {
		h := newHarness(t)
		r.Order = h.order(core.Buy, 10000, 10)
		h.report(r)
		h.wantCode(h.ask(h.limit(core.Buy, 10000, 1, "")), risk.Halted)
		if h.position() != (core.Position{}) {
			t.Errorf("%+v was booked", r)
		}
		h.checkReplay()
	}
}

func TestUnknownNamesAndClosedOrders(t *testing.T) {
	h := newHarness(t)
	c := h.limit(core.Buy, 10000, 1, "")
	c.Account = 7
	h.wantCode(h.ask(c), risk.UnknownAccount)
	c = h.limit(core.Buy, 10000, 1, "")
	c.Instrument = 7
	h.wantCode(h.ask(c), risk.UnknownInstrument)
	c = h.limit(core.Buy, 10000, 1, "")
	c.Strategy = 7
	h.wantCode(h.ask(c), risk.UnknownStrategy)
	h.wantCode(h.cancel(99), risk.UnknownOrder)
	id := h.order(core.Buy, 10000, 1)
	h.wantCode(h.ask(Command{Kind: CmdCancel, Account: h.account.ID + 1, Order: id}), risk.UnknownOrder)
	h.wantCode(h.cancel(id), risk.OK)
	h.wantCode(h.cancel(id), risk.OK) // asked again: nothing more is sent
	h.report(core.ExecReport{Type: core.ExecCancelled, Order: id})
	h.wantCode(h.cancel(id), risk.OrderClosed)
	if n := len(h.gateway.ops(core.VenueCancel)); n != 1 {
		t.Errorf("%d cancels sent, want 1", n)
	}
	delete(h.quotes, h.btc.ID)
	h.wantCode(h.ask(h.limit(core.Buy, 10000, 1, "")), risk.StaleReference)
	h.checkReplay()
}

// Positions are valued anew on a timer, from the quote table, and the prices are
// records like everything else that was read outside.
func TestMarksAreRecordedWhenTheyMove(t *testing.T) {
	h := newHarness(t)
	id := h.order(core.Buy, 10000, 10)
	h.fill(id, 1, 10000, 10)
	gross := func() int64 {
		v, _ := h.e.m.tree.View(risk.FirmScope())
		return v.Gross
	}
	look := func() {
		h.clock.Advance(DefaultMarkEvery)
		h.run()
	}
	look()
	look() // the second confirms
	before, seq := gross(), h.e.m.seq
	look()
	h.clock.Advance(DefaultMarkQuiet)
	look()
	if h.e.m.seq != seq {
		t.Error("a price that has not moved was recorded")
	}
	seq = h.e.m.seq
	h.quote(h.btc.ID, 10000, 10003)
	look()
	if h.e.m.seq != seq {
		t.Error("a middle that has not moved was recorded")
	}
	h.quote(h.btc.ID, 9990, 10002) // a middle of 9996: five basis points
	look()
	h.quote(h.btc.ID, 9991, 10001) // the same
	look()
	if h.e.m.seq != seq+1 {
		t.Errorf("%d records of one move", h.e.m.seq-seq)
	}
	seq = h.e.m.seq
	h.quote(h.btc.ID, 20000, 20002)
	look()
	if h.e.m.seq != seq+1 || gross() < before*3/2 {
		t.Errorf("gross %d, was %d; %d records", gross(), before, h.e.m.seq-seq)
	}
	look()
	seq = h.e.m.seq
	stale := h.quotes[h.btc.ID]
	stale.Flags, stale.LastPrice = core.FlagStale, 0
	h.quotes[h.btc.ID] = stale
	h.clock.Advance(time.Second)
	h.run()
	if h.e.m.seq != seq {
		t.Error("a stale book was taken for a price")
	}
	h.checkReplay()
}
