package engine

import (
	"qcat/core"
	"qcat/core/record"
)

// covers reports whether a cancel of many is about the order: everything open of a
// scope or, with a session, what was to be cancelled with it.
func covers(c *record.CancelAll, o *core.Order) bool {
	if !inScope(scopeOf(&c.Scope), o) {
		return false
	}
	return c.Session == 0 || (o.CancelOnDrop && (c.Session == core.EverySession || c.Session == o.Session))
}

func (m *machine) decideCancelAll(c *record.CancelAll) {
	c.Cancelled = 0
	m.orders.each(&m.orders.open, func(e *entry) {
		c.Cancelled += uint32(boolToInt(!e.order.PendingCxl && covers(c, &e.order)))
	})
}

// applyCancelAll asks for the orders that c covers, oldest first. Those that nobody
// is there to see to, because their session is gone or their switch fired, must end:
// a venue that rejects the cancel is asked again.
func (m *machine) applyCancelAll(c *record.CancelAll) {
	if c.Cause == record.CauseCountdown {
		m.fireCountdown(scopeOf(&c.Scope))
	}
	m.orders.each(&m.orders.open, func(e *entry) {
		if !covers(c, &e.order) {
			return
		}
		e.doomed = e.doomed || c.Cause != record.CauseAsked
		if !e.order.PendingCxl {
			m.sendCancel(e)
		}
	})
}
