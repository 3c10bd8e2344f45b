package engine

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"qcat/core"
	"qcat/risk"
)

func TestHaltCancelsAndLetsNothingThrough(t *testing.T) {
	h := newHarness(t)
	other, err := h.defineStrategy("other")
	if err != nil {
		t.Fatal(err)
	}
	mine := h.order(core.Buy, 9990, 1)
	c := h.limit(core.Buy, 9990, 1, "")
	c.Strategy = other.ID
	theirs := h.ask(c).Order.ID
	r := h.state(risk.StrategyScope(h.strategy.ID), risk.StateHalted, true)
	if r.Cancelled != 1 || !r.Reason.OK() {
		t.Errorf("reply %+v", r)
	}
	if got := h.gateway.ops(core.VenueCancel); !slices.Equal(got, []core.OrderID{mine}) {
		t.Errorf("cancelled %v, want %d alone", got, mine)
	}
	h.wantCode(h.ask(h.limit(core.Buy, 9990, 1, "")), risk.Halted)
	h.wantCode(h.ask(Command{Kind: CmdAmend, Order: theirs, Qty: 2}), risk.OK)
	all := h.state(risk.FirmScope(), risk.StateHalted, true)
	if all.Cancelled != 1 {
		t.Errorf("the firm's halt cancelled %d more, want 1", all.Cancelled)
	}
	h.state(risk.FirmScope(), risk.StateActive, false)
	h.state(risk.StrategyScope(h.strategy.ID), risk.StateActive, false)
	if h.e.m.halted != 0 {
		t.Errorf("%d nodes halted after resuming", h.e.m.halted)
	}
	h.wantCode(h.ask(h.limit(core.Buy, 9990, 1, "")), risk.OK)
	h.wantCode(h.state(risk.StrategyScope(99), risk.StateHalted, true), risk.UnknownStrategy)
	h.wantCode(h.state(risk.AccountScope(99), risk.StateHalted, true), risk.UnknownAccount)
	h.checkReplay()
}

func (h *harness) defineStrategy(name string) (*core.Strategy, error) {
	h.e.stop()
	defer func() { h.e.running = true }()
	return h.e.DefineStrategy(h.account.ID, name)
}

func TestReducingAdmitsOnlyWhatReduces(t *testing.T) {
	h := newHarness(t)
	id := h.order(core.Buy, 10000, 10)
	h.fill(id, 1, 10000, 10)
	h.state(risk.AccountScope(h.account.ID), risk.StateReducing, false)
	h.wantCode(h.ask(h.limit(core.Buy, 9990, 1, "")), risk.Reducing)
	h.wantCode(h.ask(h.limit(core.Sell, 10010, 11, "")), risk.Reducing)
	h.wantCode(h.ask(h.limit(core.Sell, 10010, 6, "")), risk.OK)
	h.wantCode(h.ask(h.limit(core.Sell, 10010, 5, "")), risk.Reducing)
	c := h.limit(core.Sell, 10010, 5, "")
	c.ReduceOnly = true
	h.state(risk.AccountScope(h.account.ID), risk.StateActive, false)
	h.wantCode(h.ask(c), risk.ReduceOnly)
	h.checkReplay()
}

// An order whose gateway's queue was full when the halt came stays here and is
// rejected; its cancel is not sent for it.
func TestHaltOvertakesWhatWaitsForAGateway(t *testing.T) {
	h := newHarness(t)
	h.gateway.room = 1
	sent := h.ask(h.limit(core.Buy, 9990, 1, "")).Order.ID
	waiting := h.ask(h.limit(core.Buy, 9990, 2, "")).Order.ID
	h.state(risk.FirmScope(), risk.StateHalted, true)
	h.gateway.room = -1
	h.run()
	if got := h.gateway.ops(core.VenueNew); !slices.Equal(got, []core.OrderID{sent}) {
		t.Errorf("sent %v, want %d alone", got, sent)
	}
	if got := h.gateway.ops(core.VenueCancel); !slices.Equal(got, []core.OrderID{sent}) {
		t.Errorf("cancelled %v, want %d alone", got, sent)
	}
	if o := h.stored(waiting); o.Status != core.StatusRejected || o.Reason != uint16(core.VenueReasonUnavailable) {
		t.Errorf("withheld order: %+v", o)
	}
	if h.e.stats.Withheld.Load() != 1 {
		t.Errorf("%d withheld", h.e.stats.Withheld.Load())
	}
	h.checkReplay()
}

