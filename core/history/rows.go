package history

import "qcat/core"

// Order is an order as its last journal record left it.
type Order struct {
	core.Order
	Seq uint64 // of that record
	// Due is when an open good-till-date order is next asked to be cancelled: its
	// ExpireTime, later after a venue refused; 0 once it has been asked for, and of
	// every other order.
	Due core.Nanos
}

// Execution is one fill.
type Execution struct {
	core.Execution
	Seq uint64
}

// Position is what one strategy holds of one instrument, in one leg.
type Position struct {
	Account    core.AccountID
	Strategy   core.StrategyID
	Instrument core.InstrumentID
	Leg        core.Leg
	Position   core.Position
	Seq        uint64
	Time       core.Nanos
}

// AmountScale is the number of decimals of amounts in accounts, whatever the currency.
const AmountScale = 8

// Transfer is an amount that was moved into an account, or out of it.
type Transfer struct {
	Seq      uint64 // unique: at most one of a record
	Time     core.Nanos
	Account  core.AccountID
	Currency string
	Amount   int64 // 10^-AmountScale; negative: taken out
	Balance  int64 // of the account in the currency afterwards, 10^-AmountScale
	By       string
	Note     string
}

// Equity is what an account was worth in one currency at a moment, in units of
// 10^-Scale, which is AmountScale: what was transferred to it, and what its positions
// that settle in the currency had made. There is one row a minute in which such a
// position was held, traded or funded, or an amount transferred, at the last journalled
// marks of that minute. A minute in which nothing at all was journalled has none: the
// row before still says what it would.
//
// What a position has in its instrument's own scale is rounded half to even.
//
// Account, Settle, Scale and Time together are unique.
type Equity struct {
	Account    core.AccountID
	Settle     string
	Scale      uint8
	Time       core.Nanos    // the end of the minute
	Transfers  core.Notional // transferred in, less what was taken out, since the first record
	Realised   core.Notional
	Unrealised core.Notional
	Fees       core.Notional
	Funding    core.Notional // paid; negative was received
	// Valued is false when a position had no mark or an amount did not fit:
	// Unrealised is then what could be added up.
	Valued bool
	Seq    uint64 // of the last record of the minute
}

// Total is what the account is worth in the currency.
func (e *Equity) Total() core.Notional { return e.Transfers + e.Profit() }

// Profit is what the account's positions have made, after fees and funding.
func (e *Equity) Profit() core.Notional { return e.Realised + e.Unrealised - e.Fees - e.Funding }

// Scope names a node of the limit tree; the numbers are risk's.
type Scope struct {
	Level      uint8
	Account    core.AccountID
	Strategy   core.StrategyID
	Instrument core.InstrumentID
}

// RiskEventKind says what a RiskEvent tells. Numbers are stored: never reused.
type RiskEventKind uint8

const (
	RiskOrderRefused  RiskEventKind = 1
	RiskAmendRefused  RiskEventKind = 2
	RiskCancelRefused RiskEventKind = 3
	RiskStateChanged  RiskEventKind = 4
	RiskLimitsChanged RiskEventKind = 5
	RiskReportStray   RiskEventKind = 6 // a venue's report of an order that is not kept
	RiskReportInvalid RiskEventKind = 7 // a venue's report that could not be booked
	RiskRestarted     RiskEventKind = 8 // the process started anew; Value: orders unknown
	RiskBreached      RiskEventKind = 9 // what is held crossed a limit: the numbers, and what was done
	// RiskCountdownEnded is a dead man's switch that was not renewed.
	RiskCountdownEnded RiskEventKind = 10
)

var riskEventNames = [...]string{"", "order_refused", "amend_refused", "cancel_refused", "state_changed",
	"limits_changed", "report_stray", "report_invalid", "restarted", "breached", "countdown_ended"}

// String returns the name used in JSON.
func (k RiskEventKind) String() string {
	if int(k) < len(riskEventNames) && k > 0 {
		return riskEventNames[k]
	}
	return "unknown"
}

// ParseRiskEventKind returns the kind of that name and whether there is one.
func ParseRiskEventKind(name string) (RiskEventKind, bool) {
	for k := RiskOrderRefused; int(k) < len(riskEventNames); k++ {
		if riskEventNames[k] == name {
			return k, true
		}
	}
	return 0, false
}

// RiskEvent is something a risk officer wants to find again. Of an order that was
// closed when it was refused a cancel or an amend, only what the request named is
// known.
type RiskEvent struct {
	Seq  uint64 // unique: at most one of a record
	Time core.Nanos
	Kind RiskEventKind

	Scope Scope // that refused, or was changed; of an order: its path
	State uint8 // RiskStateChanged, and of a report that halted the firm; the numbers are risk's
	// Action is what a breach did, as risk numbers it. Cancelled is how many orders a
	// breach, or a countdown that ended, asked venues to cancel.
	Action    uint8
	Cancelled uint32
	Code      uint16
	Unit      uint8
	Limit     int64
	Value     int64

	Order      core.OrderID
	Account    core.AccountID
	Strategy   core.StrategyID
	Instrument core.InstrumentID
	Side       core.Side
	Price      core.Price
	Qty        core.Qty
	ClOrdID    core.ClOrdID
	Note       string
}

// Audit is one administrative act: who changed what.
type Audit struct {
	Seq    uint64 // unique: at most one of a record
	Time   core.Nanos
	Action string // one of AuditActions
	Scope  Scope
	Detail string // what was set, in words and numbers
}

// AuditActions are the actions that audit entries have.
var AuditActions = [...]string{"define_instrument", "define_account", "define_strategy", "set_limits", "propose_limits",
	"approve_limits", "reject_limits", "lapse_limits", "end_override", "set_rate", "set_rate_from", "set_state", "cancel_all", "cancel_session",
	"countdown", "breach", "transfer", "set_margin", "set_tiers", "funding", "restart"}

// Trade is one trade of the market. Instrument, ExchangeTime and ID name it, unless
// the venue or its connection repeated it.
type Trade struct {
	Instrument   core.InstrumentID
	ID           uint64 // the venue's
	Side         core.Side
	Price        core.Price
	Qty          core.Qty
	ExchangeTime core.Nanos
	ReceiveTime  core.Nanos
	Tick         uint64 // sequence in the tick log
}

// Quote is a best bid and offer, sampled. Instrument and ReceiveTime together are
// unique.
type Quote struct {
	Instrument         core.InstrumentID
	Stale              bool // the book behind it waited for a snapshot
	BidPrice, AskPrice core.Price
	BidQty, AskQty     core.Qty
	ExchangeTime       core.Nanos
	ReceiveTime        core.Nanos
	Tick               uint64
}

// Candle is what traded in one interval of one instrument.
type Candle struct {
	Instrument core.InstrumentID
	Interval   core.Nanos // one of CandleIntervals
	core.Candle
	// Gap says that ticks of the interval are missing.
	Gap bool
}

// CloseTime is the first instant that is no longer in the candle.
func (c *Candle) CloseTime() core.Nanos { return c.OpenTime + c.Interval }

// CandleIntervals are the widths that are kept.
var CandleIntervals = [...]core.Nanos{1e9, 60e9, 3600e9}

// Gap is a piece of market data that the tick log does not have.
type Gap struct {
	Tick     uint64 // sequence of its record in the tick log; unique
	Lost     uint64 // events, or 0 when not known
	From, To core.Nanos
	Reason   string // "overrun", "full", "failed", "restart", "retention"
}
