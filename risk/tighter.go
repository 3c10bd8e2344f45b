package risk

import "math"

// Which way each limit is tighter. A change of limits that loosens nothing takes
// effect at once, one that loosens anything waits for a second person: what is said
// here decides which, so in doubt a change loosens.

// way is how two values of a limit compare.
type way uint8

const (
	wayUnsaid  way = iota // nobody said: a test finds it
	wayLess               // the smaller value is tighter
	wayMore               // the larger value is tighter
	wayRanked             // by SelfTradeMode.rank, the higher is tighter
	wayRate               // the count of a rate, judged with the period that follows it
	wayPeriod             // the period of a rate: judged with its count
	wayNeither            // no value is tighter than another: every change loosens
)

// sense is what is true of a limit's values.
type sense struct {
	way way
	// unset is the value that means the same as no limit at all.
	unset int64
	// shared says that the largest value on an order's path counts for all of it:
	// what a node without the limit has depends on the others, so that taking it
	// away loosens whatever unset is.
	shared bool
	// of are the limits of the same node without which this one means nothing; none:
	// it means something by itself.
	of uint64
}

const (
	noBound    = math.MaxInt64 // the unset of what bounds from above
	lossLimits = 1<<LimitMaxLossDaily | 1<<LimitMaxDrawdown | 1<<LimitConsecutiveLosses
)

// senses lists every limit; docs/limits.md says the same for people.
var senses = [numLimits]sense{
	LimitCollarBuyUp:    {way: wayLess, unset: noBound},
	LimitCollarBuyDown:  {way: wayLess, unset: noBound},
	LimitCollarSellUp:   {way: wayLess, unset: noBound},
	LimitCollarSellDown: {way: wayLess, unset: noBound},

	LimitRollingUp:     {way: wayLess, unset: noBound},
	LimitRollingDown:   {way: wayLess, unset: noBound},
	LimitRollingWindow: {way: wayMore}, // more prices to be near to

	LimitMaxOrderQty: {way: wayLess, unset: noBound},
	LimitMinNotional: {way: wayMore},
	LimitMaxNotional: {way: wayLess, unset: noBound},

	LimitMarketSlippage: {way: wayMore, unset: DefaultMarketSlippage, shared: true}, // a market order counts for more

	LimitMaxOpenOrders:    {way: wayLess, unset: noBound},
	LimitMaxAmends:        {way: wayLess, unset: noBound},
	LimitMaxPosition:      {way: wayLess, unset: noBound},
	LimitMaxExposureGross: {way: wayLess, unset: noBound},
	LimitMaxExposureNet:   {way: wayLess, unset: noBound},
	LimitMaxUnfilled:      {way: wayLess, unset: noBound},

	LimitMessageRate:     {way: wayRate},
	LimitMessageRatePer:  {way: wayPeriod},
	LimitOrderRate:       {way: wayRate},
	LimitOrderRatePer:    {way: wayPeriod},
	LimitDuplicateWindow: {way: wayMore},

	LimitPermittedOnly: {way: wayMore},
	LimitPermitted:     {way: wayLess}, // one more instrument on the list
	LimitRestricted:    {way: wayMore},

	LimitMaxReferenceAge: {way: wayLess, unset: noBound},

	LimitMarginRequired:     {way: wayMore},
	LimitMaxLeverage:        {way: wayLess, unset: noBound},
	LimitConcentration:      {way: wayLess, unset: noBound},
	LimitConcentrationFloor: {way: wayLess, of: 1 << LimitConcentration}, // below it nothing is asked

	LimitMaxLossDaily:      {way: wayLess, unset: noBound},
	LimitMaxDrawdown:       {way: wayLess, unset: noBound},
	LimitConsecutiveLosses: {way: wayLess, unset: noBound},
	LimitLossAction:        {way: wayMore, unset: int64(ActionReduce), of: lossLimits},
	LimitLossConfirmations: {way: wayLess, unset: 1, of: lossLimits},
	LimitDayStart:          {way: wayNeither}, // a day that begins anew forgets what was lost

	LimitRepeatedExecutions:    {way: wayRate},
	LimitRepeatedExecutionsPer: {way: wayPeriod},

	LimitVolatilityMove:     {way: wayLess, unset: noBound},
	LimitVolatilityWindow:   {way: wayMore}, // a slower move is seen as well
	LimitVolatilityCooldown: {way: wayMore},

	LimitMaxClockOffset: {way: wayLess, unset: noBound},
	LimitSelfTrade:      {way: wayRanked},

	LimitProtectionFills:  {way: wayLess, unset: noBound},
	LimitProtectionQty:    {way: wayLess, unset: noBound},
	LimitProtectionDelta:  {way: wayLess, unset: noBound},
	LimitProtectionWindow: {way: wayMore},
	LimitProtectionFreeze: {way: wayMore, unset: noBound, of: 1 << LimitProtectionWindow}, // without it a person resets

	LimitMaxScenarioLoss: {way: wayLess, unset: noBound},
	LimitScenarioPrice:   {way: wayMore, unset: DefaultScenarioPrice, shared: true},
	LimitScenarioSigmas:  {way: wayMore, unset: DefaultScenarioSigmas, shared: true},

	LimitCancelOnDrop: {way: wayMore},
}

