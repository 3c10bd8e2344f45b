package hist

import "testing"

// FuzzRecord checks for any sample that it lands in a bucket that holds it and
// comes back as the only quantile.
func FuzzRecord(f *testing.F) {
	for _, v := range []int64{-1, 0, 1, 63, 64, 65, 1<<20 - 1, MaxValue, MaxValue + 1} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v int64) {
		var h Histogram
		h.Record(v)
		want := int64(clamp(v))
		s := h.Snapshot()
		if s.Count != 1 || s.Quantile(0.5) != want || s.Max != want {
			t.Fatalf("%d: count %d, quantile %d, max %d", v, s.Count, s.Quantile(0.5), s.Max)
		}
		for b := range s.Buckets() {
			if want < b.Low || want > b.High || b.Count != 1 {
				t.Fatalf("%d is in bucket %v", v, b)
			}
		}
	})
}
