package fakevenue_test

import (
	"testing"

	"qcat/core"
	"qcat/feed"
	"qcat/feed/fakevenue"
)

// quote returns what the quote table says of a symbol.
func (r *rig) quote(symbol string) core.Quote {
	var q core.Quote
	r.quotes.Load(r.ids[symbol], &q)
	return q
}

// playMarks plays until both symbols had another mark price.
func (r *rig) playMarks() {
	r.t.Helper()
	btc, eth := r.quote("BTCUSDT").MarkTime, r.quote("ETHUSDT").MarkTime
	for r.quote("BTCUSDT").MarkTime == btc || r.quote("ETHUSDT").MarkTime == eth {
		if r.srv.Position() == r.srv.Len() {
			r.t.Fatalf("no mark prices; %+v", r.ses.Status())
		}
		r.play(20)
		r.until("the frames are applied", r.inSync)
	}
}

func newMarksRig(t *testing.T) *rig {
	r := newRig(t, fakevenue.Synthetic(fakevenue.SyntheticConfig{Seed: 21, Messages: 20_000}), feed.ConnPolicy{})
	r.subscribed()
	r.play(300)
	r.until("the books are live", r.inSync)
	clear(r.stale)
	return r
}

// TestMarksArriveFromTheirAddress: the mark prices of the market address are in
// the quotes of the books from the public one, near their prices.
func TestMarksArriveFromTheirAddress(t *testing.T) {
	t.Parallel()
	r := newMarksRig(t)
	r.playMarks()
	r.check()
	for symbol := range r.ids {
		q := r.quote(symbol)
		if far := q.MarkPrice - q.BidPrice; q.MarkTime == 0 || far > q.BidPrice/100 || -far > q.BidPrice/100 {
			t.Errorf("%s: quote %+v", symbol, q)
		}
	}
	if r.marks == 0 || r.ses.Stats().MarksOld != 0 {
		t.Errorf("%d marks, %+v", r.marks, r.ses.Stats())
	}
}

// TestLosingTheMarketAddress: the books stay live and go on, and marks resume
// when the address answers again.
func TestLosingTheMarketAddress(t *testing.T) {
	t.Parallel()
	r := newMarksRig(t)
	r.playMarks()
	r.srv.RefuseConnections(3)
	r.srv.DropRoute(fakevenue.RouteMarket)
	r.until("the loss is noticed", func() bool { return r.ses.Status().Auxiliary[0].Breaks == 1 })
	r.play(200)
	r.until("the books go on", r.inSync)
	r.until("marks are connected again", func() bool { return r.ses.Status().Auxiliary[0].Connected })
	r.subscribed()
	r.playMarks()
	r.check()
	if st := r.ses.Status(); len(r.stale) != 0 || st.Breaks != 0 || r.ses.Stats().Disconnects != 0 || st.Auxiliary[0].Connects != 2 {
		t.Errorf("stale %v, status %+v", r.stale, st)
	}
}

// TestLosingThePublicAddress: the books are stale at once and resynchronise,
// while marks stay connected.
func TestLosingThePublicAddress(t *testing.T) {
	t.Parallel()
	r := newMarksRig(t)
	r.playMarks()
	r.clock.skip(betweenSnapshots)
	r.srv.DropRoute(fakevenue.RoutePublic)
	r.until("the books are stale", func() bool { return len(r.stale) == len(r.ids) })
	r.until("the books are live again", r.inSync)
	r.subscribed()
	r.playMarks()
	r.check()
	if st := r.ses.Status(); st.Breaks != 1 || st.Auxiliary[0].Breaks != 0 || st.Auxiliary[0].Connects != 1 {
		t.Errorf("status %+v", st)
	}
}
