package risk

import "qcat/core"

// Order is what is asked for: the terms of an order before it has an id.
type Order struct {
	Account    core.AccountID
	Strategy   core.StrategyID
	Instrument core.InstrumentID

	Side       core.Side
	Type       core.OrdType
	TIF        core.TimeInForce
	Leg        core.Leg
	ReduceOnly bool

	// Crosses says whose resting orders it would trade with.
	Crosses Crossing
	// Worst is the price that a market order is taken to trade at, at worst, when one
	// looks for whom it would trade with (Tree.WorstPrice); 0: at any.
	Worst core.Price

	Price core.Price // limit price; 0 for a market order
	Qty   core.Qty   // OrderQty (FIX 38), > 0
}

// Crossing says of whom an order would trade with resting orders, were it at the
// venue now: what the sequencer found in the book of its own orders.
type Crossing uint8

const (
	CrossesAccount Crossing = 1 << iota
	CrossesFirm             // of another account
)

// Amend is the new terms asked for an open order. Qty is the new total
// (FIX 38), what has been filled included.
type Amend struct {
	Price   core.Price
	Qty     core.Qty
	Crosses Crossing // whose resting orders it would trade with on these terms
}

// Approved says that a check admitted an order or an amendment. Only a check
// makes one that Accept takes; Accept panics on the zero value.
type Approved struct {
	order    Order      // terms after acceptance
	version  uint64     // the tree's version it was checked against
	now      core.Nanos // when it was checked
	hold     *Hold      // the order to be amended; nil: a new one
	price    core.Price // what the order is valued at
	ref      core.Price // the reference price
	reserves int64      // value of the open part, what it counts as in unfilled
	account  uint32     // slot, 0: to be made
	strategy uint32     // slot, 0: to be made
	selfs    SelfTradeMode
	reduces  bool // the account's position only; where selfs is set
}

// SelfTrade returns what is to happen to the own resting orders that the order would
// trade with: SelfTradeCancelOldest or SelfTradeDecrement; 0 when it would trade with
// none, or no limit says what to do.
func (a *Approved) SelfTrade() SelfTradeMode { return a.selfs }

// Reduces reports whether an order for which SelfTrade has a mode only reduces its
// account's position: nothing may stand in its way.
func (a *Approved) Reduces() bool { return a.reduces }

// Order returns the terms that were approved.
func (a *Approved) Order() Order { return a.order }

// Hold is what one open order has reserved. It lives beside the order, is
// written by the Tree only and is the key to everything that happens to the
// order afterwards. No pointers. The zero value holds nothing.
type Hold struct {
	order  Order      // terms in force; Qty is the total
	filled core.Qty   // CumQty (FIX 14)
	price  core.Price // what the order is valued at (a market order has no price)
	value  int64      // what it counts as in unfilled

	newPrice core.Price // terms asked for while an amendment is pending
	newQty   core.Qty

	ref    core.Price // the reference price when the terms in force were checked
	newRef core.Price // and when the new ones were
	funds  int64      // what it sets aside in its account's wallet

	account  uint32 // slot of (account, instrument)
	strategy uint32 // slot of (strategy, instrument)
	amends   uint32 // amendments accepted
	open     bool
	pending  bool // an amendment is pending
}

// Open reports whether the order still reserves something.
func (h *Hold) Open() bool { return h.open }

// Pending reports whether an amendment waits for its answer.
func (h *Hold) Pending() bool { return h.pending }

// Order returns the terms in force (those before a pending amendment).
func (h *Hold) Order() Order { return h.order }

// Leaves is the quantity reserved: the larger of the old and the new leaves
// quantity while an amendment is pending, 0 once closed.
func (h *Hold) Leaves() core.Qty {
	if !h.open {
		return 0
	}
	q := h.order.Qty - h.filled
	if h.pending {
		q = max(q, h.newQty-h.filled)
	}
	return max(q, 0)
}
