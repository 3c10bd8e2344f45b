package risk

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"qcat/core"
)

// Spec is a set of limits as a person writes it; an empty field sets no limit.
//
//	ratio      "2%", "0.5%" or "150bp"; four decimals of a percent at most
//	quantity   "12.5", in the instrument's own decimals
//	value      "1000000.00", in the risk currency
//	count      "200"
//	rate       "100/1s": messages per period
//	period     "500ms", "10s", "1h30m"
//	multiple   "10x", "2.5x"
//	mode       "cancel_newest", "cancel_oldest", "cancel_both" or "decrement"
//	action     "notify", "reduce", "halt" or "flatten"
//	flag       "true"; "" and "false" set nothing
type Spec struct {
	PriceCollarBuyUp    string `json:"price_collar_buy_up,omitempty" yaml:"price_collar_buy_up,omitempty"`       // ratio
	PriceCollarBuyDown  string `json:"price_collar_buy_down,omitempty" yaml:"price_collar_buy_down,omitempty"`   // ratio
	PriceCollarSellUp   string `json:"price_collar_sell_up,omitempty" yaml:"price_collar_sell_up,omitempty"`     // ratio
	PriceCollarSellDown string `json:"price_collar_sell_down,omitempty" yaml:"price_collar_sell_down,omitempty"` // ratio

	RollingCollarUp     string `json:"rolling_collar_up,omitempty" yaml:"rolling_collar_up,omitempty"`         // ratio
	RollingCollarDown   string `json:"rolling_collar_down,omitempty" yaml:"rolling_collar_down,omitempty"`     // ratio
	RollingCollarWindow string `json:"rolling_collar_window,omitempty" yaml:"rolling_collar_window,omitempty"` // period

	MaxQty         string `json:"max_qty,omitempty" yaml:"max_qty,omitempty"`                 // quantity
	MinNotional    string `json:"min_notional,omitempty" yaml:"min_notional,omitempty"`       // value
	MaxNotional    string `json:"max_notional,omitempty" yaml:"max_notional,omitempty"`       // value
	MarketSlippage string `json:"market_slippage,omitempty" yaml:"market_slippage,omitempty"` // ratio

	MaxOpenOrders string `json:"max_open_orders,omitempty" yaml:"max_open_orders,omitempty"` // count
	MaxAmends     string `json:"max_amends,omitempty" yaml:"max_amends,omitempty"`           // count
	MaxPosition   string `json:"max_position,omitempty" yaml:"max_position,omitempty"`       // quantity

	MaxExposureGross string `json:"max_exposure_gross,omitempty" yaml:"max_exposure_gross,omitempty"` // value
	MaxExposureNet   string `json:"max_exposure_net,omitempty" yaml:"max_exposure_net,omitempty"`     // value
	UnfilledNotional string `json:"unfilled_notional,omitempty" yaml:"unfilled_notional,omitempty"`   // value

	MessageRate string `json:"message_rate,omitempty" yaml:"message_rate,omitempty"` // rate
	OrderRate   string `json:"order_rate,omitempty" yaml:"order_rate,omitempty"`     // rate

	DuplicateWindow string `json:"duplicate_window,omitempty" yaml:"duplicate_window,omitempty"` // period

	PermittedOnly string `json:"permitted_only,omitempty" yaml:"permitted_only,omitempty"` // flag
	Permitted     string `json:"permitted,omitempty" yaml:"permitted,omitempty"`           // flag
	Restricted    string `json:"restricted,omitempty" yaml:"restricted,omitempty"`         // flag

	MaxReferenceAge string `json:"max_reference_age,omitempty" yaml:"max_reference_age,omitempty"` // period

	MarginRequired string `json:"margin_required,omitempty" yaml:"margin_required,omitempty"` // flag
	MaxLeverage    string `json:"max_leverage,omitempty" yaml:"max_leverage,omitempty"`       // multiple

	PositionConcentration string `json:"position_concentration,omitempty" yaml:"position_concentration,omitempty"` // ratio
	ConcentrationFloor    string `json:"concentration_floor,omitempty" yaml:"concentration_floor,omitempty"`       // value

	MaxLossDaily       string `json:"max_loss_daily,omitempty" yaml:"max_loss_daily,omitempty"`           // value
	MaxDrawdown        string `json:"max_drawdown,omitempty" yaml:"max_drawdown,omitempty"`               // value
	ConsecutiveLosses  string `json:"consecutive_losses,omitempty" yaml:"consecutive_losses,omitempty"`   // count
	LossAction         string `json:"loss_action,omitempty" yaml:"loss_action,omitempty"`                 // action
	LossConfirmations  string `json:"loss_confirmations,omitempty" yaml:"loss_confirmations,omitempty"`   // count
	DayStart           string `json:"day_start,omitempty" yaml:"day_start,omitempty"`                     // period
	RepeatedExecutions string `json:"repeated_executions,omitempty" yaml:"repeated_executions,omitempty"` // rate

	VolatilityMove     string `json:"volatility_move,omitempty" yaml:"volatility_move,omitempty"`         // ratio
	VolatilityWindow   string `json:"volatility_window,omitempty" yaml:"volatility_window,omitempty"`     // period
	VolatilityCooldown string `json:"volatility_cooldown,omitempty" yaml:"volatility_cooldown,omitempty"` // period

	MaxClockOffset string `json:"max_clock_offset,omitempty" yaml:"max_clock_offset,omitempty"` // period
	SelfTrade      string `json:"self_trade,omitempty" yaml:"self_trade,omitempty"`             // mode

	ProtectionFills  string `json:"protection_fills,omitempty" yaml:"protection_fills,omitempty"`   // count
	ProtectionQty    string `json:"protection_qty,omitempty" yaml:"protection_qty,omitempty"`       // quantity
	ProtectionDelta  string `json:"protection_delta,omitempty" yaml:"protection_delta,omitempty"`   // quantity
	ProtectionWindow string `json:"protection_window,omitempty" yaml:"protection_window,omitempty"` // period
	ProtectionFreeze string `json:"protection_freeze,omitempty" yaml:"protection_freeze,omitempty"` // period

	MaxScenarioLoss string `json:"max_scenario_loss,omitempty" yaml:"max_scenario_loss,omitempty"` // value
	ScenarioPrice   string `json:"scenario_price,omitempty" yaml:"scenario_price,omitempty"`       // ratio
	ScenarioSigmas  string `json:"scenario_sigmas,omitempty" yaml:"scenario_sigmas,omitempty"`     // multiple

	CancelOnDrop string `json:"cancel_on_drop,omitempty" yaml:"cancel_on_drop,omitempty"` // flag
}

