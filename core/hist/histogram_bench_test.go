package hist

import "testing"

// BenchmarkRecord records latencies that walk over three octaves, as a busy
// stage's do, and checks that all were counted.
func BenchmarkRecord(b *testing.B) {
	var h Histogram
	v := int64(400)
	for b.Loop() {
		h.Record(v)
		v = (v*5 + 1) & 0xfff
	}
	if s := h.Snapshot(); s.Count != uint64(b.N) {
		b.Fatalf("%d counted, want %d", s.Count, b.N)
	}
}

// BenchmarkSnapshot merges one histogram into a running snapshot and asks for a
// quantile: what a scrape costs for each histogram.
func BenchmarkSnapshot(b *testing.B) {
	var h Histogram
	for v := range int64(100_000) {
		h.Record(v)
	}
	for b.Loop() {
		var s Snapshot
		h.AddTo(&s)
		if s.Quantile(0.5) < 49_999 {
			b.Fatal("wrong median")
		}
	}
}
