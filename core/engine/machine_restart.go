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
			m.setUnknown(e, true)
			e.order.UpdateTime = m.now
			m.out.event(EventOrder).Order = e.order
		}
	})
}

// unsettled reports whether the answer to something that was sent for an open
// order is still to come.
func unsettled(o *core.Order) bool {
	return !o.VenueAcked || o.PendingCxl || o.PendingRepl
}

// denied reports whether a venue says that it does not have the order that it was
// to cancel or amend. Such an answer does not say what became of the order.
func denied(r *core.ExecReport) bool {
	return (r.Type == core.ExecCancelRejected || r.Type == core.ExecReplaceRejected) &&
		core.VenueReason(r.VenueCode) == core.VenueReasonUnknownOrder
}

// learn takes what a report that was applied tells of the order as such: that the
// venue has it, and that it is known again once nothing of it is on its way. An
// order that the venue denies is unknown until the venue has been asked.
func (m *machine) learn(e *entry, r *core.ExecReport) {
	if denied(r) {
		m.setUnknown(e, true)
		return
	}
	e.order.VenueAcked = e.order.VenueAcked || r.Type != core.ExecRejected
	if !unsettled(&e.order) {
		m.setUnknown(e, false)
	}
}

func (m *machine) setUnknown(e *entry, unknown bool) {
	m.unknown += boolToInt(unknown) - boolToInt(e.order.Unknown)
	e.order.Unknown = unknown
}
