package store

import (
	"context"
	"errors"

	"qcat/core"
	"qcat/core/history"
)

// Stream names a log that stores follow.
type Stream uint8

const (
	Journal Stream = iota // orders and everything around them
	Ticks                 // market data
	NumStreams
)

var streamNames = [NumStreams]string{"journal", "ticks"}

// String returns the name stored with a position.
func (s Stream) String() string { return streamNames[s] }

// LogID identifies a log: a store that was filled from one must not go on with
// another.
type LogID [16]byte

// Position is how far a store has come in a log. The zero value is an empty store.
type Position struct {
	Log  LogID
	Seq  uint64     // of the last record whose rows are stored
	Time core.Nanos // of that record
}

// Batch is the rows of the records From to To of one log. Rows that belong to the
// other stream are empty. A batch may have no row at all and still move the position.
//
// What a store can count on: sequences, ids and counts are below 2^63, except
// Position.EntryDen; strings are valid UTF-8 without NUL; each key occurs once in a
// batch. Everything else, times of the market included, may have any value.
type Batch struct {
	Stream   Stream
	Log      LogID
	From, To uint64
	Time     core.Nanos // of record To

	Instruments []core.Instrument // new ones, and those defined anew
	Accounts    []core.Account
	Strategies  []core.Strategy
	Orders      []history.Order // the last state of each order that changed; one row an order
	Executions  []history.Execution
	Positions   []history.Position // the last state of each that changed
	Marks       []Mark             // the last one of each that changed
	Totals      []TransferTotal    // the last one of each that changed
	Transfers   []history.Transfer
	Equity      []history.Equity
	RiskEvents  []history.RiskEvent
	Audit       []history.Audit

	Trades  []history.Trade
	Quotes  []history.Quote
	Candles []history.Candle // the last state of each that changed, open ones included
	Gaps    []history.Gap
}

// Rows is how many rows the batch has.
func (b *Batch) Rows() int {
	return len(b.Instruments) + len(b.Accounts) + len(b.Strategies) + len(b.Orders) + len(b.Executions) +
		len(b.Positions) + len(b.Marks) + len(b.Totals) + len(b.Transfers) + len(b.Equity) + len(b.RiskEvents) + len(b.Audit) +
		len(b.Trades) + len(b.Quotes) + len(b.Candles) + len(b.Gaps)
}

// State is what a projection needs to go on from a store's position.
type State struct {
	Position Position

	// Of the journal.
	Instruments []core.Instrument
	Accounts    []core.Account
	Strategies  []core.Strategy
	Open        []history.Order // open orders
	Positions   []history.Position
	Marks       []Mark // the last of each instrument
	Totals      []TransferTotal

	// Of the ticks.
	Quotes  []history.Quote  // the latest of each instrument by ReceiveTime
	Candles []history.Candle // the latest of each instrument and interval by OpenTime
	Gaps    []history.Gap    // the latest by Tick, at most RecentGaps
}

// RecentGaps is how many gaps a State has: a candle that begins within one is
// flagged by them.
const RecentGaps = 16

// Mark is the last journalled valuation of an instrument.
type Mark struct {
	Instrument core.InstrumentID
	Price      core.Price
	Time       core.Nanos
}

// TransferTotal is what was transferred to an account in one currency, less what was
// taken out, since the first record.
type TransferTotal struct {
	Account  core.AccountID
	Currency string
	Amount   int64      // 10^-history.AmountScale
	Time     core.Nanos // of the last transfer
}

// Store keeps rows. Write belongs to the stream's follower; reading is for any
// goroutine.
//
//	row                                    key                                  Write
//	Instruments, Accounts, Strategies      ID                                   replaces
//	Orders                                 ID                                   replaces
//	Executions                             ID                                   adds
//	Positions                              Strategy, Instrument, Leg            replaces
//	Marks                                  Instrument                           replaces
//	Totals                                 Account, Currency                    replaces
//	Transfers                              Seq                                  adds
//	Equity                                 Account, Settle, Scale, Time         adds
//	RiskEvents, Audit                      Seq                                  adds
//	Trades                                 Tick                                 adds
//	Quotes                                 Instrument, ReceiveTime              adds
//	Candles                                Instrument, Interval, OpenTime       replaces
//	Gaps                                   Tick                                 adds
type Store interface {
	history.Reader

	// Load returns the position and the state there of one stream.
	Load(ctx context.Context, s Stream) (*State, error)
	// Position returns how far the store has come in a stream.
	Position(ctx context.Context, s Stream) (Position, error)
	// Write stores the batch and its position in one transaction. b is only read,
	// and not kept.
	//
	// Errors: ErrForeign when the store was filled from another log; ErrPosition
	// when b.From is not the next record or b.To is before it; any other means that
	// nobody knows whether it was stored: ask Position.
	Write(ctx context.Context, b *Batch) error
	// Order returns one order, open or closed, and false when there is none: a
	// late fill changes an order that the projection has let go of.
	Order(ctx context.Context, id core.OrderID) (history.Order, bool, error)
	// Digest sums up the content, in a form that is equal for equal rows whatever
	// the store.
	Digest(ctx context.Context) (Digest, error)
	// Ping is nil when the store answers.
	Ping(ctx context.Context) error
	Close() error
}

// Syncer is a store whose latest commits a power cut may take back: whole ones, newest
// first. A store that does not implement it keeps what Write has stored.
type Syncer interface {
	// Synced is the last record of a stream up to which a power cut leaves the rows, 0
	// while that is not known. The log is kept from there. Any goroutine.
	Synced(s Stream) uint64
}

// Errors of stores.
var (
	// ErrPosition is wrapped when a batch does not follow on a store's position.
	ErrPosition = errors.New("store: batch does not follow on the stored position")
	// ErrForeign is wrapped when a store was filled from another log.
	ErrForeign = errors.New("store: filled from another log")
	// ErrSchema is wrapped when a schema is newer than this program, or older than
	// it can use.
	ErrSchema = errors.New("store: schema")
)
