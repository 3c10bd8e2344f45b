package calls

import (
	"testing"

	"go.uber.org/zap"
)

// BenchmarkAdd leaves calls from one goroutine a processor, while one takes them out: what
// a request pays for its line.
func BenchmarkAdd(b *testing.B) {
	l := New(Config{Log: zap.NewNop(), Lines: 1})
	go l.Run(b.Context())
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			l.Add(&Call{Method: "GET", Route: "/a", Status: 200, User: "anna"})
		}
	})
}
