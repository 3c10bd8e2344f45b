package history

import (
	"context"

	"qcat/core"
)

// OrderQuery selects orders; zero fields select all. From and To bound CreateTime.
type OrderQuery struct {
	Account    core.AccountID
	Strategy   core.StrategyID
	Instrument core.InstrumentID
	Side       core.Side
	Status     core.OrdStatus
	OpenOnly   bool
	ClOrdID    core.ClOrdID
	From, To   core.Nanos
	Before     core.OrderID
	Limit      int // required
}

// ExecutionQuery selects executions; zero fields select all. From and To bound Time.
type ExecutionQuery struct {
	Account    core.AccountID
	Strategy   core.StrategyID
	Instrument core.InstrumentID
	Order      core.OrderID
	From, To   core.Nanos
	Before     uint64 // execution id
	Limit      int    // required
}

// TradeKey orders the trades of one instrument.
type TradeKey struct {
	Time core.Nanos // ExchangeTime
	ID   uint64
}

// TradeQuery selects trades of one instrument. From and To bound ExchangeTime.
type TradeQuery struct {
	Instrument core.InstrumentID // required
	From, To   core.Nanos
	Before     TradeKey
	Limit      int // required
}

// QuoteQuery selects sampled quotes of one instrument by ReceiveTime; Before is
// the ReceiveTime of the last row of the page before.
type QuoteQuery struct {
	Instrument core.InstrumentID // required
	From, To   core.Nanos
	Before     core.Nanos
	Limit      int // required
}

// CandleQuery selects candles of one instrument and interval by OpenTime; Before
// is the OpenTime of the last row of the page before.
type CandleQuery struct {
	Instrument core.InstrumentID // required
	Interval   core.Nanos        // required, one of CandleIntervals
	From, To   core.Nanos
	Before     core.Nanos
	Limit      int // required
}

// EquityQuery selects equity rows of one account; Before is the Time of the last
// row of the page before. A page never ends between two currencies of one Time: it
// may be longer than Limit by what the last Time has more. Within a Time, rows
// ascend by Settle (by bytes) and Scale.
type EquityQuery struct {
	Account  core.AccountID // required
	From, To core.Nanos
	Before   core.Nanos
	Limit    int // required
}

// TransferQuery selects transfers; zero fields select all. Before is the Seq of the last
// row of the page before.
type TransferQuery struct {
	Account  core.AccountID
	Currency string
	From, To core.Nanos
	Before   uint64
	Limit    int // required
}

// EventQuery selects risk events or audit entries; Before is the Seq of the last
// row of the page before. Account is the row's own, not its scope's. Kind, Account and Strategy play no part
// for audit entries, Action none for risk events.
type EventQuery struct {
	Kind     RiskEventKind
	Action   string
	Account  core.AccountID
	Strategy core.StrategyID
	From, To core.Nanos
	Before   uint64
	Limit    int // required
}

// Reader answers questions about the past. It lags behind what happens: what is
// in flight comes from the engine's view. Any goroutine.
//
// Errors: ctx's; the store's.
type Reader interface {
	Orders(ctx context.Context, q OrderQuery) ([]Order, error)
	Executions(ctx context.Context, q ExecutionQuery) ([]Execution, error)
	Trades(ctx context.Context, q TradeQuery) ([]Trade, error)
	Quotes(ctx context.Context, q QuoteQuery) ([]Quote, error)
	Candles(ctx context.Context, q CandleQuery) ([]Candle, error)
	Equity(ctx context.Context, q EquityQuery) ([]Equity, error)
	Transfers(ctx context.Context, q TransferQuery) ([]Transfer, error)
	RiskEvents(ctx context.Context, q EventQuery) ([]RiskEvent, error)
	Audit(ctx context.Context, q EventQuery) ([]Audit, error)
}