func TestFullGatewayRefusesNewOrdersAndKeepsCancels(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.MaxOutbox = 2 })
	var ids []core.OrderID
	for range 3 {
		ids = append(ids, h.order(core.Buy, 9990, 1))
	}
	h.gateway.room = 0
	for _, id := range ids {
		h.wantCode(h.cancel(id), risk.OK)
	}
	h.wantCode(h.ask(h.limit(core.Buy, 9990, 1, "")), risk.VenueUnavailable)
	h.gateway.room = -1
	h.run()
	if got := h.gateway.ops(core.VenueCancel); !slices.Equal(got, ids) {
		t.Errorf("cancels %v, want %v", got, ids)
	}
	h.wantCode(h.ask(h.limit(core.Buy, 9990, 1, "")), risk.OK)
	h.gateway.ready = false
	h.wantCode(h.ask(h.limit(core.Buy, 9990, 1, "")), risk.VenueUnavailable)
	h.checkReplay()
}

// While the journal has no room orders are refused; cancels, the kill switch and
// at last every fill get through, and nothing is lost.
func TestFullJournal(t *testing.T) {
	h := newHarness(t)
	a, b := h.order(core.Buy, 9990, 5), h.order(core.Buy, 9991, 5)
	before, seq := h.stateHash(), h.e.m.seq
	h.journal.appendErr = fmt.Errorf("no space: %w", ErrFull)
	h.wantCode(h.ask(h.limit(core.Buy, 9990, 1, "")), risk.Capacity)
	h.wantCode(h.ask(Command{Kind: CmdAmend, Order: a, Qty: 6}), risk.Capacity)
	if h.e.Health() != HealthJournalFull {
		t.Errorf("health %s", h.e.Health())
	}
	if r := h.cancel(a); !r.Reason.OK() || !r.Unrecorded || r.Seq != 0 {
		t.Errorf("cancel: %+v", r)
	}
	h.fill(b, 1, 9991, 2)
	h.fill(b, 2, 9991, 1)
	if r := h.state(risk.FirmScope(), risk.StateHalted, true); !r.Unrecorded || r.Cancelled != 2 {
		t.Errorf("kill: %+v", r)
	}
	if got := h.gateway.ops(core.VenueCancel); !slices.Equal(got, []core.OrderID{a, a, b}) {
		t.Errorf("cancels %v", got)
	}
	if h.stateHash() != before || h.e.m.seq != seq {
		t.Error("the state moved without a record")
	}
	h.journal.appendErr = nil
	h.wantCode(h.ask(h.limit(core.Buy, 9990, 1, "")), risk.Halted)
	if o := h.stored(b); o.CumQty != 3 || h.position().Qty != 3 {
		t.Errorf("after recovery: filled %d, position %d, want 3", o.CumQty, h.position().Qty)
	}
	if h.e.Health() != HealthRunning {
		t.Errorf("health %s", h.e.Health())
	}
	h.checkReplay()
}

// A kill that could not be recorded holds back orders until it is, even if the
// journal would take them.
func TestUnrecordedKillComesFirst(t *testing.T) {
	h := newHarness(t)
	h.journal.appendErr = ErrFull
	h.state(risk.StrategyScope(h.strategy.ID), risk.StateHalted, false)
	h.state(risk.StrategyScope(h.strategy.ID), risk.StateReducing, false)
	h.state(risk.StrategyScope(h.strategy.ID), risk.StateHalted, false)
	if len(h.e.unsaved) != 1 {
		t.Errorf("%d unsaved states of one scope", len(h.e.unsaved))
	}
	h.journal.appendErr = nil
	if err := h.e.sequence(&Command{Kind: CmdNew}, h.clock.Now()); err == nil {
		t.Error("an order was taken before the kill was recorded")
	}
	h.run()
	h.wantCode(h.ask(h.limit(core.Buy, 9990, 1, "")), risk.Halted)
	h.checkReplay()
}

