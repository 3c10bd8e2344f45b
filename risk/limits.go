package risk

import (
	"math/bits"
	"strconv"

	"qcat/core"
)

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

	LimitMarginRequired // 1: orders need margin or funds (r); not on instrument scopes
	LimitMaxLeverage    // gross over equity, in PPM (r); firm and account

	LimitConcentration      // PPM of gross that one instrument may be (r); not on instrument scopes
	LimitConcentrationFloor // value of gross below which concentration is not asked

	LimitMaxLossDaily       // value lost since the day began (r)
	LimitMaxDrawdown        // value lost since the best moment (r)
	LimitConsecutiveLosses  // losing round trips in a row (r)
	LimitLossAction         // Action when one of the three is crossed; reduce where it is not set
	LimitLossConfirmations  // marks in a row that must say so before the action; 1 where it is not set
	LimitDayStart           // ns after midnight UTC at which the day begins; 0 where it is not set; firm and account
	LimitRepeatedExecutions // orders of a strategy that traded, per LimitRepeatedExecutionsPer (r); not on instrument scopes
	LimitRepeatedExecutionsPer

	LimitVolatilityMove     // PPM that the price may move within LimitVolatilityWindow (r); firm's instrument only
	LimitVolatilityWindow   // ns; firm's instrument only
	LimitVolatilityCooldown // ns that the instrument stays reducing; firm's instrument only

	LimitMaxClockOffset // ns by which a venue's clock may differ from ours; the smallest on the path counts

	LimitSelfTrade // SelfTradeMode of taking orders against the level's own (r for none); not on instrument scopes

	LimitProtectionFills  // fills per LimitProtectionWindow; instruments of an account or strategy
	LimitProtectionQty    // quantity filled per window; the same
	LimitProtectionDelta  // net quantity filled per window; the same
	LimitProtectionWindow // ns; the same
	LimitProtectionFreeze // ns until orders are taken again; a person resets where it is not set; the same

	LimitMaxScenarioLoss // value lost in the worst scenario (r); not on instrument scopes
	LimitScenarioPrice   // PPM of the price shock of the scenarios; 10% where it is not set; the largest on the path counts; not on instrument scopes
	LimitScenarioSigmas  // size of the volatility shock in daily deviations, in PPM; 3x where it is not set; as above

	LimitCancelOnDrop // 1: orders are cancelled when their session ends without a logout; not on instrument scopes

	numLimits
)