// ErrSpec is wrapped by every error of Spec.Resolve.
var ErrSpec = errors.New("limit specification")

// specField ties a field to its limit.
type specField struct {
	limit Limit
	text  *string
}

// fields lists the fields in the order of the Limit numbers; of a rate the
// count's stands for both.
func (s *Spec) fields() []specField {
	return []specField{
		{LimitCollarBuyUp, &s.PriceCollarBuyUp},
		{LimitCollarBuyDown, &s.PriceCollarBuyDown},
		{LimitCollarSellUp, &s.PriceCollarSellUp},
		{LimitCollarSellDown, &s.PriceCollarSellDown},
		{LimitRollingUp, &s.RollingCollarUp},
		{LimitRollingDown, &s.RollingCollarDown},
		{LimitRollingWindow, &s.RollingCollarWindow},
		{LimitMaxOrderQty, &s.MaxQty},
		{LimitMinNotional, &s.MinNotional},
		{LimitMaxNotional, &s.MaxNotional},
		{LimitMarketSlippage, &s.MarketSlippage},
		{LimitMaxOpenOrders, &s.MaxOpenOrders},
		{LimitMaxAmends, &s.MaxAmends},
		{LimitMaxPosition, &s.MaxPosition},
		{LimitMaxExposureGross, &s.MaxExposureGross},
		{LimitMaxExposureNet, &s.MaxExposureNet},
		{LimitMaxUnfilled, &s.UnfilledNotional},
		{LimitMessageRate, &s.MessageRate},
		{LimitOrderRate, &s.OrderRate},
		{LimitDuplicateWindow, &s.DuplicateWindow},
		{LimitPermittedOnly, &s.PermittedOnly},
		{LimitPermitted, &s.Permitted},
		{LimitRestricted, &s.Restricted},
		{LimitMaxReferenceAge, &s.MaxReferenceAge},
		{LimitMarginRequired, &s.MarginRequired},
		{LimitMaxLeverage, &s.MaxLeverage},
		{LimitConcentration, &s.PositionConcentration},
		{LimitConcentrationFloor, &s.ConcentrationFloor},
		{LimitMaxLossDaily, &s.MaxLossDaily},
		{LimitMaxDrawdown, &s.MaxDrawdown},
		{LimitConsecutiveLosses, &s.ConsecutiveLosses},
		{LimitLossAction, &s.LossAction},
		{LimitLossConfirmations, &s.LossConfirmations},
		{LimitDayStart, &s.DayStart},
		{LimitRepeatedExecutions, &s.RepeatedExecutions},
		{LimitVolatilityMove, &s.VolatilityMove},
		{LimitVolatilityWindow, &s.VolatilityWindow},
		{LimitVolatilityCooldown, &s.VolatilityCooldown},
		{LimitMaxClockOffset, &s.MaxClockOffset},
		{LimitSelfTrade, &s.SelfTrade},
		{LimitProtectionFills, &s.ProtectionFills},
		{LimitProtectionQty, &s.ProtectionQty},
		{LimitProtectionDelta, &s.ProtectionDelta},
		{LimitProtectionWindow, &s.ProtectionWindow},
		{LimitProtectionFreeze, &s.ProtectionFreeze},
		{LimitMaxScenarioLoss, &s.MaxScenarioLoss},
		{LimitScenarioPrice, &s.ScenarioPrice},
		{LimitScenarioSigmas, &s.ScenarioSigmas},
		{LimitCancelOnDrop, &s.CancelOnDrop},
	}
}

