package risk

import (
	"qcat/core"
	"qcat/risk/margin"
)

// What happens to both trees of an askedWorld besides orders.

func (w *askedWorld) transfer() {
	a, c := core.AccountID(1+w.rng.IntN(3)), []string{"USDT", "USDT", "EUR", "BTC", "ETH", "JPY"}[w.rng.IntN(6)]
	amount := w.rng.Int64N(200_000e8) - 20_000e8
	w.both(func(t *Tree) Reason { return t.Transfer(a, c, amount) })
}

func (w *askedWorld) limit() {
	id, s := core.InstrumentID(1+w.rng.IntN(len(w.ins)-1)), core.StrategyID(1+w.rng.IntN(4))
	scope := w.scope(askedOwners[s], s, id)
	var ls Limits
	for range w.rng.IntN(4) {
		more := ls
		w.drawLimit(&more)
		if _, ok := more.Validate(scope); ok {
			ls = more
		}
	}
	w.both(func(t *Tree) Reason { return t.SetLimits(scope, ls) })
}

// scope draws a node of a path.
func (w *askedWorld) scope(a core.AccountID, s core.StrategyID, id core.InstrumentID) Scope {
	return [...]Scope{FirmScope(), AccountScope(a), {Level: LevelStrategy, Account: a, Strategy: s},
		InstrumentScope(0, 0, id), InstrumentScope(a, 0, id), InstrumentScope(a, s, id)}[w.rng.IntN(pathLen)]
}

func (w *askedWorld) drawLimit(ls *Limits) {
	switch value := int64(1) << (34 + w.rng.IntN(20)); w.rng.IntN(17) {
	case 0, 1, 2:
		ls.Set(LimitMarginRequired, 1)
	case 3, 4:
		ls.Set(LimitMaxLeverage, core.PPM/4*int64(w.rng.IntN(60)))
	case 5:
		ls.Set(LimitMaxExposureGross, value)
	case 6:
		ls.Set(LimitMaxExposureNet, value)
	case 7:
		ls.Set(LimitMaxUnfilled, value)
	case 8:
		ls.Set(LimitConcentration, w.rng.Int64N(core.PPM))
		ls.Set(LimitConcentrationFloor, value)
	case 9:
		ls.Set(LimitMaxScenarioLoss, value)
	case 10:
		ls.Set(LimitMaxPosition, w.rng.Int64N(5000))
	case 11:
		ls.Set(LimitOrderRate, w.rng.Int64N(5))
		ls.Set(LimitOrderRatePer, 1+w.rng.Int64N(5000))
	case 12:
		ls.Set(LimitDuplicateWindow, 1+w.rng.Int64N(5000))
	case 13:
		ls.Set(LimitRollingUp, w.rng.Int64N(100_000))
		ls.Set(LimitRollingWindow, 1+w.rng.Int64N(50_000))
	case 14:
		ls.Set(LimitMaxLossDaily, value)
	case 15:
		ls.Set(LimitProtectionFills, w.rng.Int64N(5))
		ls.Set(LimitProtectionWindow, 1+w.rng.Int64N(20_000))
	default:
		ls.Set(LimitVolatilityMove, w.rng.Int64N(100_000))
		ls.Set(LimitVolatilityWindow, 1+w.rng.Int64N(50_000))
		ls.Set(LimitVolatilityCooldown, 1+w.rng.Int64N(50_000))
	}
}

func (w *askedWorld) event() {
	if len(w.open) == 0 {
		return
	}
	i := w.rng.IntN(len(w.open))
	e := w.open[i]
	in := &w.ins[e.o.Instrument]
	on := func(f func(t *Tree, h *Hold) Reason) bool {
		k := -1
		return w.both(func(t *Tree) Reason { k++; return f(t, &e.holds[k]) })
	}
	switch w.rng.IntN(8) {
	case 0, 1:
		on(func(t *Tree, h *Hold) Reason { t.Release(h); return Reason{} })
		if len(w.open) > 20 { // others may still be filled: their cancels cross with it
			w.open = append(w.open[:i], w.open[i+1:]...)
		}
	case 2:
		ref := w.reference(&e.o)
		am := Amend{Price: e.o.Price + in.TickSize*core.Price(w.rng.IntN(5)-2), Qty: e.o.Qty + in.StepSize*core.Qty(w.rng.IntN(50)-10)}
		on(func(t *Tree, h *Hold) Reason {
			a, r := t.CheckAmend(h, am, &ref, w.now)
			if r.OK() {
				t.Accept(&a, h)
			}
			return r
		})
	case 3:
		yes := w.rng.IntN(2) == 0
		on(func(t *Tree, h *Hold) Reason {
			if yes && h.pending {
				return answers(t.ConfirmAmend(h, h.newPrice, h.newQty))
			}
			t.RejectAmend(h)
			return Reason{}
		})
	default:
		f := core.Fill{Side: e.o.Side, Qty: 1 + core.Qty(w.rng.Int64N(int64(min(e.o.Qty, 1000)))), Price: e.o.Price, Fee: core.Notional(w.rng.IntN(40) - 10)}
		if in.Kind == core.Spot && w.rng.IntN(2) == 0 {
			f.FeeIn = core.FeeBase
		}
		key := scriptPosition{e.o.Strategy, e.o.Instrument, e.o.Leg}
		before := w.held[key]
		after := before
		if !after.Apply(in, &f) {
			return
		}
		b := BookingOf(&before, &after, &f)
		if on(func(t *Tree, h *Hold) Reason { return answers(t.Fill(h, &b, w.now)) }) {
			w.held[key] = after
		}
	}
}

