package feed_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"qcat/core"
	"qcat/core/book"
	"qcat/core/market"
	"qcat/feed"
	"qcat/ringbuf"
)

// patience bounds every wait of these tests; none takes nearly as long.
const patience = 20 * time.Second

// runningSession is a session under test, with a consumer behind it.
type runningSession struct {
	t      *testing.T
	server *toyServer
	*feed.Session
	tap    *market.Tap
	waiter *ringbuf.Waiter
	quotes *market.QuoteTable
	stop   func() error
}

// quick is a configuration for tests: everything happens within milliseconds.
func quick(server *toyServer, ids ...core.InstrumentID) feed.SessionConfig {
	server.policy = feed.ConnPolicy{
		SubscribeInterval: time.Millisecond, PingEvery: 20 * time.Millisecond, Overlap: 30 * time.Millisecond,
	}
	return feed.SessionConfig{
		Venue: server,
		Lane: feed.LaneConfig{
			Name: "toy", Decoder: &toyDecoder{}, Continuity: feed.ContinuityFirst, Instruments: ids,
			Quotes: market.NewQuoteTable(16), MaxInstruments: 16,
		},
		Limiter:       feed.NewLimiter(time.Millisecond, nil),
		SnapshotDelay: 5 * time.Millisecond,
		ResyncSpacing: time.Millisecond,
		Reconnect:     feed.Backoff{Base: 4 * time.Millisecond, Cap: 20 * time.Millisecond},
		Resync:        feed.Backoff{Base: 4 * time.Millisecond, Cap: 20 * time.Millisecond},
		DutyEvery:     2 * time.Millisecond,
	}
}

