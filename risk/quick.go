package risk

import (
	"math"

	"qcat/core"
)

// The quick path admits what passes every limit outright, and decides nothing
// else: whatever it does not admit goes through the controls in their order, which
// find the reason or the exemption. An order that passes without exemptions passes
// with them, so that it needs none, and what does not depend on the node's use is
// asked once, of the tightest limit of the path, not six times.

// merged is the tightest of a path's limits that do not depend on what has been
// used, the instrument's own filters among them. Unset ones are bounds that nothing
// reaches.
type merged struct {
	tick, step  divisor
	least, most core.Price
	minQty      core.Qty
	minValue    core.Notional // the instrument's own, in its settlement currency
	maxValue    core.Notional
	up, down    [3]int64 // collar in PPM by core.Side, the tree's and the venue's
	maxQty      core.Qty
	minNotional int64
	maxNotional int64
	maxAge      int64
	maxOffset   int64 // of the venue's clock
	shocks      shocks
	duplicate   int64 // the longest window, 0: none
	rolling     bool
	barred      bool // restricted or not permitted
	margin      bool // required
	valued      bool // minValue or maxValue is set
	selfs       bool // there is a mode for trades with oneself
}

// bounds are the limits of one node on what it uses, in the order of its profile;
// unset ones are MaxInt64. 128 bytes.
type bounds struct {
	messages, orders                     window
	open, position, unfilled, gross, net int64
	leverage                             int64 // of the firm and accounts
	share, floor, scenario               int64
	_                                    [24]byte
}

func boundsOf(p *profile) bounds {
	ls := &p.Limits
	return bounds{
		messages: p.messages.window(),
		orders:   p.orders.window(),
		open:     ls.or(LimitMaxOpenOrders, math.MaxInt64),
		position: ls.or(LimitMaxPosition, math.MaxInt64),
		unfilled: ls.or(LimitMaxUnfilled, math.MaxInt64),
		gross:    ls.or(LimitMaxExposureGross, math.MaxInt64),
		net:      ls.or(LimitMaxExposureNet, math.MaxInt64),
		leverage: ls.or(LimitMaxLeverage, math.MaxInt64),
		share:    ls.or(LimitConcentration, math.MaxInt64),
		floor:    ls.or(LimitConcentrationFloor, 0),
		scenario: ls.or(LimitMaxScenarioLoss, math.MaxInt64),
	}
}

// or returns limit l, or v where it is not set.
func (ls *Limits) or(l Limit, v int64) int64 {
	if ls.set&(1<<l) != 0 {
		return ls.v[l]
	}
	return v
}

// noCollar is a band that no price leaves: a venue's 0 means none.
const noCollar = math.MaxInt64 / 2

// bound is an upper bound of a filter, where 0 is none.
func bound(v int64) int64 {
	if v <= 0 {
		return math.MaxInt64
	}
	return v
}

