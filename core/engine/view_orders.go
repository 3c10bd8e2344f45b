package engine

import (
	"cmp"
	"slices"

	"qcat/core"
)

// viewOrder is an order as a view keeps it: three cache lines without a pointer, so
// that collections pass over however many there are.
type viewOrder struct {
	order        core.Order
	seq          uint64 // of the record that changed it last
	slot         uint32 // its own
	newer, older uint32 // its neighbours by id
	nameHash     uint32 // of its client order id
}

// viewOrders are the orders of a view, by id, by name and in the order of their ids.
// Slots come in pages that never move; slot 0 is none. The indexes double when they
// are half full. Nothing allocates once as many slots exist as were ever in use.
type viewOrders struct {
	pages  []*[pageSize]viewOrder
	free   uint32 // head of the list of free slots, linked by older
	used   uint32 // slots handed out so far
	len    int    // orders
	newest uint32 // the one of the highest id
	near   uint32 // where an order was put last

	byID   index
	byName index // of a name used again, the last order

	restoring bool // the orders are those of a snapshot, not yet in order
}

// newViewOrders returns a table with room for n orders before it grows.
func newViewOrders(n int) viewOrders { return viewOrders{byID: newIndex(n), byName: newIndex(n)} }

// at is the order in a slot, nil for none.
func (t *viewOrders) at(slot uint32) *viewOrder {
	if slot == 0 {
		return nil
	}
	return &t.pages[slot/pageSize][slot%pageSize]
}

// find returns the order of that id, or nil.
func (t *viewOrders) find(id core.OrderID) *viewOrder { return t.at(t.cellOf(id).slot) }

// named returns the last order of that name, or nil.
func (t *viewOrders) named(account core.AccountID, id *core.ClOrdID) *viewOrder {
	return t.at(t.cellNamed(hashClOrdID(account, id), account, id).slot)
}

// cellOf is the cell of an id in its index: an empty one if there is none yet.
func (t *viewOrders) cellOf(id core.OrderID) *indexCell {
	h := hashOrderID(id)
	for p := h & t.byID.mask; ; p = (p + 1) & t.byID.mask {
		c := &t.byID.cells[p]
		if c.slot == 0 || c.hash == h && t.at(c.slot).order.ID == id {
			return c
		}
	}
}

// cellNamed is cellOf for a name, whose hash is h.
func (t *viewOrders) cellNamed(h uint32, account core.AccountID, id *core.ClOrdID) *indexCell {
	for p := h & t.byName.mask; ; p = (p + 1) & t.byName.mask {
		c := &t.byName.cells[p]
		if c.slot == 0 {
			return c
		}
		if c.hash == h {
			if o := &t.at(c.slot).order; o.Account == account && o.ClOrdID == *id {
				return c
			}
		}
	}
}

// put takes an order in as a record left it and tells whether it is a new one, and
// whether it was open so far.
func (t *viewOrders) put(o *core.Order, seq uint64) (have *viewOrder, fresh, wasOpen bool) {
	cell := t.cellOf(o.ID)
	if cell.slot != 0 {
		have = t.at(cell.slot)
		wasOpen = have.order.Status.Open()
		have.order, have.seq = *o, seq
		return have, false, wasOpen
	}
	have = t.take()
	*have = viewOrder{order: *o, seq: seq, slot: have.slot}
	t.place(have)
	*cell = indexCell{hashOrderID(o.ID), have.slot}
	if o.ClOrdID.Len() > 0 {
		t.name(have)
	}
	if t.len++; 2*t.len > len(t.byID.cells) {
		t.byID, t.byName = t.byID.doubled(), t.byName.doubled()
	}
	return have, true, false
}

// take is a slot that nobody has.
func (t *viewOrders) take() *viewOrder {
	if o := t.at(t.free); o != nil {
		t.free = o.older
		return o
	}
	t.used++
	if int(t.used/pageSize) == len(t.pages) {
		t.pages = append(t.pages, new([pageSize]viewOrder))
	}
	o := t.at(t.used)
	o.slot = t.used
	return o
}

// name has an order found by its name, unless a later one has the same.
func (t *viewOrders) name(o *viewOrder) {
	o.nameHash = hashClOrdID(o.order.Account, &o.order.ClOrdID)
	cell := t.cellNamed(o.nameHash, o.order.Account, &o.order.ClOrdID)
	if cell.slot == 0 || t.at(cell.slot).order.ID < o.order.ID {
		*cell = indexCell{o.nameHash, o.slot}
	}
}

// place links an order where its id belongs: at the newest end, for ids ascend,
// except for one that was forgotten and comes again by a late fill. Those of a
// snapshot come in any order and are linked by sort.
func (t *viewOrders) place(o *viewOrder) {
	id := o.order.ID
	var newer *viewOrder
	older := t.at(t.newest)
	if older != nil && older.order.ID > id && !t.restoring {
		older = t.at(t.near)
		for ; older != nil && older.order.ID > id; older = t.at(older.older) {
			newer = older
		}
		if newer == nil {
			for newer = t.at(older.newer); newer.order.ID < id; newer = t.at(newer.newer) {
				older = newer // ends: the newest one's is higher
			}
		}
	}
	t.link(newer, o)
	t.link(o, older)
	t.near = o.slot
}

// link makes two orders neighbours; nil is beyond the newest or the oldest.
func (t *viewOrders) link(newer, older *viewOrder) {
	switch {
	case newer == nil && older == nil:
		t.newest = 0
	case newer == nil:
		t.newest, older.newer = older.slot, 0
	case older == nil:
		newer.older = 0
	default:
		newer.older, older.newer = older.slot, newer.slot
	}
}

// forget lets go of an order.
func (t *viewOrders) forget(o *viewOrder) {
	t.byID.remove(hashOrderID(o.order.ID), o.slot)
	if o.order.ClOrdID.Len() > 0 {
		t.byName.take(o.nameHash, o.slot) // not there if the name was used again
	}
	t.link(t.at(o.newer), t.at(o.older))
	if t.near == o.slot {
		t.near = t.newest
	}
	*o = viewOrder{slot: o.slot, older: t.free}
	t.free = o.slot
	t.len--
}

// sort links the orders by id after a restore, which tells of the closed ones in the
// order in which they closed, and the view forgets them, and then of the open ones.
// Finding each its place as it comes would take as many steps as there are orders.
func (t *viewOrders) sort() {
	all := make([]*viewOrder, 0, t.len)
	for slot := uint32(1); slot <= t.used; slot++ {
		if o := t.at(slot); o.order.ID != 0 {
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b *viewOrder) int { return cmp.Compare(a.order.ID, b.order.ID) })
	var older *viewOrder
	for _, o := range all {
		t.link(o, older)
		older = o
	}
	t.link(nil, older)
	t.near = t.newest
}
