package hist

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// seed returns a random generator whose seed is printed if the test fails.
func seed(t testing.TB) *rand.Rand {
	s := uint64(time.Now().UnixNano())
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", s)
		}
	})
	return rand.New(rand.NewPCG(s, 0))
}

// TestBucketsTile walks all buckets: they follow each other without gap or
// overlap, both bounds map back to their bucket, and none is wider than promised.
func TestBucketsTile(t *testing.T) {
	next := int64(0)
	for i := range NumBuckets {
		low, high := bucketBounds(i)
		if low != next || high < low {
			t.Fatalf("bucket %d is %d…%d, want it to start at %d", i, low, high, next)
		}
		if bucketOf(uint64(low)) != i || bucketOf(uint64(high)) != i {
			t.Fatalf("bucket %d: %d and %d are put into %d and %d", i, low, high, bucketOf(uint64(low)), bucketOf(uint64(high)))
		}
		if width := high - low; width > 0 && width*32 > low {
			t.Fatalf("bucket %d: %d…%d is wider than 1/32", i, low, high)
		}
		next = high + 1
	}
	if next != MaxValue+1 {
		t.Fatalf("the last bucket ends at %d, want %d", next-1, int64(MaxValue))
	}
}

// randomLatency spreads over all octaves.
func randomLatency(rng *rand.Rand) int64 { return rng.Int64N(1 << (1 + rng.IntN(maxBits))) }

// TestQuantileAgainstSorted compares quantiles with those of a sorted slice.
func TestQuantileAgainstSorted(t *testing.T) {
	rng := seed(t)
	for range 50 {
		var h Histogram
		samples := make([]int64, 1+rng.IntN(5000))
		spread := rng.IntN(2) == 0
		for i := range samples {
			if samples[i] = randomLatency(rng); spread {
				samples[i] = 1000 + rng.Int64N(500)
			}
			h.Record(samples[i])
		}
		slices.Sort(samples)
		s := h.Snapshot()
		for _, q := range []float64{-1, 0, 1e-9, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1, 2, rng.Float64()} {
			rank := int(math.Ceil(min(max(q, 0), 1) * float64(len(samples))))
			exact := samples[max(rank, 1)-1]
			got := s.Quantile(q)
			if got < exact || got-exact > exact/32 {
				t.Fatalf("quantile %v of %d samples is %d, want %d to %d", q, len(samples), got, exact, exact+exact/32)
			}
		}
		var sum uint64
		for _, v := range samples {
			sum += uint64(v)
		}
		last := samples[len(samples)-1]
		if s.Count != uint64(len(samples)) || s.Sum != sum || s.Max != last {
			t.Fatalf("Count %d Sum %d Max %d, want %d %d %d", s.Count, s.Sum, s.Max, len(samples), sum, last)
		}
	}
}

func TestClamping(t *testing.T) {
	var h Histogram
	for _, v := range []int64{math.MinInt64, -1, 0} {
		h.Record(v)
	}
	s := h.Snapshot()
	if s.Count != 3 || s.Sum != 0 || s.Max != 0 || s.Quantile(1) != 0 {
		t.Fatalf("negative samples: %d counted, sum %d, max %d", s.Count, s.Sum, s.Max)
	}
	h.Record(math.MaxInt64)
	s = h.Snapshot()
	if s.Max != MaxValue || s.Quantile(1) != MaxValue || s.Sum != MaxValue {
		t.Fatalf("a huge sample: max %d, quantile %d", s.Max, s.Quantile(1))
	}
}

func TestEmpty(t *testing.T) {
	var h Histogram
	h.RecordN(5000, 0)
	s := h.Snapshot()
	if s.Quantile(0.5) != 0 || s.Max != 0 || s.Count != 0 || s.CountAtMost(MaxValue) != 0 {
		t.Fatal("an empty histogram is not empty")
	}
	for b := range s.Buckets() {
		t.Fatalf("bucket %v", b)
	}
	if !math.IsNaN(math.NaN()) || s.Quantile(math.NaN()) != 0 {
		t.Fatal("quantile NaN")
	}
}

// TestMerge splits samples over several histograms: merged, they say what one
// histogram of all says, and an interval is the difference of its ends.
func TestMerge(t *testing.T) {
	rng := seed(t)
	var all Histogram
	var parts [3]Histogram
	record := func(n int) {
		for range n {
			v, k := randomLatency(rng), 1+rng.Uint64N(3)
			all.RecordN(v, k)
			parts[rng.IntN(len(parts))].RecordN(v, k)
		}
	}
	record(1000)
	before := all.Snapshot()
	record(1000)
	want := all.Snapshot()
	var merged, added Snapshot
	for i := range parts {
		s := parts[i].Snapshot()
		merged.Merge(&s)
		parts[i].AddTo(&added)
	}
	if merged != want || added != want {
		t.Fatal("merged snapshots differ from those of one histogram")
	}
	interval := want
	interval.Sub(&before)
	interval.Merge(&before)
	if interval != want {
		t.Fatal("an interval and what went before do not make the whole")
	}
}

// TestBuckets sums the buckets up and compares CountAtMost with them.
func TestBuckets(t *testing.T) {
	rng := seed(t)
	var h Histogram
	for range 3000 {
		h.Record(randomLatency(rng))
	}
	s := h.Snapshot()
	var seen uint64
	last := int64(-1)
	for b := range s.Buckets() {
		if b.Low <= last || b.Count == 0 {
			t.Fatalf("bucket %v after %d", b, last)
		}
		if b.High > b.Low && s.CountAtMost(b.High-1) != seen {
			t.Fatalf("CountAtMost(%d) = %d, want %d", b.High-1, s.CountAtMost(b.High-1), seen)
		}
		seen += b.Count
		if s.CountAtMost(b.High) != seen {
			t.Fatalf("CountAtMost(%d) = %d, want %d", b.High, s.CountAtMost(b.High), seen)
		}
		last = b.High
	}
	if seen != s.Count {
		t.Fatalf("buckets hold %d, want %d", seen, s.Count)
	}
	for range s.Buckets() {
		break // an early end must not panic
	}
}

// TestSnapshotWhileRecording reads from other goroutines: counts never go back,
// sum and maximum cover what was counted, and at the end nothing is missing.
func TestSnapshotWhileRecording(t *testing.T) {
	const value = 777
	var h Histogram
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			last := uint64(0)
			for !stop.Load() {
				s := h.Snapshot()
				if s.Count < last || s.Sum < s.Count*value || s.Count > 0 && s.Max != value {
					t.Errorf("count %d after %d, sum %d, max %d", s.Count, last, s.Sum, s.Max)
					return
				}
				last = s.Count
			}
		})
	}
	const n = 200_000
	for range n {
		h.Record(value)
	}
	stop.Store(true)
	wg.Wait()
	if s := h.Snapshot(); s.Count != n || s.Sum != n*value {
		t.Fatalf("count %d sum %d", s.Count, s.Sum)
	}
}