// mergePath merges the limits of a path and the filters of its instrument.
func mergePath(in *core.Instrument, path *[pathLen]*profile) merged {
	band := func(ppm int64) int64 {
		if ppm <= 0 {
			return noCollar
		}
		return ppm
	}
	buy, sell := core.Buy, core.Sell
	m := merged{maxQty: core.Qty(bound(int64(in.MaxQty))), maxNotional: math.MaxInt64, maxAge: math.MaxInt64, maxOffset: math.MaxInt64,
		tick: divisorOf(uint64(in.TickSize)), step: divisorOf(uint64(in.StepSize)),
		least: max(in.MinPrice, 1), most: core.Price(bound(int64(in.MaxPrice))), minQty: max(in.MinQty, 1),
		minValue: in.MinNotional, maxValue: core.Notional(bound(int64(in.MaxNotional)))}
	m.up[buy], m.down[buy] = band(in.BidCollarUp), band(in.BidCollarDown)
	m.up[sell], m.down[sell] = band(in.AskCollarUp), band(in.AskCollarDown)
	for i, p := range path {
		m.up[buy] = min(m.up[buy], p.or(LimitCollarBuyUp, noCollar))
		m.down[buy] = min(m.down[buy], p.or(LimitCollarBuyDown, noCollar))
		m.up[sell] = min(m.up[sell], p.or(LimitCollarSellUp, noCollar))
		m.down[sell] = min(m.down[sell], p.or(LimitCollarSellDown, noCollar))
		m.maxQty = min(m.maxQty, core.Qty(p.or(LimitMaxOrderQty, math.MaxInt64)))
		m.minNotional = max(m.minNotional, p.or(LimitMinNotional, 0))
		m.maxNotional = min(m.maxNotional, p.or(LimitMaxNotional, math.MaxInt64))
		m.maxAge = min(m.maxAge, p.or(LimitMaxReferenceAge, math.MaxInt64))
		m.maxOffset = min(m.maxOffset, p.or(LimitMaxClockOffset, math.MaxInt64))
		m.shocks.take(&p.Limits)
		m.selfs = m.selfs || p.or(LimitSelfTrade, 0) > 0
		m.duplicate = max(m.duplicate, p.or(LimitDuplicateWindow, 0))
		m.rolling = m.rolling || p.or(LimitRollingWindow, 0) > 0
		m.barred = m.barred || p.or(LimitRestricted, 0) > 0
		m.margin = m.margin || p.or(LimitMarginRequired, 0) > 0
		if i < atFirmInstrument {
			listed := path[i+atFirmInstrument].or(LimitPermitted, 0) > 0
			m.barred = m.barred || (p.or(LimitPermittedOnly, 0) > 0 && !listed)
		}
	}
	m.shocks, m.valued = m.shocks.or(), in.MinNotional > 0 || in.MaxNotional > 0
	return m
}

// refresh merges the limits of an order's path again if they, or a filter, have
// changed since; the strategy's pair remembers the result.
func (t *Tree) refresh(x *instrument, nodes *[pathLen]*node, strategy *pair) {
	if t.mergedOf(strategy) != nil {
		return
	}
	key := mergeKey{instrument: x.in.ID}
	var path [pathLen]*profile
	for i, n := range nodes {
		key.profiles[i] = n.profile
		path[i] = &t.profiles[n.profile]
	}
	at, ok := t.mergedBy[key]
	if !ok {
		at = uint32(len(t.merged))
		t.merged = append(t.merged, mergePath(x.in, &path))
		t.mergedBy[key] = at
	}
	strategy.merged = t.oldest + at
}

// mergedOf returns what was merged for a strategy's pair, nil if it never was or a
// limit has changed since.
func (t *Tree) mergedOf(strategy *pair) *merged {
	if at := strategy.merged - t.oldest; at < uint32(len(t.merged)) {
		return &t.merged[at]
	}
	return nil
}

// mergeKey is what a merged depends on.
type mergeKey struct {
	instrument core.InstrumentID
	profiles   [pathLen]uint32
}

// limitsChanged makes every merged limit stale.
func (t *Tree) limitsChanged() {
	used := uint32(len(t.merged))
	if t.oldest += used; t.oldest > math.MaxUint32/2 { // before numbers begin anew
		for slot := uint32(1); slot < t.pairs.n; slot++ {
			t.pairs.at(slot).merged = 0
		}
		t.oldest = 1
	}
	t.merged = t.merged[:0]
	clear(t.mergedBy)
}

