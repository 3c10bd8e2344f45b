package engine

import (
	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

// What happens to an order that would trade with one's own is decided here as for
// every order, and depends on the state alone: it is admitted once the venue has been
// asked to cancel all that is in its way, and else refused. That they are cancelled
// first is the sequencer's part, which makes records of their own: see preventSelfTrade.

// clash is what stands between the order of the record under decision and those of
// one's own that it would trade with.
type clash struct {
	mode  risk.SelfTradeMode // what is to be done; 0: nothing is in its way
	order risk.Order
	whose int // ofFirm or ofAccount: whose orders are meant
}

// selfTrade has the last word on an order that everything else admits, or that is
// refused with reason, when it would trade with one's own.
func (m *machine) selfTrade(o *risk.Order, reason risk.Reason) risk.Reason {
	mode := m.approved.SelfTrade()
	if !reason.OK() {
		mode = risk.SelfTradeMode(reason.Limit)
	}
	if o.Crosses == 0 || mode == 0 || (!reason.OK() && reason.Code != risk.SelfTrade) {
		return reason
	}
	m.clash = clash{mode: mode, order: *o, whose: ofAccount}
	if _, set := m.tree.Limit(risk.FirmScope(), risk.LimitSelfTrade); set {
		m.clash.whose = ofFirm
	}
	if !reason.OK() || m.settled() {
		return reason
	}
	return m.clashReason()
}

func (m *machine) clashReason() risk.Reason {
	scope := risk.AccountScope(m.clash.order.Account)
	if m.clash.whose == ofFirm {
		scope = risk.FirmScope()
	}
	return risk.Reason{Code: risk.SelfTrade, Unit: risk.UnitMode, Scope: scope,
		Limit: int64(m.clash.mode), Value: int64(m.clash.mode)}
}

// settled reports whether the venue has been asked to cancel everything in the way.
// Of an unknown order nobody can say that its cancel comes before what is sent now:
// only an order that reduces may be sent all the same.
// A question what would happen takes it that the cancels are sent first.
func (m *machine) settled() bool {
	ok := true
	m.eachInTheWay(func(e *entry) bool {
		ok = m.mayPass(e) && (e.order.PendingCxl || m.asking)
		return ok
	})
	return ok
}

// mayPass reports whether the approved order may be sent once this one, which is in its
// way, is asked to be cancelled.
func (m *machine) mayPass(e *entry) bool { return !e.order.Unknown || m.approved.Reduces() }

// eachInTheWay calls f for every resting order of the clash, best price first, until
// it returns false.
func (m *machine) eachInTheWay(f func(e *entry) bool) {
	m.own.each(&m.orders, &m.clash.order, m.clash.whose, f)
}

// overlap is how much of the order would trade with one's own that no cancel is on its
// way for.
func (m *machine) overlap() (q core.Qty) {
	want := m.clash.order.Qty
	m.eachInTheWay(func(e *entry) bool {
		if !e.order.PendingCxl {
			q += min(want-q, e.hold.Leaves())
		}
		return q < want
	})
	return q
}

// amendCrossing says with whose orders an amend would have one trade: nobody's new,
// when its price comes no nearer to them.
func (m *machine) amendCrossing(o *core.Order, terms *risk.Amend) risk.Crossing {
	if bookKey(o.Side, terms.Price) >= bookKey(o.Side, o.Price) {
		return 0
	}
	return m.own.crosses(&risk.Order{Account: o.Account, Instrument: o.Instrument, Side: o.Side,
		Type: o.Type, TIF: o.TIF, Price: terms.Price})
}

// less refuses an order of which nothing is left, or that says of itself that less of
// it is to be sent than there is.
func (m *machine) less(n *record.New) risk.Reason {
	switch {
	case n.Less < 0 || n.Less > n.Qty:
		return risk.Reason{Code: risk.InvalidOrder, Unit: risk.UnitQty, Limit: int64(n.Qty), Value: int64(n.Less)}
	case n.Less == n.Qty && n.Less > 0:
		return risk.Reason{Code: risk.SelfTrade, Unit: risk.UnitMode, Scope: risk.FirmScope(),
			Limit: int64(risk.SelfTradeDecrement), Value: int64(risk.SelfTradeDecrement)}
	}
	return risk.Reason{}
}
