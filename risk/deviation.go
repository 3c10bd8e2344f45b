package risk

import (
	"math/bits"

	"qcat/core"
)

// deviation estimates how far an instrument's price strays in a day, in integers: the
// mean square of its returns from minute to minute, each weighing half of what one a
// day later weighs, brought to a day and to its root. It looks at the first confirmed
// mark of each minute; a return over several minutes counts as that many of the mean
// size. Until a day has been seen all returns weigh alike.
type deviation struct {
	minute   int64      // of the last price that was looked at
	price    core.Price // 0: none yet
	seen     int64      // minutes that count, devMemory at most
	variance int64      // mean square of a minute's return, in devUnit²
	sigma    int64      // of a day, in PPM, rounded up; at most 100%. Derived
}

const (
	devMinute = 60 * 1_000_000_000
	devDay    = 24 * 60 // minutes
	devUnit   = 10      // units of a return in a PPM: 10^-7
	// devMemory is the weight of a new minute, 1/2048: half of it is gone after
	// 2048·ln 2 = 1420 minutes, a day.
	devMemory = 2048
	// devMost bounds one return: threefold. Its square over a day fits.
	devMost = 3 * devUnit * core.PPM
)

// observe looks at a confirmed mark.
func (d *deviation) observe(p core.Price, now core.Nanos) {
	minute := int64(now) / devMinute
	if d.price == 0 {
		d.price, d.minute = p, minute
		return
	}
	passed := minute - d.minute
	if passed <= 0 {
		return
	}
	r := returned(d.price, p)
	mean := r * r / passed
	weight := min(passed, devMemory)
	d.seen = min(d.seen+weight, devMemory)
	d.variance += (mean - d.variance) * weight / d.seen
	d.price, d.minute = p, minute
	d.derive()
}

// derive works out sigma.
func (d *deviation) derive() {
	day := root(d.variance * devDay)
	d.sigma = min((day+devUnit-1)/devUnit, core.PPM)
}

// returned is the return from one price to another in units of 10^-7, rounded towards
// zero and bounded by devMost.
func returned(from, to core.Price) int64 {
	v, ok := core.MulDiv(int64(max(to, from)-min(to, from)), devUnit*core.PPM, int64(from), core.RoundDown)
	if !ok || v > devMost {
		return devMost
	}
	return v
}

// root is the square root of v ≥ 0, rounded up.
func root(v int64) int64 {
	if v <= 0 {
		return 0
	}
	// Newton's iteration from above falls until it has the root, rounded down.
	x := int64(1) << ((bits.Len64(uint64(v)) + 1) / 2)
	for {
		y := (x + v/x) / 2
		if y >= x {
			break
		}
		x = y
	}
	if x*x < v {
		x++
	}
	return x
}
