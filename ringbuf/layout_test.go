package ringbuf

import (
	"testing"
	"unsafe"
)

// TestLayout asserts the offsets that the type comments promise: words written by
// different goroutines are linePad apart.
func TestLayout(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("the layouts are those of 64-bit machines")
	}
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

func TestCheckWords(t *testing.T) {
	type nested struct {
		A [2]uint32
		B struct{ C float64 }
	}
	type pointed struct {
		A uint64
		B []byte
	}
	for _, c := range []struct {
		name  string
		check func()
		bad   bool
	}{
		{"uint64", checkWords[uint64], false},
		{"nested struct", checkWords[nested], false},
		{"array", checkWords[[3]int64], false},
		{"two uint32", checkWords[[2]uint32], false},
		{"uint32", checkWords[uint32], true},
		{"nothing", checkWords[struct{}], true},
		{"pointer", checkWords[*int], true},
		{"slice field", checkWords[pointed], true},
		{"string", checkWords[string], true},
		{"interface", checkWords[any], true},
		{"func", checkWords[func()], true},
		{"chan", checkWords[chan int], true},
		{"map", checkWords[map[int]int], true},
	} {
		if got := panics(c.check); got != c.bad {
			t.Errorf("%s: panics = %v, want %v", c.name, got, c.bad)
		}
	}
	if !panics(func() { NewBroadcast[string](4) }) {
		t.Error("NewBroadcast[string] does not panic")
	}
}
