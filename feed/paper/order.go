package paper

import "qcat/core"

// none is no order: the end of a list.
const none = int32(-1)

// order is one order of the slab, from Submit until it is closed.
type order struct {
	id         core.OrderID
	instrument core.InstrumentID
	side       core.Side
	typ        core.OrdType
	tif        core.TimeInForce
	arrived    bool // the venue has it: before that it cannot be cancelled
	resting    bool // stands in a queue
	adopting   bool // of an earlier run: asked about, not yet back in the market
	amending   bool // while adopting: an amend of it was never answered

	price core.Price
	qty   core.Qty
	cum   core.Qty

	// ahead is the displayed quantity that trades first.
	ahead core.Qty
	// shrunk is by how much the level's shrinking shortened ahead, and shrunkAt
	// the exchange time of that: trades not after it are part of it.
	shrunk   core.Qty
	shrunkAt core.Nanos

	expire  core.Nanos // GTD only
	lastDue core.Nanos // when the latest command of this order arrives

	next, prev int32  // in its queue; next alone in the free list
	generation uint32 // counts the uses of this slot
}

func (o *order) leaves() core.Qty { return o.qty - o.cum }

// slab holds the orders: indices are stable, freed slots are used again, and
// there are at most limit of them.
type slab struct {
	orders []order
	free   int32
	open   int
	limit  int
	index  orderIndex
}

func newSlab(limit int) slab {
	return slab{free: none, limit: limit, index: newOrderIndex()}
}

// add returns a cleared slot for id, and false when the slab is full.
func (s *slab) add(id core.OrderID) (int32, bool) {
	i := s.free
	switch {
	case i != none:
		s.free = s.orders[i].next
	case len(s.orders) < s.limit:
		i = int32(len(s.orders))
		s.orders = append(s.orders, order{})
	default:
		return none, false
	}
	o := &s.orders[i]
	*o = order{id: id, next: none, prev: none, generation: o.generation + 1}
	s.index.put(id, i)
	s.open++
	return i, true
}

// remove frees the slot of an order that stands in no queue.
func (s *slab) remove(i int32) {
	o := &s.orders[i]
	s.index.remove(o.id)
	o.id = 0
	o.generation++
	o.next = s.free
	s.free = i
	s.open--
}

// find returns the slot of an open order.
func (s *slab) find(id core.OrderID) (int32, bool) { return s.index.get(id) }

// orderIndex maps order ids to slots: open addressing with linear probing, at
// most half full, entries shifted back on removal so that it never fills with
// tombstones. Unlike a Go map it allocates only when it grows. Id 0 is no order.
type orderIndex struct {
	ids   []core.OrderID
	slots []int32
	n     int
}

func newOrderIndex() orderIndex {
	const first = 64
	return orderIndex{ids: make([]core.OrderID, first), slots: make([]int32, first)}
}

// home is where id stands if nothing else does (Fibonacci hashing: ids ascend).
func (x *orderIndex) home(id core.OrderID) int {
	return int((uint64(id)*0x9e3779b97f4a7c15)>>32) & (len(x.ids) - 1)
}

func (x *orderIndex) next(i int) int { return (i + 1) & (len(x.ids) - 1) }

// seek returns where id stands, or the free place where it would.
func (x *orderIndex) seek(id core.OrderID) int {
	i := x.home(id)
	for x.ids[i] != 0 && x.ids[i] != id {
		i = x.next(i)
	}
	return i
}

func (x *orderIndex) get(id core.OrderID) (int32, bool) {
	if id == 0 {
		return none, false
	}
	i := x.seek(id)
	return x.slots[i], x.ids[i] == id
}

func (x *orderIndex) put(id core.OrderID, slot int32) {
	if 2*(x.n+1) > len(x.ids) {
		x.grow()
	}
	i := x.seek(id)
	if x.ids[i] == 0 {
		x.n++
	}
	x.ids[i], x.slots[i] = id, slot
}

func (x *orderIndex) grow() {
	old := *x
	x.ids = make([]core.OrderID, 2*len(old.ids))
	x.slots = make([]int32, 2*len(old.ids))
	for i, id := range old.ids {
		if id != 0 {
			at := x.seek(id)
			x.ids[at], x.slots[at] = id, old.slots[i]
		}
	}
}

// remove takes id out and moves those back that it had pushed away.
func (x *orderIndex) remove(id core.OrderID) {
	hole := x.seek(id)
	if x.ids[hole] != id {
		return
	}
	x.n--
	for i := x.next(hole); x.ids[i] != 0; i = x.next(i) {
		home := x.home(x.ids[i])
		if between := (i-home)&(len(x.ids)-1) >= (i-hole)&(len(x.ids)-1); between {
			x.ids[hole], x.slots[hole] = x.ids[i], x.slots[i]
			hole = i
		}
	}
	x.ids[hole] = 0
}
