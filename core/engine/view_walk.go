package engine

import "qcat/core"

// walkChunk is how many orders a walk visits under one lock: some hundred
// microseconds, for which the view, and at last the engine, may have to wait.
const walkChunk = 4096

// orderWalk visits all orders, newest first, and lets the view go on after every
// chunk:
//
//	for w := (orderWalk{view: v}); w.more(); {
//		w.next(visit)
//	}
//
// In between orders are added, which the walk does not see, and forgotten, maybe
// the one it stood at. It therefore remembers by id where its chunks ended, goes on
// at the latest of these that is still kept, and passes over what it has seen.
type orderWalk struct {
	view  *View
	chunk int // 0: walkChunk
	ends  []core.OrderID
	seen  core.OrderID // visited, and all above it; 0 before the first
	done  bool
}

// newOrderWalk visits the orders with an id below before, or all if that is 0.
func newOrderWalk(v *View, before core.OrderID) orderWalk {
	w := orderWalk{view: v, seen: before}
	if before > 0 {
		w.ends = append(w.ends, before)
	}
	return w
}

func (w *orderWalk) more() bool { return !w.done }

// next visits a chunk of orders under the lock, or fewer if f returns false, which
// ends the walk. f must not keep what it is given.
func (w *orderWalk) next(f func(o *core.Order) bool) {
	w.view.mu.RLock()
	defer w.view.mu.RUnlock()
	left := w.chunk
	if left == 0 {
		left = walkChunk
	}
	for o := w.resume(); o != nil; o = w.view.orders.at(o.older) {
		if w.seen == 0 || o.order.ID < w.seen {
			w.seen = o.order.ID
			if !f(&o.order) {
				break
			}
		}
		if left--; left == 0 {
			w.ends = append(w.ends, o.order.ID)
			return
		}
	}
	w.done = true
}

// resume is the first order that may not have been seen.
func (w *orderWalk) resume() *viewOrder {
	all := &w.view.orders
	for n := len(w.ends); n > 0; n-- {
		if o := all.find(w.ends[n-1]); o != nil {
			w.ends = w.ends[:n]
			return all.at(o.older)
		}
	}
	w.ends = w.ends[:0]
	return all.at(all.newest)
}
