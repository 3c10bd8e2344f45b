//go:build !amd64 || race

package ringbuf

import (
	"sync/atomic"
	"unsafe"
)

// The portable version of the ordered operations: every word that two goroutines
// may touch at once goes through sync/atomic, which the Go memory model orders
// sequentially. word_plain.go says what each is for.

// publish makes v visible after everything the caller wrote before.
func (c *cursor) publish(v uint64) { c.v.Store(v) }

// keepStore is needed where publish is a plain store; see word_plain.go.
func (c *cursor) keepStore() {}

// storeWords copies *src into shared memory that other goroutines may be reading.
func storeWords[T any](dst, src *T) {
	d, s := wordsOf(dst), wordsOf(src)
	for i := range d {
		atomic.StoreUint64(&d[i], s[i])
	}
}

// loadWords copies *src, which another goroutine may be writing: the caller
// validates afterwards and throws a torn value away.
func loadWords[T any](dst, src *T) {
	d, s := wordsOf(dst), wordsOf(src)
	for i := range d {
		d[i] = atomic.LoadUint64(&s[i])
	}
}

// storeWordsN is storeWords for len(src) values.
func storeWordsN[T any](dst, src []T) {
	for i := range src {
		storeWords(&dst[i], &src[i])
	}
}

// loadWordsN is loadWords for len(src) values.
func loadWordsN[T any](dst, src []T) {
	for i := range src {
		loadWords(&dst[i], &src[i])
	}
}

// wordsOf views a value as its 64-bit words; checkWords has established that it
// consists of whole ones. Shared values lie on an 8-byte boundary because their
// owner allocates them so.
func wordsOf[T any](v *T) []uint64 {
	return unsafe.Slice((*uint64)(unsafe.Pointer(v)), unsafe.Sizeof(*v)/8)
}
