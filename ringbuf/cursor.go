package ringbuf

import (
	"math/bits"
	"strconv"
	"sync/atomic"
)

// linePad is the distance kept between words that different goroutines write:
// two cache lines, because the x86 spatial prefetcher loads lines in pairs.
const linePad = 128

// cursor is a position in a stream: the number of values that have passed it. It
// counts from 0 and never wraps (2^64 values at 10^9 a second last 584 years). It
// has one writer at a time unless compareAndSwap is used.
type cursor struct{ v atomic.Uint64 }

// load returns the position; what its writer wrote before publishing it is
// visible to the caller (acquire).
func (c *cursor) load() uint64 { return c.v.Load() }

// publishFenced is publish followed by a full barrier: no later load of the
// caller is satisfied before the position is visible to everybody.
func (c *cursor) publishFenced(v uint64) { c.v.Store(v) }

// compareAndSwap is a full barrier whether or not it succeeds.
func (c *cursor) compareAndSwap(old, v uint64) bool { return c.v.CompareAndSwap(old, v) }

// maxCapacity bounds a ring: positions are compared as signed differences, and a
// capacity this large is a mistake anyway.
const maxCapacity = 1 << 30

// roundCapacity returns the least power of two that is at least n. It panics
// unless 1 <= n <= maxCapacity: a capacity is a programmer's constant or a
// validated setting.
func roundCapacity(n int) int {
	if n < 1 || n > maxCapacity {
		panic("ringbuf: capacity " + strconv.Itoa(n) + " is not within 1 and 2^30")
	}
	return 1 << bits.Len(uint(n-1))
}

// distance returns how many of at most capacity values lie between two positions
// that were read one after the other while both moved.
func distance(from, to uint64, capacity int) int {
	return int(min(max(int64(to-from), 0), int64(capacity)))
}
