package risk

import "math/bits"

// Limit names one limit of a node. The numbers are journalled: they are never
// reused and never change their meaning. A limit stands here only if a check
// enforces it.
type Limit uint8

// Limits and the unit of their value. "Value" is an amount of the risk currency
// in 10^-ValueScale. A reducing order is exempt from those marked (r).
const (
	LimitCollarBuyUp    Limit = iota // PPM above the reference a buy may be priced
	LimitCollarBuyDown               // PPM below the reference a buy may be priced
	LimitCollarSellUp                // PPM above the reference a sell may be priced
	LimitCollarSellDown              // PPM below the reference a sell may be priced

	LimitRollingUp     // PPM above the lowest reference of the window (r); firm's instrument only
	LimitRollingDown   // PPM below the highest reference of the window (r); firm's instrument only
	LimitRollingWindow // ns; firm's instrument only

	LimitMaxOrderQty // quantity of one order (r); instrument scopes only
	LimitMinNotional // value of one order, at least (r)
	LimitMaxNotional // value of one order, at most (r)

	LimitMarketSlippage // PPM added to the reference to value a market order; the largest on the path counts

	LimitMaxOpenOrders // count (r)
	LimitMaxAmends     // amendments of one order (r)
	LimitMaxPosition   // quantity, position and open orders of the side (r); instrument scopes only

	LimitMaxExposureGross // value (r)
	LimitMaxExposureNet   // value (r)
	LimitMaxUnfilled      // value of open orders (r)

	LimitMessageRate    // messages (new, amend, cancel) per LimitMessageRatePer (r)
	LimitMessageRatePer // ns
	LimitOrderRate      // new orders per LimitOrderRatePer (r)
	LimitOrderRatePer   // ns

	LimitDuplicateWindow // ns within which an identical order is refused (r)

	LimitPermittedOnly // 1: only instruments with LimitPermitted at this level (r); not on instrument scopes
	LimitPermitted     // 1: on the list of the level it hangs on; instrument scopes only
	LimitRestricted    // 1: on the restricted list (r); instrument scopes only

	LimitMaxReferenceAge // ns the reference price may be old; the smallest on the path counts

	numLimits
)

// Limits is the set of limits of one node. The zero value has none set; a limit
// of zero is a limit. Comparable, no pointers.
type Limits struct {
	set uint32
	v   [numLimits]int64
}

// Set sets limit l to v in its own unit.
func (ls *Limits) Set(l Limit, v int64) {
	ls.set |= 1 << l
	ls.v[l] = v
}

// Unset removes limit l.
func (ls *Limits) Unset(l Limit) {
	ls.set &^= 1 << l
	ls.v[l] = 0
}

// Get returns limit l and whether it is set.
func (ls *Limits) Get(l Limit) (int64, bool) {
	if l >= numLimits {
		return 0, false
	}
	return ls.v[l], ls.set&(1<<l) != 0
}

// Len is the number of limits set.
func (ls *Limits) Len() int { return bits.OnesCount32(ls.set) }
