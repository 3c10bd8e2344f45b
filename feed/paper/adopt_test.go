package paper

import (
	"testing"

	"qcat/core"
)

// question asks about an order that an earlier run of the venue had.
func question(id core.OrderID, side core.Side, tif core.TimeInForce, p core.Price, q, cum core.Qty) core.VenueCommand {
	c := limit(id, side, tif, p, q)
	c.Op, c.Acked, c.CumQty = core.VenueStatus, true, cum
	return c
}

// want compares the reports so far by type, order and reason.
func (s *stage) want(what string, want ...core.ExecReport) {
	s.t.Helper()
	got := s.take()
	ok := len(got) == len(want)
	for i := 0; ok && i < len(got); i++ {
		g, w := &got[i], &want[i]
		ok = g.Type == w.Type && g.Order == w.Order && g.VenueCode == w.VenueCode && g.LastPx == w.LastPx &&
			g.LastQty == w.LastQty && g.Liquidity == w.Liquidity
	}
	if !ok {
		s.t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// Fault: the paper venue was restarted under an open order. It stands at the back of
// its price with what is left of it, and trades on from there.
func TestRestingOrderIsAdopted(t *testing.T) {
	s := newStage(t, Settings{})
	s.run(core.FlagSnapshot, bid(99, 7), ask(101, 5))
	s.send(question(1, core.Buy, core.GTC, 99, 10, 4))
	s.want("adopted", core.ExecReport{Type: core.ExecNew, Order: 1})
	s.trade(core.Sell, 99, 7)
	s.want("those displayed come first")
	s.trade(core.Sell, 99, 20)
	s.want("what is left", core.ExecReport{Type: core.ExecTrade, Order: 1, LastPx: 99, LastQty: 6, Liquidity: core.Maker})
	if s.matcher.Open() != 0 {
		t.Errorf("%d orders open", s.matcher.Open())
	}
}

// An adopted order that has become marketable takes at the market's prices, a
// post-only one too, and rests with the remainder.
func TestAdoptedOrderThatCrosses(t *testing.T) {
	s := newStage(t, Settings{})
	s.run(core.FlagSnapshot, bid(99, 7), ask(101, 5))
	s.send(question(1, core.Buy, core.PostOnly, 103, 10, 0))
	s.want("adopted", core.ExecReport{Type: core.ExecNew, Order: 1},
		core.ExecReport{Type: core.ExecTrade, Order: 1, LastPx: 101, LastQty: 5, Liquidity: core.Taker})
	s.trade(core.Sell, 103, 2)
	s.want("rests", core.ExecReport{Type: core.ExecTrade, Order: 1, LastPx: 103, LastQty: 2, Liquidity: core.Maker})
}

// What does not rest, or was never confirmed, is gone; off the grid of today an
// order of yesterday stays.
func TestQuestionsAboutWhatIsGone(t *testing.T) {
	gone := func(tp core.ExecType, why core.VenueReason) core.ExecReport {
		return core.ExecReport{Type: tp, Order: 1, VenueCode: uint16(why)}
	}
	never := question(1, core.Buy, core.GTC, 99, 10, 0)
	never.Acked = false
	market := question(1, core.Buy, core.GTC, 0, 10, 3)
	market.Type = core.Market
	expired := question(1, core.Buy, core.GTD, 99, 10, 0)
	expired.ExpireTime = 1000
	elsewhere := question(1, core.Buy, core.GTC, 99, 10, 0)
	elsewhere.Instrument = 9
	for name, c := range map[string]struct {
		ask  core.VenueCommand
		want core.ExecReport
	}{
		"never confirmed":    {never, gone(core.ExecRejected, core.VenueReasonUnknownOrder)},
		"market":             {market, gone(core.ExecCancelled, core.VenueReasonUnknownOrder)},
		"ioc":                {question(1, core.Buy, core.IOC, 99, 10, 0), gone(core.ExecCancelled, core.VenueReasonUnknownOrder)},
		"fok":                {question(1, core.Buy, core.FOK, 99, 10, 0), gone(core.ExecCancelled, core.VenueReasonUnknownOrder)},
		"filled":             {question(1, core.Buy, core.GTC, 99, 10, 10), gone(core.ExecCancelled, core.VenueReasonUnknownOrder)},
		"expired":            {expired, gone(core.ExecExpired, core.VenueReasonNone)},
		"instrument unknown": {elsewhere, gone(core.ExecCancelled, core.VenueReasonInvalid)},
		"off the grid":       {question(1, core.Buy, core.GTC, 98, 11, 0), gone(core.ExecNew, core.VenueReasonNone)},
	} {
		s := newStage(t, Settings{})
		s.defs[one].TickSize, s.defs[one].StepSize = 5, 10
		s.run(core.FlagSnapshot, bid(95, 7), ask(105, 5))
		s.send(c.ask)
		s.want(name, c.want)
		if open := s.matcher.Open(); open > 1 || (open == 1) != (c.want.Type == core.ExecNew) {
			t.Errorf("%s: %d orders open", name, open)
		}
	}
}

// Fault: at the restart there is no book yet. Nothing is answered until there is
// one; what waits can be cancelled and expires, and a question asked twice meanwhile
// is answered once.
func TestAdoptionWaitsForABook(t *testing.T) {
	s := newStage(t, Settings{})
	expires := question(3, core.Buy, core.GTD, 99, 10, 0)
	expires.ExpireTime = s.now + 5
	amending := question(4, core.Buy, core.GTC, 98, 10, 0)
	amending.Amending = true
	for _, c := range []core.VenueCommand{question(1, core.Buy, core.GTC, 99, 10, 0), question(2, core.Buy, core.GTC, 99, 10, 0),
		expires, amending, question(1, core.Buy, core.GTC, 99, 10, 0)} {
		s.send(c)
	}
	s.want("no book")
	s.send(core.VenueCommand{Op: core.VenueAmend, Order: 1, Price: 98, Qty: 5})
	s.want("an amend", core.ExecReport{Type: core.ExecReplaceRejected, Order: 1, VenueCode: uint16(core.VenueReasonBookStale)})
	s.send(core.VenueCommand{Op: core.VenueCancel, Order: 2})
	s.want("a cancel", core.ExecReport{Type: core.ExecCancelled, Order: 2})
	s.now += 5
	s.matcher.Advance(s.now)
	s.want("an expiry", core.ExecReport{Type: core.ExecExpired, Order: 3})
	s.run(core.FlagSnapshot, bid(99, 7), ask(101, 5))
	s.want("a book", core.ExecReport{Type: core.ExecNew, Order: 1}, core.ExecReport{Type: core.ExecReplaceRejected, Order: 4})
	s.run(core.FlagSnapshot, bid(99, 7), ask(101, 5))
	s.send(question(1, core.Buy, core.GTC, 99, 10, 0))
	s.want("asked again", core.ExecReport{Type: core.ExecNew, Order: 1})
	changed := question(4, core.Buy, core.GTC, 97, 10, 0)
	changed.Amending = true
	s.send(changed)
	s.want("other terms than the engine has", core.ExecReport{Type: core.ExecReplaced, Order: 4})
}

// A table without room answers nothing, so that the engine asks again; orders that
// wait and are cancelled do not pile up.
func TestAdoptionIsBounded(t *testing.T) {
	s := newStage(t, Settings{MaxOrders: 2})
	for id := range core.OrderID(3) {
		s.send(question(1+id, core.Buy, core.GTC, 99, 10, 0))
	}
	s.send(core.VenueCommand{Op: core.VenueCancel, Order: 1})
	s.want("room for two", core.ExecReport{Type: core.ExecCancelled, Order: 1})
	s.send(question(3, core.Buy, core.GTC, 99, 10, 0))
	for id := range core.OrderID(1000) {
		s.send(core.VenueCommand{Op: core.VenueCancel, Order: 3 + id})
		s.send(question(4+id, core.Buy, core.GTC, 99, 10, 0))
	}
	if n := len(s.matcher.markets[one].waiting); n > 100 {
		t.Errorf("%d entries for 2 orders that wait", n)
	}
	s.take()
	s.run(core.FlagSnapshot, bid(99, 7), ask(101, 5))
	s.want("a book", core.ExecReport{Type: core.ExecNew, Order: 2}, core.ExecReport{Type: core.ExecNew, Order: 1003})
}

// A cancel is faster than an order, but not than the question about its own; the
// next report is above every one the engine has seen of the order.
func TestCancelBehindTheQuestion(t *testing.T) {
	s := newStage(t, Settings{OrderLatency: 10, CancelLatency: 1})
	s.run(core.FlagSnapshot, bid(99, 7), ask(101, 5))
	c := question(1, core.Buy, core.GTC, 99, 10, 0)
	c.VenueExecID = 5000
	s.send(c)
	s.send(core.VenueCommand{Op: core.VenueCancel, Order: 1})
	s.now += 10
	s.matcher.Advance(s.now)
	for _, r := range s.reports {
		if r.VenueExecID <= 5000 {
			t.Errorf("report %d would be taken for a repetition", r.VenueExecID)
		}
	}
	s.want("in order", core.ExecReport{Type: core.ExecNew, Order: 1}, core.ExecReport{Type: core.ExecCancelled, Order: 1})
}

// Race: a question that the engine asked again while the order waited for a book
// arrives after the order was adopted and has ended. Its terms are those of before: an
// order is taken back once, or it would be traded twice.
func TestQuestionOvertakenByTheEnd(t *testing.T) {
	for name, end := range map[string]struct {
		run  func(s *stage)
		want core.ExecReport
	}{
		"filled": {
			func(s *stage) { s.trade(core.Sell, 98, 100) },
			core.ExecReport{Type: core.ExecTrade, Order: 1, LastPx: 99, LastQty: 10, Liquidity: core.Maker},
		},
		"cancelled": {
			func(s *stage) { s.send(core.VenueCommand{Op: core.VenueCancel, Order: 1}) },
			core.ExecReport{Type: core.ExecCancelled, Order: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, Settings{})
			q := question(1, core.Buy, core.GTC, 99, 10, 0)
			s.send(q)
			s.run(core.FlagSnapshot, bid(99, 7), ask(101, 5))
			s.want("adopted", core.ExecReport{Type: core.ExecNew, Order: 1})
			end.run(s)
			s.want("ended", end.want)
			s.send(q)
			s.want("asked again", core.ExecReport{Type: core.ExecCancelled, Order: 1, VenueCode: uint16(core.VenueReasonUnknownOrder)})
			s.trade(core.Sell, 98, 100)
			s.want("not traded again")
			if s.matcher.Open() != 0 {
				t.Errorf("%d orders open", s.matcher.Open())
			}
		})
	}
}
