//go:build amd64 && !race

package ringbuf

import "unsafe"

// The amd64 version of the ordered operations: plain loads and stores.
//
// Why that is enough. The processor keeps total store order: stores become
// visible to other cores in program order, loads are performed in program order,
// and no store becomes visible before an earlier load is performed (Intel SDM
// vol. 3A §9.2.2; AMD APM vol. 2 §7.2). String moves, which a large copy may
// become, are not reordered with stores or loads around them, and the
// non-temporal stores of a very large copy are followed by SFENCE inside memmove.
// So
//
//	writer: values, then cursor          is a release
//	reader: cursor, then values          is an acquire
//	reader: values, then a cursor again  validates what was read (Broadcast, Cell)
//
// Why the compiler does not undo it. In its SSA form all stores of a function are
// one chain of memory states and stay in that order; a load belongs to one state
// and is scheduled before the next. sync/atomic loads are links of that chain
// too, and here all loads of another goroutine's cursor are such loads. The one
// thing left is dead-store elimination, which may drop a store that a later one
// to the same word shadows if nothing could read memory in between: keepStore
// stands where the store in between matters.
//
// The race detector cannot know this, so under -race word_atomic.go is used.

// publish makes v visible after everything the caller wrote before.
func (c *cursor) publish(v uint64) { *(*uint64)(unsafe.Pointer(&c.v)) = v }

// keepStore keeps the compiler from dropping the last publish of c or moving
// later stores above it. It costs one load from the caller's own store buffer.
func (c *cursor) keepStore() { c.v.Load() }

// storeWords copies *src into shared memory that other goroutines may be reading.
func storeWords[T any](dst, src *T) { *dst = *src }

// loadWords copies *src, which another goroutine may be writing: the caller
// validates afterwards and throws a torn value away.
func loadWords[T any](dst, src *T) { *dst = *src }

// storeWordsN is storeWords for len(src) values.
func storeWordsN[T any](dst, src []T) { copy(dst, src) }

// loadWordsN is loadWords for len(src) values.
func loadWordsN[T any](dst, src []T) { copy(dst, src) }
