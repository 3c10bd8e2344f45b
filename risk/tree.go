package risk

import (
	"qcat/core"
	"qcat/core/mem"
)

// ValueScale is the number of decimals of an amount of the risk currency: what
// every notional limit and every sum over instruments is counted in. An
// instrument is brought to it by the rate of its settlement currency (of its
// quote currency when it is inverse); USD and its stablecoins count at par.
const ValueScale = 8

// Config sizes the tables. They grow beyond it, except for MaxPositions.
type Config struct {
	Accounts, Strategies, Instruments int // expected, 0: small
	// Positions is the expected number of (account, instrument) pairs plus
	// (strategy, instrument) pairs that trade or carry limits.
	Positions int
	// MaxPositions bounds them; 0 means DefaultMaxPositions. An order that would
	// need one more is refused with Capacity.
	MaxPositions int
}

// DefaultMaxPositions bounds the pairs of Config.MaxPositions: 128 bytes each, and as
// many beside them for profits.
const DefaultMaxPositions = 1 << 22

// Tree is the limits, the states and what has been used of them. One goroutine
// owns it. See the package comment for its use.
type Tree struct {
	version uint64 // of the state: an Approved is good for one version

	firm       branch
	accounts   []branch // by id
	strategies []branch // by id
	profiles   []profile
	bounds     []bounds // of each profile; derived
	pairs      pairs

	instruments []instrument // by id
	venues      []venue
	rates       []rate
	sources     []rateSource
	recent      recent
	breaches    breaches
	trips       trips
	scores      scores
	flows       flows

	interned map[Limits]uint32 // profiles by content; off the check path

	// What quick reads instead of six profiles; derived, not part of the state.
	merged   []merged
	oldest   uint32 // number of merged[0]; lower ones are of limits that have changed since
	mergedBy map[mergeKey]uint32
	valuing  uint32 // counts changes of rates; see standing

	ledger ledger

	changes changes // not part of the state
}

// NewTree returns a tree with the firm's node only, without limits, active.
func NewTree(c Config) *Tree {
	if c.MaxPositions <= 0 {
		c.MaxPositions = DefaultMaxPositions
	}
	t := &Tree{
		version:     1,
		firm:        branch{node: node{defined: true}},
		accounts:    mem.Huge[branch](c.Accounts + 1)[:1],
		strategies:  mem.Huge[branch](c.Strategies + 1)[:1],
		instruments: make([]instrument, 1, c.Instruments+1),
		pairs:       newPairs(min(max(c.Positions, 0), c.MaxPositions), c.MaxPositions),
		interned:    map[Limits]uint32{},
		oldest:      1,
		mergedBy:    map[mergeKey]uint32{},
		valuing:     1,
		ledger:      newLedger(),
	}
	t.intern(Limits{})
	t.growScores()
	t.trips = trips{slots: make([]tripped, 1, 64), deadline: never}
	t.flows.slots = make([]flow, 1)
	for _, currency := range par {
		t.rates = append(t.rates, rate{currency, core.PPM})
	}
	return t
}

// DefineAccount adds an account. Defining it again changes nothing. Refused with
// UnknownAccount when id is no id.
func (t *Tree) DefineAccount(id core.AccountID) Reason {
	if id == 0 || id > maxID {
		return Reason{Code: UnknownAccount, Scope: AccountScope(id)}
	}
	if nodeAt(t.accounts, uint32(id)) == nil {
		t.version++
		define(&t.accounts, uint32(id), 0)
		t.growScores()
		t.defined(AccountScope(id))
	}
	return Reason{}
}

// DefineStrategy adds a strategy of an account. Defining it again changes
// nothing; under another account it is refused with UnknownStrategy, under an
// unknown one with UnknownAccount.
func (t *Tree) DefineStrategy(id core.StrategyID, account core.AccountID) Reason {
	s := Scope{Level: LevelStrategy, Account: account, Strategy: id}
	if nodeAt(t.accounts, uint32(account)) == nil {
		return Reason{Code: UnknownAccount, Scope: s}
	}
	if id == 0 || id > maxID {
		return Reason{Code: UnknownStrategy, Scope: s}
	}
	if n := nodeAt(t.strategies, uint32(id)); n != nil {
		if n.owner != uint32(account) {
			return Reason{Code: UnknownStrategy, Scope: s}
		}
		return Reason{}
	}
	t.version++
	define(&t.strategies, uint32(id), uint32(account))
	t.growScores()
	t.defined(s)
	return Reason{}
}

func define(branches *[]branch, id, owner uint32) {
	for uint32(len(*branches)) <= id {
		*branches = append(*branches, branch{})
	}
	(*branches)[id].defined, (*branches)[id].owner = true, owner
}

