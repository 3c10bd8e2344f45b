package risk

import "qcat/core"

// Nodes of an order's path, in the order in which every control asks them.
const (
	atFirm = iota
	atAccount
	atStrategy
	atFirmInstrument
	atAccountInstrument
	atStrategyInstrument
	pathLen

	// Nodes whose limits an order that reduces the account's (strategy's)
	// position is exempt from.
	exemptAccount  = 1<<atFirm | 1<<atAccount | 1<<atFirmInstrument | 1<<atAccountInstrument
	exemptStrategy = 1<<atStrategy | 1<<atStrategyInstrument
	exemptAll      = 1<<pathLen - 1
)

// check is one decision on its way through the controls. It lives on the stack
// and only reads the tree.
type check struct {
	t    *Tree
	o    Order // the terms asked for
	hold *Hold // nil: a new order
	now  core.Nanos
	all  bool // go on after a refusal and collect
	dst  []Reason
	fail Reason // the first refusal

	x        *instrument
	nodes    [pathLen]*node
	profiles [pathLen]*profile
	set      uint64 // limits set anywhere on the path
	exempt   uint8  // bit per node of the path: a reducing order
	account  *pair
	strategy *pair
	slots    [2]uint32 // of account and strategy; 0: no such pair yet

	selfs    SelfTradeMode
	add      core.Qty // what the open quantity of the order's side grows by
	ref      core.Price
	refUnit  int64      // 0: no reference price
	price    core.Price // what the order is valued at
	value    int64      // of the whole order at price
	reserves int64      // of its open part, what the order reserves in unfilled
	adds     int64      // what unfilled grows by
}

// refuse notes a refusal and reports whether the check ends with it.
func (c *check) refuse(r Reason) bool {
	if c.fail.OK() {
		c.fail = r
	}
	if c.all {
		c.dst = append(c.dst, r)
		return false
	}
	return true
}

// end notes a refusal after which nothing else can be decided.
func (c *check) end(r Reason) bool {
	c.refuse(r)
	return true
}

// CheckNew decides on a new order. It changes nothing but what the tree remembers for
// the next check, which is no state. On refusal the Approved is of no use and Reason
// names the first control that failed, in the order of docs/risk-controls.md, and the
// first level that refused.
func (t *Tree) CheckNew(o *Order, ref *Reference, now core.Nanos) (a Approved, r Reason) {
	if t.quick(o, ref, now, &a) {
		return a, r
	}
	c := check{t: t, o: *o, now: now}
	c.run(ref)
	return c.approved(), c.fail
}

// CheckAll appends every refusal a new order would meet, in the order of the
// controls: what CheckNew would answer comes first. Nothing appended: admitted.
// After a missing account, strategy, instrument or rate, or an invalid order,
// nothing else is asked; without a reference price only what needs none.
func (t *Tree) CheckAll(o *Order, ref *Reference, now core.Nanos, dst []Reason) []Reason {
	c := check{t: t, o: *o, now: now, all: true, dst: dst}
	c.run(ref)
	return c.dst
}

// CheckAmend decides on new terms of the open order behind h, by the same
// controls as CheckNew with the order's own reservation taken out. AmendPending
// refuses while an earlier amendment waits, OrderClosed when h is not open.
func (t *Tree) CheckAmend(h *Hold, am Amend, ref *Reference, now core.Nanos) (Approved, Reason) {
	switch {
	case !h.open:
		return Approved{}, Reason{Code: OrderClosed}
	case h.pending:
		return Approved{}, Reason{Code: AmendPending}
	}
	c := check{t: t, o: h.order, hold: h, now: now}
	c.o.Price, c.o.Qty, c.o.Crosses = am.Price, am.Qty, am.Crosses
	c.run(ref)
	return c.approved(), c.fail
}

// run puts the controls in their order. Each reports whether the check ends.
func (c *check) run(ref *Reference) {
	_ = c.identity() ||
		c.valid() ||
		c.halted() ||
		c.clock(ref) ||
		c.reducing() ||
		c.trips() ||
		c.permitted() ||
		c.selfTrade() ||
		c.format() ||
		c.reference(ref) ||
		c.collar() ||
		c.rollingCollar() ||
		c.size() ||
		c.notional() ||
		c.counts() ||
		c.position() ||
		c.unfilled() ||
		c.exposure() ||
		c.margin() ||
		c.leverage() ||
		c.shares() ||
		c.stresses() ||
		c.duplicate() ||
		c.rates()
}

