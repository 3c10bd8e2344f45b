package engine

import "qcat/core"

// expiryHeap is a binary min-heap of the open GTD orders by (due, order id). Each
// order knows its place, so one that closes early leaves at once and the heap
// never holds more than the open orders.
type expiryHeap struct{ slots []uint32 }

// next is the earliest due time, and false when nothing is due ever.
func (h *expiryHeap) next(t *orderTable) (core.Nanos, bool) {
	if len(h.slots) == 0 {
		return 0, false
	}
	return t.at(h.slots[0]).due, true
}

// push puts e in; it must not be in already.
func (h *expiryHeap) push(t *orderTable, e *entry, due core.Nanos) {
	if e.heapAt != 0 {
		panic("engine: order twice in the expiry heap")
	}
	e.due = due
	h.slots = append(h.slots, e.slot)
	e.heapAt = int32(len(h.slots))
	h.up(t, len(h.slots)-1)
}

// remove takes e out if it is in.
func (h *expiryHeap) remove(t *orderTable, e *entry) {
	if e.heapAt == 0 {
		return
	}
	i, last := int(e.heapAt)-1, len(h.slots)-1
	e.heapAt = 0
	moved := h.slots[last]
	h.slots = h.slots[:last]
	if i == last {
		return
	}
	h.put(t, i, moved)
	h.up(t, i)
	h.down(t, int(t.at(moved).heapAt)-1)
}

func (h *expiryHeap) put(t *orderTable, i int, slot uint32) {
	h.slots[i] = slot
	t.at(slot).heapAt = int32(i + 1)
}

func (h *expiryHeap) less(t *orderTable, a, b uint32) bool {
	x, y := t.at(a), t.at(b)
	return x.due < y.due || (x.due == y.due && x.order.ID < y.order.ID)
}

func (h *expiryHeap) up(t *orderTable, i int) {
	for slot := h.slots[i]; i > 0; {
		parent := (i - 1) / 2
		if !h.less(t, slot, h.slots[parent]) {
			return
		}
		h.put(t, i, h.slots[parent])
		h.put(t, parent, slot)
		i = parent
	}
}

func (h *expiryHeap) down(t *orderTable, i int) {
	for {
		child := 2*i + 1
		if child >= len(h.slots) {
			return
		}
		if child+1 < len(h.slots) && h.less(t, h.slots[child+1], h.slots[child]) {
			child++
		}
		if !h.less(t, h.slots[child], h.slots[i]) {
			return
		}
		parent, lower := h.slots[i], h.slots[child]
		h.put(t, i, lower)
		h.put(t, child, parent)
		i = child
	}
}