// Limits is the set of limits of one node. The zero value has none set; a limit
// of zero is a limit. Comparable, no pointers.
type Limits struct {
	set uint64
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
func (ls *Limits) Len() int { return bits.OnesCount64(ls.set) }

// limitDef is what is true of a limit everywhere.
type limitDef struct {
	name  string
	unit  Unit
	where limitPlace
	max   int64
}

// limitPlace says on which scopes a limit makes sense.
type limitPlace uint8

const (
	anywhere        limitPlace = iota
	onInstruments              // any instrument scope: its unit is the instrument's
	onFirmsOnly                // the instrument firm-wide
	notInstruments             // firm, account, strategy
	aboveStrategies            // firm, account
	belowFirm                  // the instrument of an account or strategy
)

const (
	maxCount  = 1_000_000_000
	maxWindow = 24 * 60 * 60 * 1_000_000_000 // ns: a day
	maxPPM    = 1_000 * 1_000_000            // a thousandfold
	maxAny    = 1<<63 - 1
)

var limitDefs = [numLimits]limitDef{
	LimitCollarBuyUp:      {"price_collar_buy_up", UnitPPM, anywhere, maxPPM},
	LimitCollarBuyDown:    {"price_collar_buy_down", UnitPPM, anywhere, maxPPM},
	LimitCollarSellUp:     {"price_collar_sell_up", UnitPPM, anywhere, maxPPM},
	LimitCollarSellDown:   {"price_collar_sell_down", UnitPPM, anywhere, maxPPM},
	LimitRollingUp:        {"rolling_collar_up", UnitPPM, onFirmsOnly, maxPPM},
	LimitRollingDown:      {"rolling_collar_down", UnitPPM, onFirmsOnly, maxPPM},
	LimitRollingWindow:    {"rolling_collar_window", UnitNanos, onFirmsOnly, maxWindow},
	LimitMaxOrderQty:      {"max_qty", UnitQty, onInstruments, maxAny},
	LimitMinNotional:      {"min_notional", UnitValue, anywhere, maxAny},
	LimitMaxNotional:      {"max_notional", UnitValue, anywhere, maxAny},
	LimitMarketSlippage:   {"market_slippage", UnitPPM, anywhere, maxPPM},
	LimitMaxOpenOrders:    {"max_open_orders", UnitCount, anywhere, maxCount},
	LimitMaxAmends:        {"max_amends", UnitCount, anywhere, maxCount},
	LimitMaxPosition:      {"max_position", UnitQty, onInstruments, maxAny},
	LimitMaxExposureGross: {"max_exposure_gross", UnitValue, anywhere, maxAny},
	LimitMaxExposureNet:   {"max_exposure_net", UnitValue, anywhere, maxAny},
	LimitMaxUnfilled:      {"unfilled_notional", UnitValue, anywhere, maxAny},
	LimitMessageRate:      {"message_rate", UnitCount, anywhere, maxCount},
	LimitMessageRatePer:   {"message_rate_per", UnitNanos, anywhere, maxWindow},
	LimitOrderRate:        {"order_rate", UnitCount, anywhere, maxCount},
	LimitOrderRatePer:     {"order_rate_per", UnitNanos, anywhere, maxWindow},
	LimitDuplicateWindow:  {"duplicate_window", UnitNanos, anywhere, maxWindow},
	LimitPermittedOnly:    {"permitted_only", UnitNone, notInstruments, 1},
	LimitPermitted:        {"permitted", UnitNone, onInstruments, 1},
	LimitRestricted:       {"restricted", UnitNone, onInstruments, 1},
	LimitMaxReferenceAge:  {"max_reference_age", UnitNanos, anywhere, maxAny},

	LimitMarginRequired: {"margin_required", UnitNone, notInstruments, 1},
	LimitMaxLeverage:    {"max_leverage", UnitTimes, aboveStrategies, maxPPM},

	LimitConcentration:      {"position_concentration", UnitPPM, notInstruments, core.PPM},
	LimitConcentrationFloor: {"concentration_floor", UnitValue, notInstruments, maxAny},

	LimitMaxLossDaily:          {"max_loss_daily", UnitValue, anywhere, maxAny},
	LimitMaxDrawdown:           {"max_drawdown", UnitValue, anywhere, maxAny},
	LimitConsecutiveLosses:     {"consecutive_losses", UnitCount, anywhere, maxCount},
	LimitLossAction:            {"loss_action", UnitAction, anywhere, int64(ActionFlatten)},
	LimitLossConfirmations:     {"loss_confirmations", UnitCount, anywhere, maxCount},
	LimitDayStart:              {"day_start", UnitNanos, aboveStrategies, maxWindow - 1},
	LimitRepeatedExecutions:    {"repeated_executions", UnitCount, notInstruments, maxCount},
	LimitRepeatedExecutionsPer: {"repeated_executions_per", UnitNanos, notInstruments, maxWindow},

	LimitVolatilityMove:     {"volatility_move", UnitPPM, onFirmsOnly, maxPPM},
	LimitVolatilityWindow:   {"volatility_window", UnitNanos, onFirmsOnly, maxWindow},
	LimitVolatilityCooldown: {"volatility_cooldown", UnitNanos, onFirmsOnly, maxWindow},

	LimitMaxClockOffset: {"max_clock_offset", UnitNanos, anywhere, maxAny},

	LimitSelfTrade: {"self_trade", UnitMode, notInstruments, int64(SelfTradeDecrement)},

	LimitProtectionFills:  {"protection_fills", UnitCount, belowFirm, maxCount},
	LimitProtectionQty:    {"protection_qty", UnitQty, belowFirm, maxAny},
	LimitProtectionDelta:  {"protection_delta", UnitQty, belowFirm, maxAny},
	LimitProtectionWindow: {"protection_window", UnitNanos, belowFirm, maxWindow},
	LimitProtectionFreeze: {"protection_freeze", UnitNanos, belowFirm, maxWindow},

	LimitMaxScenarioLoss: {"max_scenario_loss", UnitValue, notInstruments, maxAny},
	LimitScenarioPrice:   {"scenario_price", UnitPPM, notInstruments, core.PPM},
	LimitScenarioSigmas:  {"scenario_sigmas", UnitTimes, notInstruments, maxPPM},

	LimitCancelOnDrop: {"cancel_on_drop", UnitNone, notInstruments, 1},
}

// NumLimits is the number of limits there are: Limit(0) to Limit(NumLimits-1).
const NumLimits = int(numLimits)

// String returns the limit's name as it stands in a configuration.
func (l Limit) String() string {
	if l < numLimits {
		return limitDefs[l].name
	}
	return "unknown"
}

// LimitText says which limit is what as a person reads it: the limit's name and its
// value (see Unit.Append). in is the instrument that the limit hangs on, or nil. It
// returns "" for a number that no limit has.
func LimitText(limit uint16, value int64, in *core.Instrument) string {
	if int(limit) >= NumLimits {
		return ""
	}
	l := Limit(limit)
	b := append([]byte(l.String()), ' ')
	if l.Unit() == UnitNone {
		return string(strconv.AppendBool(b, value != 0))
	}
	return string(l.Unit().Append(b, value, in))
}

// Unit is the unit of the limit's value.
func (l Limit) Unit() Unit {
	if l < numLimits {
		return limitDefs[l].unit
	}
	return UnitNone
}

// together are limits of which neither means anything alone.
var together = [...][2]Limit{
	{LimitMessageRate, LimitMessageRatePer},
	{LimitOrderRate, LimitOrderRatePer},
	{LimitRepeatedExecutions, LimitRepeatedExecutionsPer},
	{LimitVolatilityMove, LimitVolatilityWindow},
	{LimitVolatilityMove, LimitVolatilityCooldown},
}

// Validate reports whether the limits make sense at a scope, and the first that
// does not: a quantity where quantities of several instruments would meet, a
// value out of its range, half of a rate, a flag that is not 1.
func (ls *Limits) Validate(s Scope) (Limit, bool) {
	for l := range numLimits {
		v, set := ls.Get(l)
		if !set {
			continue
		}
		d := &limitDefs[l]
		at := s.Level == LevelInstrument
		switch d.where {
		case onInstruments:
			if !at {
				return l, false
			}
		case onFirmsOnly:
			if !at || s.Account != 0 || s.Strategy != 0 {
				return l, false
			}
		case notInstruments:
			if at {
				return l, false
			}
		case aboveStrategies:
			if s.Level != LevelFirm && s.Level != LevelAccount {
				return l, false
			}
		case belowFirm:
			if !at || s.Account == 0 && s.Strategy == 0 {
				return l, false
			}
		case anywhere:
		}
		if v < 0 || v > d.max || (v == 0 && d.positive()) {
			return l, false
		}
	}
	for _, pair := range together {
		_, a := ls.Get(pair[0])
		_, b := ls.Get(pair[1])
		if a != b {
			return pair[0], false
		}
	}
	if l, ok := ls.protection(); !ok {
		return l, false
	}
	_, up := ls.Get(LimitRollingUp)
	_, down := ls.Get(LimitRollingDown)
	if _, window := ls.Get(LimitRollingWindow); window != (up || down) {
		return LimitRollingWindow, false
	}
	return 0, true
}

// positive reports whether zero is no value of the limit: a window without length, a
// flag that is not set, a mode or an action that is none.
func (d *limitDef) positive() bool {
	return d.max == maxWindow || d.max == 1 || d.unit == UnitMode || d.unit == UnitAction
}

// protection reports whether the market maker protection is whole: something that is
// counted, and the window it is counted in.
func (ls *Limits) protection() (Limit, bool) {
	const counted = 1<<LimitProtectionFills | 1<<LimitProtectionQty | 1<<LimitProtectionDelta
	_, window := ls.Get(LimitProtectionWindow)
	_, freeze := ls.Get(LimitProtectionFreeze)
	return LimitProtectionWindow, window == (ls.set&counted != 0) && (window || !freeze)
}

// Action is what happens when what is held crosses a limit. Each does what those
// before it do as well.
type Action uint8

const (
	ActionNotify  Action = iota + 1 // it is journalled and told; new orders are refused while it lasts
	ActionReduce                    // the node only reduces until a person resumes it
	ActionHalt                      // the node is halted and its open orders are cancelled
	ActionFlatten                   // the node only reduces, its orders are cancelled and its positions closed
)

// SelfTradeMode is what happens to an order that would trade with one's own.
type SelfTradeMode uint8

const (
	SelfTradeCancelNewest SelfTradeMode = iota + 1 // the new order is refused
	SelfTradeCancelOldest                          // the resting ones are cancelled first
	SelfTradeCancelBoth                            // the new order is refused, the resting ones are cancelled
	SelfTradeDecrement                             // both lose what they would trade; the answer says so
)

var (
	actionNames = [...]string{"", "notify", "reduce", "halt", "flatten"}
	modeNames   = [...]string{"", "cancel_newest", "cancel_oldest", "cancel_both", "decrement"}
)

// String returns the name used in configurations and JSON.
func (a Action) String() string { return nameAt(actionNames[:], int64(a)) }

// String returns the name used in configurations and JSON.
func (m SelfTradeMode) String() string { return nameAt(modeNames[:], int64(m)) }

// nameAt returns the name of a number from 1, "unknown" if it has none.
func nameAt(names []string, i int64) string {
	if i > 0 && i < int64(len(names)) {
		return names[i]
	}
	return "unknown"
}
