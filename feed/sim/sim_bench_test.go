package sim

import (
	"fmt"
	"testing"

	"qcat/feed"
)

// BenchmarkStep is one step of one market: about one message, 1.2 levels.
func BenchmarkStep(b *testing.B) {
	m, err := NewMarket(1, listed(b, 1)[0])
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	now, messages := start, 0
	for b.Loop() {
		now += 1e6
		messages += len(m.Step(now))
	}
	if messages < b.N {
		b.Fatalf("%d messages in %d steps", messages, b.N)
	}
	b.ReportMetric(float64(messages)/float64(b.N), "messages/op")
}

// BenchmarkExchange is an unpaced exchange of many markets; one operation is one
// message, on instruments chosen at random.
func BenchmarkExchange(b *testing.B) {
	for _, n := range []int{10, 100, 1_000, 10_000} {
		b.Run(fmt.Sprintf("instruments=%d", n), func(b *testing.B) {
			e := newExchange(b, Settings{Seed: 1, Rate: Unpaced}, n)
			seen := 0
			count := func(*feed.Message) { seen++ }
			e.Advance(start, count)
			seen = 0
			b.ReportAllocs()
			b.ResetTimer()
			for now := start; seen < b.N; now += 1e6 {
				e.Advance(now, count)
			}
		})
	}
}
