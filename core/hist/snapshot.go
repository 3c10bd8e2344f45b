package hist

import (
	"iter"
	"math"
)

// Snapshot is what histograms had counted at some moment: a value of its reader.
// The zero value is empty.
type Snapshot struct {
	Count uint64 // samples
	Sum   uint64 // ns
	Max   int64  // ns, exact up to MaxValue

	counts [NumBuckets]uint64
}

// Bucket is one bucket of a Snapshot: Count samples within Low and High ns, both
// included.
type Bucket struct {
	Low, High int64
	Count     uint64
}

// Merge adds o to s.
func (s *Snapshot) Merge(o *Snapshot) {
	for i, n := range o.counts {
		s.counts[i] += n
	}
	s.Count += o.Count
	s.Sum += o.Sum
	s.Max = max(s.Max, o.Max)
}

// Sub takes from s what an earlier snapshot of the same histograms held: what is
// left is the interval between the two. Max stays that of s.
func (s *Snapshot) Sub(earlier *Snapshot) {
	for i, n := range earlier.counts {
		s.counts[i] -= n
	}
	s.Count -= earlier.Count
	s.Sum -= earlier.Sum
}

// Quantile returns a latency, in ns, that the fraction q of the samples does not
// exceed: the upper bound of the bucket that holds the sample of rank
// ceil(q·Count), or Max where that is lower. It is never below that sample and at
// most 1/32 above it. An empty snapshot returns 0; q is clamped to 0…1.
func (s *Snapshot) Quantile(q float64) int64 {
	if s.Count == 0 {
		return 0
	}
	rank := s.rank(q)
	var seen uint64
	for i, n := range s.counts {
		if seen += n; seen >= rank {
			_, high := bucketBounds(i)
			return min(high, s.Max)
		}
	}
	return s.Max
}

// rank returns which sample in ascending order, from 1, is quantile q.
func (s *Snapshot) rank(q float64) uint64 {
	if !(q > 0) { // also NaN
		return 1
	}
	if q >= 1 {
		return s.Count
	}
	return min(max(uint64(math.Ceil(q*float64(s.Count))), 1), s.Count)
}

// CountAtMost returns how many samples lie in buckets that end at or below ns: a
// cumulative count for an exporter with bounds of its own, exact where ns is the
// High of a bucket and otherwise low by part of one bucket.
func (s *Snapshot) CountAtMost(ns int64) uint64 {
	var seen uint64
	for i, n := range s.counts {
		if _, high := bucketBounds(i); high > ns {
			break
		}
		seen += n
	}
	return seen
}

// Buckets yields the buckets that hold samples, in ascending order.
func (s *Snapshot) Buckets() iter.Seq[Bucket] {
	return func(yield func(Bucket) bool) {
		for i, n := range s.counts {
			if n == 0 {
				continue
			}
			low, high := bucketBounds(i)
			if !yield(Bucket{low, high, n}) {
				return
			}
		}
	}
}