// approved returns what Accept needs if nothing refused.
func (c *check) approved() Approved {
	if !c.fail.OK() {
		return Approved{}
	}
	return Approved{
		order: c.o, version: c.t.version, now: c.now, hold: c.hold,
		price: c.price, ref: c.ref, reserves: c.reserves,
		account: c.slots[0], strategy: c.slots[1], selfs: c.selfs, reduces: c.selfs != 0 && c.exempt&exemptAccount == exemptAccount,
	}
}

// scope names a node of the path.
func (c *check) scope(i int) Scope {
	switch i {
	case atFirm:
		return FirmScope()
	case atAccount:
		return AccountScope(c.o.Account)
	case atStrategy:
		return Scope{Level: LevelStrategy, Account: c.o.Account, Strategy: c.o.Strategy}
	case atFirmInstrument:
		return InstrumentScope(0, 0, c.o.Instrument)
	case atAccountInstrument:
		return InstrumentScope(c.o.Account, 0, c.o.Instrument)
	}
	return InstrumentScope(c.o.Account, c.o.Strategy, c.o.Instrument)
}

// identity finds the path of the order; what is missing refuses.
func (c *check) identity() bool {
	t, o := c.t, &c.o
	a := nodeAt(t.accounts, uint32(o.Account))
	if a == nil {
		return c.end(Reason{Code: UnknownAccount, Scope: AccountScope(o.Account)})
	}
	s := nodeAt(t.strategies, uint32(o.Strategy))
	if s == nil || s.owner != uint32(o.Account) {
		return c.end(Reason{Code: UnknownStrategy, Scope: c.scope(atStrategy)})
	}
	c.x = t.instrument(o.Instrument)
	if c.x == nil {
		return c.end(Reason{Code: UnknownInstrument, Scope: c.scope(atFirmInstrument)})
	}
	if c.x.val.mul == 0 {
		code := NoRate
		if t.Rate(valued(c.x.in)) != 0 {
			code = Overflow // its scales are too far from ValueScale
		}
		return c.end(Reason{Code: code, Scope: c.scope(atFirmInstrument)})
	}
	if c.hold != nil {
		c.slots = [2]uint32{c.hold.account, c.hold.strategy}
	} else {
		c.slots[0] = t.pairs.find(accountPairKey(o.Account, o.Instrument))
		c.slots[1] = t.pairs.find(strategyPairKey(o.Strategy, o.Instrument))
		if missing := missing(c.slots[0]) + missing(c.slots[1]); missing > 0 && !t.pairs.room(missing) {
			return c.end(Reason{Code: Capacity, Unit: UnitCount, Limit: int64(t.pairs.max), Value: int64(t.pairs.max) + 1})
		}
	}
	c.account, c.strategy = t.pairs.at(c.slots[0]), t.pairs.at(c.slots[1])
	c.nodes = [pathLen]*node{&t.firm.node, a, s, &c.x.firm.node, &c.account.node, &c.strategy.node}
	for i, n := range c.nodes {
		p := &t.profiles[n.profile]
		c.profiles[i] = p
		c.set |= p.set
	}
	return false
}

func missing(slot uint32) uint32 {
	if slot == 0 {
		return 1
	}
	return 0
}

// any reports whether a limit is set anywhere on the path.
func (c *check) any(l Limit) bool { return c.set&(1<<l) != 0 }

// has reports whether node i has limit l.
func (c *check) has(i int, l Limit) bool { return c.profiles[i].set&(1<<l) != 0 }

// applies reports whether node i has limit l and the order is not exempt from it.
func (c *check) applies(i int, l Limit) bool { return c.has(i, l) && c.exempt&(1<<i) == 0 }

// most refuses where value is above limit l of a node that does not exempt it.
func (c *check) most(l Limit, code Code, value int64) bool {
	if !c.any(l) {
		return false
	}
	for i := range c.profiles {
		if c.applies(i, l) && value > c.profiles[i].v[l] &&
			c.refuse(Reason{Code: code, Unit: limitDefs[l].unit, Scope: c.scope(i), Limit: c.profiles[i].v[l], Value: value}) {
			return true
		}
	}
	return false
}
