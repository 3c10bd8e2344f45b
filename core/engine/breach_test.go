package engine

import (
	"fmt"
	"testing"

	"qcat/core"
	"qcat/risk"
)

// losing is a harness whose account holds 10 bought at 100.00, with another order
// open, and whose daily loss of 50 or more brings about an action.
func losing(t *testing.T, action risk.Action, change ...func(*risk.Limits)) (*harness, core.OrderID) {
	t.Helper()
	h := newHarness(t)
	var l risk.Limits
	l.Set(risk.LimitMaxLossDaily, 50_00000000)
	l.Set(risk.LimitLossAction, int64(action))
	for _, f := range change {
		f(&l)
	}
	h.rest(func() error { _, err := h.e.DefineLimits(risk.AccountScope(h.account.ID), l); return err })
	h.report(core.ExecReport{Type: core.ExecTrade, Order: h.order(core.Buy, 10000, 10_000), VenueExecID: 1,
		LastPx: 10000, LastQty: 10_000, Liquidity: core.Taker})
	open := h.order(core.Buy, 9900, 1_000)
	h.look(10000)
	h.drainEvents()
	return h, open
}

// rest calls f while nobody runs the engine.
func (h *harness) rest(f func() error) {
	h.t.Helper()
	h.e.stop()
	err := f()
	h.e.running = true
	if err != nil {
		h.t.Fatal(err)
	}
	h.run()
}

// look lets the engine see a price, twice: the second time it is believed.
func (h *harness) look(px core.Price) {
	for range 2 {
		h.tick(px)
	}
}

func (h *harness) tick(px core.Price) {
	h.clock.Advance(DefaultMarkEvery)
	h.quote(h.btc.ID, px-1, px+1)
	h.run()
}

func (h *harness) nodeState() risk.TradingState {
	return h.e.m.tree.State(risk.AccountScope(h.account.ID))
}

// eventsOf counts the events of a kind since the last call, and returns the last.
func (h *harness) eventsOf(kind EventKind) (n int, last Event) {
	for _, ev := range h.drainEvents() {
		if ev.Kind == kind {
			n, last = n+1, ev
		}
	}
	return n, last
}

func TestBreachDoesWhatItsActionSays(t *testing.T) {
	for _, c := range []struct {
		action  risk.Action
		state   risk.TradingState
		cancels int
		closes  int
		refusal risk.Code // of an order that opens
		reduces risk.Code // of one that reduces
	}{
		{risk.ActionNotify, risk.StateActive, 0, 0, risk.MaxLossDaily, risk.OK},
		{risk.ActionReduce, risk.StateReducing, 0, 0, risk.MaxLossDaily, risk.OK},
		{risk.ActionHalt, risk.StateHalted, 1, 0, risk.MaxLossDaily, risk.MaxLossDaily},
		{risk.ActionFlatten, risk.StateReducing, 1, 1, risk.MaxLossDaily, risk.MaxLossDaily},
	} {
		t.Run(c.action.String(), func(t *testing.T) {
			h, open := losing(t, c.action)
			h.look(9501) // 49.9 lost
			if n, _ := h.eventsOf(EventBreach); n != 0 {
				t.Fatal("a breach below the limit")
			}
			h.look(9500) // 50: the limit itself passes
			if n, _ := h.eventsOf(EventBreach); n != 0 {
				t.Fatal("a breach at the limit")
			}
			sent := len(h.gateway.sent)
			h.look(9490)
			n, ev := h.eventsOf(EventBreach)
			if n != 1 || ev.Reason.Code != risk.MaxLossDaily || ev.Breach.Action != c.action || ev.Breach.Instrument != h.btc.ID ||
				ev.Reason.Limit != 50_00000000 || ev.Reason.Value != 51_00000000 || ev.Breach.Price != 9490 ||
				ev.Breach.Cause != ev.Seq-1 || ev.Breach.Seen == 0 {
				t.Errorf("%d breaches, the last %+v for %+v", n, ev.Breach, ev.Reason)
			}
			if got := h.nodeState(); got != c.state {
				t.Errorf("the account is %s, want %s", got, c.state)
			}
			var cancels, closes int
			for _, v := range h.gateway.sent[sent:] {
				switch {
				case v.Op == core.VenueCancel && v.Order == open:
					cancels++
				case v.Op == core.VenueNew && v.Side == core.Sell && v.Qty == 10_000 && v.Type == core.Market && v.ReduceOnly:
					closes++
				}
			}
			if cancels != c.cancels || closes != c.closes {
				t.Errorf("%d cancels and %d closing orders, want %d and %d", cancels, closes, c.cancels, c.closes)
			}
			if h.e.stats.MarkToAction.Snapshot().Count != 1 || h.e.stats.Breaches.Load() != 1 {
				t.Error("the time from mark to action was not taken once")
			}
			h.wantCode(h.ask(h.limit(core.Buy, 9490, 1, "")), c.refusal)
			if c.action != risk.ActionFlatten {
				h.wantCode(h.ask(h.limit(core.Sell, 9490, 1, "")), c.reduces)
			}
			h.checkReplay()
			h.checkRestore()
		})
	}
}

// checkRestore requires that a snapshot brings the same state back.
func (h *harness) checkRestore() {
	h.t.Helper()
	h.e.stop()
	snapshot := h.e.AppendSnapshot(nil)
	h.e.running = true
	other := h.cfg
	other.Directory = core.NewDirectory()
	e := New(other)
	if err := e.Restore(snapshot, nil); err != nil || e.StateHash() != h.stateHash() {
		h.t.Errorf("restore: %v", err)
	}
}

