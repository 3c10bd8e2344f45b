package paper

import (
	"math/rand/v2"
	"slices"
	"testing"

	"qcat/core"
)

// TestOrderIndexAgainstMap fills, empties and fills again, with ids that ascend
// as the engine's do and with ids that collide.
func TestOrderIndexAgainstMap(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 2))
		x, want := newOrderIndex(), map[core.OrderID]int32{}
		for step := range 4000 {
			id := core.OrderID(1 + step + rng.IntN(50))
			if seed%2 == 0 {
				id = core.OrderID(1+rng.IntN(200)) << 40
			}
			switch rng.IntN(3) {
			case 0:
				x.put(id, int32(step))
				want[id] = int32(step)
			case 1:
				x.remove(id)
				delete(want, id)
			default:
				for old := range want {
					x.remove(old)
					delete(want, old)
					break
				}
			}
			if x.n != len(want) {
				t.Fatalf("seed %d, step %d: %d ids, want %d", seed, step, x.n, len(want))
			}
			got, ok := x.get(id)
			if slot, has := want[id]; has != ok || (ok && got != slot) {
				t.Fatalf("seed %d, step %d: id %d is %d %v, want %d %v", seed, step, id, got, ok, slot, has)
			}
		}
		for id, slot := range want {
			if got, ok := x.get(id); !ok || got != slot {
				t.Fatalf("seed %d: id %d was lost", seed, id)
			}
		}
		if _, ok := x.get(0); ok {
			t.Fatal("0 is an id")
		}
	}
}

func TestHeapAgainstSort(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 3))
		var h heap[expiry]
		var want []expiry
		for id := range core.OrderID(300) {
			e := expiry{due: core.Nanos(rng.IntN(40)), id: id}
			h.push(e)
			want = append(want, e)
		}
		odd := func(e expiry) bool { return e.id%2 == 1 }
		h.retain(odd)
		want = slices.DeleteFunc(want, func(e expiry) bool { return !odd(e) })
		slices.SortFunc(want, func(a, b expiry) int {
			if a.before(b) {
				return -1
			}
			return 1
		})
		for i, w := range want {
			if got := h.pop(); got != w {
				t.Fatalf("seed %d: pop %d is %+v, want %+v", seed, i, got, w)
			}
		}
		if len(h) != 0 {
			t.Fatalf("%d left", len(h))
		}
	}
}

// TestForgottenExpiriesAreThrownOut cancels good-till-date orders long before
// their time.
func TestForgottenExpiriesAreThrownOut(t *testing.T) {
	s := newStage(t, Settings{})
	s.run(core.FlagSnapshot, bid(99, 5), ask(101, 5))
	for id := range core.OrderID(10_000) {
		c := limit(id+1, core.Buy, core.GTD, 90, 1)
		c.ExpireTime = s.now + 1e12
		s.send(c)
		s.send(core.VenueCommand{Op: core.VenueCancel, Order: id + 1})
	}
	if n := len(s.matcher.expiries); n > 200 {
		t.Errorf("%d expiries of orders that are gone", n)
	}
	if n := len(s.matcher.orders.orders); n != 1 {
		t.Errorf("%d slots for one order at a time", n)
	}
}

// TestReceiveTimeExpires: an order whose time has come does not trade on what
// arrived after it, even when the clock was not read in between.
func TestReceiveTimeExpires(t *testing.T) {
	s := newStage(t, Settings{})
	s.run(core.FlagSnapshot, bid(90, 5), ask(101, 5))
	c := limit(1, core.Buy, core.GTD, 99, 5)
	c.ExpireTime = s.now + 10
	s.send(c)
	s.take()
	s.now += 9
	s.trade(core.Sell, 99, 2)
	s.now++
	s.trade(core.Sell, 99, 2)
	got := s.take()
	if len(got) != 2 || got[0].Type != core.ExecTrade || got[1].Type != core.ExecExpired {
		t.Errorf("%+v", got)
	}
	if s.matcher.NextDue() != 1<<63-1 {
		t.Errorf("something is due at %d", s.matcher.NextDue())
	}
}

// TestInstrumentsAreApart: the same order of events on another instrument fills
// nothing here, and a command that names the wrong instrument finds no order.
func TestInstrumentsAreApart(t *testing.T) {
	s := newStage(t, Settings{})
	s.run(core.FlagSnapshot, bid(99, 5), ask(101, 5))
	s.send(limit(1, core.Buy, core.GTC, 100, 5))
	s.take()
	s.event(core.Event{Kind: core.EventTrade, Instrument: 2, Side: core.Sell, Price: 1, Qty: 99})
	s.send(core.VenueCommand{Op: core.VenueCancel, Order: 1, Instrument: 2})
	other := limit(2, core.Buy, core.GTC, 100, 5)
	other.Instrument = 2
	s.send(other)
	unknown := other
	unknown.Order, unknown.Instrument = 3, 77
	s.send(unknown)
	want := []core.VenueReason{core.VenueReasonUnknownOrder, core.VenueReasonBookStale, core.VenueReasonInvalid}
	got := s.take()
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i := range want {
		if core.VenueReason(got[i].VenueCode) != want[i] {
			t.Errorf("report %d: %+v, want %v", i, got[i], want[i])
		}
	}
	if s.matcher.Open() != 1 {
		t.Errorf("%d orders open", s.matcher.Open())
	}
}

// TestCommandsWaitForTheEndOfARun: in the middle of a run there is no book.
func TestCommandsWaitForTheEndOfARun(t *testing.T) {
	s := newStage(t, Settings{})
	s.run(core.FlagSnapshot, bid(99, 5), ask(101, 5))
	half := bid(98, 1)
	half.Kind, half.Flags = core.EventLevel, core.FlagFirst
	s.event(half)
	s.send(marketOrder(1, core.Buy, 1))
	if got := s.take(); len(got) != 0 {
		t.Fatalf("%+v", got)
	}
	rest := ask(101, 0)
	rest.Kind, rest.Flags = core.EventLevel, core.FlagLast
	s.event(rest)
	s.matcher.Advance(s.now)
	got := s.take()
	if len(got) != 2 || got[1].Type != core.ExecCancelled {
		t.Errorf("%+v", got)
	}
}

// TestDeepWalk takes more levels than a walk looks at first.
func TestDeepWalk(t *testing.T) {
	s := newStage(t, Settings{})
	var levels []core.Event
	for i := range core.Price(500) {
		levels = append(levels, ask(1000+i, 1))
	}
	s.run(core.FlagSnapshot, levels...)
	for id, want := range []int{15, 16, 17, 200, 252} {
		s.send(marketOrder(core.OrderID(id+1), core.Buy, core.Qty(want)))
		if got := len(s.take()); got < want+1 {
			t.Errorf("%d reports for %d levels", got, want)
		}
	}
	if n := len(s.matcher.markets[one].tAsks); n != 500 {
		t.Errorf("%d levels taken of, want 500", n)
	}
}
