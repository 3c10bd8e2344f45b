package metrics

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"qcat/core/hist"
)

// nativeOf converts samples and reads what a scraper would.
func nativeOf(t *testing.T, samples []int64) *dto.Histogram {
	t.Helper()
	var h hist.Histogram
	for _, ns := range samples {
		h.Record(ns)
	}
	snap := h.Snapshot()
	var m dto.Metric
	if err := native(prometheus.NewDesc("n", "n", nil, nil), &snap, time.Unix(1, 0)).Write(&m); err != nil {
		t.Fatal(err)
	}
	return m.Histogram
}

// bucketsOf are the counts of a native histogram by their index.
func bucketsOf(h *dto.Histogram) map[int]int64 {
	all, at, n, next := map[int]int64{}, 0, int64(0), 0
	for i, span := range h.PositiveSpan {
		if at += int(span.GetOffset()); i == 0 {
			at = int(span.GetOffset())
		}
		for range span.GetLength() {
			n += h.PositiveDelta[next]
			next++
			all[at] = n
			at++
		}
	}
	return all
}

// The bucket in which a lone sample is found ends at or above it, and by no more than is
// promised, 12.5 %.
func TestNativeBucketOfASample(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		ns := 1 + rng.Int64N(1<<(1+rng.IntN(41)))
		h := nativeOf(t, []int64{ns})
		found := bucketsOf(h)
		if len(found) != 1 || h.GetSampleCount() != 1 || h.GetSchema() != nativeSchema {
			t.Fatalf("%d ns: %v, count %d, schema %d", ns, found, h.GetSampleCount(), h.GetSchema())
		}
		for i, n := range found {
			upper := math.Exp2(float64(i)/8) * 1e9
			if n != 1 || upper < float64(ns)*(1-1e-9) || upper > float64(ns)*1.1246 {
				t.Fatalf("%d ns is in the bucket up to %v ns", ns, upper)
			}
		}
	}
}

func TestNativeKeepsCountAndSum(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	samples := []int64{0, 0, 0}
	var sum float64
	for range 5000 {
		ns := rng.Int64N(1 << (1 + rng.IntN(36)))
		samples, sum = append(samples, ns), sum+float64(ns)
	}
	h := nativeOf(t, samples)
	n := int64(h.GetZeroCount())
	for _, c := range bucketsOf(h) {
		if c < 0 {
			t.Fatalf("a bucket of %d", c)
		}
		n += c
	}
	if n != int64(len(samples)) || h.GetSampleCount() != uint64(len(samples)) || h.GetZeroCount() < 3 {
		t.Errorf("%d in buckets, %d of them zero, count %d, want %d", n, h.GetZeroCount(), h.GetSampleCount(), len(samples))
	}
	if math.Abs(h.GetSampleSum()*1e9-sum) > sum*1e-9 {
		t.Errorf("sum %v, want %v", h.GetSampleSum()*1e9, sum)
	}
	if at := h.GetCreatedTimestamp().AsTime(); !at.Equal(time.Unix(1, 0)) {
		t.Errorf("created %v", at)
	}
}

// An empty histogram is one: a scraper must know that it is native.
func TestNativeEmpty(t *testing.T) {
	h := nativeOf(t, nil)
	if h.GetSampleCount() != 0 || len(bucketsOf(h)) != 0 || h.Schema == nil {
		t.Errorf("%v", h)
	}
}

// Fixed bounds count what lies in buckets that end at or below them.
func TestClassicCounts(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	var h hist.Histogram
	for range 5000 {
		h.Record(rng.Int64N(1 << (1 + rng.IntN(41))))
	}
	snap := h.Snapshot()
	var m dto.Metric
	if err := classic(prometheus.NewDesc("n", "n", nil, nil), &snap).Write(&m); err != nil {
		t.Fatal(err)
	}
	if len(m.Histogram.Bucket) != len(bounds) || m.Histogram.GetSampleCount() != 5000 {
		t.Fatalf("%d buckets, count %d", len(m.Histogram.Bucket), m.Histogram.GetSampleCount())
	}
	for i, b := range m.Histogram.Bucket {
		if want := snap.CountAtMost(bounds[i]); b.GetCumulativeCount() != want || b.GetUpperBound() != float64(bounds[i])/1e9 {
			t.Errorf("up to %v: %d, want %d up to %d ns", b.GetUpperBound(), b.GetCumulativeCount(), want, bounds[i])
		}
	}
}
