package risk

import "qcat/core"

// rolling remembers the lowest and highest reference price of a period in eight
// buckets of a seventh each: it looks back at least the whole period and at most
// a seventh more.
type rolling struct {
	window  int64      // ns looked back; 0: not kept
	width   core.Nanos // of a bucket
	buckets [rollingBuckets]rollingBucket
}

type rollingBucket struct {
	epoch  uint64 // time / width
	lo, hi core.Price
}

const rollingBuckets = 8

// restart begins a new period of observation.
func (r *rolling) restart(window int64) {
	*r = rolling{}
	if window > 0 {
		r.window = window
		r.width = core.Nanos((window-1)/(rollingBuckets-1) + 1)
	}
}

// observe adds a reference price.
func (r *rolling) observe(p core.Price, now core.Nanos) {
	if r.width == 0 || now < 0 {
		return
	}
	e := uint64(now / r.width)
	b := &r.buckets[e%rollingBuckets]
	if b.epoch != e || b.lo == 0 {
		*b = rollingBucket{epoch: e, lo: p, hi: p}
		return
	}
	b.lo, b.hi = min(b.lo, p), max(b.hi, p)
}

// bounds returns the extremes of the period that ends with p at now.
func (r *rolling) bounds(p core.Price, now core.Nanos) (lo, hi core.Price) {
	lo, hi = p, p
	if r.width == 0 || now < 0 {
		return lo, hi
	}
	e := uint64(now / r.width)
	for i := range r.buckets {
		if b := &r.buckets[i]; b.lo != 0 && b.epoch <= e && e-b.epoch < rollingBuckets {
			lo, hi = min(lo, b.lo), max(hi, b.hi)
		}
	}
	return lo, hi
}
