package engine

import (
	"errors"
	"testing"
	"time"

	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

// restart kills h's engine where it stands and recovers another one from what its
// journal committed. Definitions may follow; begin starts it.
func (h *harness) restart(change ...func(*Config)) *harness {
	h.t.Helper()
	n := &harness{t: h.t, clock: h.clock, quotes: h.quotes, gateway: &testGateway{ready: true, room: -1},
		sink: &testSink{}, journal: &heldJournal{MemoryJournal: NewMemoryJournal(0)}, strategy: h.strategy, account: h.account, btc: h.btc}
	n.cfg = h.cfg
	n.cfg.Directory, n.cfg.Journal = core.NewDirectory(), n.journal
	n.cfg.Gateways = map[string]Gateway{"sim": n.gateway}
	for _, f := range change {
		f(&n.cfg)
	}
	committed := h.journal.Committed()
	for _, rec := range collect(h.journal.Records())[:committed] {
		if _, err := n.journal.MemoryJournal.Append(rec); err != nil {
			h.t.Fatal(err)
		}
	}
	n.journal.commit()
	n.e = New(n.cfg)
	n.reply, _ = n.e.RegisterSink(n.sink)
	n.events = n.e.Events().NewReader()
	if err := n.e.Recover(n.journal.Records(), nil); err != nil {
		h.t.Fatal(err)
	}
	return n
}

// begin starts a restarted engine and lets it run until it waits.
func (h *harness) begin() *harness {
	h.t.Helper()
	if err := h.e.start(); err != nil {
		h.t.Fatal(err)
	}
	h.run()
	return h
}

func (h *harness) wantUnknown(n int) {
	h.t.Helper()
	if got := h.e.Unknown(); got != n || h.e.m.unknown != n {
		h.t.Errorf("%d orders unknown (%d in the state), want %d", got, h.e.m.unknown, n)
	}
}

// Fault: kill -9 with orders sent and not answered. What had been answered is
// known, everything else unknown; all are asked about, nothing is entered again,
// and a cancel that was on its way is sent once more after the question.
func TestRestartMarksWhatIsNotKnown(t *testing.T) {
	h := newHarness(t)
	known := h.order(core.Buy, 9990, 5)
	cancelling := h.order(core.Buy, 9991, 5)
	amending := h.order(core.Buy, 9992, 5)
	h.fill(known, 7, 9990, 2)
	silent := h.ask(h.limit(core.Buy, 9993, 5, "")).Order.ID
	h.cancel(cancelling)
	h.ask(Command{Kind: CmdAmend, Order: amending, Qty: 6})
	h = h.restart().begin()
	h.wantUnknown(3)
	for id, unknown := range map[core.OrderID]bool{known: false, cancelling: true, amending: true, silent: true} {
		if o := h.stored(id); o.Unknown != unknown || !o.Status.Open() {
			t.Errorf("order %d: unknown %v, want %v; status %s", id, o.Unknown, unknown, o.Status)
		}
	}
	var ops []core.VenueOp
	for _, c := range h.gateway.sent {
		ops = append(ops, c.Op)
		want := core.VenueCommand{Op: core.VenueStatus, Acked: c.Order != silent, Amending: c.Order == amending}
		if c.Op == core.VenueStatus && (c.Acked != want.Acked || c.Amending != want.Amending) {
			t.Errorf("question about order %d: %+v", c.Order, c)
		}
	}
	if got := h.gateway.sent[0]; got.Order != known || got.CumQty != 2 || got.VenueExecID != 7 || got.Qty != 5 || got.Price != 9990 {
		t.Errorf("question about the order known: %+v", got)
	}
	want := []core.VenueOp{core.VenueStatus, core.VenueStatus, core.VenueCancel, core.VenueStatus, core.VenueStatus}
	if len(ops) != len(want) || ops[2] != core.VenueCancel || h.gateway.sent[2].Order != cancelling {
		t.Errorf("sent %v, want %v", ops, want)
	}
	evs := h.drainEvents()
	if len(evs) != 3 || !evs[0].Order.Unknown || !evs[2].Last {
		t.Errorf("%d events of the restart", len(evs))
	}
	if s := h.e.Stats().StatusSent.Load(); s != 4 {
		t.Errorf("%d questions counted", s)
	}
	h.checkReplay()
}

// An unknown order counts in full, may not be amended, and is cancelled by a kill.
func TestUnknownOrderCountsAndCanBeCancelled(t *testing.T) {
	h := newHarness(t)
	var limits risk.Limits
	limits.Set(risk.LimitMaxOpenOrders, 2)
	h.e.stop()
	if _, err := h.e.DefineLimits(risk.StrategyScope(h.strategy.ID), limits); err != nil {
		t.Fatal(err)
	}
	h.e.running = true
	a := h.ask(h.limit(core.Buy, 9990, 5, "")).Order.ID
	b := h.ask(h.limit(core.Buy, 9991, 5, "")).Order.ID
	h = h.restart().begin()
	h.wantCode(h.ask(Command{Kind: CmdAmend, Order: a, Qty: 6}), risk.OrderUnconfirmed)
	h.wantCode(h.ask(h.limit(core.Buy, 9992, 5, "")), risk.MaxOpenOrders)
	h.wantCode(h.cancel(a), risk.OK)
	if r := h.state(risk.FirmScope(), risk.StateHalted, true); r.Cancelled != 1 {
		t.Errorf("the kill cancelled %d, want the one left", r.Cancelled)
	}
	if got := h.gateway.ops(core.VenueCancel); len(got) != 2 || got[0] != a || got[1] != b {
		t.Errorf("cancels %v", got)
	}
	h.report(core.ExecReport{Type: core.ExecCancelled, Order: a})
	h.report(core.ExecReport{Type: core.ExecRejected, Order: b, VenueCode: uint16(core.VenueReasonUnknownOrder)})
	h.wantUnknown(0)
	if h.stored(a).Status != core.StatusCancelled || h.stored(b).Status != core.StatusRejected || h.stored(b).Unknown {
		t.Errorf("%+v, %+v", h.stored(a), h.stored(b))
	}
	if n := h.e.Stats().Reconciled.Load(); n != 2 {
		t.Errorf("%d reconciled, want 2", n)
	}
	h.checkReplay()
}

// Which reports settle an unknown order, by what was on its way.
func TestReportsThatSettle(t *testing.T) {
	unknownOrder := uint16(core.VenueReasonUnknownOrder)
	for _, c := range []struct {
		name            string
		acked, cxl, amd bool
		report          core.ExecReport
		settles         bool
		status          core.OrdStatus
	}{
		{"alive", false, false, false, core.ExecReport{Type: core.ExecNew}, true, core.StatusNew},
		{"a fill", false, false, false, core.ExecReport{Type: core.ExecTrade, LastPx: 9990, LastQty: 1}, true, core.StatusPartiallyFilled},
		{"filled", false, true, true, core.ExecReport{Type: core.ExecTrade, LastPx: 9990, LastQty: 5}, true, core.StatusFilled},
		{"never arrived", false, true, false, core.ExecReport{Type: core.ExecRejected, VenueCode: unknownOrder}, true, core.StatusRejected},
		{"gone", true, true, false, core.ExecReport{Type: core.ExecCancelled, VenueCode: unknownOrder}, true, core.StatusCancelled},
		{"expired", true, false, true, core.ExecReport{Type: core.ExecExpired}, true, core.StatusExpired},
		{"alive, cancel pending", true, true, false, core.ExecReport{Type: core.ExecNew}, false, core.StatusNew},
		{"alive, amend pending", true, false, true, core.ExecReport{Type: core.ExecNew}, false, core.StatusNew},
		{"cancel refused", true, true, false, core.ExecReport{Type: core.ExecCancelRejected}, true, core.StatusNew},
		{"cancel of what is denied", true, true, false, core.ExecReport{Type: core.ExecCancelRejected, VenueCode: unknownOrder}, false, core.StatusNew},
		{"amended", true, false, true, core.ExecReport{Type: core.ExecReplaced, Price: 9990, Qty: 6}, true, core.StatusNew},
		{"not amended", true, false, true, core.ExecReport{Type: core.ExecReplaceRejected}, true, core.StatusNew},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t)
			id := h.ask(h.limit(core.Buy, 9990, 5, "")).Order.ID
			if c.acked {
				h.report(core.ExecReport{Type: core.ExecNew, Order: id})
			}
			if c.amd {
				h.wantCode(h.ask(Command{Kind: CmdAmend, Order: id, Qty: 6}), risk.OK)
			}
			if c.cxl {
				h.cancel(id)
			}
			h = h.restart().begin()
			if !c.acked && !c.cxl && !c.amd {
				h.wantUnknown(1)
			}
			c.report.Order, c.report.VenueExecID = id, 1
			h.report(c.report)
			o := h.stored(id)
			if o.Unknown == c.settles || o.Status != c.status {
				t.Errorf("unknown %v, %s; want %v, %s", o.Unknown, o.Status, !c.settles, c.status)
			}
			if o.Status.Open() && c.cxl && !c.settles && !o.PendingCxl {
				t.Error("the cancel was forgotten")
			}
			h.wantUnknown(boolToInt(!c.settles))
			h.checkReplay()
		})
	}
}