// defined notes that a scope has become a node.
func (t *Tree) defined(s Scope) {
	t.changes.reserve(t.nodes())
	t.touchScope(s)
}

// node returns the node of a resolved scope. A pair that does not exist is made
// when create is set and nil otherwise.
func (t *Tree) node(s Scope, create bool) *node {
	switch s.Level {
	case LevelFirm:
		return &t.firm.node
	case LevelAccount:
		return nodeAt(t.accounts, uint32(s.Account))
	case LevelStrategy:
		return nodeAt(t.strategies, uint32(s.Strategy))
	}
	p := t.pair(s, create)
	if p == nil {
		return nil
	}
	return &p.node
}

// pair returns the pair of a resolved instrument scope.
func (t *Tree) pair(s Scope, create bool) *pair {
	key := strategyPairKey(s.Strategy, s.Instrument)
	switch {
	case s.Strategy != 0:
	case s.Account != 0:
		key = accountPairKey(s.Account, s.Instrument)
	default:
		return &t.instrument(s.Instrument).firm
	}
	slot := t.pairs.find(key)
	if slot == 0 && create && t.pairs.room(1) {
		slot = t.makePair(key, s.Instrument)
	}
	if slot == 0 {
		return nil
	}
	return t.pairs.at(slot)
}

// makePair adds a pair and hangs it on its instrument.
func (t *Tree) makePair(key uint64, id core.InstrumentID) uint32 {
	slot := t.pairs.make(key)
	x := &t.instruments[id]
	t.pairs.at(slot).next, x.first = x.first, slot
	t.changes.reserve(t.nodes())
	return slot
}

// SetLimits replaces all limits of one node. It is refused with UnknownAccount,
// UnknownStrategy, UnknownInstrument, InvalidSetting (see Limits.Validate) or
// Capacity and then changes nothing.
func (t *Tree) SetLimits(s Scope, ls Limits) Reason {
	if r := t.CheckLimits(s, &ls); !r.OK() {
		return r
	}
	s, _ = t.resolve(s)
	n := t.node(s, true)
	t.version++
	t.touchScope(s)
	before := t.profiles[n.profile].Limits
	n.profile = t.intern(ls)
	t.limitsChanged()
	t.limitsSet(s, &before)
	if w, ok := ls.Get(LimitDuplicateWindow); ok {
		t.recent.keep(core.Nanos(w))
	}
	if s.Level == LevelInstrument && s.Account == 0 {
		if w, _ := ls.Get(LimitRollingWindow); t.instruments[s.Instrument].rolling.window != w {
			t.instruments[s.Instrument].rolling.restart(w)
		}
	}
	return Reason{}
}

// CheckLimits answers what SetLimits would and changes nothing.
func (t *Tree) CheckLimits(s Scope, ls *Limits) Reason {
	s, r := t.resolve(s)
	if !r.OK() {
		return r
	}
	if l, ok := ls.Validate(s); !ok {
		v, _ := ls.Get(l)
		return Reason{Code: InvalidSetting, Unit: l.Unit(), Scope: s, Value: v}
	}
	if t.node(s, false) == nil && !t.pairs.room(1) {
		return Reason{Code: Capacity, Scope: s, Limit: int64(t.pairs.max), Unit: UnitCount}
	}
	return Reason{}
}

// Limits returns the limits of one node, none if there is no such node.
func (t *Tree) Limits(s Scope) Limits {
	if s, r := t.resolve(s); r.OK() {
		if n := t.node(s, false); n != nil {
			return t.profiles[n.profile].Limits
		}
	}
	return Limits{}
}

// SetState sets the trading state of one node. StateHalted is the kill switch's
// half that blocks entry; the caller cancels what is open. StateActive also resumes a
// node that an event has tripped. Refused as SetLimits is.
func (t *Tree) SetState(s Scope, st TradingState) Reason {
	s, r := t.resolve(s)
	if !r.OK() {
		return r
	}
	if st > StateHalted {
		return Reason{Code: InvalidSetting, Scope: s, Value: int64(st)}
	}
	n := t.node(s, st != StateActive)
	if n == nil {
		if st == StateActive {
			return Reason{} // a pair that was never made is active
		}
		return Reason{Code: Capacity, Scope: s, Limit: int64(t.pairs.max), Unit: UnitCount}
	}
	t.version++
	t.touchScope(s)
	n.state = st
	t.setBy(s, st)
	return Reason{}
}

// State returns the trading state of one node alone.
func (t *Tree) State(s Scope) TradingState {
	if s, r := t.resolve(s); r.OK() {
		if n := t.node(s, false); n != nil {
			return n.state
		}
	}
	return StateActive
}
