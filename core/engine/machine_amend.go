package engine

import (
	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

// decideAmend answers an amendment. Only a limit order with neither an amend nor
// a cancel on its way can be amended, and never to what has been filled or less.
func (m *machine) decideAmend(now core.Nanos, a *record.Amend) {
	a.Found, a.Reason = 0, record.Reason{}
	e := m.find(a.Account, a.Order, &a.ClOrdID)
	if e == nil {
		a.Reason = record.Reason{Code: uint16(risk.UnknownOrder)}
		return
	}
	m.target = e
	a.Found = e.order.ID
	a.Reason = reasonToRecord(m.admitAmend(now, e, a))
}

func (m *machine) admitAmend(now core.Nanos, e *entry, a *record.Amend) risk.Reason {
	o := &e.order
	terms := amendedTerms(o, a)
	switch {
	case !o.Status.Open():
		return risk.Reason{Code: risk.OrderClosed}
	case o.Unknown:
		return risk.Reason{Code: risk.OrderUnconfirmed}
	case o.PendingCxl || o.PendingRepl:
		return risk.Reason{Code: risk.AmendPending}
	case o.Type != core.Limit, terms.Price == o.Price && terms.Qty == o.Qty, a.Price < 0, a.Qty < 0:
		return risk.Reason{Code: risk.InvalidOrder}
	case terms.Qty <= o.CumQty:
		return risk.Reason{Code: risk.InvalidOrder, Unit: risk.UnitQty, Limit: int64(o.CumQty), Value: int64(terms.Qty)}
	}
	terms.Crosses = m.amendCrossing(o, &terms)
	ref := referenceOf(&a.Outside)
	var reason risk.Reason
	m.approved, reason = m.tree.CheckAmend(&e.hold, terms, &ref, now)
	if mode := m.approved.SelfTrade(); reason.OK() && mode != 0 {
		reason = risk.Reason{Code: risk.SelfTrade, Unit: risk.UnitMode, Scope: risk.AccountScope(o.Account), Limit: int64(mode), Value: int64(mode)}
	}
	if reason.OK() && !a.Outside.Ready {
		reason = risk.Reason{Code: risk.VenueUnavailable}
	}
	return reason
}

func amendedTerms(o *core.Order, a *record.Amend) risk.Amend {
	terms := risk.Amend{Price: a.Price, Qty: a.Qty}
	if terms.Price == 0 {
		terms.Price = o.Price
	}
	if terms.Qty == 0 {
		terms.Qty = o.Qty
	}
	return terms
}

func (m *machine) applyAmend(a *record.Amend) {
	if a.Reason.Code != 0 {
		ev := m.out.event(EventRefused)
		if m.target != nil {
			ev.Order = m.target.order
		} else {
			ev.Order.ID, ev.Order.Account, ev.Order.ClOrdID = a.Order, a.Account, a.ClOrdID
		}
		ev.Reason = reasonFromRecord(&a.Reason)
		return
	}
	e := m.target
	terms := amendedTerms(&e.order, a)
	m.tree.Accept(&m.approved, &e.hold)
	e.order.PendingRepl = true
	e.order.NewPrice, e.order.NewQty = terms.Price, terms.Qty
	e.order.Amends++
	m.own.place(&m.orders, e)
	e.order.UpdateTime = m.now
	m.send(core.VenueAmend, &e.order)
	m.out.event(EventOrder).Order = e.order
}
