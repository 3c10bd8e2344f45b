package paper

import (
	"qcat/core"
	"qcat/core/book"
)

// firstWalk is how many levels a walk looks at first; it looks at four times as
// many each time they are not enough.
const firstWalk = 16

// fill is one level's part of a walk.
type fill struct {
	price core.Price
	qty   core.Qty
	fee   core.Notional
}

// walk plans what an order of side may take: up to want, from the displayed levels
// of the other side up to limit (0: all), less what was taken before, with the
// fee at ppm. It changes nothing but m.plan. It returns the planned quantity, and
// false when a level's notional did not fit, where the plan ends.
func (m *Matcher) walk(st *instrument, b *book.Replica, side core.Side, limit core.Price, want core.Qty, ppm int64) (got core.Qty, fits bool) {
	for n := firstWalk; ; n *= 4 {
		m.levels = b.Book().Levels(side.Opposite(), m.levels[:0], n)
		got, more, fits := m.planOver(st, side, limit, want, ppm)
		if !more || len(m.levels) < n {
			return got, fits
		}
	}
}

// planOver plans over m.levels and tells whether deeper levels might give more.
func (m *Matcher) planOver(st *instrument, side core.Side, limit core.Price, want core.Qty, ppm int64) (got core.Qty, more, fits bool) {
	m.plan = m.plan[:0]
	own, before := st.queue(side), st.taken(side.Opposite())
	for _, l := range m.levels {
		if got == want || (limit != 0 && !own.reaches(limit, l.Price)) {
			return got, false, true
		}
		q := min(l.Qty-before.at(l.Price), want-got)
		if q <= 0 {
			continue
		}
		f, ok := m.settings.Fees.of(st.def, side, l.Price, q, ppm)
		if !ok {
			return got, false, false
		}
		m.plan = append(m.plan, fill{price: l.Price, qty: q, fee: f})
		got += q
	}
	return got, got < want, true
}

// take carries the plan out for a taking order: each level at its own price.
func (m *Matcher) take(st *instrument, slot int32) {
	o := &m.orders.orders[slot]
	t := st.taken(o.side.Opposite())
	for _, f := range m.plan {
		t.add(f.price, f.qty)
		m.tellTrade(st.def, o, core.Taker, f)
	}
}

// meet lets resting orders take what the market displays at or beyond their
// prices, each at its own price and as maker: best price first, then by arrival.
func (m *Matcher) meet(st *instrument, b *book.Replica) {
	m.meetSide(st, b, core.Buy)
	m.meetSide(st, b, core.Sell)
}

func (m *Matcher) meetSide(st *instrument, b *book.Replica, side core.Side) {
	q := st.queue(side)
	for {
		price, slot := q.best()
		if slot == none || !wouldTake(b, side, price) {
			return
		}
		o := &m.orders.orders[slot]
		got, _ := m.walk(st, b, side, price, o.leaves(), m.settings.Fees.MakerPPM)
		if got == 0 {
			return
		}
		t := st.taken(side.Opposite())
		for _, f := range m.plan {
			t.add(f.price, f.qty)
		}
		m.fillResting(st, slot, got)
	}
}

// fillResting fills a resting order as maker at its own price, and removes it
// when it is done.
func (m *Matcher) fillResting(st *instrument, slot int32, qty core.Qty) {
	o := &m.orders.orders[slot]
	f, _ := m.settings.Fees.of(st.def, o.side, o.price, qty, m.settings.Fees.MakerPPM) // fits: its whole quantity does
	m.tellTrade(st.def, o, core.Maker, fill{o.price, qty, f})
	if o.leaves() == 0 {
		st.queue(o.side).remove(&m.orders, slot)
		m.orders.remove(slot)
	}
}
