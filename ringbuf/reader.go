package ringbuf

import "sync/atomic"

// Reader is one reader's place in a Broadcast. Its owner calls Read and Ready;
// Lag and Close may be called by any goroutine.
//
//	  0  ring, gating, closed
//	128  position  owner   position of the next value to read; a gating reader's is
//	                       what the producer looks at
type Reader[T any] struct {
	ring   *Broadcast[T]
	gating bool
	closed atomic.Bool
	_      [linePad - 16]byte

	position cursor
	_        [linePad - 8]byte
}

// NewReader returns a reader that starts at the next value and never holds up the
// producer: when it is a lap behind it loses values. Any goroutine, also while
// the producer runs.
func (b *Broadcast[T]) NewReader() *Reader[T] {
	r := &Reader[T]{ring: b}
	r.position.publish(b.published.load())
	return r
}

// NewGatingReader returns a reader that starts at the next value and that the
// producer never laps: Publish waits for it. Any goroutine, also while the
// producer runs. It must be closed, or the producer waits forever.
func (b *Broadcast[T]) NewGatingReader() *Reader[T] {
	r := &Reader[T]{ring: b, gating: true}
	r.position.publish(b.published.load())
	b.mu.Lock()
	defer b.mu.Unlock()
	replaceList(&b.gates, func(rs []*Reader[T]) []*Reader[T] { return append(rs, r) })
	// Read again now that the producer can see the reader: see Broadcast.room.
	r.position.publishFenced(b.published.load())
	return r
}

// Read copies up to len(dst) values, oldest first, and returns how many, and how
// many are lost to it. A reader that the producer has lapped goes on half a lap
// behind it: at the oldest value it would be lapped again at once, and for ever.
// The lost ones precede the ones returned; they are reported once, and the next
// Read goes on after what this one returned. n may be 0 with lost > 0: the
// producer overtook the copy. For every reader the sum of all n and lost is the
// number of values it has passed.
//
// A gating reader loses nothing. A closed reader returns 0, 0. Owner only; never
// blocks, never allocates.
func (r *Reader[T]) Read(dst []T) (n int, lost uint64) {
	b := r.ring
	start := r.position.load()
	published := b.published.load()
	if published == start || r.closed.Load() {
		return 0, 0
	}
	at := start
	if size := uint64(len(b.slots)); published-at > size {
		at = published - max(size/2, 1)
	}
	n = int(min(published-at, uint64(len(dst))))
	r.copyFrom(dst[:n], at)

	if oldest := b.oldest(); oldest > at {
		torn := oldest - at
		good := n - int(min(torn, uint64(n)))
		copy(dst[:good], dst[n-good:n])
		n, at = good, oldest
	}
	r.position.publish(at + uint64(n))
	return n, at - start
}

// copyFrom copies the values from position at into dst, whatever they are.
func (r *Reader[T]) copyFrom(dst []T, at uint64) {
	b := r.ring
	if len(dst) == 1 {
		loadWords(&dst[0], &b.slots[at&b.mask])
		return
	}
	slot := int(at & b.mask)
	first := min(len(dst), len(b.slots)-slot)
	loadWordsN(dst[:first], b.slots[slot:slot+first])
	loadWordsN(dst[first:], b.slots[:len(dst)-first])
}

// oldest returns the position below which values are no longer whole.
func (b *Broadcast[T]) oldest() uint64 {
	claimed := b.claimed.load()
	if size := uint64(len(b.slots)); claimed > size {
		return claimed - size
	}
	return 0
}

// Ready reports whether Read would return or report something. Owner only.
func (r *Reader[T]) Ready() bool {
	return r.ring.published.load() != r.position.load() && !r.closed.Load()
}

// Lag returns how many published values the reader has not passed yet. Any
// goroutine.
func (r *Reader[T]) Lag() uint64 {
	at := r.position.load()
	return uint64(max(int64(r.ring.published.load()-at), 0))
}

// Close leaves the ring: a gating reader no longer holds up the producer, not
// even one that is waiting for it. Any goroutine; may be repeated.
func (r *Reader[T]) Close() {
	if r.closed.Swap(true) || !r.gating {
		return
	}
	b := r.ring
	b.mu.Lock()
	defer b.mu.Unlock()
	replaceList(&b.gates, func(rs []*Reader[T]) []*Reader[T] { return without(rs, r) })
}