// An I/O error ends trading: what was not committed is neither sent nor
// acknowledged, and cancels still go out.
func TestBrokenJournal(t *testing.T) {
	for _, how := range []string{"append", "commit"} {
		t.Run(how, func(t *testing.T) {
			h := newHarness(t)
			live := h.order(core.Buy, 9990, 5)
			h.journal.hold = true
			h.submit(h.limit(core.Buy, 9991, 5, "lost"))
			h.run()
			h.drainEvents()
			sent := len(h.gateway.sent)
			replies := len(h.sink.replies)
			if how == "append" {
				h.journal.appendErr = errBroken
				h.wantCode(h.ask(h.limit(core.Buy, 9992, 5, "")), risk.Halted)
			} else {
				h.journal.broken = errBroken
				h.run()
			}
			if h.e.Health() != HealthJournalFailed {
				t.Fatalf("health %s", h.e.Health())
			}
			lost := h.sink.replies[replies]
			h.wantCode(lost, risk.Halted)
			if lost.Order.ID != 0 || lost.Seq != 0 {
				t.Errorf("an order that was not committed was acknowledged: %+v", lost)
			}
			h.wantCode(h.ask(h.limit(core.Buy, 9993, 5, "")), risk.Halted)
			check := h.limit(core.Buy, 9993, 5, "")
			check.Kind = CmdCheck
			h.wantCode(h.ask(check), risk.Halted)
			if r := h.state(risk.FirmScope(), risk.StateHalted, true); !r.Unrecorded {
				t.Errorf("kill: %+v", r)
			}
			if got := h.gateway.sent[sent:]; len(got) != 1 || got[0].Op != core.VenueCancel || got[0].Order != live {
				t.Errorf("sent after the failure: %+v", got)
			}
			if evs := h.drainEvents(); len(evs) != 0 {
				t.Errorf("%d events published after the failure", len(evs))
			}
			if err := h.e.drain(); !errors.Is(err, ErrJournal) || !errors.Is(err, errBroken) {
				t.Errorf("the end of the run: %v", err)
			}
		})
	}
}

// A cancel by a client order id that overtakes its own order still in the ring
// waits for it; one that names nothing is answered.
func TestCancelWaitsForTheOrderItOvertook(t *testing.T) {
	h := newHarness(t)
	c := h.limit(core.Buy, 9990, 1, "fast")
	h.submit(c)
	h.submit(Command{Kind: CmdCancel, Account: h.account.ID, ClOrdID: c.ClOrdID})
	nothing, _ := core.MakeClOrdID("nothing")
	h.submit(Command{Kind: CmdCancel, Account: h.account.ID, ClOrdID: nothing})
	h.run()
	if got := h.gateway.ops(core.VenueCancel); !slices.Equal(got, []core.OrderID{1}) {
		t.Errorf("cancelled %v, want the order that was overtaken", got)
	}
	if n := len(h.sink.replies); n != 3 {
		t.Errorf("%d answers to 3 commands", n)
	}
	if r := h.sink.replies[len(h.sink.replies)-1]; r.Reason.Code != risk.UnknownOrder {
		t.Errorf("a cancel that names nothing: %+v", r)
	}
}