// Fault: the venue forgot an order. Its cancel is denied; the order does not stay
// open in silence, nor is it closed on a guess: the venue is asked.
func TestDeniedCancelAsksTheVenue(t *testing.T) {
	h := newHarness(t)
	id := h.order(core.Buy, 9990, 5)
	h.cancel(id)
	denial := core.ExecReport{Type: core.ExecCancelRejected, Order: id, VenueCode: uint16(core.VenueReasonUnknownOrder)}
	h.report(denial)
	h.wantUnknown(1)
	if got := h.gateway.ops(core.VenueStatus); len(got) != 1 || !h.stored(id).PendingCxl {
		t.Fatalf("asked about %v; %+v", got, h.stored(id))
	}
	h.report(denial) // of the cancel that went after the question
	if got := h.gateway.ops(core.VenueStatus); len(got) != 1 {
		t.Errorf("asked %d times at once", len(got))
	}
	h.fill(id, 5, 9990, 2)
	h.report(core.ExecReport{Type: core.ExecCancelled, Order: id, VenueCode: uint16(core.VenueReasonUnknownOrder)})
	h.wantUnknown(0)
	if o := h.stored(id); o.Status != core.StatusCancelled || o.CumQty != 2 {
		t.Errorf("%+v", o)
	}
	h.clock.Advance(time.Minute)
	h.run()
	if got := h.gateway.ops(core.VenueStatus); len(got) != 1 {
		t.Errorf("asked %d times, though it is closed", len(got))
	}
	h.checkReplay()
}

