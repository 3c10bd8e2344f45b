package engine

import (
	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

// decrease is what is taken off a resting order before a new one is sent.
type decrease struct {
	order core.OrderID
	qty   core.Qty // the total that it is to have; 0: it is cancelled
}

// preventSelfTrade enters an order that would trade with one's own, as the mode of
// the level says that has one:
//
//	cancel_newest   it is refused
//	cancel_oldest   those in its way are cancelled, and then it is entered
//	cancel_both     it is refused, and then those in its way are cancelled
//	decrement       both lose what they would trade: those in its way are lowered or
//	                cancelled, and what is left of it is entered
//
// Each of these is a record, in this order, and the commands reach the venue in the
// same. An order that is refused for another reason leaves the others alone. Where an
// unknown order is in its way, none is entered that does not reduce. For one that
// reduces every mode is cancel_oldest.
func (e *Engine) preventSelfTrade(c *Command, now core.Nanos) error {
	e.resolving = true
	defer func() { e.resolving = false }()
	way, whole := e.inTheWay()
	switch mode := e.m.clash.mode; {
	case mode == risk.SelfTradeCancelOldest && whole:
		if err := e.takeAway(way, now); err != nil {
			return err
		}
	case mode == risk.SelfTradeCancelBoth:
		if err := e.sequence(c, now); err != nil {
			return err
		}
		_ = e.takeAway(way, now) // what has no room for its record stays, and is refused the next time too
		return nil
	case mode == risk.SelfTradeDecrement && whole:
		return e.decrement(c, way, now)
	}
	return e.sequence(c, now)
}

// inTheWay lists the orders that must go before the new one is entered; whole is false
// when nobody can say that they do.
func (e *Engine) inTheWay() (way []decrease, whole bool) {
	way, whole = e.way[:0], true
	e.m.eachInTheWay(func(o *entry) bool {
		whole = whole && e.m.mayPass(o)
		if !o.order.PendingCxl {
			way = append(way, decrease{order: o.order.ID})
		}
		return true
	})
	e.way = way
	return way, whole
}

// decrement takes off a new order and those in its way what they would trade with one
// another.
func (e *Engine) decrement(c *Command, way []decrease, now core.Nanos) error {
	left, lowered := e.rec.New.Qty, *c
	for i := range way {
		o := e.m.orders.find(way[i].order)
		part := min(left, o.hold.Leaves())
		if left -= part; part < o.hold.Leaves() {
			way[i].qty = o.order.Qty - part
		}
		lowered.less += part
		if left == 0 {
			way = way[:i+1]
			break
		}
	}
	if !e.admitsLess(&lowered) {
		return e.sequence(&lowered, now)
	}
	if err := e.takeAway(way, now); err != nil {
		return err
	}
	return e.sequence(&lowered, now)
}

// admitsLess reports whether what is left of an order is refused for nothing but what
// is still in its way.
func (e *Engine) admitsLess(c *Command) bool {
	r := &e.rec
	e.inputNew(c, &r.New)
	e.m.decide(r)
	code := risk.Code(r.New.Reason.Code)
	return code == risk.OK || code == risk.SelfTrade
}

// takeAway cancels or lowers orders, without asking the rates of the limit tree. What
// cannot be lowered now, because an amend is on its way or the market is not known, is
// cancelled. Without room in the journal it stops: the new order has no room either.
func (e *Engine) takeAway(way []decrease, now core.Nanos) error {
	for _, d := range way {
		if d.qty > 0 && e.lower(d, now) {
			continue
		}
		c := Command{Kind: CmdCancel, Order: d.order, Cause: record.CauseSelfTrade}
		if err := e.sequence(&c, now); err != nil {
			return err
		}
	}
	return nil
}

// lower asks for a smaller quantity of an order, and reports whether it could.
func (e *Engine) lower(d decrease, now core.Nanos) bool {
	c := Command{Kind: CmdAmend, Order: d.order, Qty: d.qty}
	return e.sequence(&c, now) == nil && e.rec.Amend.Reason.Code == 0
}
