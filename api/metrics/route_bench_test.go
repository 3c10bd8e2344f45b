package metrics

import (
	"testing"
	"time"
)

// BenchmarkObserve counts requests of one route with two statuses, one goroutine
// a processor.
func BenchmarkObserve(b *testing.B) {
	route := New().Route("POST", "/x")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			route.Observe(201+i&1, 40*time.Microsecond)
		}
	})
}
