package engine

import "qcat/core"

// decideRestart counts the orders that a restart leaves unknown.
func (m *machine) decideRestart() (n uint32) {
	m.orders.each(&m.orders.open, func(e *entry) { n += uint32(boolToInt(unsettled(&e.order))) })
	return n
}

// applyRestart marks what is not known of the venues after a restart. Nothing is
// sent again: the venues are asked.
func (m *machine) applyRestart() {
	m.orders.each(&m.orders.open, func(e *entry) {
		if unsettled(&e.order) {
			m.markUnknown(e)
			m.out.event(EventOrder).Order = e.order
		}
	})
}

// unsettled reports whether the answer to something that was sent for an open
// order is still to come.
func unsettled(o *core.Order) bool {
	return !o.VenueAcked || o.PendingCxl || o.PendingRepl
}

// markUnknown notes that only the venue can say what it has of an order.
func (m *machine) markUnknown(e *entry) {
	m.setUnknown(e, true)
	e.order.UpdateTime = m.now
}

func (m *machine) setUnknown(e *entry, unknown bool) {
	m.unknown += boolToInt(unknown) - boolToInt(e.order.Unknown)
	e.order.Unknown = unknown
}
