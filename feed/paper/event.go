package paper

import (
	"qcat/core"
	"qcat/core/book"
)

// Event takes a market-data event into account, after it was applied to its
// instrument's replica b: it is what market.Tap.Poll calls.
func (m *Matcher) Event(ev *core.Event, b *book.Replica) {
	if ev.ReceiveTime > m.now {
		m.now = ev.ReceiveTime
		m.expire()
	}
	if int(ev.Instrument) >= len(m.markets) || m.markets[ev.Instrument] == nil {
		return
	}
	st := m.markets[ev.Instrument]
	switch ev.Kind {
	case core.EventTrade:
		m.traded(st, ev)
	case core.EventLevel:
		m.changed(st, ev, b)
	}
}

// changed follows a level event. The levels of a snapshot count when the run is
// complete: before that the book is half empty.
func (m *Matcher) changed(st *instrument, ev *core.Event, b *book.Replica) {
	snapshot := ev.Flags.Has(core.FlagSnapshot)
	if b.Stale() || (snapshot && b.InRun()) {
		return
	}
	if snapshot {
		m.renew(st, ev, b)
	} else {
		st.taken(ev.Side).shown(ev.Price, ev.Qty)
		m.shorten(st.queue(ev.Side).head(ev.Price), ev.Qty, ev.ExchangeTime)
	}
	if usable(b) {
		m.meet(st, b)
		m.adoptWaiting(st, b)
	}
}

// renew compares everything kept of an instrument with its new book.
func (m *Matcher) renew(st *instrument, ev *core.Event, b *book.Replica) {
	for _, side := range [...]core.Side{core.Buy, core.Sell} {
		shown := func(p core.Price) core.Qty { return b.Book().Qty(side, p) }
		st.taken(side).renew(shown)
		for i := range st.queue(side).prices {
			l := &st.queue(side).prices[i]
			m.shorten(l.head, shown(l.price), ev.ExchangeTime)
		}
	}
}

// shorten cuts the queues of the orders from slot on to what their level shows,
// and remembers by how much.
func (m *Matcher) shorten(slot int32, visible core.Qty, at core.Nanos) {
	for ; slot != none; slot = m.orders.orders[slot].next {
		o := &m.orders.orders[slot]
		if o.ahead <= visible {
			continue
		}
		if at > o.shrunkAt {
			o.shrunk, o.shrunkAt = 0, at
		}
		o.shrunk += o.ahead - max(visible, 0)
		o.ahead = max(visible, 0)
	}
}

// traded lets resting orders have their part of a trade: those at better prices
// without regard to their queues, then those at its price behind theirs.
func (m *Matcher) traded(st *instrument, ev *core.Event) {
	if ev.Qty <= 0 || (ev.Side != core.Buy && ev.Side != core.Sell) {
		return
	}
	q := st.queue(ev.Side.Opposite())
	left := ev.Qty
	for i := len(q.prices) - 1; i >= 0; i-- {
		l := q.prices[i]
		switch {
		case l.price == ev.Price:
			m.tradedAt(st, l.head, ev, left)
			return
		case !q.reaches(l.price, ev.Price):
			return
		}
		left = m.tradedThrough(st, l.head, left)
	}
}

// tradedThrough fills the orders from slot on, whose price the market has left
// behind, and returns what is left of the trade.
func (m *Matcher) tradedThrough(st *instrument, slot int32, left core.Qty) core.Qty {
	for slot != none {
		o := &m.orders.orders[slot]
		next := o.next
		o.ahead, o.shrunk = 0, 0
		if q := min(left, o.leaves()); q > 0 {
			left -= q
			m.fillResting(st, slot, q)
		}
		slot = next
	}
	return left
}

// tradedAt lets the trade eat the queues of the orders from slot on, which stand
// at its price, and fills them with what is left of it. A part of the trade that
// a shrunken level has told of already does not eat again.
func (m *Matcher) tradedAt(st *instrument, slot int32, ev *core.Event, left core.Qty) {
	for slot != none {
		o := &m.orders.orders[slot]
		next := o.next
		if ev.ExchangeTime > o.shrunkAt {
			o.shrunk = 0
		}
		known := min(ev.Qty, o.shrunk)
		mine := min(left-known-o.ahead, o.leaves())
		o.shrunk -= known
		o.ahead = max(0, o.ahead-(ev.Qty-known))
		if mine > 0 {
			left -= mine
			m.fillResting(st, slot, mine)
		}
		slot = next
	}
}
