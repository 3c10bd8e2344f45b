package risk

import "qcat/core"

// View is what one node has used, by value.
type View struct {
	Scope  Scope
	State  TradingState
	Limits Limits // the node's own

	OpenOrders int
	// Instrument scopes only, in quantity units.
	Position, OpenBuy, OpenSell core.Qty
	// Values in the risk currency, 10^-ValueScale: Gross is Σ worst case over
	// instruments, Long what the node would be worth if all buys filled, Short
	// (negative when short) if all sells filled, Unfilled what is open.
	Gross, Long, Short, Unfilled int64

	// Profit and loss of its fills at the last confirmed marks, fees and funding
	// taken off, in the risk currency: all of it, since the day began, the best it
	// ever was, and how far below that it is (never negative).
	PnL, DayPnL, Peak, Drawdown int64
	Streak                      int // losing round trips in a row

	// What the worst scenario would cost, and which it is; see Scenarios.
	ScenarioLoss  int64
	WorstScenario string

	Trips int  // how many controls keep it from opening; see Trips
	Cause Code // the breach that set State; OK: a person did, or nobody
}

// View returns what one node has used and whether there is such a node. An
// instrument node that never traded is all zero.
func (t *Tree) View(s Scope) (View, bool) {
	s, r := t.resolve(s)
	if !r.OK() {
		return View{}, false
	}
	v := View{Scope: s}
	n := t.node(s, false)
	if n == nil {
		return v, true
	}
	v.State, v.Limits = n.state, t.profiles[n.profile].Limits
	t.viewScore(&v, n)
	v.OpenOrders = int(n.open)
	v.Gross, v.Long, v.Short, v.Unfilled = n.gross, n.long, n.short, n.unfilled
	if s.Level == LevelInstrument {
		p := t.pair(s, false)
		v.Position, v.OpenBuy, v.OpenSell = p.position, p.buy, p.sell
	}
	return v, true
}

// Scopes calls yield for every node that exists, firm first, then accounts,
// strategies, instruments firm-wide and pairs in the order in which they were
// made, until it returns false.
func (t *Tree) Scopes(yield func(Scope) bool) {
	var c ScopeCursor
	for more := true; more; {
		more = t.walk(&c, 1<<30, yield)
	}
}

// ScopeCursor is a place in the order of Scopes. The zero value is the beginning.
// Nodes that are made while somebody walks are seen or not; no other is seen
// twice or left out.
type ScopeCursor struct {
	section uint8
	index   uint32
}

// Place is the place as two numbers, for those who keep it elsewhere.
func (c ScopeCursor) Place() (section, index uint64) { return uint64(c.section), uint64(c.index) }

// ScopeCursorAt is the cursor of a place that Place gave.
func ScopeCursorAt(section, index uint64) (c ScopeCursor, ok bool) {
	if section >= sections || index > maxID+1 {
		return c, false
	}
	return ScopeCursor{uint8(section), uint32(index)}, true
}

// NextScopes calls yield for the next nodes after c, after a look at no more than
// most places, and reports whether there may be more: a large tree is walked in
// steps that hold up its owner for a bounded time each.
func (t *Tree) NextScopes(c *ScopeCursor, most int, yield func(Scope)) bool {
	return t.walk(c, most, func(s Scope) bool { yield(s); return true })
}

// sections is how many tables there are, in the order of Scopes.
const sections = 5

func (t *Tree) walk(c *ScopeCursor, most int, yield func(Scope) bool) bool {
	sizes := [sections]uint32{1, uint32(len(t.accounts)), uint32(len(t.strategies)), uint32(len(t.instruments)), t.pairs.n}
	for ; most > 0; most-- {
		for c.index >= sizes[c.section] {
			c.section, c.index = c.section+1, 0
			if c.section == sections {
				c.section, c.index = sections-1, sizes[sections-1]
				return false
			}
		}
		s, ok := t.scopeAt(c)
		c.index++
		if ok && !yield(s) {
			return false
		}
	}
	return true
}

// scopeAt returns the node at c, if there is one.
func (t *Tree) scopeAt(c *ScopeCursor) (Scope, bool) {
	i := c.index
	switch c.section {
	case 0:
		return FirmScope(), true
	case 1:
		return AccountScope(core.AccountID(i)), t.accounts[i].defined
	case 2:
		n := &t.strategies[i]
		return Scope{Level: LevelStrategy, Account: core.AccountID(n.owner), Strategy: core.StrategyID(i)}, n.defined
	case 3:
		return InstrumentScope(0, 0, core.InstrumentID(i)), t.instruments[i].in != nil
	}
	if i == 0 {
		return Scope{}, false // slot 0 of the pairs is nobody's
	}
	s := t.pairs.at(i).scope()
	if s.Strategy != 0 {
		s.Account = core.AccountID(t.strategies[s.Strategy].owner)
	}
	return s, true
}

// EffectiveLimit is one limit as an order of a scope meets it: the tightest of
// its path, and where it hangs.
type EffectiveLimit struct {
	Limit Limit
	Value int64
	From  Scope
}

// Effective returns the tightest of every limit that an order of the given
// account, strategy and instrument meets (zero ids leave a level out), in the
// order of the Limit numbers. Of a rate the count and its period come from the
// same node.
func (t *Tree) Effective(s Scope) []EffectiveLimit {
	s, r := t.resolve(s)
	if !r.OK() {
		return nil
	}
	var nodes []View
	for _, at := range pathScopes(s) {
		if v, ok := t.View(at); ok {
			nodes = append(nodes, v)
		}
	}
	var out []EffectiveLimit
	for l := range numLimits {
		best := -1
		for i := range nodes {
			if _, set := nodes[i].Limits.Get(l); set && (best < 0 || tighter(l, &nodes[i].Limits, &nodes[best].Limits)) {
				best = i
			}
		}
		if best >= 0 {
			v, _ := nodes[best].Limits.Get(l)
			out = append(out, EffectiveLimit{Limit: l, Value: v, From: nodes[best].Scope})
		}
	}
	return out
}

// pathScopes returns the scopes an order of s meets, in check order.
func pathScopes(s Scope) []Scope {
	out := []Scope{FirmScope()}
	if s.Account != 0 {
		out = append(out, AccountScope(s.Account))
	}
	if s.Strategy != 0 {
		out = append(out, Scope{Level: LevelStrategy, Account: s.Account, Strategy: s.Strategy})
	}
	if s.Instrument == 0 {
		return out
	}
	out = append(out, InstrumentScope(0, 0, s.Instrument))
	if s.Account != 0 {
		out = append(out, InstrumentScope(s.Account, 0, s.Instrument))
	}
	if s.Strategy != 0 {
		out = append(out, InstrumentScope(s.Account, s.Strategy, s.Instrument))
	}
	return out
}
