package paper

import (
	"qcat/core"
	"qcat/core/book"
)

// adoption is an order of an earlier run that waits for a book. One that was
// closed meanwhile leaves its entry behind; the slot's generation tells.
type adoption struct {
	slot       int32
	generation uint32
}

// adoptable reports whether an order that this venue does not have comes back to
// it: it was confirmed, and would still rest.
func adoptable(c *core.VenueCommand) bool {
	return c.Order != 0 && c.Acked && c.Type == core.Limit && c.CumQty >= 0 && c.CumQty < c.Qty &&
		(c.TIF == core.GTC || c.TIF == core.GTD || c.TIF == core.PostOnly)
}

// cameBack reports whether an order was adopted already. A question may arrive after
// the order's end: what it says of the order is then out of date, and to trade on it
// would trade the same order twice.
func (m *Matcher) cameBack(id core.OrderID) bool {
	_, before := m.adopted[id]
	return before
}

// reserve gives an order that is to be adopted its slot, so that what is sent about
// it later stays behind the question.
func (m *Matcher) reserve(c *core.VenueCommand) (int32, bool) {
	slot, ok := m.orders.add(c.Order)
	if ok {
		m.adopted[c.Order] = struct{}{}
		o := &m.orders.orders[slot]
		o.instrument, o.adopting, o.amending = c.Instrument, true, c.Amending
		o.side, o.typ, o.tif = c.Side, c.Type, c.TIF
		o.price, o.qty, o.cum, o.expire = c.Price, c.Qty, c.CumQty, c.ExpireTime
	}
	return slot, ok
}

// takeBack is the arrival of the question about an order that has its slot and is to
// be adopted, now or as soon as there is a book b.
func (m *Matcher) takeBack(slot int32, b *book.Replica) {
	o := &m.orders.orders[slot]
	st := m.market(o.instrument)
	switch {
	case st == nil || !adoptableTerms(st.def, o):
		m.close(slot, core.ExecCancelled, core.VenueReasonInvalid)
		return
	case o.tif == core.GTD && o.expire <= m.now:
		m.close(slot, core.ExecExpired, core.VenueReasonNone)
		return
	case o.tif == core.GTD:
		m.scheduleExpiry(slot)
	}
	if usable(b) {
		m.adopt(st, slot, b)
		return
	}
	st.wait(m, slot)
}

// adoptableTerms reports whether terms that the venue has taken before can be
// traded on. They may be off the grid: it may have changed since.
func adoptableTerms(in *core.Instrument, o *order) bool {
	if (o.side != core.Buy && o.side != core.Sell) || o.price <= 0 {
		return false
	}
	_, fits := in.Notional(o.price, o.qty, core.RoundUp)
	return fits
}

// wait keeps an order until there is a book. There are no more than open orders:
// entries left behind are thrown out when they are the majority.
func (st *instrument) wait(m *Matcher, slot int32) {
	if len(st.waiting) > 64 && len(st.waiting) > 2*m.orders.open {
		kept := st.waiting[:0]
		for _, a := range st.waiting {
			if m.orders.orders[a.slot].generation == a.generation {
				kept = append(kept, a)
			}
		}
		st.waiting = kept
	}
	st.waiting = append(st.waiting, adoption{slot, m.orders.orders[slot].generation})
}

// adoptWaiting adopts the orders that waited for the book b, which is usable.
func (m *Matcher) adoptWaiting(st *instrument, b *book.Replica) {
	for _, a := range st.waiting {
		if o := &m.orders.orders[a.slot]; o.generation == a.generation && o.adopting {
			m.adopt(st, a.slot, b)
		}
	}
	st.waiting = st.waiting[:0]
}

// adopt puts an order of an earlier run back into the market.
func (m *Matcher) adopt(st *instrument, slot int32, b *book.Replica) {
	o := &m.orders.orders[slot]
	o.arrived, o.adopting = true, false
	m.tellStatus(o, o.amending, o.price, o.qty)
	m.trade(st, slot, b)
}

// tellStatus answers the question about an order that is in the market: that it
// lives, or what became of an amend of the terms that the engine has.
func (m *Matcher) tellStatus(o *order, amending bool, price core.Price, qty core.Qty) {
	switch {
	case !amending:
		m.tell(o, core.ExecNew, core.VenueReasonNone)
	case o.price == price && o.qty == qty:
		m.tell(o, core.ExecReplaceRejected, core.VenueReasonNone)
	default:
		m.tell(o, core.ExecReplaced, core.VenueReasonNone)
	}
}
