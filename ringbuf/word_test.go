package ringbuf

import "testing"

// TestCheckWords says which types may be copied while they are being written.
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
