package risk

import "qcat/core"

// remembered holds what the first tree remembers against what it would work out.
func (w *askedWorld) remembered() {
	w.t.Helper()
	t := w.trees[0]
	for a := range t.accounts {
		s, id := &t.accounts[a].standing, core.AccountID(a)
		if v, known := t.equityOf(id); s.valuing == t.valuing && (known != s.known || known && s.equity != narrow(v)) {
			w.t.Fatalf("%s: account %d is worth %d (%v), remembered as %d (%v)", w.log, a, narrow(v), known, s.equity, s.known)
		}
		if v := narrow(t.ledger.wallets.at(t.ledger.walletOf(id, s.currency)).free()); s.counted && s.free != v {
			w.t.Fatalf("%s: account %d has %d free, remembered as %d", w.log, a, v, s.free)
		}
	}
	if v, known := t.firmEquity(); t.firm.standing.valuing == t.valuing && (known != t.firm.standing.known || known && t.firm.standing.equity != narrow(v)) {
		w.t.Fatalf("%s: the firm is worth %d (%v), remembered as %+v", w.log, narrow(v), known, t.firm.standing)
	}
}

// same holds the quick path of the first tree against its controls.
func (w *askedWorld) same(o *Order, ref *Reference) {
	w.t.Helper()
	t := w.trees[0]
	var a Approved
	fast := t.quick(o, ref, w.now, &a)
	c := check{t: t, o: *o, now: w.now}
	c.run(ref)
	if fast && (!c.fail.OK() || a != c.approved()) {
		w.t.Fatalf("%s: quick %+v: %+v", w.log, a, c.fail)
	}
	if c.fail.OK() && !fast && c.exempt == 0 && c.slots[0] != 0 && c.slots[1] != 0 && t.mergedOf(c.strategy) != nil {
		w.t.Fatalf("%s: not quick %+v", w.log, o)
	}
}

// merge brings the limits of an order's path together, as accepting one does.
func (w *askedWorld) merge(o *Order) bool {
	t := w.trees[0]
	a, s := t.pairs.find(accountPairKey(o.Account, o.Instrument)), t.pairs.find(strategyPairKey(o.Strategy, o.Instrument))
	if a == 0 || s == 0 {
		return false
	}
	nodes, held := t.path(o, a, s)
	t.refresh(&t.instruments[o.Instrument], &nodes, held[2])
	return true
}

// askedEdges are limits whose refusals tell what the limit would have to be.
var askedEdges = [...]struct {
	limit Limit
	code  Code
}{
	{LimitMaxExposureGross, MaxExposureGross}, {LimitMaxExposureNet, MaxExposureNet}, {LimitMaxUnfilled, UnfilledNotional},
	{LimitMaxScenarioLoss, MaxScenarioLoss}, {LimitMaxPosition, MaxPosition}, {LimitMaxLeverage, MaxLeverage},
	{LimitConcentration, PositionConcentration}, {LimitMaxNotional, MaxNotional},
}

// edge puts a limit beside what an order would come to.
func (w *askedWorld) edge() {
	o := w.draw()
	ref := w.reference(&o)
	scope := w.scope(o.Account, o.Strategy, o.Instrument)
	k := askedEdges[w.rng.IntN(len(askedEdges))]
	before := w.trees[0].Limits(scope)
	var ls Limits
	ls.Set(k.limit, 0)
	if _, ok := ls.Validate(scope); !ok {
		return
	}
	w.both(func(t *Tree) Reason { return t.SetLimits(scope, ls) })
	for _, r := range w.trees[0].CheckAll(&o, &ref, w.now, nil) {
		if r.Code == k.code {
			ls.Set(k.limit, max(0, r.Value+w.rng.Int64N(3)-1))
			if _, ok := ls.Validate(scope); !ok {
				continue
			}
			w.both(func(t *Tree) Reason { return t.SetLimits(scope, ls) })
			if w.merge(&o) {
				w.same(&o, &ref)
			}
		}
	}
	w.both(func(t *Tree) Reason { return t.SetLimits(scope, before) })
}

// money leaves an account just what an order needs.
func (w *askedWorld) money() {
	o := w.draw()
	ref := w.reference(&o)
	t := w.trees[0]
	if !w.merge(&o) {
		return
	}
	d, ok := t.demandOf(&t.instruments[o.Instrument], &o, t.pairs.at(t.pairs.find(accountPairKey(o.Account, o.Instrument))), nil, o.Qty, o.Price, ref.Mark)
	if !ok || d.wallet == 0 {
		return
	}
	amount := narrow(minus(d.need, d.free)) + w.rng.Int64N(3) - 1
	c := t.ledger.currencies[t.ledger.wallets.at(d.wallet).currency]
	w.both(func(t *Tree) Reason { return t.Transfer(o.Account, c, amount) })
	if w.rng.IntN(2) == 0 {
		before := t.Limits(FirmScope())
		ls := before
		ls.Set(LimitMarginRequired, 1)
		w.both(func(t *Tree) Reason { return t.SetLimits(FirmScope(), ls) })
		w.merge(&o)
		w.same(&o, &ref)
		w.both(func(t *Tree) Reason { return t.SetLimits(FirmScope(), before) })
	}
	w.same(&o, &ref)
	w.both(func(t *Tree) Reason { return t.Transfer(o.Account, c, -amount) })
}

// shut closes a position by late fills, lets go of the account's orders and changes its modes.
func (w *askedWorld) shut() {
	if w.rng.IntN(3) != 0 {
		return
	}
	a := core.AccountID(1 + w.rng.IntN(3))
	for _, e := range w.open {
		if e.o.Account != a {
			continue
		}
		k := -1
		w.both(func(t *Tree) Reason { k++; t.Release(&e.holds[k]); return Reason{} })
		key := scriptPosition{e.o.Strategy, e.o.Instrument, e.o.Leg}
		before := w.held[key]
		if int64(before.Qty)*e.o.Side.Sign() >= 0 || w.rng.IntN(4) == 0 {
			continue
		}
		f := core.Fill{Side: e.o.Side, Qty: max(before.Qty, -before.Qty), Price: e.o.Price}
		after := before
		if !after.Apply(&w.ins[e.o.Instrument], &f) {
			continue
		}
		b := BookingOf(&before, &after, &f)
		k = -1
		if w.both(func(t *Tree) Reason { k++; return answers(t.Fill(&e.holds[k], &b, w.now)) }) {
			w.held[key] = after
		}
	}
	on := w.rng.IntN(2) == 0
	w.both(func(t *Tree) Reason { return t.SetHedge(a, on) })
	for id := range w.ins[1:] {
		on := w.rng.IntN(2) == 0
		w.both(func(t *Tree) Reason { return t.SetIsolated(a, core.InstrumentID(id+1), on) })
	}
}
