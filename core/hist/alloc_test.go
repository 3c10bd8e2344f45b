//go:build !race

package hist

import "testing"

var sink Snapshot

func TestNoAllocations(t *testing.T) {
	var h Histogram
	n := testing.AllocsPerRun(100, func() {
		h.Record(1234)
		h.RecordN(99, 3)
		sink = h.Snapshot()
		h.AddTo(&sink)
		sink.Merge(&sink)
		h.Record(sink.Quantile(0.99))
		for b := range sink.Buckets() {
			h.Record(b.High)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
