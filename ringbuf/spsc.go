package ringbuf

import (
	"sync/atomic"
)

// SPSC is a bounded queue from one producer goroutine to one consumer goroutine.
//
//	  0  slots, mask, waiter       read by both, written before use
//	128  tail        producer      position after the last value pushed
//	136  cachedHead  producer      head as the producer last saw it
//	256  head        consumer      position after the last value popped
//	264  cachedTail  consumer      tail as the consumer last saw it
//
// tail-head values are in the queue. Each side works against its own copy of the
// other's cursor and reads the real one only when the copy says full or empty, so
// a producer and a consumer that are not neck and neck exchange one cache line a
// lap of the difference instead of one a value.
//
// A popped slot keeps its bits until it is overwritten: a T with pointers keeps
// what they point to alive for up to a lap.
type SPSC[T any] struct {
	slots  []T
	mask   uint64
	waiter atomic.Pointer[Waiter]
	_      [linePad - 40]byte

	tail       cursor
	cachedHead uint64
	_          [linePad - 16]byte

	head       cursor
	cachedTail uint64
	_          [linePad - 16]byte
}

// NewSPSC returns an empty queue of at least the given capacity.
func NewSPSC[T any](capacity int) *SPSC[T] {
	n := roundCapacity(capacity)
	return &SPSC[T]{slots: make([]T, n), mask: uint64(n - 1)}
}

// Push appends a copy of *v and returns false when the queue is full. Producer
// only; never blocks, never allocates.
func (q *SPSC[T]) Push(v *T) bool {
	tail := q.tail.load()
	if tail-q.cachedHead > q.mask {
		q.cachedHead = q.head.load()
		if tail-q.cachedHead > q.mask {
			return false
		}
	}
	q.slots[tail&q.mask] = *v
	q.publish(tail + 1)
	return true
}

// PushBatch appends copies of as many leading values of vs as there is room for
// and returns how many. The consumer sees them all at once. Producer only.
func (q *SPSC[T]) PushBatch(vs []T) int {
	tail := q.tail.load()
	room := q.cachedHead + uint64(len(q.slots)) - tail
	if room < uint64(len(vs)) {
		q.cachedHead = q.head.load()
		room = q.cachedHead + uint64(len(q.slots)) - tail
	}
	n := int(min(room, uint64(len(vs))))
	if n == 0 {
		return 0
	}
	at := tail & q.mask
	first := copy(q.slots[at:], vs[:n])
	copy(q.slots, vs[first:n])
	q.publish(tail + uint64(n))
	return n
}

// publish moves the tail and wakes the consumer's Waiter when there is one. Only
// with a Waiter must the store be visible before the load inside Wake.
func (q *SPSC[T]) publish(tail uint64) {
	w := q.waiter.Load()
	if w == nil {
		q.tail.publish(tail)
		return
	}
	q.tail.publishFenced(tail)
	w.Wake()
}

// Pop moves the oldest value into *v and returns false when the queue is empty.
// Consumer only; never blocks, never allocates.
func (q *SPSC[T]) Pop(v *T) bool {
	head := q.head.load()
	if head == q.cachedTail {
		q.cachedTail = q.tail.load()
		if head == q.cachedTail {
			return false
		}
	}
	*v = q.slots[head&q.mask]
	q.head.publish(head + 1)
	return true
}

// PopBatch moves up to len(dst) of the oldest values into dst and returns how
// many. It frees their slots together, after the copy. Consumer only.
func (q *SPSC[T]) PopBatch(dst []T) int {
	head := q.head.load()
	if q.cachedTail-head < uint64(len(dst)) {
		q.cachedTail = q.tail.load()
	}
	n := int(min(q.cachedTail-head, uint64(len(dst))))
	if n == 0 {
		return 0
	}
	at := head & q.mask
	first := copy(dst[:n], q.slots[at:])
	copy(dst[first:n], q.slots)
	q.head.publish(head + uint64(n))
	return n
}

// Ready reports whether Pop would succeed. Consumer only.
func (q *SPSC[T]) Ready() bool {
	head := q.head.load()
	return head != q.cachedTail || head != q.tail.load()
}

// Len returns how many values are queued. Any goroutine; exact only when both
// sides rest.
func (q *SPSC[T]) Len() int { return distance(q.head.load(), q.tail.load(), len(q.slots)) }

// Cap returns the capacity.
func (q *SPSC[T]) Cap() int { return len(q.slots) }

// Notify has every push from now on wake w, the consumer's Waiter; nil ends it.
// Call it before the producer starts: of pushes that run at the same moment the
// consumer may hear only when its Wait runs out.
func (q *SPSC[T]) Notify(w *Waiter) { q.waiter.Store(w) }
