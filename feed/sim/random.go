package sim

import "math/bits"

// random is a SplitMix64 generator: 64 bits of state, every seed is good, and
// its output for a seed never changes. It is for shaping a market, not for
// secrets.
//
// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
// OOPSLA 2014.
type random struct{ state uint64 }

func (r *random) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below returns a number in [0, n), 0 when n is 0. The bias of not rejecting is
// below n/2^64.
func (r *random) below(n uint64) uint64 {
	hi, _ := bits.Mul64(r.next(), n)
	return hi
}

// chance reports true num times in den.
func (r *random) chance(num, den uint64) bool { return r.below(den) < num }

// exponential returns an exponentially distributed number of the given mean,
// rounded down, at most 32 times the mean.
//
// It is von Neumann's method, which needs comparisons of uniform numbers only:
// draw a descending run; when its length is odd its first number is the
// fraction, otherwise one is added to the whole part and another run is drawn.
func (r *random) exponential(mean uint64) uint64 {
	for whole := range uint64(32) {
		first := r.next()
		odd := true
		for last := first; ; odd = !odd {
			u := r.next()
			if u >= last {
				break
			}
			last = u
		}
		if odd {
			fraction, _ := bits.Mul64(mean, first)
			return whole*mean + fraction
		}
	}
	return 32 * mean
}

// seedFor mixes a seed and a name into the seed of a generator of its own
// (FNV-1a over the name).
func seedFor(seed uint64, name string) uint64 {
	h := uint64(0xcbf29ce484222325)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 0x100000001b3
	}
	r := random{state: seed ^ h}
	return r.next()
}
