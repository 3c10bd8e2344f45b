package ticklog

import "qcat/core"

// Version is the version byte of records written by this code.
const Version = 1

// Type says what a record holds. Numbers are stored and never reused; they begin
// where the types of the order journal cannot reach.
type Type uint8

const (
	TypeTrade Type = 128
	TypeQuote Type = 129
	TypeMark  Type = 130
	TypeGap   Type = 131
)

var typeNames = [...]string{"trade", "quote", "mark", "gap"}

// String returns the name used in tools' output.
func (t Type) String() string {
	if i := int(t) - int(TypeTrade); i >= 0 && i < len(typeNames) {
		return typeNames[i]
	}
	return "unknown"
}

// Header begins every record, in the same form as in the order journal.
type Header struct {
	Type Type
	Seq  uint64     // 1, 2, 3, … in a log
	Time core.Nanos // when the writer took it; never less than that of the record before
}

// Trade is one trade of the market.
type Trade struct {
	Instrument   core.InstrumentID
	Side         core.Side // the aggressor's
	Price        core.Price
	Qty          core.Qty
	ID           uint64 // the venue's
	ExchangeTime core.Nanos
	ReceiveTime  core.Nanos
}

// Quote is a best bid and offer, the last one of its sampling interval.
type Quote struct {
	// Flags may have core.FlagStale (the book behind it waits for a snapshot: the
	// prices are old) and core.FlagCrossed.
	Flags        core.EventFlags
	Instrument   core.InstrumentID
	BidPrice     core.Price
	BidQty       core.Qty
	AskPrice     core.Price
	AskQty       core.Qty
	UpdateID     uint64 // the venue's
	ExchangeTime core.Nanos
	ReceiveTime  core.Nanos
}

// Mark is a mark price of the venue's.
type Mark struct {
	Instrument   core.InstrumentID
	Price        core.Price
	ExchangeTime core.Nanos
	ReceiveTime  core.Nanos
}

// Gap says that market data between two moments is not in the log, of some
// instruments or of all.
type Gap struct {
	Reason GapReason
	Lost   uint64     // events of any kind, or 0 when not known
	From   core.Nanos // receive time of the last event before the loss, 0 when there was none
	To     core.Nanos // receive time of the first event after it
}

// GapReason is why a Gap came about. Numbers are stored: never reused.
type GapReason uint8

const (
	// GapOverrun: the writer was a lap behind a lane.
	GapOverrun GapReason = 1
	// GapFull: the log had no room.
	GapFull GapReason = 2
	// GapFailed: the log could not be written.
	GapFailed GapReason = 3
	// GapRestart: nobody was writing.
	GapRestart GapReason = 4
)

var gapNames = [...]string{"", "overrun", "full", "failed", "restart"}

// String returns the name stored in tables and used in JSON.
func (r GapReason) String() string {
	if int(r) < len(gapNames) && r > 0 {
		return gapNames[r]
	}
	return "unknown"
}

// Record is one record of any type: the field named as Header.Type holds it, the
// others are left over from earlier use.
type Record struct {
	Header

	Trade Trade
	Quote Quote
	Mark  Mark
	Gap   Gap
}
