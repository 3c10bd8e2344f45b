package engine

import (
	"math"

	"qcat/core"
	"qcat/risk"
)

// ownBook is the book of the firm's own resting orders: of every instrument and side
// the orders of all accounts, and once more those of each account, by price. It
// answers in a step whether a new order would trade with one of them, and finds those
// in as many steps as there are.
//
//	instrument, side           ─► ladder ─► levels by price ─► orders
//	account, instrument, side  ─► ladder ─► levels by price ─► orders
//
// An order stands where it is nearest to a trade: while an amend is pending, at the
// better of its old and its new price. What is said of it otherwise, a cancel on its
// way or that the venue's word is awaited, does not take it out: only its end does.
//
// It follows from the open orders and is not part of the state. Nothing allocates once
// as many levels exist as there ever were at a time.
type ownBook struct {
	firm    []uint32 // ladder of (instrument, side), 0 none yet
	own     map[ownKey]uint32
	ladders []ladder // 0 is none
	levels  []level  // 0 is none
	free    uint32   // head of the list of free levels, linked by left
}

type ownKey struct {
	account    core.AccountID
	instrument core.InstrumentID
	side       core.Side
}

// resting is an order's place in one of its two ladders. No level: it does not rest.
type resting struct {
	level      uint32
	prev, next uint32 // slots of its neighbours, oldest arrival first
}

// Ladders of an order.
const (
	ofFirm = iota
	ofAccount
	numLadders
)

func newOwnBook() ownBook {
	return ownBook{own: make(map[ownKey]uint32), ladders: make([]ladder, 1), levels: make([]level, 1)}
}

// bookKey orders prices of a side from best to worst.
func bookKey(side core.Side, px core.Price) int64 {
	if side == core.Buy {
		return -int64(px)
	}
	return int64(px)
}

// rests reports whether an order can wait at its venue for another to trade with it.
func rests(o *core.Order) bool {
	return o.Status.Open() && o.Type == core.Limit && o.TIF != core.IOC && o.TIF != core.FOK
}

// restingKey is where an order stands.
func restingKey(o *core.Order) int64 {
	k := bookKey(o.Side, o.Price)
	if o.PendingRepl {
		k = min(k, bookKey(o.Side, o.NewPrice))
	}
	return k
}

// place puts an order where it belongs now, or takes it out when it rests no more.
func (b *ownBook) place(t *orderTable, e *entry) {
	at := e.rests[ofFirm].level
	in := rests(&e.order)
	if at == 0 && !in {
		return
	}
	key := restingKey(&e.order)
	if at != 0 {
		if in && b.levels[at].key == key {
			return
		}
		b.remove(t, e, ofFirm)
		b.remove(t, e, ofAccount)
	}
	if in {
		o := &e.order
		b.add(t, e, ofFirm, b.firmLadder(o.Instrument, o.Side), key)
		b.add(t, e, ofAccount, b.ownLadder(ownKey{o.Account, o.Instrument, o.Side}), key)
	}
}

func (b *ownBook) firmLadder(in core.InstrumentID, side core.Side) uint32 {
	i := 2*int(in) + int(side) - 1
	for len(b.firm) <= i {
		b.firm = append(b.firm, 0)
	}
	if b.firm[i] == 0 {
		b.firm[i] = b.newLadder()
	}
	return b.firm[i]
}

func (b *ownBook) ownLadder(k ownKey) uint32 {
	l, ok := b.own[k]
	if !ok {
		l = b.newLadder()
		b.own[k] = l
	}
	return l
}

func (b *ownBook) newLadder() uint32 {
	b.ladders = append(b.ladders, ladder{})
	return uint32(len(b.ladders) - 1)
}

// add appends an order to the level of a key.
func (b *ownBook) add(t *orderTable, e *entry, which int, l uint32, key int64) {
	at := b.level(l, key)
	v, r := &b.levels[at], &e.rests[which]
	*r = resting{level: at, prev: v.last}
	if v.last != 0 {
		t.at(v.last).rests[which].next = e.slot
	} else {
		v.first = e.slot
	}
	v.last = e.slot
}

// remove takes an order out of its level, and the level out when it was the last.
func (b *ownBook) remove(t *orderTable, e *entry, which int) {
	r := e.rests[which]
	e.rests[which] = resting{}
	v := &b.levels[r.level]
	if r.prev != 0 {
		t.at(r.prev).rests[which].next = r.next
	} else {
		v.first = r.next
	}
	if r.next != 0 {
		t.at(r.next).rests[which].prev = r.prev
	} else {
		v.last = r.prev
	}
	if v.first == 0 {
		b.drop(r.level)
	}
}

// reach is the worst key of the other side that an order would trade with, and false
// when it takes nothing: a post-only order is sent back by its venue instead. A market
// order is taken to go as far as it is valued at, not through the whole book.
func reach(o *risk.Order) (int64, bool) {
	switch {
	case o.TIF == core.PostOnly, o.Side != core.Buy && o.Side != core.Sell:
		return 0, false
	case o.Type == core.Market && o.Worst == 0:
		return math.MaxInt64, true
	case o.Type == core.Market:
		return bookKey(o.Side.Opposite(), o.Worst), true
	}
	return bookKey(o.Side.Opposite(), o.Price), true
}

// opposite is the ladder that an order would trade with, of the firm or its account,
// 0 for none.
func (b *ownBook) opposite(o *risk.Order, which int) uint32 {
	side := o.Side.Opposite()
	if which == ofAccount {
		return b.own[ownKey{o.Account, o.Instrument, side}]
	}
	if i := 2*int(o.Instrument) + int(side) - 1; i < len(b.firm) {
		return b.firm[i]
	}
	return 0
}

// crosses says with whose orders one would trade. That another account has one too is
// not looked for once the account's own is found.
func (b *ownBook) crosses(o *risk.Order) risk.Crossing {
	key, takes := reach(o)
	if !takes || !b.within(b.opposite(o, ofFirm), key) {
		return 0
	}
	if b.within(b.opposite(o, ofAccount), key) {
		return risk.CrossesAccount
	}
	return risk.CrossesFirm
}

// within reports whether the best level of a ladder is no worse than key.
func (b *ownBook) within(l uint32, key int64) bool {
	best := b.ladders[l].best
	return best != 0 && b.levels[best].key <= key
}

// each calls f for every resting order that o would trade with, of the firm or of its
// account, best price first, until f returns false. f must not change the book.
func (b *ownBook) each(t *orderTable, o *risk.Order, which int, f func(e *entry) bool) {
	key, takes := reach(o)
	if !takes {
		return
	}
	for at := b.ladders[b.opposite(o, which)].best; at != 0 && b.levels[at].key <= key; at = b.after(at) {
		for slot := b.levels[at].first; slot != 0; {
			e := t.at(slot)
			slot = e.rests[which].next
			if !f(e) {
				return
			}
		}
	}
}
