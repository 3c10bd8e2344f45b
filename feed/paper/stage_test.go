package paper

import (
	"testing"

	"qcat/core"
	"qcat/core/book"
)

// stage is a market to trade in: replicas fed by hand and the matcher's reports.
type stage struct {
	t        testing.TB
	books    map[core.InstrumentID]*book.Replica
	defs     map[core.InstrumentID]*core.Instrument
	matcher  *Matcher
	reports  []core.ExecReport
	now      core.Nanos
	exchange core.Nanos // exchange time of the next events
	seq      uint64
}

// Book and Instrument make a stage Books and Instruments.
func (s *stage) Book(id core.InstrumentID) *book.Replica          { return s.books[id] }
func (s *stage) Instrument(id core.InstrumentID) *core.Instrument { return s.defs[id] }

// one is the instrument of most tests: prices and quantities without decimals,
// notionals with two, so that rounding shows.
const one = core.InstrumentID(1)

func define(id core.InstrumentID, symbol string) *core.Instrument {
	return &core.Instrument{
		ID: id, Venue: "test", Symbol: symbol, Base: symbol, Quote: "USD", Settle: "USD",
		Kind: core.Linear, SettleScale: 2, ContractSize: 1, TickSize: 1, StepSize: 1,
	}
}

func newStage(t testing.TB, settings Settings) *stage {
	t.Helper()
	s := &stage{
		t:     t,
		books: map[core.InstrumentID]*book.Replica{},
		defs:  map[core.InstrumentID]*core.Instrument{},
		now:   1000, exchange: 1000,
	}
	for id, symbol := range map[core.InstrumentID]string{1: "ONE", 2: "TWO"} {
		s.defs[id] = define(id, symbol)
		s.books[id] = book.NewReplica(8)
	}
	m, err := NewMatcher(settings, s, s, func(r *core.ExecReport) { s.reports = append(s.reports, *r) })
	if err != nil {
		t.Fatal(err)
	}
	s.matcher = m
	return s
}

// event stamps ev and shows it to the replica and the matcher, as a tap does.
func (s *stage) event(ev core.Event) {
	if ev.Instrument == 0 {
		ev.Instrument = one
	}
	s.seq++
	ev.Seq = s.seq
	ev.ReceiveTime = s.now
	if ev.ExchangeTime == 0 {
		ev.ExchangeTime = s.exchange
	}
	b := s.books[ev.Instrument]
	b.Apply(&ev)
	s.matcher.Event(&ev, b)
}

// run sends level events as one run; an empty snapshot is one event.
func (s *stage) run(flags core.EventFlags, levels ...core.Event) {
	if len(levels) == 0 {
		levels = []core.Event{{}}
	}
	for i, ev := range levels {
		ev.Kind, ev.Flags = core.EventLevel, flags
		if i == 0 {
			ev.Flags |= core.FlagFirst
		}
		if i == len(levels)-1 {
			ev.Flags |= core.FlagLast
		}
		s.event(ev)
	}
}

func bid(p core.Price, q core.Qty) core.Event {
	return core.Event{Side: core.Buy, Price: p, Qty: q}
}

func ask(p core.Price, q core.Qty) core.Event {
	return core.Event{Side: core.Sell, Price: p, Qty: q}
}

// trade is a trade whose aggressor is on side.
func (s *stage) trade(side core.Side, p core.Price, q core.Qty) {
	s.event(core.Event{Kind: core.EventTrade, Side: side, Price: p, Qty: q})
}

func (s *stage) stale() { s.event(core.Event{Kind: core.EventStatus, Flags: core.FlagStale}) }

// send submits c and lets it arrive if it is due.
func (s *stage) send(c core.VenueCommand) {
	if c.Instrument == 0 {
		c.Instrument = one
	}
	s.matcher.Submit(&c, s.now)
	s.matcher.Advance(s.now)
}

func limit(id core.OrderID, side core.Side, tif core.TimeInForce, p core.Price, q core.Qty) core.VenueCommand {
	return core.VenueCommand{
		Op: core.VenueNew, Order: id, Side: side, Type: core.Limit, TIF: tif, Price: p, Qty: q,
	}
}

func marketOrder(id core.OrderID, side core.Side, q core.Qty) core.VenueCommand {
	return core.VenueCommand{
		Op: core.VenueNew, Order: id, Side: side, Type: core.Market, TIF: core.IOC, Qty: q,
	}
}

// take returns the reports so far and forgets them.
func (s *stage) take() []core.ExecReport {
	r := s.reports
	s.reports = nil
	return r
}
