package hub

import (
	"fmt"
	"os"
	"testing"
	"time"

	"qcat/core"
)

// BenchmarkServe: one bbo event to N subscribers whose sockets, /dev/null, take
// everything at once: encoding once and N system calls. One iteration is one event;
// the deliveries are checked. What it costs beyond the calls is the hub's own.
func BenchmarkServe(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprintf("clients=%d", n), func(b *testing.B) {
			r := newRig(b, nil)
			null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
			if err != nil {
				b.Fatal(err)
			}
			defer null.Close()
			for range n {
				r.attach(b, newSink(), BBO).direct.use(null)
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
