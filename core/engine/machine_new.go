package engine

import (
	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

// decideNew answers a new order: the first order's answer for a client order id
// that is known, else what the order table, the risk tree and the venue say.
func (m *machine) decideNew(now core.Nanos, n *record.New) {
	n.Order, n.Duplicate, n.Reason, m.clash = 0, false, record.Reason{}, clash{}
	if n.ClOrdID.Len() > 0 {
		if e := m.orders.findClOrdID(n.Account, &n.ClOrdID); e != nil {
			m.target = e
			n.Order = e.order.ID
			if n.Duplicate = sameTerms(e, n); !n.Duplicate {
				n.Order, m.target = 0, nil
				n.Reason = record.Reason{Code: uint16(risk.DuplicateOrder), Unit: uint8(risk.UnitNone)}
			}
			return
		}
	}
	reason := m.admit(now, n)
	if reason.OK() {
		n.Order = m.lastOrder + 1
		return
	}
	n.Reason = reasonToRecord(reason)
}

// admit decides on an order that is not a repetition and leaves its approval.
func (m *machine) admit(now core.Nanos, n *record.New) risk.Reason {
	switch {
	case (n.TIF == core.GTD) != (n.ExpireTime != 0):
		return risk.Reason{Code: risk.InvalidOrder}
	case n.CancelOnDrop && n.Session == 0, n.Session == core.EverySession, n.Leg > core.LegShort:
		return risk.Reason{Code: risk.InvalidOrder}
	case n.TIF == core.GTD && n.ExpireTime <= now:
		return risk.Reason{Code: risk.InvalidOrder, Unit: risk.UnitNanos, Limit: int64(now), Value: int64(n.ExpireTime)}
	}
	if reason := m.less(n); !reason.OK() {
		return reason
	}
	o, ref := orderOfRecord(n), referenceOf(&n.Outside)
	m.lookForOwn(&o, &ref, now)
	var reason risk.Reason
	m.approved, reason = m.tree.CheckNew(&o, &ref, now)
	switch {
	case !reason.OK():
		return m.selfTrade(&o, reason)
	case !n.Outside.Ready:
		return risk.Reason{Code: risk.VenueUnavailable}
	case m.orders.full():
		return risk.Reason{Code: risk.Capacity, Unit: risk.UnitCount,
			Limit: int64(m.orders.maxOpen), Value: int64(m.orders.open.len) + 1}
	}
	return m.selfTrade(&o, reason)
}

// checkAll appends every reason that would refuse the order of n now, in the
// order in which admit and decideNew look.
func (m *machine) checkAll(now core.Nanos, n *record.New, dst []risk.Reason) []risk.Reason {
	m.asking = true
	if m.decideNew(now, n); m.clash.mode == risk.SelfTradeDecrement && n.Less == 0 {
		n.Less = m.overlap()
		m.decideNew(now, n)
	}
	m.asking = false
	if n.Duplicate || n.Reason.Code == 0 {
		return dst
	}
	first := reasonFromRecord(&n.Reason)
	dst = append(dst, first)
	o, ref := orderOfRecord(n), referenceOf(&n.Outside)
	m.lookForOwn(&o, &ref, now)
	at := len(dst)
	dst = m.tree.CheckAll(&o, &ref, now, dst)
	if at < len(dst) && dst[at] == first {
		dst = append(dst[:at], dst[at+1:]...)
	}
	if !n.Outside.Ready && first.Code != risk.VenueUnavailable {
		dst = append(dst, risk.Reason{Code: risk.VenueUnavailable})
	}
	return dst
}

// lookForOwn finds out with whose resting orders the order would trade.
func (m *machine) lookForOwn(o *risk.Order, ref *risk.Reference, now core.Nanos) {
	if o.Type == core.Market {
		o.Worst = m.tree.WorstPrice(o, ref, now)
	}
	o.Crosses = m.own.crosses(o)
}

func (m *machine) applyNew(n *record.New) {
	switch {
	case n.Duplicate:
		return
	case n.Reason.Code != 0:
		ev := m.out.event(EventRefused)
		ev.Order = m.refusedOrder(n)
		ev.Reason = reasonFromRecord(&n.Reason)
		if n.Closing {
			m.heldUp(&ev.Order, ev.Reason)
		}
		return
	}
	m.lastOrder = n.Order
	o := m.refusedOrder(n)
	o.ID, o.Status, o.Reason, o.Qty = n.Order, core.StatusNew, 0, n.Qty-n.Less
	e := m.orders.add(&o)
	e.firstQty = n.Qty
	m.target, e.closing = e, n.Closing
	m.own.place(&m.orders, e)
	m.sessions.add(&m.orders, e)
	m.tree.Accept(&m.approved, &e.hold)
	if o.TIF == core.GTD {
		m.expiry.push(&m.orders, e, o.ExpireTime)
	}
	m.send(core.VenueNew, &e.order)
	m.out.event(EventOrder).Order = e.order
}

// refusedOrder is the order that n asks for, as a refusal shows it.
func (m *machine) refusedOrder(n *record.New) core.Order {
	return core.Order{
		Account: n.Account, Strategy: n.Strategy, Instrument: n.Instrument,
		Side: n.Side, Type: n.Type, TIF: n.TIF, Status: core.StatusRejected, ReduceOnly: n.ReduceOnly,
		Leg: n.Leg, CancelOnDrop: n.CancelOnDrop, Session: n.Session,
		Price: n.Price, Qty: n.Qty, Reason: n.Reason.Code,
		ExpireTime: n.ExpireTime, CreateTime: m.now, UpdateTime: m.now, ClOrdID: n.ClOrdID,
	}
}

// sameTerms reports whether n asks for what e was entered with. From which session,
// and whether it ends with that, is no term: a client that comes back asks again.
func sameTerms(e *entry, n *record.New) bool {
	o := &e.order
	return o.Strategy == n.Strategy && o.Instrument == n.Instrument && o.Side == n.Side &&
		o.Type == n.Type && o.TIF == n.TIF && o.Leg == n.Leg && o.ReduceOnly == n.ReduceOnly &&
		e.firstPrice == n.Price && e.firstQty == n.Qty && o.ExpireTime == n.ExpireTime
}

func orderOfRecord(n *record.New) risk.Order {
	return risk.Order{
		Account: n.Account, Strategy: n.Strategy, Instrument: n.Instrument,
		Side: n.Side, Type: n.Type, TIF: n.TIF, Leg: n.Leg, ReduceOnly: n.ReduceOnly,
		Price: n.Price, Qty: n.Qty - n.Less,
	}
}

// referenceOf is what the check is told of the market: nothing, when no quote was
// ever stored.
func referenceOf(o *record.Outside) risk.Reference {
	if !o.QuoteKnown {
		return risk.Reference{}
	}
	return risk.ReferenceOf(&o.Quote)
}
