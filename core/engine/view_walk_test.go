package engine

import (
	"math/rand/v2"
	"testing"
	"time"

	"qcat/core"
)

// put makes the view see an order.
func (v *View) put(id core.OrderID, status core.OrdStatus) {
	v.Observe(&Event{Kind: EventOrder, Order: core.Order{ID: id, Account: 1, Instrument: 1, Status: status}})
}

// A walk of many orders lets the writer in between, instead of holding it, and the
// engine behind it, until the last one is copied.
func TestWalkLetsTheWriterIn(t *testing.T) {
	_, v := newViewHarness(t, ViewConfig{})
	const orders = 3 * walkChunk
	for id := core.OrderID(1); id <= orders; id++ {
		v.put(id, core.StatusNew)
	}
	written := make(chan int, 1)
	visited := 0
	for w := (orderWalk{view: v}); w.more(); {
		w.next(func(*core.Order) bool {
			if visited++; visited == 1 {
				go func() {
					v.mu.Lock()
					written <- visited
					v.mu.Unlock()
				}()
				// With a writer waiting no reader gets in.
				for v.mu.TryRLock() {
					v.mu.RUnlock()
					time.Sleep(time.Microsecond)
				}
			}
			return true
		})
	}
	if n := <-written; n != walkChunk || visited != orders {
		t.Errorf("the writer was let in after %d of %d orders, want %d", n, visited, walkChunk)
	}
}

// Between chunks orders come, close, are forgotten and come again: a walk visits
// everything that is kept throughout, once, newest first.
func TestWalkOfWhatChanges(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 1))
		_, v := newViewHarness(t, ViewConfig{KeepOrders: 1 + rng.IntN(30)})
		last := core.OrderID(0)
		change := func(n int) {
			for range n {
				switch id := core.OrderID(1 + rng.IntN(int(last)+1)); {
				case last == 0 || rng.IntN(3) == 0:
					last++
					v.put(last, core.StatusNew)
				case v.orders.find(id) != nil || rng.IntN(20) == 0:
					v.put(min(id, last), core.StatusCancelled)
				}
			}
		}
		change(400)
		top := core.OrderID(rng.IntN(2 * int(last)))
		throughout, visited := map[core.OrderID]bool{}, map[core.OrderID]bool{}
		for id := core.OrderID(1); id <= last; id++ {
			throughout[id] = v.orders.find(id) != nil && (top == 0 || id < top)
		}
		ends := core.OrderID(1 << 62)
		if top > 0 {
			ends = top
		}
		w := newOrderWalk(v, top)
		for w.chunk = 1 + rng.IntN(20); w.more(); {
			w.next(func(o *core.Order) bool {
				if o.ID >= ends {
					t.Fatalf("seed %d: order %d visited out of its turn", seed, o.ID)
				}
				visited[o.ID], ends = true, o.ID
				return true
			})
			change(rng.IntN(60))
			for id := range throughout {
				throughout[id] = throughout[id] && v.orders.find(id) != nil
			}
		}
		for id, kept := range throughout {
			if kept && !visited[id] {
				t.Fatalf("seed %d: order %d was kept throughout and not visited", seed, id)
			}
		}
	}
}

// A view that is behind catches up with several batches under one lock.
func TestViewCatchesUp(t *testing.T) {
	h := newHarness(t)
	v := NewView(h.e, ViewConfig{})
	for range 4 * viewBatch {
		c := h.limit(core.Buy, 9990, 1, "")
		if !h.e.Submit(&c) {
			t.Fatal("shed")
		}
	}
	h.run()
	if n := v.poll(); n < 4*viewBatch || v.Applied() != h.e.Published() {
		t.Errorf("%d events applied at once, up to %d of %d", n, v.Applied(), h.e.Published())
	}
	if n := v.Account(h.account.ID); len(n) != 1 || n[0].OpenOrders != 4*viewBatch {
		t.Errorf("summary %+v", n)
	}
}
