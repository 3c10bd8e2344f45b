package mem

import (
	"testing"
	"unsafe"
)

func TestFetchTakesAnyAddress(t *testing.T) {
	v := [16]uint64{1, 2, 3}
	before := v
	Fetch(unsafe.Pointer(&v))
	Fetch(nil)
	FetchBlock(unsafe.Pointer(&v))
	FetchBlock(nil)
	if v != before {
		t.Fatal("memory has changed")
	}
}

func TestHugeIsZeroAndWhole(t *testing.T) {
	for _, n := range []int{0, 1, 1000, 1 << 20} {
		s := Huge[[2]uint64](n)
		if len(s) != n {
			t.Fatalf("%d values of %d", len(s), n)
		}
		for i := range s {
			if s[i] != [2]uint64{} {
				t.Fatalf("value %d is not zero", i)
			}
			s[i][1] = uint64(i)
		}
		for i := range s {
			if s[i][1] != uint64(i) {
				t.Fatalf("value %d was lost", i)
			}
		}
	}
}
