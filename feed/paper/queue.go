package paper

import (
	"slices"

	"qcat/core"
)

// queue holds the resting orders of one side of one instrument by price, the
// worst first, so that the best is at the end and cheap to remove. Orders of a
// price are linked through the slab in order of arrival.
type queue struct {
	side   core.Side
	prices []priceQueue
}

type priceQueue struct {
	price      core.Price
	head, tail int32
}

// rank orders prices from worst to best.
func (q *queue) rank(p core.Price) core.Price { return p * core.Price(q.side.Sign()) }

// reaches reports whether an order of this side at price would trade with the
// other side's quote at other.
func (q *queue) reaches(price, other core.Price) bool { return q.rank(price) >= q.rank(other) }

// find returns where price stands or would stand. Every level event of the
// market asks, hence the search by hand: a comparison through a function value
// costs more than all the rest of it.
func (q *queue) find(price core.Price) (int, bool) {
	lo, hi := 0, len(q.prices)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if q.rank(q.prices[mid].price) < q.rank(price) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(q.prices) && q.prices[lo].price == price
}

// head returns the first order at price, or none.
func (q *queue) head(price core.Price) int32 {
	n := len(q.prices)
	if n == 0 || q.rank(price) > q.rank(q.prices[n-1].price) {
		return none
	}
	if i, ok := q.find(price); ok {
		return q.prices[i].head
	}
	return none
}

// best returns the best price and its first order, or none.
func (q *queue) best() (core.Price, int32) {
	if len(q.prices) == 0 {
		return 0, none
	}
	l := &q.prices[len(q.prices)-1]
	return l.price, l.head
}

// push puts order i at the end of its price.
func (q *queue) push(s *slab, i int32) {
	o := &s.orders[i]
	at, ok := q.find(o.price)
	if !ok {
		q.prices = slices.Insert(q.prices, at, priceQueue{price: o.price, head: none, tail: none})
	}
	l := &q.prices[at]
	o.prev, o.next = l.tail, none
	if l.tail == none {
		l.head = i
	} else {
		s.orders[l.tail].next = i
	}
	l.tail = i
	o.resting = true
}

// remove takes order i out.
func (q *queue) remove(s *slab, i int32) {
	o := &s.orders[i]
	at, _ := q.find(o.price)
	l := &q.prices[at]
	if o.prev == none {
		l.head = o.next
	} else {
		s.orders[o.prev].next = o.next
	}
	if o.next == none {
		l.tail = o.prev
	} else {
		s.orders[o.next].prev = o.prev
	}
	o.prev, o.next, o.resting = none, none, false
	if l.head == none {
		q.prices = slices.Delete(q.prices, at, at+1)
	}
}
