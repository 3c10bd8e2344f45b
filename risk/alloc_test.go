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
		x.tree.Ahead(o)
		x.tree.Near(o)
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

// TestNoAllocationsOfEvents holds marks, fills and what they trip to zero allocations,
// with every control on that is evaluated on events.
func TestNoAllocationsOfEvents(t *testing.T) {
	x := newBenchTree(t, 10, 10, 10)
	var loss, instrument Limits
	loss.Set(LimitMaxLossDaily, 0)
	loss.Set(LimitMaxDrawdown, 0)
	loss.Set(LimitConsecutiveLosses, 0)
	loss.Set(LimitLossAction, int64(ActionNotify))
	loss.Set(LimitRepeatedExecutions, 1<<20)
	loss.Set(LimitRepeatedExecutionsPer, 1e9)
	instrument.Set(LimitVolatilityMove, 1)
	instrument.Set(LimitVolatilityWindow, 1e9)
	instrument.Set(LimitVolatilityCooldown, 1e6)
	for s := range x.tree.Scopes {
		ls := loss
		switch {
		case s.Level == LevelInstrument && s.Account == 0:
			ls = instrument
		case s.Level == LevelInstrument:
			ls = Limits{}
			ls.Set(LimitProtectionFills, 1<<20)
			ls.Set(LimitProtectionWindow, 1e9)
		}
		if r := x.tree.SetLimits(s, ls); !r.OK() {
			t.Fatal(r)
		}
	}
	var h Hold
	i, breaches := 0, 0
	life := func() {
		x.now += 1_000_000
		x.ref.MarkTime = x.now
		o := &x.orders[i]
		i++
		x.tree.SetState(AccountScope(o.Account), StateActive)
		a := Approved{order: *o, version: x.tree.version, now: x.now, price: o.Price, ref: x.ref.Mark,
			account:  x.tree.pairs.find(accountPairKey(o.Account, o.Instrument)),
			strategy: x.tree.pairs.find(strategyPairKey(o.Strategy, o.Instrument))}
		x.tree.Accept(&a, &h)
		x.tree.Fill(&h, filled(&h, o.Qty, o.Price), x.now)
		x.tree.Mark(o.Instrument, 6_000_000+core.Price(i%7)*10, true, x.now)
		for b, ok := x.tree.NextBreach(); ok; b, ok = x.tree.NextBreach() {
			x.tree.Act(&b)
			breaches++
		}
		if x.tree.Deadline() <= x.now {
			x.tree.Tick(x.now)
		}
	}
	for range 2000 {
		life()
	}
	if allocs := testing.AllocsPerRun(2000, life); allocs != 0 || breaches == 0 {
		t.Fatalf("%v allocations, %d breaches", allocs, breaches)
	}
}
