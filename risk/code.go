package risk

// codeNames are the textual codes without their prefix. They stand in answers to
// clients and never change.
var codeNames = [...]struct {
	code Code
	name string
}{
	{PriceCollar, "price_collar"},
	{PriceTick, "price_tick"},
	{PriceBounds, "price_bounds"},
	{QtyStep, "qty_step"},
	{MaxQty, "max_qty"},
	{MinQty, "min_qty"},
	{MinNotional, "min_notional"},
	{MaxNotional, "max_notional"},
	{MaxOpenOrders, "max_open_orders"},
	{MaxAmends, "max_amends"},
	{MaxPosition, "max_position"},
	{MaxExposureGross, "max_exposure_gross"},
	{MaxExposureNet, "max_exposure_net"},
	{InsufficientMargin, "insufficient_margin"},
	{InsufficientFunds, "insufficient_funds"},
	{MessageRate, "message_rate"},
	{OrderRate, "order_rate"},
	{RepeatedExecution, "repeated_execution"},
	{DuplicateOrder, "duplicate_order"},
	{InstrumentNotPermitted, "instrument_not_permitted"},
	{Restricted, "restricted"},
	{SelfTrade, "self_trade"},
	{Halted, "halted"},
	{Reducing, "reducing"},
	{StaleReference, "stale_reference"},
	{CrossedReference, "crossed_reference"},
	{MaxLossDaily, "max_loss_daily"},
	{MaxDrawdown, "max_drawdown"},
	{ConsecutiveLosses, "consecutive_losses"},
	{MaxLeverage, "max_leverage"},
	{PositionConcentration, "position_concentration"},
	{MarketVolatility, "market_volatility"},
	{UnfilledNotional, "unfilled_notional"},
	{VenueUnavailable, "venue_unavailable"},
	{MarketMakerProtection, "market_maker_protection"},
	{SamePerson, "same_person"},
	{UnknownProposal, "unknown_proposal"},
	{StaleProposal, "stale_proposal"},
	{MaxScenarioLoss, "max_scenario_loss"},
	{UnknownAccount, "unknown_account"},
	{UnknownStrategy, "unknown_strategy"},
	{UnknownInstrument, "unknown_instrument"},
	{UnknownOrder, "unknown_order"},
	{Overflow, "overflow"},
	{OrderClosed, "order_closed"},
	{AmendPending, "amend_pending"},
	{InvalidOrder, "invalid_order"},
	{ReduceOnly, "reduce_only"},
	{Capacity, "capacity"},
	{NoRate, "no_rate"},
	{InvalidSetting, "invalid_setting"},
	{OrderUnconfirmed, "order_unconfirmed"},
	{WrongLeg, "wrong_leg"},
	{NotFlat, "not_flat"},
}

const codePrefix = "risk."

var codeTexts = func() map[Code]string {
	m := make(map[Code]string, len(codeNames))
	for _, c := range codeNames {
		m[c.code] = codePrefix + c.name
	}
	return m
}()

// String returns the stable textual code ("risk.price_collar"), "" for OK and
// for a number that is no code.
func (c Code) String() string { return codeTexts[c] }

// NumCodes is how many codes there are, OK aside.
const NumCodes = len(codeNames)

// codeIndexes are the places of the codes in Codes, from 1; 0: the number is no code.
var codeIndexes = func() (at [10_000]uint8) {
	for i := range codeNames {
		at[codeNames[i].code] = uint8(i + 1)
	}
	return at
}()

// Index is the code's place in Codes, for tables with one row a code; false for OK and
// for a number that is no code. It does not allocate.
func (c Code) Index() (i int, ok bool) {
	if int(c) >= len(codeIndexes) {
		return 0, false
	}
	i = int(codeIndexes[c]) - 1
	return i, i >= 0
}

// Codes returns every code there is, in ascending order of the controls.
func Codes() []Code {
	out := make([]Code, len(codeNames))
	for i, c := range codeNames {
		out[i] = c.code
	}
	return out
}
