package engine

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"qcat/core"
)

// name is what a client calls an order.
type name struct {
	account core.AccountID
	id      core.ClOrdID
}

// slots counts the entries of an index.
func slots(x *index) (n int) {
	for _, c := range x.cells {
		if c.slot != 0 {
			n++
		}
	}
	return n
}

// The orders of a view against maps: ids that mostly ascend, names used again, orders
// forgotten in any order, some of which come again, and indexes that grow.
func TestViewOrdersAgainstMaps(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 21))
		table, most := newViewOrders(1), 1+rng.IntN(300)
		kept, names := map[core.OrderID]core.Order{}, map[name]core.OrderID{}
		for step := range 3000 {
			last := core.OrderID(step/2 + 1)
			o := core.Order{ID: last, Account: core.AccountID(1 + rng.IntN(2)), Status: core.StatusNew, Qty: core.Qty(step)}
			if rng.IntN(5) == 0 {
				o.ID = core.OrderID(1 + rng.IntN(int(last)))
			}
			if was, found := kept[o.ID]; found {
				o.Account, o.ClOrdID = was.Account, was.ClOrdID
			} else if rng.IntN(4) > 0 {
				o.ClOrdID, _ = core.MakeClOrdID(fmt.Sprint(rng.IntN(200)))
			}
			_, was := kept[o.ID]
			if _, fresh, _ := table.put(&o, uint64(step)); fresh == was {
				t.Fatalf("seed %d: order %d is fresh: %v", seed, o.ID, fresh)
			}
			kept[o.ID] = o
			if n := (name{o.Account, o.ClOrdID}); !was && o.ClOrdID.Len() > 0 {
				names[n] = max(names[n], o.ID)
			}
			for len(kept) > most {
				gone := slices.Sorted(maps.Keys(kept))[rng.IntN(len(kept))]
				table.forget(table.find(gone))
				if n := (name{kept[gone].Account, kept[gone].ClOrdID}); names[n] == gone {
					delete(names, n)
				}
				delete(kept, gone)
			}
			if step%300 == 0 {
				checkViewOrders(t, &table, kept, names)
			}
		}
		table.sort()
		checkViewOrders(t, &table, kept, names)
	}
}

func checkViewOrders(t *testing.T, table *viewOrders, kept map[core.OrderID]core.Order, names map[name]core.OrderID) {
	t.Helper()
	var got []core.OrderID
	newer := uint32(0)
	for o := table.at(table.newest); o != nil; o = table.at(o.older) {
		if o.order != kept[o.order.ID] || o.newer != newer || table.find(o.order.ID) != o {
			t.Fatalf("order %+v, want %+v", o, kept[o.order.ID])
		}
		got, newer = append(got, o.order.ID), o.slot
		if n := len(got); n > table.len {
			break
		}
	}
	want := slices.Sorted(maps.Keys(kept))
	if slices.Reverse(want); !slices.Equal(got, want) || table.len != len(want) || slots(&table.byID) != len(want) {
		t.Fatalf("orders %v, want %v", got, want)
	}
	for n, id := range names {
		if o := table.named(n.account, &n.id); o == nil || o.order.ID != id {
			t.Fatalf("name %v is of %+v, want order %d", n, o, id)
		}
	}
	if n := slots(&table.byName); n != len(names) {
		t.Fatalf("%d names, want %d", n, len(names))
	}
}