// A question that is not answered is asked again, one that is answered is not: the
// order that was known, too, for fills of it may have been missed.
func TestQuestionsAreRepeated(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.ReconcileEvery = time.Second })
	known, silent := h.order(core.Buy, 9990, 5), h.ask(h.limit(core.Buy, 9991, 5, "")).Order.ID
	h = h.restart().begin()
	asked := func(want int) {
		t.Helper()
		if got := h.gateway.ops(core.VenueStatus); len(got) != want {
			t.Errorf("%d questions, want %d: %v", len(got), want, got)
		}
	}
	asked(2)
	h.fill(known, 1, 9990, 1) // says nothing of what was missed
	h.clock.Advance(time.Second - 1)
	h.run()
	asked(2)
	h.clock.Advance(1)
	h.run()
	asked(4)
	h.report(core.ExecReport{Type: core.ExecNew, Order: known})
	h.clock.Advance(time.Second)
	h.run()
	asked(5)
	h.report(core.ExecReport{Type: core.ExecNew, Order: silent})
	h.clock.Advance(time.Hour)
	h.run()
	asked(5)
	h.wantUnknown(0)
}

// Many open orders are asked about a part in each cycle, and as fast as the
// gateway takes them; a new order is not behind all of them.
func TestQuestionsArePaced(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Batch = 16 })
	const n = 1000
	for range n {
		h.ask(h.limit(core.Buy, 9990, 1, ""))
	}
	h = h.restart()
	if err := h.e.start(); err != nil {
		t.Fatal(err)
	}
	h.gateway.room = 100
	h.e.duty()
	if got := len(h.gateway.ops(core.VenueStatus)); got != 16 {
		t.Errorf("%d questions in a cycle, want 16", got)
	}
	h.run()
	if got := len(h.gateway.ops(core.VenueStatus)); got != 100 || h.e.idleTime() > time.Millisecond || h.e.waitsForGateway() {
		t.Errorf("%d questions went to a gateway with room for 100; idle for %v", got, h.e.idleTime())
	}
	fresh := h.ask(h.limit(core.Buy, 9990, 1, "")).Order.ID
	h.gateway.room = 1
	h.e.duty()
	if last := h.gateway.sent[len(h.gateway.sent)-1]; last.Op != core.VenueNew || last.Order != fresh {
		t.Errorf("the room went to %+v, not to the new order", last)
	}
	h.gateway.room = -1
	h.run()
	seen := map[core.OrderID]int{}
	for _, id := range h.gateway.ops(core.VenueStatus) {
		seen[id]++
	}
	if len(seen) != n || len(h.gateway.ops(core.VenueStatus)) != n {
		t.Errorf("asked about %d orders, %d times; want %d once each", len(seen), len(h.gateway.ops(core.VenueStatus)), n)
	}
}

