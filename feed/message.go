package feed

import "qcat/core"

// MessageKind says what a decoded frame is.
type MessageKind uint8

const (
	// MessageIgnored is a frame that is well formed and of no interest
	// (a subscription's answer, a stream nobody asked for). One that names an
	// instrument and has a LastID is a trade that is no price; its id counts.
	MessageIgnored MessageKind = iota
	MessageTrade
	MessageQuote
	MessageDepth
	MessageSnapshot
	MessageMark
)

// Message is one decoded frame in the venue's own sequence terms. A decoder
// reuses it: Bids and Asks are valid until the next Decode.
type Message struct {
	Kind       MessageKind
	Side       core.Side // aggressor of a trade
	Instrument core.InstrumentID

	// FirstID..LastID are the update ids a depth message covers, PrevID is the
	// last id of the message before it where the venue says so (else 0). A trade
	// has its id in LastID, a quote its update id, a snapshot its lastUpdateId.
	FirstID, LastID, PrevID uint64

	ExchangeTime core.Nanos

	Price, AskPrice core.Price // trade or mark price; bid and offer of a quote
	Qty, AskQty     core.Qty

	Bids, Asks []core.Level

	// Ahead, when there is one, is told by the decoder of a depth message's instrument
	// as soon as that is known, before any level is read: whoever keeps its book can have
	// it fetched meanwhile. It is the reader's, like the memory of Bids and Asks; a decoder
	// leaves it as it is.
	Ahead func(core.InstrumentID)
}

// Decoder turns one raw frame of a venue into a Message. It is used by one
// goroutine, does not retain frame and does not allocate in the steady state.
//
// A REST snapshot's body does not name its instrument: snapshotFor is the
// instrument it was asked for (in a capture: the only one), 0 if none is known.
//
// Errors: any error is a bad message; the message is then undefined.
type Decoder interface {
	Decode(frame []byte, snapshotFor core.InstrumentID, m *Message) error
}

// Continuity is how a venue's depth messages follow one another.
type Continuity uint8

const (
	// ContinuityFirst: FirstID must be the previous LastID + 1 (Binance spot).
	// After a snapshot, messages with LastID <= its id are dropped and the first
	// applied must straddle id + 1.
	ContinuityFirst Continuity = iota
	// ContinuityPrev: PrevID must be the previous LastID (Binance USD-M). After a
	// snapshot, messages with LastID < its id are dropped and the first applied
	// must straddle id.
	ContinuityPrev
	// ContinuityNone: messages carry no usable ids; each applies (simulated).
	ContinuityNone
)
