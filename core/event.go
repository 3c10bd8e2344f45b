package core

// EventKind says what a market-data Event is.
type EventKind uint8

const (
	// EventQuote is a best bid and offer: Price/Qty is the bid, AskPrice/AskQty the offer.
	EventQuote EventKind = iota + 1
	// EventTrade is a trade: Side is the aggressor's, Seq the venue's trade id.
	EventTrade
	// EventLevel sets one price level of the book to Qty (0 removes it). The
	// levels of one depth message are a run, the first and last flagged.
	EventLevel
	// EventMark is a mark price in Price.
	EventMark
	// EventStatus says that the book became stale (FlagStale set) or, being
	// followed by a snapshot run, is being rebuilt.
	EventStatus
)

// EventFlags qualify an Event.
type EventFlags uint8

const (
	// FlagLast marks the last event of a run: the book is consistent after it.
	FlagLast EventFlags = 1 << iota
	// FlagFirst marks the first event of a run.
	FlagFirst
	// FlagSnapshot marks a run that replaces the book: readers clear it at FlagFirst.
	FlagSnapshot
	// FlagStale marks an event of an instrument whose book waits for a snapshot.
	FlagStale
	// FlagCrossed marks a quote whose bid is at or above its offer.
	FlagCrossed
)

// Has reports whether all flags of g are set.
func (f EventFlags) Has(g EventFlags) bool { return f&g == g }

// Event is one normalised market-data event: 64 bytes, one cache line, no
// pointers.
//
//	 0 Kind  1 Flags  2 Side  3 –  4..7 Instrument
//	 8 Seq          venue update id (quote, level), trade id (trade)
//	16 ExchangeTime venue's clock      24 ReceiveTime ours
//	32 Price        40 Qty
//	48 AskPrice     56 AskQty          (quotes only)
//
// An empty snapshot is a single EventLevel with First|Last|Snapshot and Price 0.
type Event struct {
	Kind       EventKind
	Flags      EventFlags
	Side       Side
	_          uint8
	Instrument InstrumentID

	Seq          uint64
	ExchangeTime Nanos
	ReceiveTime  Nanos
	Price        Price
	Qty          Qty
	AskPrice     Price
	AskQty       Qty
}

// Level is one price level of a book: quantity 0 removes it.
type Level struct {
	Price Price
	Qty   Qty
}

// Quote is the latest that is known of one instrument's prices: what the order
// lane takes its reference price from. Zero prices are unknown.
type Quote struct {
	BidPrice, AskPrice Price
	BidQty, AskQty     Qty
	LastPrice          Price // last trade
	MarkPrice          Price // venue's mark price
	Seq                uint64
	ExchangeTime       Nanos // of the best bid and offer
	ReceiveTime        Nanos // of the best bid and offer
	LastTime, MarkTime Nanos // receive times of LastPrice and MarkPrice
	Flags              EventFlags
	_                  [7]uint8
}

// Crossed reports whether both sides are known and the bid is at or above the
// offer (a locked book counts as crossed: neither is a reference price).
func (q *Quote) Crossed() bool {
	return q.BidPrice > 0 && q.AskPrice > 0 && q.BidPrice >= q.AskPrice
}