// Resolve reads the specification. in gives quantities their scale; it may be nil
// for a node above the instruments, where a quantity means nothing. A value with
// more decimals than its scale is an error, never rounded. Whether the limits make
// sense at their node is asked by Tree.SetLimits.
//
// Errors wrap ErrSpec and name the field.
func (s Spec) Resolve(in *core.Instrument) (Limits, error) {
	var ls Limits
	for _, f := range s.fields() {
		text := strings.TrimSpace(*f.text)
		if text == "" {
			continue
		}
		if err := ls.read(f.limit, text, in); err != nil {
			return Limits{}, fmt.Errorf("%w: %s %q: %w", ErrSpec, f.limit, text, err)
		}
	}
	return ls, nil
}

func (ls *Limits) read(l Limit, text string, in *core.Instrument) error {
	var v int64
	var err error
	switch l.Unit() {
	case UnitPPM:
		v, err = parseRatio(text)
	case UnitQty:
		if in == nil {
			return errors.New("a quantity needs an instrument")
		}
		v, err = core.ParseDecimal([]byte(text), in.QtyScale)
	case UnitValue:
		v, err = core.ParseDecimal([]byte(text), ValueScale)
	case UnitNanos:
		if v, err = parsePeriod(text, l == LimitDayStart); err != nil {
			return err
		}
	case UnitTimes:
		v, err = parseTimes(text)
	case UnitMode:
		v, err = parseOneOf(text, modeNames[1:])
	case UnitAction:
		v, err = parseOneOf(text, actionNames[1:])
	case UnitNone:
		on, err := strconv.ParseBool(text)
		if on {
			ls.Set(l, 1)
		}
		return err
	default:
		if isRate(l) {
			return ls.readRate(l, text)
		}
		v, err = strconv.ParseInt(text, 10, 64)
	}
	if err == nil && v < 0 {
		err = errors.New("must not be negative")
	}
	if err == nil {
		ls.Set(l, v)
	}
	return err
}

// readRate reads "100/1s" into the limit and the period after it.
func (ls *Limits) readRate(l Limit, text string) error {
	count, period, ok := strings.Cut(text, "/")
	if !ok {
		return errors.New("a rate is written count/period, such as 100/1s")
	}
	n, err := strconv.ParseInt(strings.TrimSpace(count), 10, 64)
	if err != nil {
		return err
	}
	per, err := parsePeriod(strings.TrimSpace(period), false)
	if err != nil {
		return err
	}
	if n < 0 {
		return errors.New("must not be negative")
	}
	ls.Set(l, n)
	ls.Set(l+1, per)
	return nil
}

