package fakevenue_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
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
	adapter, err := binance.NewAdapter(binance.Options{
		Market: src.Market, WS: srv.WS(), REST: srv.REST(), MarkPrice: src.Market == binance.USDM,
		HTTP: &http.Client{Transport: transport},
	})
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

// subscribed waits for n connections that have subscribed.
func (r *rig) subscribed(n int) {
	r.t.Helper()
	if err := r.srv.WaitSubscribed(r.ctx, n); err != nil {
		r.t.Fatalf("no subscription: %v", err)
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

// TestEveryFaultEndsInTheTruth plays a stream, does one thing to it half way, and
// plays on: the books must end equal to the venue's, which is the same truth for
// all, and an instrument to which nothing was done must never have been stale (I7).
func TestEveryFaultEndsInTheTruth(t *testing.T) {
	const btc = "BTCUSDT"
	sources := map[binance.Market]*fakevenue.Source{}
	for _, market := range []binance.Market{binance.Spot, binance.USDM} {
		sources[market] = fakevenue.Synthetic(fakevenue.SyntheticConfig{Market: market, Seed: 11, Messages: 900})
	}
	for _, tt := range []struct {
		name   string
		policy feed.ConnPolicy
		fault  func(*rig)
		stale  int  // how often BTCUSDT must have become stale by it
		alone  bool // ETHUSDT must not have noticed
	}{
		{name: "nothing", fault: func(*rig) {}, alone: true},
		{name: "skip", stale: 1, alone: true, fault: func(r *rig) {
			r.srv.SkipDepth(btc, 1)
			r.play(200)
		}},
		{name: "skip many", stale: 1, alone: true, fault: func(r *rig) {
			r.srv.SkipDepth(btc, 20)
			r.play(200)
		}},
		{name: "repeat", alone: true, fault: func(r *rig) {
			r.srv.RepeatDepth(btc, 5)
			r.play(200)
		}},
		{name: "swap", stale: 1, alone: true, fault: func(r *rig) {
			r.srv.SwapDepth(btc)
			r.play(200)
		}},
		{name: "garbage", alone: true, fault: func(r *rig) {
			for _, g := range []string{"", "{", "\xff\x00", `{"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate"}}`,
				`{"e":"trade","s":"BTCUSDT","p":-1}`, `{"code":-1,"msg":"no"}`} {
				r.srv.SendGarbage(g)
			}
			r.play(200)
			if bad := r.ses.Stats().Bad; bad != 6 {
				r.t.Errorf("%d bad frames were counted, want 6", bad)
			}
		}},
		{name: "drop", stale: 1, fault: func(r *rig) {
			r.srv.DropConnections()
			r.srv.Step(200)
		}},
		{name: "drop and refuse", stale: 1, fault: func(r *rig) {
			r.srv.RefuseConnections(3)
			r.srv.DropConnections()
			r.srv.Step(200)
		}},
		{name: "silence", stale: 1, policy: feed.ConnPolicy{DataTimeout: 50 * time.Millisecond}, fault: func(r *rig) {
			r.srv.GoSilent(true)
			r.srv.Step(200)
			r.until("silence is noticed", func() bool { return r.stale[r.ids[btc]] > 0 })
			r.srv.GoSilent(false)
		}},
		{name: "half open", stale: 1, policy: feed.ConnPolicy{PingEvery: 10 * time.Millisecond, IdleTimeout: 60 * time.Millisecond}, fault: func(r *rig) {
			r.srv.HalfOpen(true)
			r.srv.Step(200)
			r.until("the dead connection is noticed", func() bool { return r.stale[r.ids[btc]] > 0 })
			r.srv.HalfOpen(false)
		}},
		{name: "rate limited", stale: 1, alone: true, fault: func(r *rig) {
			r.srv.RespondStatus(http.StatusTooManyRequests, time.Second, 1)
			r.srv.SkipDepth(btc, 1)
			r.play(200)
		}},
		{name: "late snapshot", stale: 1, alone: true, fault: func(r *rig) {
			release := r.srv.HoldSnapshots()
			before := r.srv.Stats().Snapshots[btc]
			r.srv.SkipDepth(btc, 1)
			r.play(100)
			if err := r.srv.WaitStats(r.ctx, func(st fakevenue.Stats) bool { return st.Snapshots[btc] > before }); err != nil {
				r.t.Fatal(err)
			}
			r.play(100) // waits in the lane's buffer
			release()
		}},
		{name: "skip while the snapshot is under way", stale: 1, alone: true, fault: func(r *rig) {
			release := r.srv.HoldSnapshots()
			before := r.srv.Stats().Snapshots[btc]
			r.srv.SkipDepth(btc, 1)
			r.play(100)
			if err := r.srv.WaitStats(r.ctx, func(st fakevenue.Stats) bool { return st.Snapshots[btc] > before }); err != nil {
				r.t.Fatal(err)
			}
			r.srv.SkipDepth(btc, 1)
			r.play(100)
			release()
		}},
	} {
		for market, src := range sources {
			t.Run(fmt.Sprintf("%s/%s", tt.name, market), func(t *testing.T) {
				t.Parallel()
				r := newRig(t, src, tt.policy)
				r.subscribed(1)
				r.play(300)
				r.until("the books are live", r.inSync)
				clear(r.stale)
				if tt.policy == (feed.ConnPolicy{}) {
					r.clock.skip(betweenSnapshots)
				}
				tt.fault(r)
				r.until("the books are live again", r.inSync)
				r.subscribed(1)
				for r.srv.Position() < r.srv.Len() {
					r.play(50)
				}
				r.until("the end", r.inSync)
				r.check()
				if got := r.stale[r.ids[btc]]; (got == 0) != (tt.stale == 0) {
					t.Errorf("%s was stale %d times, want %d or more", btc, got, tt.stale)
				}
				if got := r.stale[r.ids["ETHUSDT"]]; tt.alone && got != 0 {
					t.Errorf("ETHUSDT was stale %d times by what was done to %s", got, btc)
				}
				if r.trades == 0 || (market == binance.USDM) != (r.marks > 0) {
					t.Errorf("%d trades, %d marks", r.trades, r.marks)
				}
			})
		}
	}
}

// TestConnectionIsReplacedWithoutAGap lets a connection grow old.
func TestConnectionIsReplacedWithoutAGap(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakevenue.Synthetic(fakevenue.SyntheticConfig{Seed: 12, Messages: 20_000}),
		feed.ConnPolicy{MaxAge: 300 * time.Millisecond, Overlap: 30 * time.Millisecond})
	r.subscribed(1)
	r.until("the books are live", func() bool { return r.live("BTCUSDT") && r.live("ETHUSDT") })
	clear(r.stale)
	for r.srv.Stats().Connections < 3 && r.srv.Position() < r.srv.Len() {
		r.play(5)
		r.until("the frames are applied", func() bool { return true })
		r.wait.Wait(r.tap.Ready, time.Millisecond)
	}
	r.play(50)
	r.until("the end", r.inSync)
	if n := r.srv.Stats().Connections; n < 3 {
		t.Fatalf("%d connections in %d frames", n, r.srv.Position())
	}
	if len(r.stale) != 0 {
		t.Errorf("stale %v: replacing a connection must not be noticed", r.stale)
	}
	r.check()
}

// TestCapturesEndInTheTruth plays the recorded frames through sockets, losing a
// depth update and a connection on the way.
func TestCapturesEndInTheTruth(t *testing.T) {
	dir := os.Getenv("QCAT_CAPTURES")
	if dir == "" {
		t.Skip("QCAT_CAPTURES is not set: no recorded market data to play")
	}
	for market, name := range map[binance.Market]string{
		binance.Spot: "spot-btcusdt-20240808.gz", binance.USDM: "usdm-btcusdt-20240808.gz"} {
		t.Run(market.String(), func(t *testing.T) {
			t.Parallel()
			f, err := os.Open(filepath.Join(dir, "binance", name))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			src, err := fakevenue.CaptureOf(market, f, 4_000)
			if err != nil {
				t.Fatal(err)
			}
			r := newRig(t, src, feed.ConnPolicy{})
			r.subscribed(1)
			r.play(1000)
			r.until("the book is live", r.inSync)
			r.clock.skip(betweenSnapshots)
			r.srv.SkipDepth("BTCUSDT", 1)
			r.play(1000)
			r.until("the gap is closed", r.inSync)
			r.clock.skip(betweenSnapshots)
			r.srv.DropConnections()
			r.srv.Step(100)
			r.until("the connection is back", r.inSync)
			r.subscribed(1)
			for r.srv.Position() < r.srv.Len() {
				r.play(1000)
				r.until("the frames are applied", r.inSync)
			}
			r.check()
		})
	}
}