func (w *askedWorld) setting() {
	a, id := core.AccountID(1+w.rng.IntN(3)), core.InstrumentID(1+w.rng.IntN(len(w.ins)-1))
	in := &w.ins[id]
	switch w.rng.IntN(12) {
	case 0:
		ppm := core.PPM + w.rng.Int64N(20*core.PPM)
		w.both(func(t *Tree) Reason { return t.SetLeverage(a, id, ppm) })
	case 1:
		on := w.rng.IntN(2) == 0
		w.both(func(t *Tree) Reason { return t.SetIsolated(a, id, on) })
	case 2:
		on := w.rng.IntN(2) == 0
		w.both(func(t *Tree) Reason { return t.SetHedge(a, on) })
	case 3:
		leg, amount := core.Leg(w.rng.IntN(3)), w.rng.Int64N(200e8)-100e8
		w.both(func(t *Tree) Reason { return t.MoveIsolated(a, id, leg, amount) })
	case 4:
		tiers := []margin.Tier{{Rate: 1 + w.rng.Int64N(9_000), Leverage: 25 * core.PPM}, {Floor: core.Notional(1 + w.rng.Int64N(1e12)), Rate: 10_000 + w.rng.Int64N(90_000), Leverage: 1*core.PPM + w.rng.Int64N(20*core.PPM)}}
		w.both(func(t *Tree) Reason { return t.SetTiers(id, tiers) })
	case 5, 6:
		c := []string{"EUR", "BTC", "ETH", "JPY", "USDT"}[w.rng.IntN(5)]
		ppm := []int64{1_100_000, 60_000e6, 3_000e6, 6_700, core.PPM}[w.rng.IntN(5)] + w.rng.Int64N(100)
		w.both(func(t *Tree) Reason { return t.SetRate(c, ppm) })
	case 7:
		w.both(func(t *Tree) Reason { return t.SetRateFrom(baseName(in), id) })
	case 8:
		s, leg, paid := core.StrategyID(1+w.rng.IntN(4)), core.Leg(w.rng.IntN(3)), core.Notional(w.rng.Int64N(2000)-1000)
		if p := w.held[scriptPosition{s, id, leg}]; p.Qty != 0 && in.Kind != core.Spot {
			w.both(func(t *Tree) Reason { return answers(t.Fund(s, id, leg, paid)) })
		}
	case 9:
		next := *in
		next.MinQty, next.MaxPrice = core.Qty(w.rng.IntN(5)), core.Price(w.rng.IntN(2))*w.refs[id]*2
		next.MinNotional, next.MaxNotional = core.Notional(w.rng.Int64N(3)*1e6), core.Notional(w.rng.Int64N(3)*1e13)
		if next.Validate() == nil {
			w.ins[id] = next
			one := next
			w.both(func(t *Tree) Reason { return t.DefineInstrument(&one) })
		}
	case 10:
		w.limit()
	default:
		w.transfer()
	}
}

func (w *askedWorld) mark() {
	id := core.InstrumentID(1 + w.rng.IntN(len(w.ins)-1))
	p := max(100, w.refs[id]*core.Price(95+w.rng.IntN(11))/100)
	confirmed := w.rng.IntN(5) > 0
	if w.both(func(t *Tree) Reason { return answers(t.Mark(id, p, confirmed, w.now)) }) {
		w.refs[id] = p
	}
}

func (w *askedWorld) calm() {
	w.both(func(t *Tree) Reason {
		for b, ok := t.NextBreach(); ok; b, ok = t.NextBreach() {
			t.Act(&b)
		}
		t.Tick(w.now)
		return Reason{}
	})
	if w.rng.IntN(3) == 0 {
		for sc := range w.trees[0].Scopes {
			if v, _ := w.trees[1].View(sc); w.rng.IntN(2) == 0 && v.State != StateActive || v.Trips != 0 {
				w.both(func(t *Tree) Reason { return t.SetState(sc, StateActive) })
			}
		}
	}
}
