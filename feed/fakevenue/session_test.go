package fakevenue_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"qcat/feed"
	"qcat/feed/binance"
	"qcat/feed/fakevenue"
)

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
			want := uint64(6 * (1 + len(r.ses.Status().Auxiliary)))
			if bad := r.ses.Stats().Bad; bad != want {
				r.t.Errorf("%d bad frames were counted, want %d", bad, want)
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
		{name: "silence", stale: 1, policy: feed.ConnPolicy{DataTimeout: time.Second}, fault: func(r *rig) {
			r.srv.GoSilent(true)
			r.srv.Step(200)
			r.until("silence is noticed", func() bool { return r.stale[r.ids[btc]] > 0 })
			r.srv.GoSilent(false)
			// Without data the new connection would be left as the old one was, and
			// the books, each after its own spacing, never be live together.
			r.clock.skip(betweenSnapshots)
			r.until("the venue is heard again", func() bool {
				if r.inSync() {
					return true
				}
				r.srv.Step(1)
				return false
			})
		}},
		{name: "half open", stale: 1, policy: feed.ConnPolicy{PingEvery: 10 * time.Millisecond, IdleTimeout: time.Second}, fault: func(r *rig) {
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
				r.subscribed()
				r.play(300)
				r.until("the books are live", r.inSync)
				clear(r.stale)
				if tt.policy == (feed.ConnPolicy{}) {
					r.clock.skip(betweenSnapshots)
				}
				tt.fault(r)
				r.until("the books are live again", r.inSync)
				r.subscribed()
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
	r.subscribed()
	r.until("the books are live", func() bool { return r.live("BTCUSDT") && r.live("ETHUSDT") })
	clear(r.stale)
	replaced := func() bool {
		st := r.ses.Status()
		return st.Replaced >= 2 && st.Auxiliary[0].Replaced >= 2
	}
	for !replaced() && r.srv.Position() < r.srv.Len() {
		r.play(5)
		r.until("the frames are applied", func() bool { return true })
		r.wait.Wait(r.tap.Ready, time.Millisecond)
	}
	r.play(50)
	r.until("the end", r.inSync)
	if !replaced() {
		t.Fatalf("status %+v after %d frames", r.ses.Status(), r.srv.Position())
	}
	if st := r.ses.Status(); st.Breaks != 0 || st.Auxiliary[0].Breaks != 0 {
		t.Errorf("status %+v", st)
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
			r.subscribed()
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
			r.subscribed()
			for r.srv.Position() < r.srv.Len() {
				r.play(1000)
				r.until("the frames are applied", r.inSync)
			}
			r.check()
		})
	}
}
