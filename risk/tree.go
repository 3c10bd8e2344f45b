package risk

import "qcat/core"

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

// DefaultMaxPositions bounds the pairs of Config.MaxPositions: 128 bytes each.
const DefaultMaxPositions = 1 << 22

// Tree is the limits, the states and what has been used of them. One goroutine
// owns it. See the package comment for its use.
type Tree struct {
	version uint64
}

// NewTree returns a tree with the firm's node only, without limits, active.
func NewTree(c Config) *Tree { return &Tree{} }

// DefineAccount adds an account. Defining it again changes nothing.
func (t *Tree) DefineAccount(id core.AccountID) Reason { return Reason{Code: Capacity} }

// DefineStrategy adds a strategy of an account. Defining it again changes
// nothing; under another account it is refused with UnknownStrategy.
func (t *Tree) DefineStrategy(id core.StrategyID, account core.AccountID) Reason {
	return Reason{Code: Capacity}
}

// DefineInstrument adds an instrument or replaces its filters. in must be valid
// and must not change afterwards: the tree keeps the pointer.
func (t *Tree) DefineInstrument(in *core.Instrument) Reason { return Reason{Code: Capacity} }

// SetRate sets what one unit of a currency is worth in the risk currency, in
// PPM. Instruments of a currency without a rate are refused with NoRate.
func (t *Tree) SetRate(currency string, ppm int64) Reason { return Reason{Code: Capacity} }

// SetVenue tells whether a venue can take orders. A venue is available until it
// is said not to be.
func (t *Tree) SetVenue(venue string, available bool) Reason { return Reason{Code: Capacity} }

// SetLimits replaces all limits of one node. It is refused with UnknownAccount,
// UnknownStrategy, UnknownInstrument or InvalidLimit and then changes nothing.
func (t *Tree) SetLimits(s Scope, l Limits) Reason { return Reason{Code: Capacity} }

// Limits returns the limits of one node, none if there is no such node.
func (t *Tree) Limits(s Scope) Limits { return Limits{} }

// SetState sets the trading state of one node. StateHalted is the kill switch's
// half that blocks entry; the caller cancels what is open.
func (t *Tree) SetState(s Scope, st TradingState) Reason { return Reason{Code: Capacity} }

// State returns the trading state of one node alone.
func (t *Tree) State(s Scope) TradingState { return StateActive }

// CheckNew decides on a new order. It changes nothing. On refusal the Approved
// is of no use and Reason names the first control that failed, in the order of
// docs/risk-controls.md, and the first level that refused.
func (t *Tree) CheckNew(o *Order, ref *Reference, now core.Nanos) (Approved, Reason) {
	return Approved{}, Reason{Code: Capacity}
}

// CheckAmend decides on new terms of the open order behind h, by the same
// controls as CheckNew with the order's own reservation taken out. AmendPending
// refuses while an earlier amendment waits, OrderClosed when h is not open.
func (t *Tree) CheckAmend(h *Hold, am Amend, ref *Reference, now core.Nanos) (Approved, Reason) {
	return Approved{}, Reason{Code: Capacity}
}

// CheckAll appends every refusal a new order would meet, in the order of the
// controls: what CheckNew would answer comes first. Nothing appended: admitted.
func (t *Tree) CheckAll(o *Order, ref *Reference, now core.Nanos, dst []Reason) []Reason {
	return append(dst, Reason{Code: Capacity})
}

// Accept reserves what a check approved. For a new order *h is overwritten; for
// an amendment h must be the hold that was checked, and reserves the worse of
// its old and new terms until ConfirmAmend or RejectAmend. It panics when a was
// not made by a check of this tree's present state.
func (t *Tree) Accept(a *Approved, h *Hold) {}

// Fill moves qty of the order from open to position. More than what is open, or
// a fill after Release, still moves the position: the venue's word counts. An
// order with nothing left gives back its place. It reports false, and changes
// nothing, when qty is not positive or a position would overflow.
func (t *Tree) Fill(h *Hold, qty core.Qty) bool { return false }

// Release gives back what the order still reserves: it was cancelled, rejected,
// expired or filled. Releasing twice changes nothing.
func (t *Tree) Release(h *Hold) {}

// ConfirmAmend settles a pending amendment on the terms the venue confirmed
// (qty is the new total). An order with nothing left gives back its place.
func (t *Tree) ConfirmAmend(h *Hold, price core.Price, qty core.Qty) {}

// RejectAmend drops a pending amendment: the old terms stay.
func (t *Tree) RejectAmend(h *Hold) {}

// CountCancel counts a cancel of the order against the message rate of every
// level. It never refuses. Cancel-all and the kill switch do not call it.
func (t *Tree) CountCancel(h *Hold, now core.Nanos) {}

// Mark values all positions and open orders of an instrument at price and
// remembers it as a reference of the rolling collar. It reports false, and
// changes nothing, when price is not positive or a value would overflow. Cost is
// linear in the pairs that hold the instrument: call it on a timer, not per quote.
func (t *Tree) Mark(instrument core.InstrumentID, price core.Price, now core.Nanos) bool {
	return false
}

// AppendState appends the tree's whole state in a canonical form: two trees that
// were made by the same calls append the same bytes on any machine (I3).
func (t *Tree) AppendState(dst []byte) []byte { return dst }

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
}

// View returns what one node has used and whether there is such a node. An
// instrument node that never traded is all zero.
func (t *Tree) View(s Scope) (View, bool) { return View{}, false }

// Scopes calls yield for every node that exists, firm first, then accounts,
// strategies, instruments firm-wide and pairs in the order in which they were
// made, until it returns false.
func (t *Tree) Scopes(yield func(Scope) bool) {}

// EffectiveLimit is one limit as an order of a scope meets it: the tightest of
// its path, and where it hangs.
type EffectiveLimit struct {
	Limit Limit
	Value int64
	From  Scope
}

// Effective returns the tightest of every limit that an order of the given
// account, strategy and instrument meets (zero ids leave a level out), in the
// order of the Limit numbers.
func (t *Tree) Effective(s Scope) []EffectiveLimit { return nil }
