package engine

import (
	"fmt"
	"slices"
	"testing"

	"qcat/core"
	"qcat/risk"
)

// backlog returns a harness whose commits are held, with as many orders entered
// as make the engine take no more.
func backlog(t *testing.T, change ...func(*Config)) *harness {
	t.Helper()
	h := newHarness(t, append(change, func(c *Config) { c.MaxStaged = 100 })...)
	h.journal.hold = true
	for range 200 {
		h.submit(h.limit(core.Buy, 9990, 1, ""))
	}
	h.run()
	if !h.e.backlogged() || h.e.m.out.venues.len() == 0 || len(h.gateway.sent) != 0 {
		t.Fatalf("%d outputs staged, %d commands sent", h.e.m.out.len(), len(h.gateway.sent))
	}
	return h
}

// A halt is taken although nothing else is, and holds back the orders that were
// recorded before it and had no commit yet.
func TestHaltIsTakenWhileBacklogged(t *testing.T) {
	h := backlog(t)
	staged := h.e.m.out.venues.len()
	h.submit(Command{Kind: CmdState, Scope: risk.FirmScope(), State: risk.StateHalted, CancelOpen: true})
	if !h.e.hasWork() {
		t.Error("the engine would sleep over a halt")
	}
	h.journal.commit()
	h.run()
	h.journal.hold = false
	h.journal.commit()
	h.run()
	if n := len(h.gateway.sent); n != 0 {
		t.Errorf("%d commands sent after the halt", n)
	}
	if n := h.e.stats.Withheld.Load(); n != uint64(staged) {
		t.Errorf("%d orders withheld, want %d", n, staged)
	}
	if n := h.e.m.orders.open.len; n != 0 {
		t.Errorf("%d orders left open", n)
	}
	if n := len(h.sink.replies); n != 201 {
		t.Errorf("%d answers to 201 commands", n)
	}
	h.checkReplay()
}

// What kills may stage beyond MaxStaged is bounded, and the engine sleeps then.
func TestKillsOfOneBacklogAreBounded(t *testing.T) {
	h := backlog(t, func(c *Config) { c.KillRing = 8 })
	before := h.e.m.seq
	for i := range 20 {
		for h.e.Submit(&Command{Kind: CmdState, Scope: risk.FirmScope(), State: risk.TradingState(i % 2)}) {
		}
		h.run()
	}
	if n := h.e.m.seq - before; n != 8 {
		t.Errorf("%d kills taken in one backlog, want 8", n)
	}
	if h.e.hasWork() {
		t.Error("a backlogged engine would spin")
	}
	h.journal.hold = false
	h.journal.commit()
	h.run()
	if n := h.e.m.seq - before; n < 16 {
		t.Errorf("%d kills taken after the commit, want all 16", n)
	}
	h.checkReplay()
}

func TestCancelsDoNotShedAKill(t *testing.T) {
	h := newHarness(t)
	shed := 0
	for i := range 5000 {
		if !h.e.Submit(&Command{Kind: CmdCancel, Account: h.account.ID, Order: core.OrderID(i + 1)}) {
			shed++
		}
	}
	if shed == 0 {
		t.Fatal("the cancels did not fill their ring")
	}
	h.submit(Command{Kind: CmdState, Scope: risk.FirmScope(), State: risk.StateHalted})
	h.e.duty()
	if !h.e.m.isHalted(&core.Order{}) {
		t.Error("one cycle later nothing is halted")
	}
}

// A change of state that comes while an older one waits to be recorded is not
// recorded before it.
func TestLaterStateIsNotUndone(t *testing.T) {
	h := newHarness(t)
	h.journal.appendErr = fmt.Errorf("no space: %w", ErrFull)
	h.state(risk.FirmScope(), risk.StateHalted, false)
	h.journal.appendErr = nil
	c := Command{Kind: CmdState, Scope: risk.FirmScope(), State: risk.StateActive}
	h.e.run(&c, h.clock.Now())
	h.run()
	if h.e.m.isHalted(&core.Order{}) {
		t.Error("the older halt was recorded last")
	}
	h.checkReplay()
}

// ofAnother is an order of another account.
func (h *harness) ofAnother() Command {
	h.t.Helper()
	h.rest(func() error { _, err := h.e.DefineAccount("other"); return err })
	c := h.limit(core.Buy, 9990, 1, "")
	c.Account = h.account.ID + 1
	c.Strategy = h.e.Directory().StrategyNamed(c.Account, core.DefaultStrategy).ID
	return c
}

// An order that was killed while it waited for its gateway, behind one that was not,
// is not sent when trading is resumed.
func TestKilledOrderIsNotSentAfterAResume(t *testing.T) {
	h := newHarness(t)
	other := h.ofAnother()
	h.gateway.room = 0
	h.ask(other)
	r := h.ask(h.limit(core.Buy, 9990, 1, ""))
	s := risk.AccountScope(h.account.ID)
	h.state(s, risk.StateHalted, true)
	h.state(s, risk.StateActive, false)
	h.gateway.room = -1
	h.run()
	if sent := h.gateway.ops(core.VenueNew); slices.Contains(sent, r.Order.ID) || len(sent) != 1 {
		t.Errorf("orders %v were sent; %d was killed", sent, r.Order.ID)
	}
	if o := h.stored(r.Order.ID); o.Status != core.StatusRejected {
		t.Errorf("%+v", o)
	}
	h.checkReplay()
}

// An order whose session is gone before its gateway took it never reaches the venue.
func TestDroppedOrderIsNotSent(t *testing.T) {
	h := newHarness(t)
	h.gateway.room = 0
	c := h.limit(core.Buy, 9990, 1, "")
	c.Session, c.CancelOnDrop = 7, true
	r := h.ask(c)
	h.ask(Command{Kind: CmdCancelAll, Scope: risk.FirmScope(), Session: 7})
	h.gateway.room = -1
	h.run()
	if n := len(h.gateway.sent); n != 0 {
		t.Errorf("%d commands sent for an order that nobody had seen", n)
	}
	if o := h.stored(r.Order.ID); o.Status.Open() {
		t.Errorf("%+v", o)
	}
	h.checkReplay()
}