// A command ring full of orders delays neither a cancel nor a kill, and after the
// kill's record nothing of the flood goes out.
func TestKillUnderAFlood(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.CommandRing, c.Batch = 1024, 16 })
	live := h.order(core.Buy, 9990, 1)
	n := 0
	for ; ; n++ {
		c := h.limit(core.Buy, 9990, 1, "")
		if !h.e.Submit(&c) {
			break
		}
	}
	if n < 1024 || h.e.stats.Shed.Load() != 1 {
		t.Fatalf("%d taken, %d shed", n, h.e.stats.Shed.Load())
	}
	h.e.duty()
	h.submit(Command{Kind: CmdState, Scope: risk.FirmScope(), State: risk.StateHalted, CancelOpen: true})
	h.e.duty()
	last := h.sink.replies[len(h.sink.replies)-1]
	if last.Kind != CmdState || last.Cancelled != 17 {
		t.Fatalf("one cycle later the kill's answer is %+v", last)
	}
	sent := len(h.gateway.ops(core.VenueNew))
	h.run()
	if got := len(h.gateway.ops(core.VenueNew)); got != sent {
		t.Errorf("%d orders sent after the kill", got-sent)
	}
	if got := h.gateway.ops(core.VenueCancel); len(got) != 17 || got[0] != live {
		t.Errorf("cancelled %d orders, want 17", len(got))
	}
	h.checkReplay()
}

func TestCancelAllByScope(t *testing.T) {
	h := newHarness(t)
	eth := h.defineInstrument("ETHUSDT")
	h.quote(eth.ID, 10000, 10002)
	a := h.order(core.Buy, 9990, 1)
	c := h.limit(core.Buy, 9990, 1, "")
	c.Instrument = eth.ID
	b := h.ask(c).Order.ID
	r := h.ask(Command{Kind: CmdCancelAll, Scope: risk.InstrumentScope(h.account.ID, 0, eth.ID)})
	if r.Cancelled != 1 || !slices.Equal(h.gateway.ops(core.VenueCancel), []core.OrderID{b}) {
		t.Errorf("one instrument: %+v", r)
	}
	r = h.ask(Command{Kind: CmdCancelAll, Scope: risk.AccountScope(h.account.ID)})
	if r.Cancelled != 1 || !slices.Equal(h.gateway.ops(core.VenueCancel), []core.OrderID{b, a}) {
		t.Errorf("the account: %+v", r)
	}
	h.checkReplay()
}

func (h *harness) defineInstrument(symbol string) *core.Instrument {
	h.t.Helper()
	h.e.stop()
	defer func() { h.e.running = true }()
	in, err := h.e.DefineInstrument(testInstrument("sim", symbol))
	if err != nil {
		h.t.Fatal(err)
	}
	return in
}

func TestSinkThatLeftGetsNothing(t *testing.T) {
	h := newHarness(t)
	gone := &testSink{}
	to, _ := h.e.RegisterSink(gone)
	h.e.UnregisterSink(to)
	h.e.UnregisterSink(to) // harmless
	here := &testSink{}
	next, _ := h.e.RegisterSink(here)
	if next == to {
		t.Fatal("a name was used twice")
	}
	c := h.limit(core.Buy, 9990, 1, "")
	c.Reply = to
	h.e.Submit(&c)
	h.run()
	if len(gone.replies)+len(here.replies) != 0 {
		t.Error("an answer went to the wrong sink")
	}
}

func TestBackloggedEngineTakesNothing(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.MaxStaged = 30; c.Batch = 4 })
	h.journal.hold = true
	for range 40 {
		h.submit(h.limit(core.Buy, 9990, 1, ""))
	}
	h.run()
	if n := h.e.m.out.len(); n < 30 || n > 30+3*4 {
		t.Errorf("%d outputs staged, want about 30", n)
	}
	if h.e.hasWork() {
		t.Error("a backlogged engine would spin")
	}
	h.journal.hold = false
	h.journal.commit()
	h.run()
	if len(h.sink.replies) != 40 {
		t.Errorf("%d answered, want 40", len(h.sink.replies))
	}
}

func TestDrainEndsWithoutAGateway(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.DrainTimeout = 5 * time.Millisecond })
	h.gateway.room = 0
	h.ask(h.limit(core.Buy, 9990, 1, ""))
	if err := h.e.drain(); !errors.Is(err, ErrDrain) {
		t.Errorf("an order still waits for its gateway: %v", err)
	}
	h.gateway.room = -1
	if err := h.e.drain(); err != nil {
		t.Error(err)
	}
}
