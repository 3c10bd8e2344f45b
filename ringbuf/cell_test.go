package ringbuf

import (
	"sync"
	"sync/atomic"
	"testing"
)

func TestCell(t *testing.T) {
	var c Cell[wide]
	v := wideOf(7)
	if c.Load(&v) || v != wideOf(7) || c.Version() != 0 {
		t.Fatal("an empty cell returned something")
	}
	w := wideOf(100)
	c.Store(&w)
	if !c.Load(&v) || v != w || c.Version() != 1 {
		t.Fatalf("Load = %v", v)
	}
	var bad Cell[string]
	if s := "x"; !panics(func() { bad.Store(&s) }) {
		t.Fatal("a cell of strings does not panic")
	}
}

// TestCellConcurrent loads while the writer stores as fast as it can: every load
// is whole and none is older than the one before.
func TestCellConcurrent(t *testing.T) {
	var c Cell[wide]
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			var v wide
			var last uint64
			for !stop.Load() {
				if !c.Load(&v) {
					continue
				}
				if !v.whole() || v[0] < last {
					t.Errorf("loaded %v after %d", v, last)
					return
				}
				last = v[0]
			}
		})
	}
	n := uint64(testCount(1_000_000))
	for i := range n {
		v := wideOf(i)
		c.Store(&v)
	}
	stop.Store(true)
	wg.Wait()
	var v wide
	if !c.Load(&v) || v[0] != n-1 {
		t.Fatalf("the last value is %d, want %d", v[0], n-1)
	}
}

// pair is small enough for the compiler to keep in registers, where it is most
// tempted to drop the store that marks the cell as being written.
type pair struct{ A, B uint64 }

func TestCellConcurrentPair(t *testing.T) {
	var c Cell[pair]
	var stop atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		var v pair
		for !stop.Load() {
			if c.Load(&v) && v.A != v.B {
				t.Errorf("torn: %v", v)
				return
			}
		}
	})
	for i := range uint64(testCount(2_000_000)) {
		c.Store(&pair{i, i})
	}
	stop.Store(true)
	wg.Wait()
}
