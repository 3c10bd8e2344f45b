package book

import (
	"testing"
	"unsafe"
)

// TestLayout pins the sizes that LAYOUT.md promises.
func TestLayout(t *testing.T) {
	if n := unsafe.Sizeof(leaf{}); n != 512 {
		t.Errorf("a leaf has %d bytes, want 512", n)
	}
	if n := unsafe.Sizeof(Book{}); n > 256 {
		t.Errorf("a Book has %d bytes, want 256 at most", n)
	}
	var l ladder
	if n := unsafe.Offsetof(l.flip) + unsafe.Sizeof(l.flip); n > 64 {
		t.Errorf("what an update reads ends at %d, beyond the first cache line", n)
	}
}
