package engine

import (
	"qcat/core"
	"qcat/core/record"
)

// eachCovered calls f for every open order that a cancel of many is about, oldest
// first: what is open of a scope or, with a session, what was to be cancelled with it.
func (m *machine) eachCovered(c *record.CancelAll, f func(e *entry)) {
	scope := scopeOf(&c.Scope)
	visit := func(e *entry) {
		if inScope(scope, &e.order) && (c.Session == 0 || e.order.CancelOnDrop) {
			f(e)
		}
	}
	if c.Session == 0 || c.Session == core.EverySession {
		m.orders.each(&m.orders.open, visit)
		return
	}
	m.sessions.each(&m.orders, c.Session, visit)
}

func (m *machine) decideCancelAll(c *record.CancelAll) {
	c.Cancelled = 0
	m.eachCovered(c, func(e *entry) { c.Cancelled += uint32(boolToInt(!e.order.PendingCxl)) })
}

// applyCancelAll asks for the orders that c covers. Those that nobody is there to see
// to, because their session is gone or their switch fired, must end: a venue that
// rejects the cancel is asked again.
func (m *machine) applyCancelAll(c *record.CancelAll) {
	if c.Cause == record.CauseCountdown {
		m.fireCountdown(scopeOf(&c.Scope))
	}
	m.eachCovered(c, func(e *entry) {
		e.doomed = e.doomed || c.Cause != record.CauseAsked
		if !e.order.PendingCxl {
			m.sendCancel(e)
		}
	})
}
