package sim

import (
	"testing"

	"qcat/core"
	"qcat/core/book"
	"qcat/core/market"
	"qcat/feed"
)

// newLane returns a lane for the exchange and the runner that feeds it.
func newLane(t testing.TB, e *Exchange) (*feed.Lane, *Runner, *market.QuoteTable) {
	t.Helper()
	quotes := market.NewQuoteTable(64)
	lane, err := feed.NewLane(feed.LaneConfig{
		Name: VenueName, Continuity: feed.ContinuityPrev,
		Instruments: e.Instruments(), Quotes: quotes, RequestResync: e.RequestSnapshot,
		MaxInstruments: 64,
	})
	if err != nil {
		t.Fatal(err)
	}
	return lane, NewRunner(e, lane, core.NewManualClock(start)), quotes
}

// TestThroughALane takes a venue's path: lane, ring, tap. All books must be the
// market's own, without a gap, and again after the connection was lost.
func TestThroughALane(t *testing.T) {
	e := newExchange(t, Settings{Seed: 4, Rate: 300}, 8)
	lane, runner, quotes := newLane(t, e)
	tap := market.NewTap([]market.Source{lane.Source()}, nil)
	defer tap.Close()
	trades := 0
	count := func(ev *core.Event, _ *book.Replica) {
		if ev.Kind == core.EventTrade {
			trades++
		}
	}
	now := start
	for i := range 2000 {
		now += 5e6
		runner.Duty(now)
		for tap.Poll(count) > 0 {
		}
		if i == 1000 {
			lane.Disconnected(now)
			lane.Connected()
		}
	}
	for _, m := range e.markets {
		var q core.Quote
		if !quotes.Load(m.id, &q) || q.Flags != 0 ||
			q.BidPrice != m.bids.best() || q.AskPrice != m.asks.best() || q.MarkPrice == 0 || q.LastPrice == 0 {
			t.Errorf("instrument %d: quote %+v, best %d and %d", m.id, q, m.bids.best(), m.asks.best())
		}
		want := book.NewNaive()
		for _, l := range []*ladder{&m.bids, &m.asks} {
			for _, level := range l.levels {
				want.Set(l.side, level.Price, level.Qty)
			}
		}
		r := tap.Book(m.id)
		if r == nil || !r.Consistent() || r.Book().Hash() != want.Hash() || lane.Book(m.id).Hash() != want.Hash() {
			t.Errorf("instrument %d: a book differs from the market's", m.id)
		}
	}
	s := lane.Stats()
	if s.DepthGaps != 0 || s.TradeGaps != 0 || s.Crossed != 0 || s.Bad != 0 || s.Stale != 0 || s.Unknown != 0 {
		t.Errorf("stats: %+v", s)
	}
	if s.DepthApplied < 8*300*9 || trades < 8*300/4 || uint64(trades) != s.Trades {
		t.Errorf("%d depth messages, %d of %d trades", s.DepthApplied, trades, s.Trades)
	}
}
