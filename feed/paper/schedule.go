package paper

import "qcat/core"

// arrival is a command on its way.
type arrival struct {
	due     core.Nanos
	seq     uint64 // order of submission
	command core.VenueCommand
}

func (a arrival) before(b arrival) bool { //nolint:unused // heap calls it through its constraint
	return a.due < b.due || (a.due == b.due && a.seq < b.seq)
}

// expiry is the end of a good-till-date order. Orders that close earlier leave
// theirs behind; the slot's generation tells.
type expiry struct {
	due        core.Nanos
	id         core.OrderID
	slot       int32
	generation uint32
}

func (a expiry) before(b expiry) bool {
	return a.due < b.due || (a.due == b.due && a.id < b.id)
}

// heap is a binary min-heap. Unlike container/heap it neither boxes its elements
// nor calls through an interface.
type heap[T interface{ before(T) bool }] []T

func (h *heap[T]) push(v T) {
	*h = append(*h, v)
	s := *h
	i := len(s) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !v.before(s[parent]) {
			break
		}
		s[i] = s[parent]
		i = parent
	}
	s[i] = v
}

// pop removes the first element.
func (h *heap[T]) pop() T {
	s := *h
	first, last := s[0], s[len(s)-1]
	s = s[:len(s)-1]
	*h = s
	h.sink(0, last)
	return first
}

// sink puts v at i or below.
func (h *heap[T]) sink(i int, v T) {
	s := *h
	for {
		child := 2*i + 1
		if child >= len(s) {
			break
		}
		if child+1 < len(s) && s[child+1].before(s[child]) {
			child++
		}
		if !s[child].before(v) {
			break
		}
		s[i] = s[child]
		i = child
	}
	if i < len(s) {
		s[i] = v
	}
}

// retain keeps the elements that keep wants.
func (h *heap[T]) retain(keep func(T) bool) {
	kept := (*h)[:0]
	for _, v := range *h {
		if keep(v) {
			kept = append(kept, v)
		}
	}
	*h = kept
	for i := len(kept)/2 - 1; i >= 0; i-- {
		h.sink(i, kept[i])
	}
}