func start(t *testing.T, server *toyServer, cfg feed.SessionConfig) *runningSession {
	s, err := feed.NewSession(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w := ringbuf.NewWaiter(ringbuf.Park)
	r := &runningSession{t: t, server: server, Session: s, waiter: w, quotes: cfg.Lane.Quotes, tap: market.NewTap([]market.Source{s.Source()}, w)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stopped := false
	r.stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-done
	}
	t.Cleanup(func() { _ = r.stop() })
	return r
}

// until waits for a condition, following the session's events meanwhile.
func (r *runningSession) until(what string, ok func() bool) {
	r.t.Helper()
	for end := time.Now().Add(patience); !ok(); {
		if time.Now().After(end) {
			r.t.Fatalf("waited in vain until %s; status %+v, stats %+v", what, r.Status(), r.Stats())
		}
		if r.tap.Poll(func(*core.Event, *book.Replica) {}) == 0 {
			r.waiter.Wait(r.tap.Ready, time.Millisecond)
		}
	}
}

func (r *runningSession) live() bool { return r.Stats().Stale == 0 && r.Status().Connected }

// settle waits until the books are live and the streams have gone on from their
// snapshots: one that was faster than the stream's beginning leaves a first gap.
func (r *runningSession) settle() {
	r.t.Helper()
	from := r.Stats().DepthApplied
	r.until("all books are live and followed", func() bool { return r.live() && r.Stats().DepthApplied > from+100 })
}

// agree waits until the consumer's books are the venue's, which has stopped speaking. A frame
// may have been said between a snapshot and a subscription, and only the next one tells that
// it is missing: the venue says another one now and then until they agree.
func (r *runningSession) agree() {
	r.t.Helper()
	spoke := time.Now()
	r.until("the books agree with the venue's", func() bool {
		if r.same() {
			return true
		}
		if time.Since(spoke) > 200*time.Millisecond {
			r.server.say()
			spoke = time.Now()
		}
		return false
	})
}

// same reports whether the consumer's books are the venue's.
func (r *runningSession) same() bool {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	for id, v := range r.server.venues {
		b := r.tap.Book(id)
		if b == nil || b.Stale() || b.Book().Hash() != v.book.Hash() {
			return false
		}
	}
	return true
}

// TestSessionConnects: a session gets live books from stream and snapshots,
// answers pings with pongs and sends its own, and leaves nothing behind.
func TestSessionConnects(t *testing.T) {
	leaks := goleak.IgnoreCurrent()
	server := newToyServer(t, feed.ContinuityFirst, 1, 2, 3)
	quiet := server.talk()
	r := start(t, server, quick(server, 1, 2, 3))
	r.settle()
	gaps := r.Stats().DepthGaps
	r.until("the venue was pinged", func() bool { return server.count(&server.pings) > 2 })
	server.mu.Lock()
	for c := range server.conns {
		if err := c.ws.WriteControl(9, []byte("x"), time.Now().Add(time.Second)); err != nil {
			t.Error(err)
		}
	}
	server.mu.Unlock()
	r.until("the venue got a pong", func() bool { return server.count(&server.pongs) > 0 })
	quiet()
	r.agree()
	if s := r.Stats(); s.DepthGaps != gaps || s.TradeGaps != 0 || s.Bad != 0 {
		t.Errorf("stats %+v", s)
	}
	if st := r.Status(); st.Connects != 1 || st.LastFrame == 0 || st.Instruments != 3 || st.LastError != "" {
		t.Errorf("status %+v", st)
	}
	if err := r.stop(); !errors.Is(err, context.Canceled) {
		t.Errorf("Run returned %v", err)
	}
	if st := r.Status(); st.Connected || st.Stale != 3 || st.LastFrame == 0 {
		t.Errorf("status after the end: %+v", st)
	}
	server.http.Close()
	goleak.VerifyNone(t, leaks)
}

// TestSessionReconnects: when the connection breaks, everything is stale at once,
// and comes back by itself from fresh snapshots.
func TestSessionReconnects(t *testing.T) {
	server := newToyServer(t, feed.ContinuityPrev, 1, 2)
	quiet := server.talk()
	cfg := quick(server, 1, 2)
	cfg.Lane.Continuity = feed.ContinuityPrev
	r := start(t, server, cfg)
	for i := range uint64(3) {
		r.until("all books are live", func() bool { return r.live() && r.Stats().Disconnects == i })
		server.cut()
		r.until("the break is noticed", func() bool { return r.Stats().Disconnects == i+1 })
	}
	r.until("all books are live", r.live)
	quiet()
	r.agree()
	if st := r.Status(); st.Connects != 4 || st.LastError == "" {
		t.Errorf("status %+v", st)
	}
}

// TestSessionHalfOpen: a venue that says nothing, not even pong, is left.
func TestSessionHalfOpen(t *testing.T) {
	server := newToyServer(t, feed.ContinuityFirst, 1)
	server.setMute(true)
	server.talk()
	cfg := quick(server, 1)
	cfg.Policy.IdleTimeout = 60 * time.Millisecond
	r := start(t, server, cfg)
	r.until("the silent connection is left", func() bool { return server.count(&server.dials) > 1 })
	server.setMute(false)
	r.until("all books are live", r.live)
}

// TestSessionLostSubscription: pongs alone are no data.
func TestSessionLostSubscription(t *testing.T) {
	server := newToyServer(t, feed.ContinuityFirst, 1)
	cfg := quick(server, 1)
	cfg.Policy.DataTimeout = 60 * time.Millisecond
	r := start(t, server, cfg)
	r.until("the dataless connection is left", func() bool { return server.count(&server.dials) > 1 })
	if server.talk(); server.count(&server.pings) == 0 {
		t.Error("no ping was sent")
	}
	r.until("all books are live", r.live)
}

// TestSessionReplaces: connections are replaced before their time is up, without
// a gap, a stale moment or a missed trade, although old and new are not in step.
func TestSessionReplaces(t *testing.T) {
	server := newToyServer(t, feed.ContinuityFirst, 1, 2)
	quiet := server.talk()
	cfg := quick(server, 1, 2)
	cfg.Policy.MaxAge = 150 * time.Millisecond
	r := start(t, server, cfg)
	r.settle()
	server.mu.Lock()
	for c := range server.conns {
		server.lagging = c // the new connection will be ahead of it
	}
	server.mu.Unlock()
	gaps := r.Stats().DepthGaps
	resyncs := r.Stats().Resyncs
	r.until("three connections were replaced", func() bool { return r.Status().Replaced >= 3 })
	quiet()
	r.agree()
	s, st := r.Stats(), r.Status()
	if s.DepthGaps != gaps || s.Resyncs != resyncs || s.TradeGaps != 0 || s.Disconnects != 0 || st.Connects != 1 {
		t.Errorf("the replacement was noticed: %+v %+v", s, st)
	}
	if s.DepthDuplicates == 0 || s.TradeDuplicates == 0 {
		t.Errorf("the connections did not overlap: %+v", s)
	}
}

// TestSessionReplacementFails: while a replacement cannot be had, the current
// connection goes on; and when that dies too, the session reconnects.
func TestSessionReplacementFails(t *testing.T) {
	t.Parallel()
	server := newToyServer(t, feed.ContinuityFirst, 1)
	quiet := server.talk()
	cfg := quick(server, 1)
	cfg.Policy.MaxAge = 50 * time.Millisecond
	cfg.Policy.IdleTimeout = 1500 * time.Millisecond // the current connection is never as silent, however busy the machine
	r := start(t, server, cfg)
	r.until("all books are live", r.live)
	server.setMute(true) // replacements connect, but never deliver
	dials := server.count(&server.dials)
	replaced := r.Status().Replaced
	r.until("two replacements were tried", func() bool { return server.count(&server.dials) >= dials+2 })
	if st := r.Status(); !st.Connected || st.Replaced > replaced+1 || r.Stats().Disconnects != 0 {
		t.Errorf("status %+v", st)
	}
	server.cut()
	server.setMute(false)
	r.until("the break is noticed", func() bool { return r.Stats().Disconnects > 0 })
	r.until("all books are live", r.live)
	quiet()
	r.agree()
}

// TestSessionRateLimited: a venue that wants to be left alone is not asked again
// before its time.
func TestSessionRateLimited(t *testing.T) {
	const alone = 150 * time.Millisecond
	server := newToyServer(t, feed.ContinuityFirst, 1, 2)
	server.setRefuse(&feed.RateLimitError{RetryAfter: alone})
	server.talk()
	cfg := quick(server, 1, 2)
	cfg.SnapshotConcurrency = 1
	begin := time.Now()
	r := start(t, server, cfg)
	r.until("a snapshot was refused", func() bool { return r.Status().SnapshotFailures > 0 })
	server.setRefuse(nil)
	fetches := server.count(&server.fetches)
	if most := 1 + int64(time.Since(begin)/alone); int64(fetches) > most {
		t.Errorf("asked %d times in the time for %d", fetches, most)
	}
	r.until("all books are live", r.live)
	if took := time.Since(begin); took < alone {
		t.Errorf("asked again after %v, %d fetches before", took, fetches)
	}
}

// TestSessionFetchFailures: snapshots that fail, or are no snapshots, are asked
// for again.
func TestSessionFetchFailures(t *testing.T) {
	server := newToyServer(t, feed.ContinuityFirst, 1)
	server.setRefuse(errors.New("out of order"))
	server.talk()
	r := start(t, server, quick(server, 1))
	r.until("three snapshots failed", func() bool { return r.Status().SnapshotFailures >= 3 })
	if r.live() {
		t.Error("live without a snapshot")
	}
	server.setRefuse(nil)
	r.until("all books are live", r.live)
}

// TestSessionSnapshotAcrossBreak: a snapshot that was asked for before a break and
// comes after it makes no book live: what the venue said in between is missing.
func TestSessionSnapshotAcrossBreak(t *testing.T) {
	server := newToyServer(t, feed.ContinuityFirst, 1)
	release := make(chan struct{})
	server.hold = release
	quiet := server.talk()
	r := start(t, server, quick(server, 1))
	r.until("a snapshot is on its way", func() bool { return server.count(&server.fetches) == 1 })
	from := r.Stats().DepthMessages
	r.until("the venue has gone on", func() bool { return r.Stats().DepthMessages > from+100 })
	quiet()
	server.cut()
	r.until("the connection is back", func() bool { return r.Status().Connects == 2 })
	server.mu.Lock()
	server.hold = nil
	server.mu.Unlock()
	close(release)
	r.until("the book is live", r.live)
	if r.agree(); server.count(&server.fetches) < 2 {
		t.Error("no other snapshot was asked for")
	}
}

// TestNewSessionErrors: what cannot work is refused.
func TestNewSessionErrors(t *testing.T) {
	server := newToyServer(t, feed.ContinuityFirst, 1)
	cfg := quick(server, 1)
	cfg.Venue = nil
	if _, err := feed.NewSession(cfg); !errors.Is(err, feed.ErrSession) {
		t.Errorf("no venue: %v", err)
	}
	if _, err := feed.NewSession(quick(server, 0)); !errors.Is(err, feed.ErrLane) {
		t.Errorf("instrument 0: %v", err)
	}
}
