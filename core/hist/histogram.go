package hist

import "sync/atomic"

// Histogram counts latencies in log-linear buckets. One goroutine records, any
// goroutine takes snapshots. The zero value is ready. It is about 10 KB, of which
// a steady latency touches a few lines; do not copy it.
type Histogram struct {
	sum    uint64 // ns
	max    uint64 // ns
	counts [NumBuckets]uint64
}

// Record counts one latency, in ns. Negative ones count as 0, ones above MaxValue
// as MaxValue. Recording goroutine only; never allocates.
func (h *Histogram) Record(ns int64) { h.RecordN(ns, 1) }

// RecordN counts n equal latencies: a batch timed as a whole records its mean n
// times. Recording goroutine only; never allocates.
func (h *Histogram) RecordN(ns int64, n uint64) {
	v := clamp(ns)
	// Sum and maximum first: a snapshot reads them last, so they cover at least
	// the samples it counted.
	add(&h.sum, v*n)
	if v > h.max && n > 0 {
		set(&h.max, v)
	}
	add(&h.counts[bucketOf(v)], n)
}

// Snapshot returns the counts so far. Any goroutine, while recording goes on:
// every sample recorded before the call is in it, samples recorded during the call
// may be. It never allocates, but the value is large: use AddTo to merge many.
func (h *Histogram) Snapshot() Snapshot {
	var s Snapshot
	h.AddTo(&s)
	return s
}

// AddTo adds the counts so far to s: Snapshot and Merge in one pass.
func (h *Histogram) AddTo(s *Snapshot) {
	for i := range h.counts {
		n := atomic.LoadUint64(&h.counts[i])
		s.counts[i] += n
		s.Count += n
	}
	s.Sum += atomic.LoadUint64(&h.sum)
	s.Max = max(s.Max, int64(atomic.LoadUint64(&h.max)))
}
