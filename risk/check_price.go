package risk

import (
	"math"
	"math/bits"

	"qcat/core"
)

// reference finds the price the order is judged by (Reference.price). A stale or
// crossed book, no price at all or none within the smallest age allowed on the
// path refuses, also a reducing order: it is not a limit that stands in its way
// but the want of a price.
func (c *check) reference(ref *Reference) bool {
	switch {
	case ref == nil || ref.Flags.Has(core.FlagStale):
		return c.refuse(Reason{Code: StaleReference})
	case ref.Flags.Has(core.FlagCrossed) || (ref.Bid > 0 && ref.Ask > 0 && ref.Bid >= ref.Ask):
		return c.refuse(Reason{Code: CrossedReference, Unit: UnitPrice, Limit: int64(ref.Ask), Value: int64(ref.Bid)})
	}
	maxAge := c.maxReferenceAge()
	price, old := ref.price(c.now, maxAge)
	if price == 0 {
		return c.refuse(Reason{Code: StaleReference})
	}
	if old > maxAge {
		for i := range c.profiles {
			if c.has(i, LimitMaxReferenceAge) && old > c.profiles[i].v[LimitMaxReferenceAge] {
				return c.refuse(Reason{Code: StaleReference, Unit: UnitNanos, Scope: c.scope(i),
					Limit: c.profiles[i].v[LimitMaxReferenceAge], Value: old})
			}
		}
	}
	c.ref = price
	unit, ok := c.x.val.unit(c.ref)
	if !ok {
		r := Reason{Code: Overflow, Unit: UnitPrice, Value: int64(c.ref)}
		c.ref = 0
		return c.refuse(r)
	}
	c.refUnit = unit
	return false
}

// clock refuses while the venue's clock differs from ours by more than a level allows:
// its times, and what it does by them, cannot be relied on. A venue that says no time
// is not asked. Reducing orders are not exempt, as they are not
// while its gateway takes none.
func (c *check) clock(ref *Reference) bool {
	if !c.any(LimitMaxClockOffset) || ref == nil || ref.VenueTime == 0 {
		return false
	}
	offset := int64(age(ref.VenueTime, ref.Time))
	for i, p := range c.profiles {
		if c.has(i, LimitMaxClockOffset) && offset > p.v[LimitMaxClockOffset] && c.refuse(Reason{
			Code: VenueUnavailable, Unit: UnitNanos, Scope: c.scope(i), Limit: p.v[LimitMaxClockOffset], Value: offset}) {
			return true
		}
	}
	return false
}

// maxReferenceAge is the smallest age allowed on the path, in nanoseconds.
func (c *check) maxReferenceAge() int64 {
	least := int64(math.MaxInt64)
	if c.any(LimitMaxReferenceAge) {
		for i := range c.profiles {
			if c.has(i, LimitMaxReferenceAge) {
				least = min(least, c.profiles[i].v[LimitMaxReferenceAge])
			}
		}
	}
	return least
}

// collar keeps a limit price inside ref·[1−down, 1+up]: the venue's own band of
// the side first, then that of every level. A reducing order is not exempt: a
// price inside the band is always at hand.
func (c *check) collar() bool {
	if c.refUnit == 0 || c.o.Type != core.Limit {
		return false
	}
	in := c.x.in
	up, down := in.BidCollarUp, in.BidCollarDown
	limitUp, limitDown := LimitCollarBuyUp, LimitCollarBuyDown
	if c.o.Side == core.Sell {
		up, down = in.AskCollarUp, in.AskCollarDown
		limitUp, limitDown = LimitCollarSellUp, LimitCollarSellDown
	}
	if up > 0 && above(c.o.Price, c.ref, up) && c.refuse(c.collarReason(Scope{}, c.ref, up)) {
		return true
	}
	if down > 0 && below(c.o.Price, c.ref, down) && c.refuse(c.collarReason(Scope{}, c.ref, -down)) {
		return true
	}
	if !c.any(limitUp) && !c.any(limitDown) {
		return false
	}
	for i, p := range c.profiles {
		if c.has(i, limitUp) && above(c.o.Price, c.ref, p.v[limitUp]) &&
			c.refuse(c.collarReason(c.scope(i), c.ref, p.v[limitUp])) {
			return true
		}
		if c.has(i, limitDown) && below(c.o.Price, c.ref, p.v[limitDown]) &&
			c.refuse(c.collarReason(c.scope(i), c.ref, -p.v[limitDown])) {
			return true
		}
	}
	return false
}

// rollingCollar keeps the price (of a market order: the reference) within the
// extremes of the reference over a period. A reducing order is exempt: when the
// market itself has moved, no price would get it out.
func (c *check) rollingCollar() bool {
	if !c.any(LimitRollingWindow) || c.refUnit == 0 || c.exempt&(1<<atFirmInstrument) != 0 {
		return false
	}
	price := c.o.Price
	if c.o.Type == core.Market {
		price = c.ref
	}
	lo, hi := c.x.rolling.bounds(c.ref, c.now)
	p := c.profiles[atFirmInstrument]
	if c.has(atFirmInstrument, LimitRollingUp) && above(price, lo, p.v[LimitRollingUp]) {
		r := c.collarReason(c.scope(atFirmInstrument), lo, p.v[LimitRollingUp])
		r.Value = int64(price)
		if c.refuse(r) {
			return true
		}
	}
	if c.has(atFirmInstrument, LimitRollingDown) && below(price, hi, p.v[LimitRollingDown]) {
		r := c.collarReason(c.scope(atFirmInstrument), hi, -p.v[LimitRollingDown])
		r.Value = int64(price)
		return c.refuse(r)
	}
	return false
}

// collarReason shows the bound as a price: rounded towards the reference, the
// last price that would have passed.
func (c *check) collarReason(s Scope, ref core.Price, ppm int64) Reason {
	return Reason{Code: PriceCollar, Unit: UnitPrice, Scope: s, Limit: int64(shifted(ref, ppm)), Value: int64(c.o.Price)}
}

// shifted returns ref·(1 + ppm) rounded towards ref, 0 at least, MaxInt64 at most.
func shifted(ref core.Price, ppm int64) core.Price {
	r := core.RoundDown
	if ppm < 0 {
		r = core.RoundUp
	}
	v, ok := core.MulDiv(int64(ref), max(core.PPM+ppm, 0), core.PPM, r)
	if !ok {
		return 1<<63 - 1
	}
	return core.Price(v)
}

// above reports whether p > ref·(1 + up), exactly.
func above(p, ref core.Price, up int64) bool {
	ph, pl := bits.Mul64(uint64(p), core.PPM)
	rh, rl := bits.Mul64(uint64(ref), uint64(core.PPM+up))
	return ph > rh || (ph == rh && pl > rl)
}

// below reports whether p < ref·(1 − down), exactly.
func below(p, ref core.Price, down int64) bool {
	if down >= core.PPM {
		return false
	}
	ph, pl := bits.Mul64(uint64(p), core.PPM)
	rh, rl := bits.Mul64(uint64(ref), uint64(core.PPM-down))
	return ph < rh || (ph == rh && pl < rl)
}
