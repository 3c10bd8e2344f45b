package engine

import (
	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

// expiryRetry is how long after a rejected cancel a due order is tried again.
const expiryRetry = core.Nanos(1_000_000_000)

func (m *machine) decideCancel(c *record.Cancel) {
	c.Found, c.Sent, c.Reason = 0, false, record.Reason{}
	e := m.find(c.Account, c.Order, &c.ClOrdID)
	if e == nil {
		c.Reason = record.Reason{Code: uint16(risk.UnknownOrder)}
		return
	}
	m.target = e
	c.Found = e.order.ID
	if !e.order.Status.Open() {
		c.Reason = record.Reason{Code: uint16(risk.OrderClosed)}
		return
	}
	c.Sent = !e.order.PendingCxl
}

func (m *machine) applyCancel(c *record.Cancel) {
	switch {
	case c.Reason.Code != 0:
		ev := m.out.event(EventRefused)
		if m.target != nil {
			ev.Order = m.target.order
		} else {
			ev.Order.ID, ev.Order.Account, ev.Order.ClOrdID = c.Order, c.Account, c.ClOrdID
		}
		ev.Reason = reasonFromRecord(&c.Reason)
	case c.Sent:
		if c.Cause == record.CauseAsked {
			m.tree.CountCancel(&m.target.hold, m.now)
		}
		m.sendCancel(m.target)
	}
}

// sendCancel asks the venue to cancel an open order that has no cancel pending.
func (m *machine) sendCancel(e *entry) {
	e.order.PendingCxl = true
	e.order.UpdateTime = m.now
	m.send(core.VenueCancel, &e.order)
	m.out.event(EventOrder).Order = e.order
}

func (m *machine) countCancellable(s risk.Scope) (n uint32) {
	m.orders.each(&m.orders.open, func(e *entry) {
		if !e.order.PendingCxl && inScope(s, &e.order) {
			n++
		}
	})
	return n
}

// cancelScope asks for every open order of the scope, oldest first, and sees to it
// that they end: a kill. It walks all open orders: it is rare, and must find every
// one.
func (m *machine) cancelScope(s risk.Scope) {
	m.orders.each(&m.orders.open, func(e *entry) {
		if !inScope(s, &e.order) {
			return
		}
		e.doomed = true
		if !e.order.PendingCxl {
			m.sendCancel(e)
		}
	})
}

// inScope reports whether an order falls under a node of the tree.
func inScope(s risk.Scope, o *core.Order) bool {
	if s.Level == risk.LevelNone || s.Level > risk.LevelInstrument {
		return false
	}
	return (s.Account == 0 || s.Account == o.Account) &&
		(s.Strategy == 0 || s.Strategy == o.Strategy) &&
		(s.Instrument == 0 || s.Instrument == o.Instrument)
}

func (m *machine) countDue(now core.Nanos) (n uint32) {
	for _, slot := range m.expiry.slots {
		if e := m.orders.at(slot); e.due <= now {
			n++
		}
	}
	return n
}

// expire asks the venues to cancel what is due, in the order in which it fell
// due. The order expires when the venue confirms. One whose cancel was already
// asked for only becomes an expiry if it had been due before that was confirmed.
func (m *machine) expire(now core.Nanos) {
	for {
		due, any := m.expiry.next(&m.orders)
		if !any || due > now {
			return
		}
		e := m.orders.at(m.expiry.slots[0])
		m.expiry.remove(&m.orders, e)
		e.expiring = true
		if !e.order.PendingCxl {
			m.sendCancel(e)
		}
	}
}
