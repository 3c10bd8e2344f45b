package risk

import (
	"math"
	"math/rand/v2"
	"testing"

	"qcat/core"
)

// TestQuickEqualsControls holds the quick path against the controls in their
// order, with every limit there is drawn near what the orders need.
func TestQuickEqualsControls(t *testing.T) {
	for seed := range uint64(150) {
		rng := rand.New(rand.NewPCG(seed, 9))
		s := newScript()
		for a := core.AccountID(1); a <= 2; a++ { // some have money, some have none, some hedge
			s.tree.Transfer(a, "USDT", int64(rng.IntN(5))*100e8)
			s.tree.Transfer(a, "BTC", int64(rng.IntN(3))*2e6)
			s.tree.SetHedge(a, rng.IntN(4) == 0)
		}
		near := func(v int64) int64 { return max(0, v+int64(rng.IntN(5))-2) }
		draw := func(sc Scope) {
			var ls Limits
			for l := range numLimits {
				if rng.IntN(6) != 0 || l == LimitRestricted && rng.IntN(8) != 0 {
					continue
				}
				ls.Set(l, map[Unit]int64{UnitPPM: int64(rng.IntN(60_000)), UnitQty: near(40), UnitValue: near(60) * 60e8,
					UnitCount: near(10), UnitNanos: 1 + int64(rng.IntN(5000)), UnitNone: 1,
					UnitMode: int64(1 + rng.IntN(4)), UnitAction: int64(1 + rng.IntN(2)), UnitTimes: int64(1+rng.IntN(4)) * core.PPM}[l.Unit()])
				switch l {
				case LimitMinNotional:
					ls.Set(l, near(2)*60e8)
				case LimitConcentration:
					ls.Set(l, int64(rng.IntN(core.PPM)))
				case LimitMaxScenarioLoss:
					ls.Set(l, near(60)*6e8)
				case LimitScenarioPrice:
					ls.Set(l, int64(80_000+rng.IntN(40_000)))
				}
			}
			for _, pair := range together {
				ls.Unset(pair[1])
				if _, set := ls.Get(pair[0]); set {
					ls.Set(pair[1], int64(1+rng.IntN(100_000)))
				}
			}
			if _, window := ls.Get(LimitRollingWindow); !window || ls.or(LimitRollingUp, -1)+ls.or(LimitRollingDown, -1) == -2 {
				ls.Unset(LimitRollingUp)
				ls.Unset(LimitRollingDown)
				ls.Unset(LimitRollingWindow)
			}
			for range numLimits { // what does not belong here
				if l, ok := ls.Validate(sc); !ok {
					ls.Unset(l)
				}
			}
			if _, ok := ls.Validate(sc); !ok {
				ls = Limits{} // a window whose bounds did not belong here
			}
			if r := s.tree.SetLimits(sc, ls); !r.OK() {
				t.Fatal(r)
			}
		}
		quick, admitted := 0, 0
		for i := range 400 {
			o := Order{Strategy: core.StrategyID(1 + rng.IntN(3)), Account: 1, Instrument: core.InstrumentID([]int{1, 2, 3, 5}[rng.IntN(4)]),
				Side: core.Side(1 + rng.IntN(2)), Type: core.Limit, TIF: core.TimeInForce(1 + rng.IntN(5)), Qty: core.Qty(1 + rng.IntN(12))}
			if o.Strategy == 3 {
				o.Account = 2
			}
			if s.tree.ledger.hedges(o.Account) {
				o.Leg = core.Leg(rng.IntN(3))
			}
			if i%40 == 39 {
				path := naivePath(&o)
				draw(path[rng.IntN(6)])
			}
			in := s.tree.instruments[o.Instrument].in
			ref := s.refs[in.Symbol]
			ref.Mark += core.Price(rng.IntN(3)-1) * in.TickSize
			ref.MarkTime = s.now - core.Nanos(rng.IntN(3000))
			o.Price = ref.Mark + core.Price(rng.IntN(200)-100)*in.TickSize*10 + core.Price(rng.IntN(40)/39)
			s.now += core.Nanos(rng.IntN(5000))
			if rng.IntN(20) == 0 {
				o.Crosses = Crossing(1 + rng.IntN(3))
			}
			ref.Time = s.now
			if rng.IntN(4) == 0 {
				ref.VenueTime = s.now - core.Nanos(rng.IntN(3000))
			}

			var a Approved
			fast := s.tree.quick(&o, &ref, s.now, &a)
			c := check{t: s.tree, o: o, now: s.now}
			c.run(&ref)
			if fast && (!c.fail.OK() || a != c.approved()) {
				t.Fatalf("seed %d order %d %+v\nquick %+v\ncontrols %+v %v", seed, i, o, a, c.approved(), c.fail)
			}
			if !c.fail.OK() {
				continue
			}
			admitted++
			if fast {
				quick++
			} else if c.exempt == 0 && o.Crosses == 0 && c.slots[0] != 0 && c.slots[1] != 0 && s.tree.mergedOf(c.strategy) != nil {
				t.Fatalf("seed %d order %d %+v: admitted without exemption, not by the quick path", seed, i, o)
			}
			a = c.approved()
			var h Hold
			s.tree.Accept(&a, &h)
			if rng.IntN(2) == 0 {
				s.tree.Fill(&h, filled(&h, core.Qty(1+rng.IntN(int(o.Qty))), o.Price), s.now)
			}
			if rng.IntN(3) != 0 {
				s.tree.Release(&h)
			}
			s.disturb(rng, &o, &ref)
		}
		if admitted > 50 && quick == 0 {
			t.Fatalf("seed %d: %d admitted, none by the quick path", seed, admitted)
		}
	}
}

// disturb lets a mark, now and then, trip something, learn a deviation and be resumed.
func (s *script) disturb(rng *rand.Rand, o *Order, ref *Reference) {
	if rng.IntN(10) != 0 {
		return
	}
	s.tree.Mark(o.Instrument, ref.Mark, true, s.now)
	if rng.IntN(4) == 0 {
		s.now += devMinute
	}
	for b, ok := s.tree.NextBreach(); ok; b, ok = s.tree.NextBreach() {
		s.tree.Act(&b)
	}
	if s.tree.Deadline() <= s.now {
		s.tree.Tick(s.now)
	}
	for sc := range s.tree.Scopes {
		if v, _ := s.tree.View(sc); rng.IntN(2) == 0 && v.State != StateActive {
			s.tree.SetState(sc, StateActive)
		}
	}
}

func TestDivisorEqualsRemainder(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for i := range 20_000 {
		d := uint64(rng.Int64N(1<<uint(1+i%62))) + 1
		n := rng.Uint64() >> (1 + i%60)
		for _, n := range []uint64{n, n - n%d, n - n%d + d/2, 0, d, math.MaxInt64} {
			if got, want := divisorOf(d).divides(n), n%d == 0; got != want {
				t.Fatalf("%d divides %d: %v", d, n, got)
			}
		}
	}
}
