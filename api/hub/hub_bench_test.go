package hub

import (
	"fmt"
	"testing"
	"time"

	"qcat/core"
)

// BenchmarkFanOut: one bbo event to N subscribers whose sockets take everything
// at once: encoding once, N copies, wake-ups and the writers' work. One iteration
// is one event; the deliveries are checked. Without a real socket: what remains
// is the hub's own cost.
func BenchmarkFanOut(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprintf("clients=%d", n), func(b *testing.B) {
			r := newRig(b, nil)
			sinks := make([]*sinkConn, n)
			for i := range sinks {
				sinks[i] = newSink()
				r.attach(b, sinks[i], BBO)
			}
			ev := core.Event{Kind: core.EventQuote, Instrument: r.in.ID, Price: 5000000, Qty: 1000, AskPrice: 5000001, AskQty: 2000}
			b.ReportAllocs()
			for b.Loop() {
				r.ring.Publish(&ev)
				r.cycle()
			}
			b.StopTimer()
			s := r.Stats()
			if s.Delivered+s.Conflated != uint64(b.N)*uint64(n) {
				b.Fatalf("%d delivered and %d conflated of %d", s.Delivered, s.Conflated, b.N*n)
			}
			b.ReportMetric(float64(b.Elapsed())/float64(time.Nanosecond)/float64(b.N*n), "ns/delivery")
		})
	}
}
