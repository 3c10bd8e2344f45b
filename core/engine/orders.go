package engine

import (
	"encoding/binary"

	"qcat/core"
	"qcat/risk"
)

var le = binary.LittleEndian

// entry is one order of the table with what the sequencer keeps beside it.
type entry struct {
	order core.Order
	hold  risk.Hold

	// The terms it was entered with: what a repeated client order id is compared
	// with, whatever was amended since.
	firstPrice core.Price
	firstQty   core.Qty

	venueExec uint64     // highest VenueExecID seen
	due       core.Nanos // when to expire it, meaningful while heapAt > 0

	slot       uint32 // its own
	prev, next uint32 // neighbours in the open or the closed list
	rests      [numLadders]resting
	session    sessionLink
	heapAt     int32 // place in the expiry heap, 1-based; 0: not in it
	expiring   bool  // the pending cancel is an expiry
	doomed     bool  // it must end: a cancel that its venue rejects is asked for again

	closing bool // the engine entered it to close a position of a flattened node

	// withheld says that the order was never handed to its gateway, because a
	// halt came first. It is not state: replay neither knows nor needs it.
	withheld bool
	// cancelWaits says that a cancel without a record waits to be taken by the
	// gateway, so that repeating it adds none. It is not state either.
	cancelWaits bool
	// question is how far the venue has been asked about the order; not state.
	question questionState
}

// list is a doubly linked list of slots, oldest first.
type list struct {
	head, tail uint32
	len        int
}

const pageSize = 1024

// orderTable keeps the open orders and the most recently closed ones. Slots come
// in pages that never move; slot 0 is none. Nothing allocates once as many slots
// exist as were ever in use at a time.
type orderTable struct {
	pages  []*[pageSize]entry
	free   uint32 // head of the list of free slots, linked by next
	used   uint32 // slots handed out so far
	open   list
	closed list

	byID      index
	byClOrdID index

	maxOpen, maxClosed int

	openOf counts // open orders by instrument; follows from the open list
}

func newOrderTable(maxOpen, maxClosed int) orderTable {
	return orderTable{
		maxOpen: maxOpen, maxClosed: maxClosed,
		byID:      newIndex(maxOpen + maxClosed + 1),
		byClOrdID: newIndex(maxOpen + maxClosed + 1),
	}
}

func (t *orderTable) at(slot uint32) *entry {
	return &t.pages[slot/pageSize][slot%pageSize]
}

// find returns the order of that id, or nil.
func (t *orderTable) find(id core.OrderID) *entry {
	h := hashOrderID(id)
	for p := h & t.byID.mask; ; p = (p + 1) & t.byID.mask {
		c := t.byID.cells[p]
		if c.slot == 0 {
			return nil
		}
		if c.hash == h {
			if e := t.at(c.slot); e.order.ID == id {
				return e
			}
		}
	}
}

// findClOrdID returns the account's order of that client order id, or nil.
func (t *orderTable) findClOrdID(account core.AccountID, id *core.ClOrdID) *entry {
	h := hashClOrdID(account, id)
	for p := h & t.byClOrdID.mask; ; p = (p + 1) & t.byClOrdID.mask {
		c := t.byClOrdID.cells[p]
		if c.slot == 0 {
			return nil
		}
		if c.hash == h {
			if e := t.at(c.slot); e.order.Account == account && e.order.ClOrdID == *id {
				return e
			}
		}
	}
}

// full reports whether no further order can be open.
func (t *orderTable) full() bool { return t.open.len >= t.maxOpen }

// add puts an open order into the table and returns its entry.
func (t *orderTable) add(o *core.Order) *entry {
	e := t.put(o)
	t.push(&t.open, e)
	return e
}

// put gives an order an entry, which the caller puts into a list.
func (t *orderTable) put(o *core.Order) *entry {
	slot := t.free
	if slot != 0 {
		t.free = t.at(slot).next
	} else {
		t.used++
		slot = t.used
		if int(slot/pageSize) == len(t.pages) {
			t.pages = append(t.pages, new([pageSize]entry))
		}
	}
	e := t.at(slot)
	*e = entry{order: *o, slot: slot, firstPrice: o.Price, firstQty: o.Qty}
	t.byID.insert(hashOrderID(o.ID), slot)
	if o.ClOrdID.Len() > 0 {
		t.byClOrdID.insert(hashClOrdID(o.Account, &o.ClOrdID), slot)
	}
	return e
}

// close moves an order from the open list to the closed one and forgets the
// oldest closed order when there are too many.
func (t *orderTable) close(e *entry) {
	t.unlink(&t.open, e)
	t.push(&t.closed, e)
	if t.closed.len > t.maxClosed {
		t.forget(t.at(t.closed.head))
	}
}

func (t *orderTable) forget(e *entry) {
	t.unlink(&t.closed, e)
	t.byID.remove(hashOrderID(e.order.ID), e.slot)
	if e.order.ClOrdID.Len() > 0 {
		t.byClOrdID.remove(hashClOrdID(e.order.Account, &e.order.ClOrdID), e.slot)
	}
	slot := e.slot
	*e = entry{next: t.free}
	t.free = slot
}

func (t *orderTable) push(l *list, e *entry) {
	if l == &t.open {
		t.openOf.add(e.order.Instrument, 1)
	}
	e.prev, e.next = l.tail, 0
	if l.tail != 0 {
		t.at(l.tail).next = e.slot
	} else {
		l.head = e.slot
	}
	l.tail = e.slot
	l.len++
}

func (t *orderTable) unlink(l *list, e *entry) {
	if l == &t.open {
		t.openOf.add(e.order.Instrument, -1)
	}
	if e.prev != 0 {
		t.at(e.prev).next = e.next
	} else {
		l.head = e.next
	}
	if e.next != 0 {
		t.at(e.next).prev = e.prev
	} else {
		l.tail = e.prev
	}
	l.len--
}

// each calls f for every order of l, oldest first. f may close the order.
func (t *orderTable) each(l *list, f func(e *entry)) {
	for slot := l.head; slot != 0; {
		e := t.at(slot)
		slot = e.next
		f(e)
	}
}
