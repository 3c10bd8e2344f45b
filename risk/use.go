package risk

import (
	"math/bits"

	"qcat/core"
)

// Use is how much of one limit of a node is used now.
type Use struct {
	Limit Limit
	Unit  Unit
	Value int64 // used, in the limit's unit; never negative
	Max   int64 // the limit
	// PPM is Value in parts of Max, rounded up: a million is all of it. More than a
	// thousandfold, and anything used of a limit of 0, is a thousandfold; nothing used
	// of a limit of 0 is all of it, for no more of it can be.
	PPM int64
}

// Uses appends how much is used of each limit that is set at the node of a scope and
// of which something can be used up, in the order of the Limit numbers. Of other nodes
// on an order's path nothing is said: what an order meets is the fullest of them.
//
//	counts, positions, exposures   what is held and open, as a new order would find it
//	rates                          tokens taken and not come back by now
//	losses                         at the last confirmed marks; a gain uses nothing
//	fills                          of repeated executions and of a market maker's protection, in their window
//	max_leverage                   gross over equity; without equity a thousandfold
//	position_concentration         the largest share of an instrument, also below the floor
//	max_scenario_loss              the worst scenario
//
// It costs some lookups, and for position_concentration one for every instrument: it
// is for those who look, not for the check.
func (t *Tree) Uses(s Scope, now core.Nanos, dst []Use) []Use {
	s, r := t.resolve(s)
	if !r.OK() {
		return dst
	}
	n := t.node(s, false)
	if n == nil {
		return dst
	}
	v, _ := t.View(s)
	p := &t.profiles[n.profile]
	for set := p.set; set != 0; set &= set - 1 {
		l := Limit(bits.TrailingZeros64(set))
		if value, has := t.used(l, n, p, &v, now); has {
			dst = append(dst, useOf(l, value, p.v[l]))
		}
	}
	return dst
}

// useOf puts value and limit beside each other.
func useOf(l Limit, value, most int64) Use {
	value = max(value, 0)
	return Use{Limit: l, Unit: limitDefs[l].unit, Value: value, Max: most, PPM: share(value, most)}
}

// used returns what is used of limit l of a node, and whether something of it can be
// used up.
func (t *Tree) used(l Limit, n *node, p *profile, v *View, now core.Nanos) (int64, bool) {
	switch l {
	case LimitMaxOpenOrders:
		return int64(v.OpenOrders), true
	case LimitMaxPosition:
		return worstPosition(v), true
	case LimitMaxExposureGross:
		return v.Gross, true
	case LimitMaxExposureNet:
		return max(v.Long, -v.Short), true
	case LimitMaxUnfilled:
		return v.Unfilled, true
	case LimitMessageRate:
		return p.messages.used(n.msgTAT, now), true
	case LimitOrderRate:
		return p.orders.used(n.ordTAT, now), true
	case LimitMaxLeverage:
		return t.leverage(v), true
	case LimitConcentration:
		return t.concentration(v), true
	case LimitMaxLossDaily:
		return -v.DayPnL, true
	case LimitMaxDrawdown:
		return v.Drawdown, true
	case LimitConsecutiveLosses:
		return int64(v.Streak), true
	case LimitMaxScenarioLoss:
		return v.ScenarioLoss, true
	case LimitRepeatedExecutions, LimitProtectionFills:
		return t.flowOf(v.Scope, now).fills, true
	case LimitProtectionQty:
		return t.flowOf(v.Scope, now).qty, true
	case LimitProtectionDelta:
		net := t.flowOf(v.Scope, now).net
		return max(net, -net), true
	}
	return 0, false
}

// flowOf is what was filled at a node in the period that its limits ask for.
func (t *Tree) flowOf(s Scope, now core.Nanos) flowBucket {
	at, _ := t.place(s)
	return t.flows.slots[t.seat(at).sc.flow].sum(now)
}

// worstPosition is what the control of max_position counts, of the worse side: the
// position and all open orders of that side.
func worstPosition(v *View) int64 {
	long, ok1 := add64(int64(v.Position), int64(v.OpenBuy))
	short, ok2 := add64(-int64(v.Position), int64(v.OpenSell))
	if !ok1 || !ok2 {
		return maxAny
	}
	return max(long, short)
}

// used is how many tokens of the bucket are taken at now, one that is only partly back
// included.
func (th throttle) used(tat, now core.Nanos) int64 {
	if th.burst < 0 || th.interval <= 0 {
		return 0
	}
	return int64((th.ready(tat, now) - now + th.interval - 1) / th.interval)
}

// leverage is gross over equity in PPM, rounded up; without equity it has no bound.
func (t *Tree) leverage(v *View) int64 {
	equity, ok := t.Equity(v.Scope)
	switch {
	case v.Gross == 0:
		return 0
	case !ok || equity <= 0:
		return maxPPM
	}
	return share(v.Gross, equity)
}

// concentration is the share of the instrument of which a node holds most.
func (t *Tree) concentration(v *View) int64 {
	if v.Gross <= 0 {
		return 0
	}
	most, s := int64(0), v.Scope
	for i := range t.instruments {
		if t.instruments[i].in == nil {
			continue
		}
		s.Level, s.Instrument = LevelInstrument, core.InstrumentID(i)
		if p := t.pair(s, false); p != nil {
			most = max(most, p.gross)
		}
	}
	return share(most, v.Gross)
}

// share is a in parts per million of b, rounded up, as Use.PPM says.
func share(a, b int64) int64 {
	switch {
	case b <= 0 && a <= 0:
		return core.PPM
	case b <= 0:
		return maxPPM
	case a <= 0:
		return 0
	}
	hi, lo := bits.Mul64(uint64(a), core.PPM)
	lo, carry := bits.Add64(lo, uint64(b)-1, 0)
	if hi += carry; hi >= uint64(b) {
		return maxPPM
	}
	q, _ := bits.Div64(hi, lo, uint64(b))
	return int64(min(q, maxPPM))
}
