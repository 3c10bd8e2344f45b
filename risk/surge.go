package risk

import (
	"qcat/core"
)

// observe remembers a reference price of an accepted order.
func (t *Tree) observe(x *instrument, price core.Price, now core.Nanos) {
	x.rolling.observe(price, now)
	t.surges(x, price, now)
}

// surges holds the movement of an instrument's price within a period against its
// limit, at confirmed marks and at the reference prices of accepted orders. A price
// further than the limit above the lowest or below the highest of the period trips
// the instrument for the whole firm until the cool-down is over; from there the
// movement is measured anew, and another one that is too large renews the cool-down.
func (t *Tree) surges(x *instrument, price core.Price, now core.Nanos) {
	if x.surge.width == 0 {
		return
	}
	t.told(now)
	ls := &t.profiles[x.firm.profile]
	limit := ls.or(LimitVolatilityMove, noCollar)
	lo, hi := x.surge.bounds(price, now)
	var move int64
	switch {
	case above(price, lo, limit):
		move = moved(price-lo, lo)
	case below(price, hi, limit):
		move = moved(hi-price, hi)
	default:
		x.surge.observe(price, now)
		return
	}
	x.surge.restart(x.surge.window)
	x.surge.observe(price, now)
	s := t.seat(ScopeCursor{sectionInstruments, uint32(x.in.ID)})
	t.trip(&s, tripVolatility, Trip{Unit: UnitPPM, Limit: limit, Value: move,
		Until: later(t.scores.now, ls.or(LimitVolatilityCooldown, 0))})
	t.breach(&s, tripVolatility, ActionNotify, &event{instrument: x.in.ID, price: price})
}

// moved is by how many PPM of a price it has moved, rounded up.
func moved(by, from core.Price) int64 {
	v, ok := core.MulDiv(int64(by), core.PPM, int64(from), core.RoundUp)
	if !ok {
		return maxAny
	}
	return v
}
