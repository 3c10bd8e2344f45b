package engine

import (
	"math"

	"qcat/core"
	"qcat/core/record"
)

// nextDeadline is when time alone changes the state next: the engine then records a
// clock tick. Whatever waits for a moment has its own keeper, whose earliest is asked
// here and which is served, in the order of applyClock, at every tick.
func (m *machine) nextDeadline() core.Nanos {
	due := core.Nanos(math.MaxInt64)
	if first, any := m.expiry.next(&m.orders); any {
		due = first
	}
	return min(due, m.changes.next, m.tree.Deadline())
}

// applyClock does what is due at now, in this order: what the limit tree waits for
// (a day that begins, cool-downs and freezes that are over), proposals and overrides that end,
// orders that expire. Limits are thus those of the new day before anything is
// cancelled. A dead man's switch has a record of its own: see takeCountdowns.
func (m *machine) applyClock(now core.Nanos, k *record.Clock) {
	m.tree.Tick(now)
	m.endChanges(now, k)
	m.expire(now)
}