// Fault: the disk is full when the server comes up. Nothing but what needs no record
// is taken until the restart is recorded; a kill gets through.
func TestFullJournalAtTheRestart(t *testing.T) {
	h := newHarness(t)
	id := h.ask(h.limit(core.Buy, 9990, 5, "")).Order.ID
	h = h.restart()
	h.journal.appendErr = ErrFull
	h.begin()
	seq := h.e.m.seq
	h.fill(id, 1, 9990, 2)
	h.wantCode(h.ask(h.limit(core.Buy, 9990, 5, "")), risk.Capacity)
	if r := h.state(risk.FirmScope(), risk.StateHalted, true); !r.Unrecorded || r.Cancelled != 1 {
		t.Errorf("kill: %+v", r)
	}
	if h.e.m.seq != seq || h.e.Health() != HealthJournalFull || len(h.gateway.ops(core.VenueStatus)) != 0 {
		t.Errorf("%d records, health %s, %d questions", h.e.m.seq-seq, h.e.Health(), len(h.gateway.ops(core.VenueStatus)))
	}
	h.journal.appendErr = nil
	h.run()
	var first record.Record
	if err := record.Decode(collect(h.journal.Records())[seq], &first); err != nil || first.Type != record.TypeRestart || first.Restart.Unknown != 1 {
		t.Errorf("the first record: %s of %d orders, %v", first.Type, first.Restart.Unknown, err)
	}
	if h.stored(id).CumQty != 2 || !h.e.m.isHalted(&core.Order{}) {
		t.Errorf("%+v; halted: %v", h.stored(id), h.e.m.isHalted(&core.Order{}))
	}
	h.checkReplay()
}

// A run that takes over nothing records no restart; one whose predecessor ended
// with everything answered records one that leaves nothing unknown.
func TestRestartRecordIsForARecovery(t *testing.T) {
	h := newHarness(t)
	for i, rec := range collect(h.journal.Records()) {
		if record.Type(rec[1]) == record.TypeRestart {
			t.Errorf("record %d of a first run is a restart", i+1)
		}
	}
	h.order(core.Buy, 9990, 5)
	seq := h.e.m.seq
	h = h.restart().begin()
	h.wantUnknown(0)
	if record.Type(collect(h.journal.Records())[seq][1]) != record.TypeRestart {
		t.Error("no restart was recorded")
	}
	h.wantCode(h.ask(Command{Kind: CmdAmend, Order: 1, Qty: 6}), risk.OK)
	h.checkReplay()
	e := New(h.cfg)
	if err := e.Recover(func(func([]byte) bool) {}, nil); err != nil || e.restart {
		t.Errorf("an empty journal makes a restart: %v, %v", e.restart, err)
	}
	if err := h.e.Recover(nil, nil); !errors.Is(err, ErrRunning) {
		t.Errorf("while it runs: %v", err)
	}
}
