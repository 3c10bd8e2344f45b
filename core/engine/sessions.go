package engine

import "qcat/core"

// sessionBook finds the open orders that are to be cancelled with a session, so that
// many sessions may drop at once without a walk over all orders for each. It follows
// from the open orders, is no part of the state and never allocates.
//
// The orders of a session are a ring, whose oldest is what the index holds.
type sessionBook struct{ oldest index }

// sessionLink is an order's place in the ring of its session; 0 is in none.
type sessionLink struct{ prev, next uint32 }

func newSessionBook(maxOpen int) sessionBook { return sessionBook{newIndex(maxOpen + 1)} }

func hashSession(s core.SessionID) uint32 { return uint32(mix(uint64(s))) }

// find returns the slot of the oldest order of a session, 0 for none.
func (b *sessionBook) find(t *orderTable, s core.SessionID) uint32 {
	h := hashSession(s)
	for p := h & b.oldest.mask; ; p = (p + 1) & b.oldest.mask {
		c := b.oldest.cells[p]
		if c.slot == 0 || (c.hash == h && t.at(c.slot).order.Session == s) {
			return c.slot
		}
	}
}

// add puts an open order behind those of its session, if it is to end with it.
func (b *sessionBook) add(t *orderTable, e *entry) {
	if !e.order.CancelOnDrop {
		return
	}
	first := b.find(t, e.order.Session)
	if first == 0 {
		e.session = sessionLink{e.slot, e.slot}
		b.oldest.insert(hashSession(e.order.Session), e.slot)
		return
	}
	last := t.at(first).session.prev
	e.session = sessionLink{prev: last, next: first}
	t.at(last).session.next = e.slot
	t.at(first).session.prev = e.slot
}

// remove takes an order out, if it is in.
func (b *sessionBook) remove(t *orderTable, e *entry) {
	at := e.session
	if at.next == 0 {
		return
	}
	e.session = sessionLink{}
	h := hashSession(e.order.Session)
	oldest := b.find(t, e.order.Session) == e.slot
	if oldest {
		b.oldest.remove(h, e.slot)
	}
	if at.next == e.slot {
		return
	}
	t.at(at.prev).session.next = at.next
	t.at(at.next).session.prev = at.prev
	if oldest {
		b.oldest.insert(h, at.next)
	}
}

// each calls f for the orders of a session, oldest first. f must not close one.
func (b *sessionBook) each(t *orderTable, s core.SessionID, f func(e *entry)) {
	first := b.find(t, s)
	if first == 0 {
		return
	}
	for slot := first; ; {
		e := t.at(slot)
		slot = e.session.next
		f(e)
		if slot == first {
			return
		}
	}
}
