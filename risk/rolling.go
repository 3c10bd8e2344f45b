package risk

import (
	"math"

	"qcat/core"
)

// rolling remembers the lowest and highest reference price of a period in eight
// buckets of a seventh each: it looks back at least the whole period and at most
// a seventh more.
type rolling struct {
	window int64      // ns looked back; 0: not kept
	width  core.Nanos // of a bucket
	// The extremes of all that counts within [from, until), the time of one bucket,
	// for who asks again within it. Derived.
	from, until core.Nanos
	lo, hi      core.Price
	buckets     [rollingBuckets]rollingBucket
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
	r.from, r.until = 0, 0
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
	if r.width == 0 || now < 0 {
		return p, p
	}
	if now < r.from || now >= r.until {
		r.look(now)
	}
	return min(p, r.lo), max(p, r.hi)
}

// look finds the extremes of the period that ends with the bucket of now. Where
// nothing was observed, any price is one.
func (r *rolling) look(now core.Nanos) {
	e := uint64(now / r.width)
	r.from = core.Nanos(e) * r.width
	r.until = later(r.from, int64(r.width))
	r.lo, r.hi = math.MaxInt64, 0
	for i := range r.buckets {
		if b := &r.buckets[i]; b.lo != 0 && b.epoch <= e && e-b.epoch < rollingBuckets {
			r.lo, r.hi = min(r.lo, b.lo), max(r.hi, b.hi)
		}
	}
}
