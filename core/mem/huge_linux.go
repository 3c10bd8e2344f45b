package mem

import (
	"syscall"
	"unsafe"
)

// hugePage is the size of the pages that Huge asks for.
const hugePage = 2 << 20

// adviseHuge is MADV_HUGEPAGE of madvise(2).
const adviseHuge = 14

// Huge returns n zero values. A table that is large enough is advised to lie in pages
// of two megabytes, so that a look-up at random finds its address translated; where
// the system does not know them, it is a slice like any other.
func Huge[T any](n int) []T {
	s := make([]T, n)
	advise(unsafe.Pointer(unsafe.SliceData(s)), uintptr(n)*unsafe.Sizeof(*new(T)))
	return s
}

// advise names the whole huge pages within a range. An error means small pages.
func advise(p unsafe.Pointer, size uintptr) {
	if size < 2*hugePage {
		return
	}
	skip := -uintptr(p) % hugePage
	whole := (size - skip) / hugePage * hugePage
	_ = syscall.Madvise(unsafe.Slice((*byte)(unsafe.Add(p, skip)), whole), adviseHuge)
}
