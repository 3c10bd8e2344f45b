package ringbuf

import (
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Broadcast is a ring from one producer goroutine to any number of readers, each
// of which sees every value from the moment it joined. The producer waits for
// nobody, except for readers that gate it.
//
//	  0  slots, gates, waiters     written when somebody joins or leaves
//	128  next       producer       position of the next value
//	136  limit      producer       next may not pass it without looking at the gates
//	256  claimed    producer       values below claimed-capacity may be overwritten
//	264  published  producer       values below are complete
//	each Reader has its position on a line of its own
//
// Publishing the value of position p:
//
//	claimed = p+1     "slot p mod capacity now leaves the hands of value p-capacity"
//	slot    = value
//	published = p+1   "value p can be read"
//
// Reading from position p: copy the values of [p, published), then read claimed.
// A copied value q is good if q >= claimed-capacity: had one of its words come
// from the next lap, the claim that precedes that word would be visible too. So
// one check at the end vouches for a whole batch, and what it rejects is a prefix
// of known length: the count of lost values is exact.
//
// The producer writes two lines per value (the slot and the cursors) and reads
// none that a reader writes, except the gates' positions once a lap or when one
// of them is a lap behind.
//
// T is best a struct of up to a few cache lines: the compiler copies those inline,
// and arrays, which might overlap, by a call.
type Broadcast[T any] struct {
	slots   []T
	mask    uint64
	gates   atomic.Pointer[[]*Reader[T]]
	waiters atomic.Pointer[[]listener]
	mu      sync.Mutex // guards replacing gates and waiters
	_       [linePad - 56]byte

	next  uint64
	limit uint64
	_     [linePad - 16]byte

	claimed   cursor
	published cursor
	_         [linePad - 16]byte
}

// NewBroadcast returns an empty ring of at least the given capacity. It panics
// unless T is free of pointers and a multiple of 8 bytes long.
func NewBroadcast[T any](capacity int) *Broadcast[T] {
	checkWords[T]()
	n := roundCapacity(capacity)
	return &Broadcast[T]{slots: makeWordAligned[T](n), mask: uint64(n - 1), limit: uint64(n)}
}

// makeWordAligned is make([]T, n) on an 8-byte boundary whatever T's alignment.
func makeWordAligned[T any](n int) []T {
	var v T
	words := make([]uint64, n*int(unsafe.Sizeof(v)/8))
	return unsafe.Slice((*T)(unsafe.Pointer(&words[0])), n)
}

// Publish makes a copy of *v visible to all readers. It waits, and only then,
// while a gating reader is a lap behind. Producer only; never allocates.
func (b *Broadcast[T]) Publish(v *T) {
	if b.next == b.limit {
		b.awaitRoom()
	}
	b.put(v)
}

// TryPublish is Publish that returns false instead of waiting.
func (b *Broadcast[T]) TryPublish(v *T) bool {
	if b.next == b.limit && b.room() == 0 {
		return false
	}
	b.put(v)
	return true
}

func (b *Broadcast[T]) put(v *T) {
	at := b.next
	b.next = at + 1
	b.claimed.publish(at + 1)
	b.claimed.keepStore()
	storeWords(&b.slots[at&b.mask], v)
	b.publish(at + 1)
}

// PublishBatch is Publish for all of vs in order. Readers see them in steps of at
// most a quarter of the capacity, so that a batch does not throw a ring's worth
// of unread values away at once.
func (b *Broadcast[T]) PublishBatch(vs []T) {
	step := uint64(max(len(b.slots)/4, 1))
	for len(vs) > 0 {
		if b.next == b.limit {
			b.awaitRoom()
		}
		n := min(b.limit-b.next, uint64(len(vs)), step)
		b.putBatch(vs[:n])
		vs = vs[n:]
	}
}

func (b *Broadcast[T]) putBatch(vs []T) {
	at := b.next
	end := at + uint64(len(vs))
	b.next = end
	b.claimed.publish(end)
	b.claimed.keepStore()
	slot := at & b.mask
	first := min(len(vs), len(b.slots)-int(slot))
	storeWordsN(b.slots[slot:], vs[:first])
	storeWordsN(b.slots, vs[first:])
	b.publish(end)
}

// publish moves the published cursor and wakes the Waiters; with none attached
// the store needs no barrier.
func (b *Broadcast[T]) publish(end uint64) {
	ws := b.waiters.Load()
	if ws == nil {
		b.published.publish(end)
		return
	}
	b.published.publishFenced(end)
	for _, l := range *ws {
		if l.lazy {
			l.w.Nudge()
		} else {
			l.w.Wake()
		}
	}
}

// room looks at the gating readers, moves the limit, and returns how many values
// may be published before it must look again: at most a lap.
//
// A reader may join while this runs. The barrier makes sure that either the list
// read here has it, or it sees the position published here (or a later one) and
// starts there: then the new limit, at most a lap beyond that position, is right
// for it too. A reader that is in the list but has not taken its final position
// shows an older one, which may be more than a lap back; until it has, a moment
// later, there is no room.
func (b *Broadcast[T]) room() uint64 {
	b.published.publishFenced(b.next)
	slowest := b.next
	if gates := b.gates.Load(); gates != nil {
		for _, r := range *gates {
			slowest = min(slowest, r.position.load())
		}
	}
	b.limit = max(slowest+uint64(len(b.slots)), b.next)
	return b.limit - b.next
}

// awaitRoom returns when a value may be published. A gating reader that is a lap
// behind is busy or blocked, so the producer soon sleeps.
func (b *Broadcast[T]) awaitRoom() {
	var idle backoff
	for b.room() == 0 {
		idle.pause()
	}
}

// Published returns how many values have been published. Any goroutine.
func (b *Broadcast[T]) Published() uint64 { return b.published.load() }

// Cap returns the capacity.
func (b *Broadcast[T]) Cap() int { return len(b.slots) }

// Notify has every publication from now on wake w. Any goroutine. Values that
// are being published at the same moment may not wake it: the caller looks at
// its reader once more before it waits (Wait does).
func (b *Broadcast[T]) Notify(w *Waiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	replaceList(&b.waiters, func(ws []listener) []listener { return append(ws, listener{w, false}) })
}

// NotifyLazily is Notify for a consumer that dozes: a publication nudges it.
func (b *Broadcast[T]) NotifyLazily(w *Waiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	replaceList(&b.waiters, func(ws []listener) []listener { return append(ws, listener{w, true}) })
}

// listener is who is told of a publication.
type listener struct {
	w    *Waiter
	lazy bool
}

// Unnotify undoes one Notify or NotifyLazily of w. Any goroutine.
func (b *Broadcast[T]) Unnotify(w *Waiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	replaceList(&b.waiters, func(ws []listener) []listener {
		if i := slices.IndexFunc(ws, func(l listener) bool { return l.w == w }); i >= 0 {
			return slices.Delete(ws, i, i+1)
		}
		return ws
	})
}

// replaceList stores a changed copy of a published list; nil stands for empty, so
// that the producer's test for "nobody" is one load.
func replaceList[E any](p *atomic.Pointer[[]E], change func([]E) []E) {
	var list []E
	if old := p.Load(); old != nil {
		list = slices.Clone(*old)
	}
	if list = change(list); len(list) == 0 {
		p.Store(nil)
		return
	}
	p.Store(&list)
}

// without returns s less its first e.
func without[E comparable](s []E, e E) []E {
	if i := slices.Index(s, e); i >= 0 {
		return slices.Delete(s, i, i+1)
	}
	return s
}