// Loosens reports whether limits of a node that were before and are to be after let
// anything pass that did not, and the first limit that does. It looks at the one node:
// what other nodes would refuse all the same does not make a change tighter.
func Loosens(before, after *Limits) (Limit, bool) {
	for l := range numLimits {
		if loosens(l, before, after) {
			return l, true
		}
	}
	return 0, false
}

// loosens judges one limit.
func loosens(l Limit, before, after *Limits) bool {
	s := &senses[l]
	was, had := before.Get(l)
	is, has := after.Get(l)
	if s.of != 0 && before.set&s.of == 0 {
		return false // what it belongs to was not limited at all
	}
	switch {
	case s.way == wayRate:
		return loosensRate(l, before, after)
	case s.way == wayPeriod:
		return false
	case s.shared && had && !has:
		return true
	}
	if !had {
		was = s.unset
	}
	if !has {
		is = s.unset
	}
	return s.looser(is, was)
}

// looser reports whether value a lets more pass than value b.
func (s *sense) looser(a, b int64) bool {
	switch s.way {
	case wayLess:
		return a > b
	case wayMore:
		return a < b
	case wayRanked:
		return SelfTradeMode(a).rank() < SelfTradeMode(b).rank()
	}
	return a != b
}

// rank orders the modes by what may be open after the order: nothing of either, what
// rested, the difference of the two, the new order. None is the loosest.
func (m SelfTradeMode) rank() int {
	switch m {
	case SelfTradeCancelBoth:
		return 4
	case SelfTradeCancelNewest:
		return 3
	case SelfTradeDecrement:
		return 2
	case SelfTradeCancelOldest:
		return 1
	}
	return 0
}

// loosensRate judges a rate: it lets more pass when more come at once, or when more
// come in the long run, whichever other is less.
func loosensRate(l Limit, before, after *Limits) bool {
	was, had := before.Get(l)
	is, has := after.Get(l)
	switch {
	case !had || was == is && before.v[l+1] == after.v[l+1]:
		return false
	case !has:
		return true
	case l == LimitRepeatedExecutions: // counted in a window, not by tokens
		return is > was || after.v[l+1] < before.v[l+1]
	case is == 0:
		return false // nothing passes
	}
	return is > was || newThrottle(*after, l, l+1).interval < newThrottle(*before, l, l+1).interval
}

// tighter reports whether limit l, which both have, binds sooner in a than in b.
func tighter(l Limit, a, b *Limits) bool {
	switch s := &senses[l]; s.way {
	case wayRate:
		return slower(newThrottle(*a, l, l+1), newThrottle(*b, l, l+1))
	case wayPeriod:
		return slower(newThrottle(*a, l-1, l), newThrottle(*b, l-1, l))
	case wayNeither:
		return true // the nearer to the order
	default:
		return s.looser(b.v[l], a.v[l])
	}
}

// slower orders throttles by what they let through in the long run, then by how
// much at once; one that admits nothing is the slowest.
func slower(a, b throttle) bool {
	switch {
	case a.burst < 0 || b.burst < 0:
		return a.burst < 0 && b.burst >= 0
	case a.interval != b.interval:
		return a.interval > b.interval
	}
	return a.burst < b.burst
}
