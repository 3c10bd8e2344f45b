package engine

import (
	"cmp"
	"maps"
	"slices"
)

// orderByID links the orders by id after a restore, which tells of the closed ones
// in the order in which they closed, and the view forgets them, and then of the open
// ones. Finding each its place as it comes would take as many steps as there are
// orders.
func (v *View) orderByID() {
	byID := func(a, b *viewOrder) int { return cmp.Compare(a.order.ID, b.order.ID) }
	v.newest = nil
	for _, o := range slices.SortedFunc(maps.Values(v.orders), byID) {
		o.older, o.newer = v.newest, nil
		if v.newest != nil {
			v.newest.newer = o
		}
		v.newest = o
	}
	v.near = v.newest
}
