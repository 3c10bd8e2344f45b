package engine

import (
	"math/rand/v2"
	"testing"
	"time"

	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

// serveVenue lets a venue answer what was sent since the last call, as the test says.
func (h *harness) serveVenue(done *int, answer func(c *core.VenueCommand) []core.ExecReport) {
	h.t.Helper()
	for ; *done < len(h.gateway.sent); *done++ {
		c := h.gateway.sent[*done]
		for _, r := range answer(&c) {
			r.Order, r.Instrument = c.Order, c.Instrument
			h.submit(Command{Kind: CmdReport, Report: r})
		}
	}
	h.run()
}

// obliging is a venue that fills market orders at px and confirms everything else.
func obliging(exec *uint64, px core.Price) func(c *core.VenueCommand) []core.ExecReport {
	return func(c *core.VenueCommand) []core.ExecReport {
		*exec++
		switch {
		case c.Op == core.VenueCancel:
			return []core.ExecReport{{Type: core.ExecCancelled, VenueExecID: *exec}}
		case c.Op == core.VenueNew && c.Type == core.Market:
			return []core.ExecReport{{Type: core.ExecTrade, VenueExecID: *exec, LastPx: px, LastQty: c.Qty, Liquidity: core.Taker}}
		case c.Op == core.VenueNew:
			return []core.ExecReport{{Type: core.ExecNew, VenueExecID: *exec}}
		}
		return nil
	}
}

func (h *harness) flat() bool {
	for i := range h.e.m.positions.all {
		if h.e.m.positions.all[i].Position.Qty != 0 {
			return false
		}
	}
	return true
}

// A venue that rejects, then fills a part, then is down, then all there is: the
// position is closed, and somebody is told of the refusals.
func TestFlattenDoesNotGiveUp(t *testing.T) {
	h, _ := losing(t, risk.ActionFlatten)
	h.look(9600)
	done, exec := len(h.gateway.sent), uint64(100)
	h.look(9490)
	serve, tries, told := obliging(&exec, 9490), 0, 0
	answer := func(c *core.VenueCommand) []core.ExecReport {
		if c.Type != core.Market || c.Op != core.VenueNew {
			return serve(c)
		}
		tries++
		exec++
		switch {
		case tries <= 4:
			return []core.ExecReport{{Type: core.ExecRejected, VenueCode: uint16(core.VenueReasonBookStale)}}
		case tries == 5:
			return []core.ExecReport{{Type: core.ExecTrade, VenueExecID: exec, LastPx: 9490, LastQty: 4_000},
				{Type: core.ExecCancelled, VenueExecID: exec + 1}}
		}
		return serve(c)
	}
	for i := range 400 {
		h.gateway.ready = i < 150 || i > 250
		h.tick(9490)
		h.serveVenue(&done, answer)
		for _, ev := range h.drainEvents() {
			told += boolToInt(ev.Kind == EventFlatten && ev.Scope == risk.AccountScope(h.account.ID))
		}
		h.clock.Advance(50 * time.Millisecond)
	}
	if !h.flat() || told == 0 {
		t.Errorf("%+v after %d tries, told %d times", h.position(), tries, told)
	}
	if tries > 12 {
		t.Errorf("%d tries", tries)
	}
	h.checkReplay()
	h.checkRestore()
}

// What is being closed is state: another process goes on.
func TestFlattenOutlivesTheProcess(t *testing.T) {
	h, _ := losing(t, risk.ActionFlatten)
	h.look(9600)
	h.gateway.ready = false
	h.look(9490)
	if h.flat() || len(h.e.m.flattens.all) != 1 {
		t.Fatal("nothing to go on with")
	}
	h = h.restart().begin()
	done, exec := 0, uint64(100)
	serve := obliging(&exec, 9490)
	answer := func(c *core.VenueCommand) []core.ExecReport {
		if c.Op == core.VenueStatus {
			return []core.ExecReport{{Type: core.ExecNew}}
		}
		return serve(c)
	}
	for range 100 {
		h.tick(9490)
		h.serveVenue(&done, answer)
	}
	if !h.flat() {
		t.Errorf("%+v", h.position())
	}
	h.checkReplay()
}

// A person who resumes the node ends it.
func TestResumeEndsAFlatten(t *testing.T) {
	h, _ := losing(t, risk.ActionFlatten)
	h.look(9600)
	h.gateway.ready = false
	h.look(9490)
	h.rest(func() error { _, err := h.e.DefineLimits(risk.AccountScope(h.account.ID), risk.Limits{}); return err })
	h.state(risk.AccountScope(h.account.ID), risk.StateActive, false)
	h.gateway.ready = true
	sent := len(h.gateway.sent)
	for range 100 {
		h.tick(9490)
	}
	for _, c := range h.gateway.sent[sent:] {
		if c.Op == core.VenueNew {
			t.Fatalf("order %d was sent after the node was resumed", c.Order)
		}
	}
	h.checkReplay()
}

// Any state can be flattened: whatever a strategy an account holds and has open, once
// its node is flattened and the venue answers, everything is closed.
func TestAnyStateCanBeFlattened(t *testing.T) {
	for seed := range uint64(12) {
		h := newHarness(t)
		rng := rand.New(rand.NewPCG(seed, 3))
		h.rest(func() error {
			in := testInstrument("sim", "ETHUSDT")
			in.MarketMaxQty, in.StepSize = 700, 10
			_, err := h.e.DefineInstrument(in)
			return err
		})
		h.quote(2, 10000, 10002)
		var strategies []Command
		for range 3 {
			h.rest(func() error { _, err := h.e.DefineAccount(string(rune('a' + len(strategies)))); return err })
			a, s := core.AccountID(h.e.m.accounts), core.StrategyID(len(h.e.m.strategies)-1)
			strategies = append(strategies, Command{Kind: CmdNew, Account: a, Strategy: s, Type: core.Limit, TIF: core.GTC})
		}
		var exec uint64
		for range 60 {
			c := strategies[rng.IntN(len(strategies))]
			c.Instrument, c.Side = core.InstrumentID(1+rng.IntN(2)), core.Side(1+rng.IntN(2))
			c.Price, c.Qty = core.Price(9_990+rng.IntN(20)), core.Qty(10+10*rng.IntN(300))
			r := h.ask(c)
			exec++
			if rng.IntN(3) > 0 {
				h.report(core.ExecReport{Type: core.ExecTrade, Order: r.Order.ID, Instrument: c.Instrument, VenueExecID: exec,
					LastPx: c.Price, LastQty: c.Qty - core.Qty(10*rng.IntN(int(c.Qty)/10))})
			}
		}
		h.rest(func() error {
			var l risk.Limits
			l.Set(risk.LimitMaxDrawdown, 0)
			l.Set(risk.LimitLossAction, int64(risk.ActionFlatten))
			for _, s := range strategies {
				if _, err := h.e.DefineLimits(risk.AccountScope(s.Account), l); err != nil {
					return err
				}
			}
			return nil
		})
		done := 0
		px := core.Price(10000)
		for i := range 200 {
			if i < 20 {
				px += core.Price(200*(i%2)) - 100 // every account loses at one of the two
			}
			h.clock.Advance(DefaultMarkEvery)
			h.quote(1, px, px+2)
			h.quote(2, px, px+2)
			h.run()
			if i >= 20 {
				h.serveVenue(&done, obliging(&exec, px))
			}
		}
		for i := range h.e.m.positions.all {
			if p := &h.e.m.positions.all[i]; p.Position.Qty != 0 {
				v, _ := h.e.m.tree.View(risk.AccountScope(p.Account))
				t.Errorf("seed %d: account %d still holds %d of %d (%s, drawdown %d)", seed, p.Account, p.Position.Qty, p.Instrument, v.State, v.Drawdown)
			}
		}
		if n := h.e.m.orders.open.len; n != 0 {
			t.Errorf("seed %d: %d orders are open", seed, n)
		}
		h.checkReplay()
	}
}

// What has been asked for and not been answered is not asked for again.
func TestFlattenWaitsForWhatIsOpen(t *testing.T) {
	h, _ := losing(t, risk.ActionFlatten)
	h.look(9600)
	h.look(9490)
	refused, asked := h.e.stats.Refused.Load(), len(h.gateway.ops(core.VenueNew))
	for range 100 {
		h.tick(9490)
	}
	if n := len(h.gateway.ops(core.VenueNew)); n != asked || h.e.stats.Refused.Load() != refused {
		t.Errorf("%d orders more, %d refused", n-asked, h.e.stats.Refused.Load()-refused)
	}
	h.checkReplay()
}

// An order of another strategy that would close all that the account holds neither
// keeps a strategy from being flattened nor is cancelled for it.
func TestFlattenOfAStrategyBesideAnother(t *testing.T) {
	h := newHarness(t)
	h.rest(func() error { _, err := h.e.DefineStrategy(h.account.ID, "beside"); return err })
	beside := h.limit(core.Sell, 10100, 10_000, "")
	beside.Strategy = h.e.Directory().StrategyNamed(h.account.ID, "beside").ID
	var l risk.Limits
	l.Set(risk.LimitMaxLossDaily, 50_00000000)
	l.Set(risk.LimitLossAction, int64(risk.ActionFlatten))
	own := risk.Scope{Level: risk.LevelStrategy, Account: h.account.ID, Strategy: h.strategy.ID}
	h.rest(func() error { _, err := h.e.DefineLimits(own, l); return err })
	h.report(core.ExecReport{Type: core.ExecTrade, Order: h.order(core.Buy, 10000, 10_000), VenueExecID: 1,
		LastPx: 10000, LastQty: 10_000, Liquidity: core.Taker})
	r := h.ask(beside)
	h.wantCode(r, risk.OK)
	h.report(core.ExecReport{Type: core.ExecNew, Order: r.Order.ID})
	h.look(10000)
	h.look(9490)
	done, exec := 0, uint64(100)
	for range 100 {
		h.tick(9490)
		h.serveVenue(&done, obliging(&exec, 9490))
	}
	if !h.flat() {
		t.Errorf("%+v", h.position())
	}
	if !h.stored(r.Order.ID).Status.Open() {
		t.Error("the order of the other strategy was cancelled")
	}
	h.checkReplay()
	h.checkRestore()
}

// A closing order that the journal had no room for is tried again, whether or not
// anything else happens.
func TestFlattenGoesOnAfterAFullJournal(t *testing.T) {
	h, _ := losing(t, risk.ActionFlatten)
	h.look(9600)
	h.journal.refuse = func(rec []byte) bool { return rec[1] == byte(record.TypeNew) }
	done, exec := len(h.gateway.sent), uint64(100)
	h.look(9490)
	for range 10 {
		h.tick(9490)
		h.serveVenue(&done, obliging(&exec, 9490))
	}
	if h.flat() || len(h.e.m.flattens.all) != 1 {
		t.Fatal("nothing to go on with")
	}
	h.journal.refuse = nil
	for range 100 {
		h.tick(9490)
		h.serveVenue(&done, obliging(&exec, 9490))
	}
	if !h.flat() {
		t.Errorf("%+v", h.position())
	}
	h.checkReplay()
}
