package risk

import (
	"math"

	"qcat/core"
)

// throttle is a token bucket in integers, as the generic cell rate algorithm: a
// node stores only the theoretical arrival time (TAT) of its next message. The
// bucket holds count tokens and refills one each interval = ⌈per/count⌉; count
// messages may come at once after a pause.
type throttle struct {
	interval core.Nanos // between tokens
	burst    core.Nanos // how far TAT may run ahead and still admit; -1: never
}

// unlimited is a burst that no TAT reaches: no limit is set.
const unlimited = 1 << 61

func newThrottle(ls Limits, rate, per Limit) throttle {
	n, set := ls.Get(rate)
	p, _ := ls.Get(per)
	switch {
	case !set:
		return throttle{burst: unlimited}
	case n == 0:
		return throttle{interval: core.Nanos(p), burst: -1}
	}
	interval := (p-1)/n + 1
	return throttle{interval: core.Nanos(interval), burst: core.Nanos(interval * (n - 1))}
}

// ready brings a TAT into the range it can have at now. One beyond it was stored
// before the clock stepped back: the bucket then starts anew, rather than being
// empty for the length of the step.
func (th throttle) ready(tat, now core.Nanos) core.Nanos {
	if tat < now || tat > now+th.empty() {
		return now
	}
	return tat
}

// empty is how far TAT runs ahead of an empty bucket.
func (th throttle) empty() core.Nanos { return max(th.burst, 0) + th.interval }

// admits reports whether a message at now finds a token.
func (th throttle) admits(tat, now core.Nanos) bool { return th.ready(tat, now)-now <= th.burst }

// window is a throttle as one look asks it: the TATs that admit a message, told by how
// far they run ahead of now, taken as unsigned: less than room, or beyond all that can
// be, before now or after a clock stepped back.
type window struct{ room, beyond uint64 }

func (th throttle) window() window {
	if th.burst < 0 {
		return window{0, math.MaxUint64}
	}
	return window{uint64(th.burst) + 1, uint64(th.empty())}
}

// admit is throttle.admits.
func (w window) admit(tat, now core.Nanos) bool {
	ahead := uint64(tat - now)
	return ahead < w.room || ahead > w.beyond
}

// take returns the TAT after a message at now. One that was not admitted but
// goes out all the same (a cancel, a reducing order) empties the bucket and no
// more: it never costs later messages more than one interval.
func (th throttle) take(tat, now core.Nanos) core.Nanos {
	return min(th.ready(tat, now)+th.interval, now+th.empty())
}
