//go:build amd64 || arm64

package ringbuf

import (
	"testing"
	"unsafe"
)

// TestLayout asserts the offsets that the type comments promise: words written by
// different goroutines are linePad apart.
func TestLayout(t *testing.T) {
	type value = [8]uint64
	var (
		s SPSC[value]
		m MPSC[value]
		b Broadcast[value]
		r Reader[value]
		w Waiter
		c Cell[value]
	)
	for _, f := range []struct {
		field     string
		got, want uintptr
	}{
		{"SPSC.tail", unsafe.Offsetof(s.tail), 128},
		{"SPSC.cachedHead", unsafe.Offsetof(s.cachedHead), 136},
		{"SPSC.head", unsafe.Offsetof(s.head), 256},
		{"SPSC.cachedTail", unsafe.Offsetof(s.cachedTail), 264},
		{"SPSC size", unsafe.Sizeof(s), 384},
		{"MPSC.tail", unsafe.Offsetof(m.tail), 128},
		{"MPSC.limit", unsafe.Offsetof(m.limit), 256},
		{"MPSC.head", unsafe.Offsetof(m.head), 384},
		{"MPSC size", unsafe.Sizeof(m), 512},
		{"MPSC slot value", unsafe.Offsetof(m.slots[0].value), 8},
		{"Broadcast.next", unsafe.Offsetof(b.next), 128},
		{"Broadcast.limit", unsafe.Offsetof(b.limit), 136},
		{"Broadcast.claimed", unsafe.Offsetof(b.claimed), 256},
		{"Broadcast.published", unsafe.Offsetof(b.published), 264},
		{"Broadcast size", unsafe.Sizeof(b), 384},
		{"Reader.position", unsafe.Offsetof(r.position), 128},
		{"Reader size", unsafe.Sizeof(r), 256},
		{"Waiter.parked", unsafe.Offsetof(w.parked), 0},
		{"Waiter.strategy", unsafe.Offsetof(w.strategy), 128},
		{"Cell.value", unsafe.Offsetof(c.value), 8},
	} {
		if f.got != f.want {
			t.Errorf("%s is at %d, want %d", f.field, f.got, f.want)
		}
	}
}
