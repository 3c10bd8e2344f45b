package paper

import (
	"qcat/core"
	"qcat/core/book"
)

// enter is the arrival of a new order.
func (m *Matcher) enter(slot int32, c *core.VenueCommand, b *book.Replica) {
	o := &m.orders.orders[slot]
	o.side, o.typ, o.tif = c.Side, c.Type, c.TIF
	o.price, o.qty, o.expire = c.Price, c.Qty, c.ExpireTime
	o.arrived = true
	if o.typ == core.Market {
		o.price = 0
	}
	st := m.market(c.Instrument)
	if why := m.admit(st, o, b); why != core.VenueReasonNone {
		m.orders.remove(slot)
		m.refuse(c, core.ExecRejected, why)
		return
	}
	m.tell(o, core.ExecNew, core.VenueReasonNone)
	if o.tif == core.GTD {
		if o.expire <= m.now {
			m.close(slot, core.ExecExpired, core.VenueReasonNone)
			return
		}
		m.scheduleExpiry(slot)
	}
	m.trade(st, slot, b)
}

// admit returns why a new order is refused, none when it is not.
func (m *Matcher) admit(st *instrument, o *order, b *book.Replica) core.VenueReason {
	switch {
	case st == nil || !validTerms(st.def, o):
		return core.VenueReasonInvalid
	case !usable(b):
		return core.VenueReasonBookStale
	case o.tif == core.PostOnly && wouldTake(b, o.side, o.price):
		return core.VenueReasonWouldTake
	}
	return core.VenueReasonNone
}

// validTerms reports whether a venue could take the order's terms.
func validTerms(in *core.Instrument, o *order) bool {
	switch {
	case o.side != core.Buy && o.side != core.Sell,
		o.tif < core.GTC || o.tif > core.PostOnly,
		o.qty <= 0 || o.qty%in.StepSize != 0:
		return false
	case o.typ == core.Market:
		return o.tif != core.PostOnly && o.tif != core.GTD
	case o.typ != core.Limit:
		return false
	}
	return validPrice(in, o.price, o.qty)
}

// validPrice reports whether p is on the grid and the worth of q at p, and q itself in
// the decimals of a fee, fit.
func validPrice(in *core.Instrument, p core.Price, q core.Qty) bool {
	if p <= 0 || p%in.TickSize != 0 {
		return false
	}
	_, fits := in.Notional(p, q, core.RoundUp)
	if fits && in.Kind == core.Spot && in.SettleScale >= in.QtyScale {
		_, fits = baseFee(in, q, 0)
	}
	return fits
}

// wouldTake reports whether a limit order meets the displayed other side.
func wouldTake(b *book.Replica, side core.Side, price core.Price) bool {
	if side == core.Buy {
		ask, ok := b.Book().BestAsk()
		return ok && price >= ask.Price
	}
	bid, ok := b.Book().BestBid()
	return ok && price <= bid.Price
}

// trade lets an order take what it may and rest, or end, with what is left. The
// book is usable and the order stands in no queue.
func (m *Matcher) trade(st *instrument, slot int32, b *book.Replica) {
	o := &m.orders.orders[slot]
	got, fits := m.walk(st, b, o.side, o.price, o.leaves(), m.settings.Fees.TakerPPM)
	end := core.VenueReasonNoLiquidity
	if !fits {
		end = core.VenueReasonInvalid // a notional beyond int64: nobody can book it
	}
	if o.tif == core.FOK && got < o.leaves() {
		m.close(slot, core.ExecCancelled, end)
		return
	}
	m.take(st, slot)
	switch {
	case o.leaves() == 0:
		m.orders.remove(slot)
	case !fits || o.typ == core.Market || o.tif == core.IOC:
		m.close(slot, core.ExecCancelled, end)
	default:
		m.rest(st, slot, b)
	}
}

// rest puts an order behind what is displayed at its price.
func (m *Matcher) rest(st *instrument, slot int32, b *book.Replica) {
	o := &m.orders.orders[slot]
	o.ahead = b.Book().Qty(o.side, o.price)
	o.shrunk, o.shrunkAt = 0, 0
	st.queue(o.side).push(&m.orders, slot)
}

// amend changes an order's price and total quantity. Less at the same price keeps
// its place; anything else enters anew.
func (m *Matcher) amend(slot int32, c *core.VenueCommand, b *book.Replica) {
	o := &m.orders.orders[slot]
	st := m.markets[o.instrument]
	keeps := c.Price == o.price && c.Qty <= o.qty
	switch {
	case c.Qty <= o.cum || c.Qty%st.def.StepSize != 0 || !validPrice(st.def, c.Price, c.Qty):
		m.refuse(c, core.ExecReplaceRejected, core.VenueReasonInvalid)
	case keeps:
		o.qty = c.Qty
		m.tell(o, core.ExecReplaced, core.VenueReasonNone)
	case !usable(b):
		m.refuse(c, core.ExecReplaceRejected, core.VenueReasonBookStale)
	case o.tif == core.PostOnly && wouldTake(b, o.side, c.Price):
		m.refuse(c, core.ExecReplaceRejected, core.VenueReasonWouldTake)
	default:
		st.queue(o.side).remove(&m.orders, slot)
		o.price, o.qty = c.Price, c.Qty
		m.tell(o, core.ExecReplaced, core.VenueReasonNone)
		m.trade(st, slot, b)
	}
}

// close ends an open order with a report.
func (m *Matcher) close(slot int32, t core.ExecType, why core.VenueReason) {
	o := &m.orders.orders[slot]
	if o.resting {
		m.markets[o.instrument].queue(o.side).remove(&m.orders, slot)
	}
	m.tell(o, t, why)
	m.orders.remove(slot)
}
