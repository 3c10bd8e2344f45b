package hist

import "math/bits"

const (
	// subBits: an octave has 2^subBits buckets.
	subBits = 5
	// maxBits is the length in bits of MaxValue.
	maxBits = 42
	// NumBuckets is the number of buckets of every histogram.
	NumBuckets = (maxBits-subBits-1)<<subBits + 2<<subBits
	// MaxValue is the largest value recorded, in ns (73.3 minutes). Larger ones
	// count as this one.
	MaxValue = 1<<maxBits - 1
)

// bucketOf returns the index of the bucket of v, which is at most MaxValue.
func bucketOf(v uint64) int {
	// v|63 has at least 6 bits, which makes e 0 for all of the linear part without
	// a branch.
	e := bits.Len64(v|(2<<subBits-1)) - subBits - 1
	return e<<subBits + int(v>>uint(e))
}

// bucketBounds returns the least and the greatest value of bucket i, in ns.
func bucketBounds(i int) (low, high int64) {
	if i < 2<<subBits {
		return int64(i), int64(i)
	}
	e := i>>subBits - 1
	low = int64(i-e<<subBits) << e
	return low, low + 1<<e - 1
}

// clamp brings a sample into the range of the histogram. A latency taken from two
// clocks can be negative; it counts as 0.
func clamp(ns int64) uint64 { return uint64(min(max(ns, 0), MaxValue)) }
