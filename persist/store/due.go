package store

import "container/heap"

// dueHeap holds the open orders that are to be cancelled at a time, the earliest
// first. Each knows its place, so that one that closes early leaves at once.
type dueHeap struct{ list dueList }

type dueList []*orderRow

func (l dueList) Len() int { return len(l) }

func (l dueList) Less(i, j int) bool {
	return l[i].Due < l[j].Due || (l[i].Due == l[j].Due && l[i].ID < l[j].ID)
}

func (l dueList) Swap(i, j int) {
	l[i], l[j] = l[j], l[i]
	l[i].heapAt, l[j].heapAt = int32(i+1), int32(j+1)
}

func (l *dueList) Push(x any) {
	o := x.(*orderRow)
	*l = append(*l, o)
	o.heapAt = int32(len(*l))
}

func (l *dueList) Pop() any {
	n := len(*l) - 1
	o := (*l)[n]
	(*l)[n] = nil
	*l = (*l)[:n]
	o.heapAt = 0
	return o
}

// push puts o in by its Due; it must not be in already.
func (h *dueHeap) push(o *orderRow) { heap.Push(&h.list, o) }

// remove takes o out if it is in.
func (h *dueHeap) remove(o *orderRow) {
	if o.heapAt != 0 {
		heap.Remove(&h.list, int(o.heapAt-1))
	}
}

// first is the order that is due first, or nil.
func (h *dueHeap) first() *orderRow {
	if len(h.list) == 0 {
		return nil
	}
	return h.list[0]
}
