//go:build !race

package risk

import (
	"testing"

	"qcat/core"
)

// TestNoAllocations holds the check path and the life of an order to zero
// allocations, with every control on.
func TestNoAllocations(t *testing.T) {
	x := newBenchTree(t, 10, 10, 10)
	var h Hold
	refused := x.orders[0]
	refused.Price++ // off the tick
	i := 0
	allocs := testing.AllocsPerRun(2000, func() {
		x.now += 1_000_000
		x.ref.MarkTime = x.now
		o := &x.orders[i]
		i++
		a, r := x.tree.CheckNew(o, &x.ref, x.now)
		if !r.OK() {
			t.Fatal(r)
		}
		x.tree.Accept(&a, &h)
		if o.Qty > 1 {
			x.tree.Fill(&h, filled(&h, 1, o.Price), x.now)
			a, r = x.tree.CheckAmend(&h, Amend{Price: o.Price, Qty: o.Qty + 1}, &x.ref, x.now)
			if !r.OK() {
				t.Fatal(r)
			}
			x.tree.Accept(&a, &h)
			x.tree.ConfirmAmend(&h, o.Price, o.Qty+1)
		}
		x.tree.CountCancel(&h, x.now)
		x.tree.Release(&h)
		x.tree.Mark(o.Instrument, 6_000_000+core.Price(i), true, x.now)
		if _, r := x.tree.CheckNew(&refused, &x.ref, x.now); r.Code != PriceTick {
			t.Fatal(r)
		}
	})
	if allocs != 0 {
		t.Fatalf("%v allocations a life of an order", allocs)
	}
}
