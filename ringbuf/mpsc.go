package ringbuf

import (
	"runtime"
	"sync/atomic"
)

// MPSC is a bounded queue from any number of producer goroutines to one consumer
// goroutine.
//
//	  0  slots, mask, waiter   read by all, written before use
//	128  tail    producers     position after the last slot claimed
//	256  limit   producers     tail may not pass it: a recent head + capacity
//	384  head    consumer      position after the last value popped
//
//	slot: seq | value          seq = position+1 once the value of that position
//	                           is complete; it names the lap, so it is never reset
//
// A producer claims a slot by compare-and-swap on tail, fills it, and marks it
// complete by its seq. It never waits for another producer: one that is
// descheduled between claim and completion holds up the consumer at its slot, not
// the others. A failed compare-and-swap means that somebody else's succeeded; a
// producer that keeps losing gives up the processor instead of spinning, so more
// producers than cores cost no more than as many as cores. A full queue is
// noticed before anything is claimed, so Push can refuse.
//
// Values of one producer arrive in its order. A popped slot keeps its bits until
// it is overwritten.
type MPSC[T any] struct {
	slots  []mpscSlot[T]
	mask   uint64
	waiter atomic.Pointer[Waiter]
	_      [linePad - 40]byte

	tail cursor
	_    [linePad - 8]byte

	limit cursor
	_     [linePad - 8]byte

	head cursor
	_    [linePad - 8]byte
}

type mpscSlot[T any] struct {
	seq   cursor
	value T
}

const (
	// claimTries is how often a producer tries to claim a slot before it yields.
	claimTries = 8
	// maxClaimPauses bounds what a producer waits after a lost try; the wait starts
	// at one PAUSE and doubles. Leaving the line to the winner for a moment is
	// faster for both than taking turns on it.
	maxClaimPauses = 16
)

// NewMPSC returns an empty queue of at least the given capacity.
func NewMPSC[T any](capacity int) *MPSC[T] {
	n := roundCapacity(capacity)
	q := &MPSC[T]{slots: make([]mpscSlot[T], n), mask: uint64(n - 1)}
	q.limit.publish(uint64(n))
	return q
}

// Push appends a copy of *v and returns false when the queue is full. Any
// goroutine; never blocks, never allocates.
func (q *MPSC[T]) Push(v *T) bool {
	if !q.Put(v) {
		return false
	}
	// The claim was a full barrier, and the consumer's Ready looks at tail: either
	// it sees the claim and does not sleep, or Wake sees that it is about to.
	if w := q.waiter.Load(); w != nil {
		w.Wake()
	}
	return true
}

// Put is Push without waking the consumer, for who will see to that.
func (q *MPSC[T]) Put(v *T) bool {
	at, ok := q.claim()
	if !ok {
		return false
	}
	s := &q.slots[at&q.mask]
	s.value = *v
	s.seq.publish(at + 1)
	return true
}

// claim takes the next position for the calling producer, or reports full.
func (q *MPSC[T]) claim() (at uint64, ok bool) {
	for tries := 1; ; tries++ {
		at = q.tail.load()
		if at >= q.limit.load() && !q.advanceLimit(at) {
			return 0, false
		}
		if q.tail.compareAndSwap(at, at+1) {
			return at, true
		}
		if tries%claimTries == 0 {
			runtime.Gosched()
		} else {
			pause(min(uint32(1)<<(tries%claimTries-1), maxClaimPauses))
		}
	}
}

// advanceLimit looks at the consumer's head and reports whether position at may
// be claimed. Racing producers may store an older limit over a newer one; that
// costs another look, never a slot, because no limit is ever beyond the truth.
func (q *MPSC[T]) advanceLimit(at uint64) bool {
	limit := q.head.load() + uint64(len(q.slots))
	if at >= limit {
		return false
	}
	q.limit.publish(limit)
	return true
}

// Pop moves the oldest value into *v and returns false when there is none.
// Consumer only; never blocks, never allocates.
func (q *MPSC[T]) Pop(v *T) bool {
	head := q.head.load()
	s := &q.slots[head&q.mask]
	if s.seq.load() != head+1 {
		return false
	}
	*v = s.value
	q.head.publish(head + 1)
	return true
}

// PopBatch moves up to len(dst) of the oldest values into dst and returns how
// many. It frees their slots together, after the copy. Consumer only.
func (q *MPSC[T]) PopBatch(dst []T) int {
	head := q.head.load()
	n := 0
	for n < len(dst) {
		at := head + uint64(n)
		s := &q.slots[at&q.mask]
		if s.seq.load() != at+1 {
			break
		}
		dst[n] = s.value
		n++
	}
	if n > 0 {
		q.head.publish(head + uint64(n))
	}
	return n
}

// Ready reports whether there is a value to pop, or will be as soon as a producer
// that has claimed the next slot has filled it. In the second case it gives up the
// processor once, because a producer that takes so long has lost its own. Consumer
// only. Pop looks at the slot alone, so that a busy consumer leaves the producers'
// tail in their caches.
func (q *MPSC[T]) Ready() bool {
	head := q.head.load()
	s := &q.slots[head&q.mask]
	if s.seq.load() == head+1 {
		return true
	}
	if q.tail.load() == head {
		return false
	}
	if s.seq.load() != head+1 {
		runtime.Gosched()
	}
	return true
}

// Len returns how many values are queued. Any goroutine; exact only at rest.
func (q *MPSC[T]) Len() int { return distance(q.head.load(), q.tail.load(), len(q.slots)) }

// Cap returns the capacity.
func (q *MPSC[T]) Cap() int { return len(q.slots) }

// Notify has every push from now on wake w, the consumer's Waiter; nil ends it.
// Call it before the producers start.
func (q *MPSC[T]) Notify(w *Waiter) { q.waiter.Store(w) }
