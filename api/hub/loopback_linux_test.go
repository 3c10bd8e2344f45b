package hub

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"qcat/core"
	"qcat/core/hist"
)

// running starts the hub of a rig, all its goroutines, until the test ends.
func running(t testing.TB, r *rig) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { r.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
}

// join subscribes the server's end of a socket to kind, without a reader.
func (r *rig) join(t testing.TB, nc net.Conn, kind Kind) {
	t.Helper()
	c, err := r.Attach(nc)
	if err == nil {
		err = c.Subscribe([]Channel{{Kind: kind, Instrument: r.in.ID}}, From{}, func(bool) []byte { return nil })
	}
	if err != nil {
		t.Fatal(err)
	}
}

// subscribers waits until the topic has n of them.
func (r *rig) subscribers(t testing.TB, kind Kind, n int) {
	t.Helper()
	for have := -1; have < n; {
		if err := r.market.query(t.Context(), r.in.ID, func(it *instrument) { have = len(it.topics[kind].subs) }); err != nil {
			t.Fatal(err)
		}
	}
}

// loopbackWindow is how many events the saturated feed is ahead of the clients on
// average. Bounds are out of the way: nobody lags.
const loopbackWindow = 1024

func unbounded(c *Config) {
	c.SoftBound, c.HardBound = 1<<30, 1<<30
	c.Tick, c.Linger = 10*time.Millisecond, 10*time.Millisecond // the end is quick
}

// BenchmarkLoopbackSaturated: one quote after another to N subscribers over loopback
// sockets, as fast as their clients, one thread that counts frames, take them all:
// ring, encode, fan-out, system calls. One iteration is one event; every client must
// have had each.
func BenchmarkLoopbackSaturated(b *testing.B) {
	for _, n := range []int{1, 100, 400} {
		b.Run(fmt.Sprintf("clients=%d", n), func(b *testing.B) {
			r := newRig(b, unbounded)
			running(b, r)
			c := newCrowd(b, n, func(nc net.Conn) { r.join(b, nc, BBO) })
			r.subscribers(b, BBO, n)
			ev := quoteOf(r.in.ID, core.SystemClock().Now())
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				for uint64(i*n) > c.frames.Load()+uint64(loopbackWindow*n) {
					sleepFor(20 * time.Microsecond) // whoever yields keeps the runtime from its poller
				}
				r.ring.Publish(&ev)
			}
			c.await(b, uint64(b.N)*uint64(n))
			b.StopTimer()
			s := r.Stats()
			b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "deliveries/s")
			b.ReportMetric(float64(s.Delivered)/float64(s.Writes), "frames/write")
		})
	}
}

// BenchmarkLoopbackLatency: quotes on a fixed schedule, far below what saturates, to
// N subscribers over loopback sockets, and beside it the floor: one goroutine that
// writes a frame of the same size to each socket in turn. Latency is from when a
// quote was due to when the client's thread has read it. One iteration is one event.
func BenchmarkLoopbackLatency(b *testing.B) {
	for _, n := range []int{1, 100} {
		period := max(500*time.Microsecond, time.Duration(n)*20*time.Microsecond)
		b.Run(fmt.Sprintf("bare/clients=%d", n), func(b *testing.B) {
			var conns []net.Conn
			c := newCrowd(b, n, func(nc net.Conn) { conns = append(conns, nc) })
			frame := EndFrame(append(BeginFrame(nil), make([]byte, 150)...), OpText)
			latency(b, c, n, period, func() {
				for _, nc := range conns {
					_, _ = nc.Write(frame) // the count tells
				}
			})
		})
		b.Run(fmt.Sprintf("hub/clients=%d", n), func(b *testing.B) {
			r := newRig(b, unbounded)
			running(b, r)
			c := newCrowd(b, n, func(nc net.Conn) { r.join(b, nc, BBO) })
			r.subscribers(b, BBO, n)
			latency(b, c, n, period, func() {
				ev := quoteOf(r.in.ID, core.SystemClock().Now())
				r.ring.Publish(&ev)
			})
		})
	}
}

// latency calls event b.N times, one a period, and reports when the clients had it.
func latency(b *testing.B, c *crowd, n int, period time.Duration, event func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := time.Now().Add(10 * time.Millisecond)
	c.lat = new(hist.Histogram)
	c.due = func(k int) time.Time { return start.Add(time.Duration(k) * period) }
	b.ResetTimer()
	for i := range b.N {
		for time.Until(c.due(i)) > 0 {
			sleepFor(time.Until(c.due(i)))
		}
		event()
	}
	c.await(b, uint64(b.N)*uint64(n))
	b.StopTimer()
	s := c.lat.Snapshot()
	for _, q := range []float64{0.5, 0.99} {
		b.ReportMetric(float64(s.Quantile(q))/1e3, fmt.Sprintf("µs-p%g", q*100))
	}
}
