package fakevenue_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"qcat/core"
	"qcat/core/book"
	"qcat/core/market"
	"qcat/feed"
	"qcat/feed/binance"
	"qcat/feed/fakevenue"
	"qcat/ringbuf"
)

// skewedClock is the system's clock, set forward: the session then believes that
// a pause of its own has passed.
type skewedClock struct{ ahead atomic.Int64 }

func (c *skewedClock) Now() core.Nanos { return core.SystemClock().Now() + core.Nanos(c.ahead.Load()) }

func (c *skewedClock) skip(d time.Duration) { c.ahead.Add(int64(d)) }

// betweenSnapshots is longer than a session waits between two snapshots of an
// instrument, and shorter than it waits for a sign of life by default.
const betweenSnapshots = 5 * time.Second

// rig is a session with its lane, connected to a fake venue and watched by a tap.
type rig struct {
	t    *testing.T
	ctx  context.Context
	srv  *fakevenue.Server
	main fakevenue.Route // of the books
	ids  map[string]core.InstrumentID
	ses  *feed.Session
	tap  *market.Tap
	wait *ringbuf.Waiter

	clock  *skewedClock
	quotes *market.QuoteTable
	stale  map[core.InstrumentID]int // status events that said stale
	trades int
	marks  int
}

// newRig connects to a server that plays src. Everything that waits, waits
// milliseconds.
func newRig(t *testing.T, src *fakevenue.Source, policy feed.ConnPolicy) *rig {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	srv, err := fakevenue.New(src)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, ctx: ctx, srv: srv, ids: map[string]core.InstrumentID{}, quotes: market.NewQuoteTable(16),
		wait: ringbuf.NewWaiter(ringbuf.Park), stale: map[core.InstrumentID]int{}, clock: &skewedClock{}}
	transport := &http.Transport{}
	opts := binance.Options{Market: src.Market, WS: srv.WS(), REST: srv.REST(), HTTP: &http.Client{Transport: transport}}
	if src.Market == binance.USDM {
		r.main = fakevenue.RoutePublic
		opts.WS, opts.MarketWS = srv.WSAt(fakevenue.RoutePublic), srv.WSAt(fakevenue.RouteMarket)
	}
	adapter, err := binance.NewAdapter(opts)
	if err != nil {
		t.Fatal(err)
	}
	conn := r.connection(adapter, src)
	decoder, err := conn.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	var ids []core.InstrumentID
	for _, in := range conn.Instruments() {
		ids = append(ids, in.ID)
	}
	const soon = time.Millisecond
	r.ses, err = feed.NewSession(feed.SessionConfig{
		Venue: conn,
		Lane: feed.LaneConfig{Name: src.Market.Venue(), Decoder: decoder, Continuity: src.Market.Continuity(),
			Instruments: ids, Quotes: r.quotes},
		Policy:        policy,
		Limiter:       feed.NewLimiter(soon, nil),
		SnapshotDelay: soon, DutyEvery: 2 * soon,
		Reconnect: feed.Backoff{Base: soon, Cap: 5 * soon},
		Resync:    feed.Backoff{Base: soon, Cap: 5 * soon},
		Clock:     r.clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	r.tap = market.NewTap([]market.Source{r.ses.Source()}, r.wait)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = r.ses.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		r.tap.Close()
		transport.CloseIdleConnections()
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// connection asks the venue for its rules, as a start does, and defines the
// instruments.
func (r *rig) connection(a *binance.Adapter, src *fakevenue.Source) *binance.Connection {
	r.t.Helper()
	var symbols []string
	for _, in := range src.Instruments {
		symbols = append(symbols, in.Symbol)
	}
	rules, err := a.REST().Instruments(r.ctx, symbols)
	if err != nil {
		r.t.Fatal(err)
	}
	dir := core.NewDirectory()
	var ins []*core.Instrument
	for _, rule := range rules {
		in, err := dir.AddInstrument(rule)
		if err != nil {
			r.t.Fatal(err)
		}
		r.ids[in.Symbol] = in.ID
		ins = append(ins, in)
	}
	return a.Connections(ins)[0]
}

// until polls the tap until cond is true.
func (r *rig) until(what string, cond func() bool) {
	r.t.Helper()
	for {
		for r.tap.Poll(r.saw) > 0 {
		}
		if cond() {
			return
		}
		if r.ctx.Err() != nil {
			r.t.Fatalf("waited in vain until %s; %+v", what, r.ses.Stats())
		}
		r.wait.Wait(r.tap.Ready, 5*time.Millisecond)
	}
}

func (r *rig) saw(ev *core.Event, _ *book.Replica) {
	switch {
	case ev.Kind == core.EventStatus && ev.Flags.Has(core.FlagStale):
		r.stale[ev.Instrument]++
	case ev.Kind == core.EventTrade:
		r.trades++
	case ev.Kind == core.EventMark:
		r.marks++
	}
}

func (r *rig) live(symbol string) bool {
	b := r.tap.Book(r.ids[symbol])
	return b != nil && b.Consistent()
}

// inSync says that every book is live and equals the truth.
func (r *rig) inSync() bool {
	for symbol, id := range r.ids {
		if !r.live(symbol) || r.tap.Book(id).Book().Hash() != r.srv.TruthHash(symbol) {
			return false
		}
	}
	return true
}

// subscribed waits until the session's connections are there and have subscribed.
func (r *rig) subscribed() {
	r.t.Helper()
	routes := []fakevenue.Route{r.main}
	if r.main != fakevenue.RouteAll {
		routes = append(routes, fakevenue.RouteMarket)
	}
	for _, route := range routes {
		if err := r.srv.WaitRoute(r.ctx, route, 1); err != nil {
			r.t.Fatalf("no subscription at %q: %v", route, err)
		}
	}
}

// play plays n frames and waits until the session has taken them.
func (r *rig) play(n int) {
	r.t.Helper()
	r.srv.Step(n)
	if err := r.srv.Barrier(r.ctx); err != nil {
		r.t.Fatal(err)
	}
}

// check compares books and quotes with the truth, level by level.
func (r *rig) check() {
	r.t.Helper()
	for symbol, id := range r.ids {
		bids, asks, last := r.srv.Truth(symbol)
		b := r.tap.Book(id).Book()
		for side, want := range map[core.Side][]core.Level{core.Buy: bids, core.Sell: asks} {
			got := b.Levels(side, nil, -1)
			if len(got) != len(want) {
				r.t.Fatalf("%s %s: %d levels, want %d", symbol, side, len(got), len(want))
			}
			for i := range got {
				if got[i] != want[i] {
					r.t.Fatalf("%s %s: level %d is %v, want %v", symbol, side, i, got[i], want[i])
				}
			}
		}
		var q core.Quote
		if !r.quotes.Load(id, &q) || q.Flags != 0 || q.Seq < last {
			r.t.Errorf("%s: quote %+v of a book at %d", symbol, q, last)
		}
		// A bookTicker may be ahead of the depth that it came from.
		if q.Seq == last && (q.BidPrice != bids[0].Price || q.AskQty != asks[0].Qty) {
			r.t.Errorf("%s: quote %+v of a book of %v, %v", symbol, q, bids[0], asks[0])
		}
	}
}
