package risk

import (
	"math"
	"math/bits"

	"qcat/core"
)

// The quick path admits what passes every limit outright, and decides nothing
// else: whatever it does not admit goes through the controls in their order, which
// find the reason or the exemption. An order that passes without exemptions passes
// with them, so that it needs none, and what does not depend on the node's use is
// asked once, of the tightest limit of the path, not six times.

// merged is the tightest of a path's limits that do not depend on what has been
// used. Unset ones are bounds that nothing reaches.
type merged struct {
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
	selfs       bool // there is a mode for trades with oneself
}

// bounds are the limits of one node on what it uses; unset ones are MaxInt64.
type bounds struct {
	open, position, unfilled, gross, net int64
	leverage                             int64 // of the firm and accounts
	share, floor, scenario               int64
}

func boundsOf(ls *Limits) bounds {
	return bounds{
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

// mergePath merges the limits of a path and the filters of its instrument.
func mergePath(in *core.Instrument, path *[pathLen]*profile) merged {
	band := func(ppm int64) int64 {
		if ppm <= 0 {
			return noCollar
		}
		return ppm
	}
	buy, sell := core.Buy, core.Sell
	m := merged{maxQty: math.MaxInt64, maxNotional: math.MaxInt64, maxAge: math.MaxInt64, maxOffset: math.MaxInt64}
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
	m.shocks = m.shocks.or()
	return m
}

// refresh merges the limits of an order's path again if they, or a filter, have
// changed since; the strategy's pair remembers the result.
func (t *Tree) refresh(x *instrument, nodes *[pathLen]*node, strategy *pair) {
	if strategy.epoch == t.epoch {
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
	strategy.merged, strategy.epoch = at, t.epoch
}

// mergeKey is what a merged depends on.
type mergeKey struct {
	instrument core.InstrumentID
	profiles   [pathLen]uint32
}

// limitsChanged makes every merged limit stale.
func (t *Tree) limitsChanged() {
	t.epoch++
	t.merged = t.merged[:0]
	clear(t.mergedBy)
}

// quick reports whether a new order passes everything outright, and then fills in
// what Accept needs.
func (t *Tree) quick(o *Order, ref *Reference, now core.Nanos, a *Approved) bool {
	x := t.instrument(o.Instrument)
	if x == nil || uint32(o.Account) >= uint32(len(t.accounts)) || uint32(o.Strategy) >= uint32(len(t.strategies)) || ref == nil {
		return false
	}
	slotA := t.pairs.find(accountPairKey(o.Account, o.Instrument))
	slotS := t.pairs.find(strategyPairKey(o.Strategy, o.Instrument))
	account, strategy := &t.accounts[o.Account], &t.strategies[o.Strategy]
	if slotA == 0 || slotS == 0 || strategy.owner != uint32(o.Account) {
		return false
	}
	held := [3]*pair{&x.firm, t.pairs.at(slotA), t.pairs.at(slotS)}
	// States and trips are asked here so that the six nodes, which a random order finds
	// in memory, are fetched side by side while the terms are looked at.
	if t.firm.stops()|account.stops()|strategy.stops()|held[0].stops()|held[1].stops()|held[2].stops() != 0 ||
		held[2].epoch != t.epoch {
		return false
	}
	m := &t.merged[held[2].merged]
	price, ok := m.reference(ref, now)
	if !ok || m.barred || (m.selfs && o.Crosses != 0) || t.venues[x.venue].down || !m.terms(x, o, price) {
		return false
	}
	if (o.Leg != core.LegNet || t.ledger.hedged > 0) && (closesLeg(o) || !t.fitsLeg(o.Account, x, o.Leg)) {
		return false
	}
	if m.rolling && !t.rolls(x, o.Price, price, now) {
		return false
	}
	value, ok := m.notional(x, o)
	if !ok {
		return false
	}
	if m.duplicate > 0 {
		k := recentOf(o, now)
		if old, found, room := t.recent.look(&k); !room || (found && int64(old) < m.duplicate) {
			return false
		}
	}
	parents := [3]*node{&t.firm, account, strategy}
	if !t.quickUse(parents, held, value, now) || !t.quickExposure(x, o, m, parents, held, price) {
		return false
	}
	if m.margin && !t.quickMargin(x, o, held[1], price) {
		return false
	}
	*a = Approved{order: *o, version: t.version, now: now, price: o.Price, ref: price, reserves: value,
		account: slotA, strategy: slotS}
	return true
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
func (m *merged) terms(x *instrument, o *Order, ref core.Price) bool {
	in := x.in
	if o.Type != core.Limit || o.ReduceOnly || o.Price <= 0 || o.Qty <= 0 || o.Side-core.Buy > core.Sell-core.Buy ||
		o.TIF-core.GTC > core.PostOnly-core.GTC {
		return false
	}
	if !x.tick.divides(uint64(o.Price)) || !x.step.divides(uint64(o.Qty)) ||
		o.Price < in.MinPrice || (o.Price > in.MaxPrice && in.MaxPrice > 0) ||
		o.Qty < in.MinQty || (o.Qty > in.MaxQty && in.MaxQty > 0) || o.Qty > m.maxQty {
		return false
	}
	up, down := m.up[o.Side], m.down[o.Side]
	return !above(o.Price, ref, up) && !below(o.Price, ref, down)
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
	in := x.in
	if in.MinNotional <= 0 && in.MaxNotional <= 0 {
		return value, true
	}
	least, most := core.Notional(value), core.Notional(value)
	if !x.settles {
		most, ok1 = in.Notional(o.Price, o.Qty, core.RoundUp)
		least, ok2 = in.Notional(o.Price, o.Qty, core.RoundDown)
	}
	return value, ok1 && ok2 && least >= in.MinNotional && (most <= in.MaxNotional || in.MaxNotional <= 0)
}

// quickUse asks the six nodes for a place, unfilled value and the tokens.
func (t *Tree) quickUse(parents [3]*node, held [3]*pair, value int64, now core.Nanos) bool {
	for k := range 3 {
		if !t.admits(parents[k], value, now) || !t.admits(&held[k].node, value, now) {
			return false
		}
	}
	return true
}

func (t *Tree) admits(n *node, value int64, now core.Nanos) bool {
	p := &t.profiles[n.profile]
	unfilled := n.unfilled + value // neither is negative: an overflow is
	return unfilled >= 0 && unfilled <= p.bounds.unfilled && int64(n.open) < p.bounds.open &&
		p.messages.admits(n.msgTAT, now) && p.orders.admits(n.ordTAT, now)
}

// quickExposure is check.position, exposure, shares and stresses.
func (t *Tree) quickExposure(x *instrument, o *Order, m *merged, parents [3]*node, held [3]*pair, ref core.Price) bool {
	unit, ok := x.val.unit(ref)
	if !ok {
		return false
	}
	for k, p := range held {
		n := parents[k]
		own, of := &t.profiles[p.profile].bounds, &t.profiles[n.profile].bounds
		long, short, gross, ok := p.projected(x.val, o.Side, o.Qty, ref, unit)
		if !ok {
			return false
		}
		net, ownNet, position := n.long-p.long+long, long, int64(p.position)+int64(p.buy)+int64(o.Qty)
		if o.Side == core.Sell {
			net, ownNet, position = p.short-n.short-short, -short, int64(p.sell)+int64(o.Qty)-int64(p.position)
		}
		total := n.gross - p.gross + gross // neither is negative: an overflow is
		if total < 0 || total > of.gross || gross > own.gross || net > of.net || ownNet > own.net || position > own.position {
			return false
		}
		if !t.quickLeverage(k, o.Account, total, of.leverage) {
			return false
		}
		if of.share != math.MaxInt64 && total > of.floor && concentrated(gross, total, of.share) {
			return false
		}
		if of.scenario != math.MaxInt64 && m.shocks.worst(total, t.stresses(o)[k].with(x, p, long, short)) > of.scenario {
			return false
		}
	}
	return true
}

// divisor tells multiples of d without dividing: for odd d, n·d⁻¹ mod 2⁶⁴ is at
// most ⌊(2⁶⁴−1)/d⌋ exactly when d divides n; the twos of an even d are rotated out
// (Granlund and Montgomery, "Division by invariant integers using multiplication",
// 1994, §9).
type divisor struct {
	inverse, limit uint64
	shift          int
}

func divisorOf(d uint64) divisor {
	shift := bits.TrailingZeros64(d)
	odd := d >> shift
	inv := odd // Newton's iteration doubles the right bits: 3, 6, 12, 24, 48, 96
	for range 5 {
		inv *= 2 - odd*inv
	}
	return divisor{inverse: inv, limit: math.MaxUint64 / d, shift: shift}
}

// divides reports whether n is a multiple.
func (d divisor) divides(n uint64) bool {
	return bits.RotateLeft64(n*d.inverse, -d.shift) <= d.limit
}