// A price far from the last is believed when the next agrees with it, not before.
func TestOneBadTickHaltsNobody(t *testing.T) {
	h, _ := losing(t, risk.ActionHalt)
	for _, px := range []core.Price{5000, 10000, 5000, 10000, 10000} {
		h.tick(px)
	}
	h.quotes[h.btc.ID] = core.Quote{BidPrice: 5001, AskPrice: 5000, LastPrice: 5000, ReceiveTime: h.clock.Now(), LastTime: h.clock.Now()}
	for range 3 { // crossed
		h.clock.Advance(DefaultMarkEvery)
		h.run()
	}
	h.quotes[h.btc.ID] = core.Quote{LastPrice: 5000, LastTime: h.clock.Now() - 2*markFresh}
	for range 3 { // old
		h.clock.Advance(DefaultMarkEvery)
		h.run()
	}
	if n, _ := h.eventsOf(EventBreach); n != 0 || h.nodeState() != risk.StateActive {
		t.Errorf("%d breaches, %s", n, h.nodeState())
	}
	h.look(5000)
	if n, _ := h.eventsOf(EventBreach); n != 1 || h.nodeState() != risk.StateHalted {
		t.Errorf("%d breaches when it stays, %s", n, h.nodeState())
	}
	h.checkReplay()
}

// While a node waits for more marks it gets them, though the price does not move.
func TestConfirmationsNeedNoMove(t *testing.T) {
	h, _ := losing(t, risk.ActionHalt, func(l *risk.Limits) { l.Set(risk.LimitLossConfirmations, 4) })
	h.look(9600)
	h.tick(9490)
	for i := range 4 {
		if got := h.nodeState(); got != risk.StateActive {
			t.Fatalf("%s after %d marks", got, i+1)
		}
		h.wantCode(h.ask(h.limit(core.Buy, 9490, 1, "")), risk.MaxLossDaily)
		if i < 3 {
			h.tick(9490)
		}
		if i == 2 {
			break
		}
	}
	if got := h.nodeState(); got != risk.StateHalted {
		t.Errorf("%s after four marks", got)
	}
	h.checkReplay()
}

// The process ends after the record of the price and before that of the breach: the
// next one acts.
func TestCrashBetweenMarkAndBreach(t *testing.T) {
	h, open := losing(t, risk.ActionHalt)
	h.tick(9600)
	h.journal.refuse = func(rec []byte) bool { return rec[1] == 19 }
	h.look(9490)
	if h.nodeState() != risk.StateActive || len(h.e.m.tree.Breaches()) != 1 {
		t.Fatalf("%s, %d breaches wait", h.nodeState(), len(h.e.m.tree.Breaches()))
	}
	h.journal.refuse = nil
	before := len(h.gateway.ops(core.VenueCancel))
	h = h.restart().begin()
	if h.nodeState() != risk.StateHalted || len(h.e.m.tree.Breaches()) != 0 {
		t.Errorf("%s after the restart", h.nodeState())
	}
	if got := h.gateway.ops(core.VenueCancel); len(got) != before+1 || got[before] != open {
		t.Errorf("cancelled %v, want %d once more", got, open)
	}
	h.checkReplay()
}

// Where the journal has no room for the breach, what it does to the venues is done all
// the same, once; it is recorded first, and no order is taken before.
func TestBreachWhileTheJournalIsFull(t *testing.T) {
	h, open := losing(t, risk.ActionHalt)
	h.tick(9600)
	h.journal.refuse = func(rec []byte) bool { return rec[1] != 13 }
	h.look(9490)
	for range 3 {
		h.clock.Advance(DefaultMarkEvery)
		h.run()
	}
	if got := h.gateway.ops(core.VenueCancel); len(got) != 1 || got[0] != open {
		t.Errorf("cancelled %v, want %d once", got, open)
	}
	if h.nodeState() != risk.StateActive {
		t.Error("the state is no longer the fold of the journal")
	}
	h.wantCode(h.ask(h.limit(core.Sell, 9490, 1, "")), risk.Capacity)
	h.journal.refuse = nil
	h.wantCode(h.ask(h.limit(core.Sell, 9490, 1, "")), risk.MaxLossDaily)
	if h.nodeState() != risk.StateHalted || h.e.breaches.passed != 0 {
		t.Errorf("%s once there is room", h.nodeState())
	}
	h.checkReplay()
}

// Limits crossed by many at once take bounded cycles, and none is left out.
func TestManyBreachesAtOnce(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Batch = 8 })
	var l risk.Limits
	l.Set(risk.LimitMaxLossDaily, 1)
	l.Set(risk.LimitLossAction, int64(risk.ActionHalt))
	const accounts = 50
	for i := range accounts {
		h.rest(func() error {
			a, err := h.e.DefineAccount(fmt.Sprintf("a%d", i))
			if err == nil {
				_, err = h.e.DefineLimits(risk.AccountScope(a.ID), l)
			}
			return err
		})
		a := h.e.m.accounts
		c := h.limit(core.Buy, 10000, 10, "")
		c.Account, c.Strategy = core.AccountID(a), core.StrategyID(len(h.e.m.strategies)-1)
		r := h.ask(c)
		h.fill(r.Order.ID, 1, 10000, 10)
	}
	h.look(10001)
	h.look(9900)
	if n := h.e.stats.Breaches.Load(); n != accounts || h.e.m.halted != accounts {
		t.Errorf("%d breaches, %d nodes halted", n, h.e.m.halted)
	}
	h.checkReplay()
	h.checkRestore()
}