// isRate reports whether the limit is the count of a rate, whose period is the next.
func isRate(l Limit) bool {
	return l == LimitMessageRate || l == LimitOrderRate || l == LimitRepeatedExecutions
}

func parsePeriod(text string, zero bool) (int64, error) {
	d, err := time.ParseDuration(text)
	if err == nil && d <= 0 && (!zero || d < 0) {
		err = errors.New("a period must be positive")
	}
	return int64(d), err
}

// parseTimes reads "2.5x" as PPM.
func parseTimes(text string) (int64, error) {
	if n, ok := strings.CutSuffix(text, "x"); ok {
		return core.ParseDecimal([]byte(n), 6)
	}
	return 0, errors.New("a multiple is written with x, such as 10x")
}

// parseOneOf returns the number of a name, from 1.
func parseOneOf(text string, names []string) (int64, error) {
	if i := slices.Index(names, text); i >= 0 {
		return int64(i + 1), nil
	}
	return 0, errors.New("want one of " + strings.Join(names, ", "))
}

// parseRatio reads "2%" or "150bp" as PPM.
func parseRatio(text string) (int64, error) {
	if n, ok := strings.CutSuffix(text, "%"); ok {
		return core.ParseDecimal([]byte(strings.TrimSpace(n)), 4)
	}
	if n, ok := strings.CutSuffix(text, "bp"); ok {
		return core.ParseDecimal([]byte(strings.TrimSpace(n)), 2)
	}
	return 0, errors.New("a ratio is written with % or bp")
}

// Spec writes the limits as a person would: what Resolve reads back. in may be
// nil where no quantity is set.
func (ls Limits) Spec(in *core.Instrument) Spec {
	var s Spec
	for _, f := range s.fields() {
		v, set := ls.Get(f.limit)
		switch {
		case !set:
		case isRate(f.limit):
			per, _ := ls.Get(f.limit + 1)
			*f.text = strconv.FormatInt(v, 10) + "/" + time.Duration(per).String()
		case f.limit.Unit() == UnitNone:
			*f.text = "true"
		default:
			*f.text = string(f.limit.Unit().Append(nil, v, in))
		}
	}
	return s
}

// Append appends a limit or a value of the unit as a person reads it: prices,
// quantities and venue notionals in the decimals of in (raw when in is nil),
// values of the risk currency with trailing zeros cut, ratios as percentages,
// periods as Go writes durations.
func (u Unit) Append(dst []byte, v int64, in *core.Instrument) []byte {
	switch {
	case u == UnitPPM:
		return append(trimZeros(core.AppendDecimal(dst, v, 4), len(dst)), '%')
	case u == UnitNanos:
		return append(dst, time.Duration(v).String()...)
	case u == UnitTimes:
		return append(trimZeros(core.AppendDecimal(dst, v, 6), len(dst)), 'x')
	case u == UnitMode:
		return append(dst, nameAt(modeNames[:], v)...)
	case u == UnitAction:
		return append(dst, nameAt(actionNames[:], v)...)
	case u == UnitValue || u == UnitAmount:
		return trimZeros(core.AppendDecimal(dst, v, ValueScale), len(dst))
	case u == UnitPrice && in != nil:
		return core.AppendDecimal(dst, v, in.PriceScale)
	case u == UnitQty && in != nil:
		return core.AppendDecimal(dst, v, in.QtyScale)
	case u == UnitNotional && in != nil:
		return core.AppendDecimal(dst, v, in.SettleScale)
	}
	return strconv.AppendInt(dst, v, 10)
}

// trimZeros cuts the zeros at the end of the fraction that begins after from.
func trimZeros(b []byte, from int) []byte {
	if !strings.ContainsRune(string(b[from:]), '.') {
		return b
	}
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	if b[len(b)-1] == '.' {
		b = b[:len(b)-1]
	}
	return b
}