// quick reports whether a new order passes everything outright, and then fills in
// what Accept needs of a zero Approved.
func (t *Tree) quick(o *Order, ref *Reference, now core.Nanos, a *Approved) bool {
	x := t.instrument(o.Instrument)
	if x == nil || uint32(o.Account) >= uint32(len(t.accounts)) || uint32(o.Strategy) >= uint32(len(t.strategies)) || ref == nil {
		return false
	}
	recently := t.recent.fetch(o)
	parents := t.branches(o)
	if parents[atStrategy].owner != uint32(o.Account) {
		return false
	}
	slotS, slotA := t.pairs.findPath(o)
	if slotA == 0 || slotS == 0 {
		return false
	}
	held := [3]*pair{&x.firm, t.pairs.at(slotA), t.pairs.at(slotS)}
	// States and trips are asked here so that the six nodes, which a random order finds
	// in memory, are fetched side by side while the terms are looked at.
	if stopped(&parents, &held) {
		return false
	}
	m := t.mergedOf(held[2])
	if m == nil {
		return false
	}
	price, ok := m.reference(ref, now)
	if !ok || m.barred || (m.selfs && o.Crosses != 0) || !m.terms(o, price) {
		return false
	}
	if (o.Leg != core.LegNet || t.ledger.hedged > 0) && (closesLeg(o) || !t.fitsLeg(o.Account, x, o.Leg)) {
		return false
	}
	if m.rolling && !t.rolls(x, o.Price, price, now) {
		return false
	}
	value, ok := m.notional(x, o)
	if !ok || m.duplicate > 0 && !t.recent.passes(recently, o, now, m.duplicate) {
		return false
	}
	q := quickly{t: t, x: x, m: m, o: o, parents: parents, held: held, ref: price, value: value}
	if q.unit, ok = x.val.unit(price); !ok {
		return false
	}
	if !q.use(now) || m.margin && !q.margin() {
		return false
	}
	a.order, a.version, a.now = *o, t.version, now
	a.price, a.ref, a.reserves = o.Price, price, value
	a.account, a.strategy = slotA, slotS
	return true
}

// stopped reports whether a state or a trip on a path refuses what does not reduce.
func stopped(parents *[3]*branch, held *[3]*pair) bool {
	return parents[0].stops()|parents[1].stops()|parents[2].stops()|held[0].stops()|held[1].stops()|held[2].stops() != 0
}

// reference is check.reference for the tightest age.
func (m *merged) reference(ref *Reference, now core.Nanos) (core.Price, bool) {
	price, at := ref.Mark, ref.MarkTime
	if price <= 0 {
		price, at = ref.Last, ref.LastTime
		if ref.Bid > 0 && ref.Ask > 0 {
			price, at = ref.Bid+(ref.Ask-ref.Bid)/2, ref.Time
		}
	}
	locked := ref.Bid > 0 && ref.Ask > 0 && ref.Bid >= ref.Ask
	if m.maxOffset != math.MaxInt64 && ref.VenueTime != 0 && int64(age(ref.VenueTime, ref.Time)) > m.maxOffset {
		return 0, false
	}
	return price, price > 0 && ref.Flags&(core.FlagStale|core.FlagCrossed) == 0 && !locked && int64(age(at, now)) <= m.maxAge
}

// terms is check.valid, format, collar and size for a limit order.
func (m *merged) terms(o *Order, ref core.Price) bool {
	if o.Type != core.Limit || o.ReduceOnly || o.Side-core.Buy > core.Sell-core.Buy || o.TIF-core.GTC > core.PostOnly-core.GTC {
		return false
	}
	if o.Price < m.least || o.Price > m.most || o.Qty < m.minQty || o.Qty > m.maxQty ||
		!m.tick.divides(uint64(o.Price)) || !m.step.divides(uint64(o.Qty)) {
		return false
	}
	return !above(o.Price, ref, m.up[o.Side]) && !below(o.Price, ref, m.down[o.Side])
}

// rolls is check.rollingCollar for the quick path.
func (t *Tree) rolls(x *instrument, p, ref core.Price, now core.Nanos) bool {
	lo, hi := x.rolling.bounds(ref, now)
	ls := &t.profiles[x.firm.profile]
	return !above(p, lo, ls.or(LimitRollingUp, noCollar)) && !below(p, hi, ls.or(LimitRollingDown, noCollar))
}

// notional is check.notional for a limit order; it returns the order's value.
func (m *merged) notional(x *instrument, o *Order) (int64, bool) {
	unit, ok1 := x.val.unit(o.Price)
	value, ok2 := x.val.value(o.Qty, unit)
	if !ok1 || !ok2 || value > m.maxNotional || value < m.minNotional {
		return 0, false
	}
	if !m.valued {
		return value, true
	}
	least, most := core.Notional(value), core.Notional(value)
	if !x.settles {
		most, ok1 = x.in.Notional(o.Price, o.Qty, core.RoundUp)
		least, ok2 = x.in.Notional(o.Price, o.Qty, core.RoundDown)
	}
	return value, ok1 && ok2 && least >= m.minValue && most <= m.maxValue
}
