package core

// AccountID is a dense index assigned by Directory from 1; 0 is none.
type AccountID uint32

// StrategyID is a dense index assigned by Directory from 1; 0 is none.
type StrategyID uint32

// SessionID names a client's connection, for as long as the process runs; 0 is none.
type SessionID uint64

// EverySession stands for every session there ever was.
const EverySession = ^SessionID(0)

// OrderID is assigned by the sequencer, ascending from 1, unique in a journal.
type OrderID uint64

// Side of an order, of an aggressor or of a book level.
type Side uint8

const (
	Buy  Side = iota + 1 // FIX 54=1
	Sell                 // FIX 54=2
)

// Opposite returns the other side.
func (s Side) Opposite() Side { return 3 - s }

// Sign is +1 for Buy and -1 for Sell.
func (s Side) Sign() int64 { return 3 - 2*int64(s) }

// Leg is which of an account's two positions in an instrument an order is for. In
// one-way mode there is one, LegNet; in hedge mode a long and a short one are held
// side by side, and an order names the one it opens or closes.
type Leg uint8

const (
	LegNet Leg = iota
	LegLong
	LegShort
)

// OrdType is FIX 40.
type OrdType uint8

const (
	Market OrdType = iota + 1
	Limit
)

// TimeInForce is FIX 59; post only (FIX 18=6) stands among them because the
// order JSON puts it there.
type TimeInForce uint8

const (
	GTC TimeInForce = iota + 1
	IOC
	FOK
	GTD
	PostOnly
)

// OrdStatus is FIX 39. New means accepted here: checked, journalled and on its
// way; Order.VenueAcked tells whether the venue has confirmed it.
type OrdStatus uint8

const (
	StatusNew OrdStatus = iota + 1
	StatusPartiallyFilled
	StatusFilled
	StatusCancelled
	StatusRejected
	StatusExpired
)

// Open reports whether an order in this status can still trade.
func (s OrdStatus) Open() bool { return s == StatusNew || s == StatusPartiallyFilled }

var (
	sideNames   = [...]string{"", "buy", "sell"}
	typeNames   = [...]string{"", "market", "limit"}
	legNames    = [...]string{"both", "long", "short"}
	tifNames    = [...]string{"", "gtc", "ioc", "fok", "gtd", "post_only"}
	statusNames = [...]string{"", "new", "partially_filled", "filled", "cancelled", "rejected", "expired"}
)

func nameOf(names []string, i uint8) string {
	if int(i) < len(names) && i > 0 {
		return names[i]
	}
	return "unknown"
}

func parseName(names []string, s string) uint8 {
	for i := 1; i < len(names); i++ {
		if names[i] == s {
			return uint8(i)
		}
	}
	return 0
}

// String returns the name used in JSON.
func (s Side) String() string { return nameOf(sideNames[:], uint8(s)) }

// String returns the name used in JSON.
func (t OrdType) String() string { return nameOf(typeNames[:], uint8(t)) }

// String returns the name used in JSON.
func (l Leg) String() string {
	if int(l) < len(legNames) {
		return legNames[l]
	}
	return "unknown"
}

// ParseLeg returns the leg of that name ("both", "long" or "short") and whether there
// is one; no name is LegNet.
func ParseLeg(s string) (Leg, bool) {
	for i, name := range legNames {
		if name == s || (i == 0 && s == "") {
			return Leg(i), true
		}
	}
	return 0, false
}

// String returns the name used in JSON.
func (t TimeInForce) String() string { return nameOf(tifNames[:], uint8(t)) }

// String returns the name used in JSON.
func (s OrdStatus) String() string { return nameOf(statusNames[:], uint8(s)) }

// ParseSide returns 0 for an unknown name.
func ParseSide(s string) Side { return Side(parseName(sideNames[:], s)) }

// ParseOrdType returns 0 for an unknown name.
func ParseOrdType(s string) OrdType { return OrdType(parseName(typeNames[:], s)) }

// ParseTimeInForce returns 0 for an unknown name.
func ParseTimeInForce(s string) TimeInForce { return TimeInForce(parseName(tifNames[:], s)) }

// ParseOrdStatus returns 0 for an unknown name.
func ParseOrdStatus(s string) OrdStatus { return OrdStatus(parseName(statusNames[:], s)) }

// MaxClOrdIDLen is the longest client order id in bytes (Binance: 36).
const MaxClOrdIDLen = 36

// ClOrdID is a client order id (FIX 11) as a value: no pointer, comparable.
// The zero value is "none given".
type ClOrdID struct {
	n uint8
	b [MaxClOrdIDLen]byte
}

// MakeClOrdID returns the id, and false when s is longer than MaxClOrdIDLen or
// holds a byte outside printable ASCII without space, quote and backslash.
func MakeClOrdID[S ~string | ~[]byte](s S) (id ClOrdID, ok bool) {
	if len(s) > MaxClOrdIDLen {
		return id, false
	}
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return ClOrdID{}, false
		}
		id.b[i] = c
	}
	id.n = uint8(len(s))
	return id, true
}

// Append appends the id's bytes.
func (c *ClOrdID) Append(dst []byte) []byte { return append(dst, c.b[:c.n]...) }

// Len is the id's length in bytes.
func (c *ClOrdID) Len() int { return int(c.n) }

// String returns the id.
func (c ClOrdID) String() string { return string(c.b[:c.n]) }

// Order is one order and its state. No pointers; written by the sequencer only,
// copied to everyone else.
type Order struct {
	ID         OrderID
	Account    AccountID
	Strategy   StrategyID
	Instrument InstrumentID

	Side        Side
	Type        OrdType
	TIF         TimeInForce
	Status      OrdStatus
	Leg         Leg
	ReduceOnly  bool
	VenueAcked  bool // the venue confirmed it
	PendingCxl  bool // a cancel is on its way to the venue
	PendingRepl bool // an amend is on its way to the venue
	// Unknown says that what the venue has of an open order is not known: its
	// answer was lost with a process, or it denied the order. It counts in full
	// until the venue has been asked.
	Unknown bool
	// CancelOnDrop says that the order is cancelled when Session ends without a
	// logout.
	CancelOnDrop bool
	Session      SessionID

	Price  Price // limit price; 0 for a market order
	Qty    Qty   // OrderQty (FIX 38)
	CumQty Qty   // filled so far (FIX 14)
	// CumCost is Σ LastPx·LastQty in raw units, exact: AvgPx = CumCost/CumQty.
	CumCost Int128

	// NewPrice, NewQty are those asked for while PendingRepl; limits count the
	// larger of old and new.
	NewPrice Price
	NewQty   Qty

	Amends     uint32
	Reason     uint16 // risk or venue code of a rejection, 0 otherwise
	ExpireTime Nanos  // GTD only
	CreateTime Nanos
	UpdateTime Nanos
	ClOrdID    ClOrdID
}

// LeavesQty is what can still trade (FIX 151); 0 once the order is closed.
func (o *Order) LeavesQty() Qty {
	if !o.Status.Open() {
		return 0
	}
	return o.Qty - o.CumQty
}

// VenueOp is what a VenueCommand asks of a venue.
type VenueOp uint8

const (
	VenueNew VenueOp = iota + 1
	VenueCancel
	VenueAmend
	// VenueStatus asks what the venue knows of an order, after a restart or when
	// the two disagree; it never enters one. See VenueCommand.
	VenueStatus
)

// VenueCommand is what the engine sends to a venue's gateway: pointer-free, by
// value, in the order in which it was journalled.
//
// A VenueStatus carries the order's terms and what is recorded of it. It is
// answered by reports: first what became of the amend, then the trades that are not
// recorded yet, each with its own VenueExecID, at last the end:
//
//	alive                     ExecNew; with Amending ExecReplaced with the terms it
//	                          has, or ExecReplaceRejected when they are the old ones
//	filled                    the missing ExecTrade
//	ended otherwise           ExecCancelled, ExecExpired or ExecRejected
//	not known, with Acked     ExecCancelled with VenueReasonUnknownOrder
//	not known otherwise       ExecRejected with VenueReasonUnknownOrder
//
// It must not be answered while an order sent before it could still arrive.
type VenueCommand struct {
	Op         VenueOp
	Side       Side
	Type       OrdType
	TIF        TimeInForce
	Leg        Leg
	ReduceOnly bool
	Acked      bool // VenueStatus: the venue has confirmed the order before
	Amending   bool // VenueStatus: an amend was sent and not answered
	Order      OrderID
	Account    AccountID
	Instrument InstrumentID
	Price      Price // VenueAmend: the new price
	Qty        Qty   // VenueAmend: the new total quantity
	CumQty     Qty   // VenueStatus: filled as far as is recorded
	ExpireTime Nanos
	Time       Nanos // when the sequencer took it
	// VenueExecID is the highest one recorded of the order; VenueStatus only.
	VenueExecID uint64
}

// ExecType is what an ExecReport tells (FIX 150).
type ExecType uint8

const (
	ExecNew ExecType = iota + 1 // the venue has the order
	ExecTrade
	ExecCancelled
	ExecRejected
	ExecExpired
	ExecReplaced
	ExecCancelRejected  // the cancel failed; the order's state is unchanged
	ExecReplaceRejected // the amend failed; the order's state is unchanged
)

var execTypeNames = [...]string{"", "new", "trade", "cancelled", "rejected", "expired", "replaced", "cancel_rejected", "replace_rejected"}

// String returns the name used in tools' output.
func (t ExecType) String() string { return nameOf(execTypeNames[:], uint8(t)) }

// Liquidity tells who took (FIX 851).
type Liquidity uint8

const (
	Maker Liquidity = iota + 1
	Taker
)

// String returns the name used in JSON.
func (l Liquidity) String() string { return nameOf([]string{"", "maker", "taker"}, uint8(l)) }

// FeeCurrency is which of an instrument's currencies a fee was taken in.
type FeeCurrency uint8

const (
	FeeSettle FeeCurrency = iota
	// FeeBase is the base currency of a spot instrument: such a fee lowers the
	// quantity received.
	FeeBase
)

// ExecReport is what a venue's gateway tells the engine of one order.
type ExecReport struct {
	Type       ExecType
	Liquidity  Liquidity
	VenueCode  uint16 // venue-side reason of a rejection (VenueReason)
	Instrument InstrumentID
	Order      OrderID
	// VenueExecID ascends within one order; a repeated one is ignored.
	VenueExecID uint64
	LastPx      Price
	LastQty     Qty
	// Fee is in the currency that FeeIn says, with the instrument's SettleScale;
	// negative is a rebate.
	Fee   Notional
	FeeIn FeeCurrency
	// Price, Qty are the order's new terms for ExecReplaced.
	Price Price
	Qty   Qty
	Time  Nanos // venue's time
}

// Fill is the trade that the report tells of, as an order of that side books it.
func (r *ExecReport) Fill(side Side) *Fill {
	return &Fill{Side: side, Price: r.LastPx, Qty: r.LastQty, Fee: r.Fee, FeeIn: r.FeeIn}
}

// VenueReason is why a venue (or its gateway) refused; stable numbers.
type VenueReason uint16

const (
	VenueReasonNone         VenueReason = 0
	VenueReasonUnknownOrder VenueReason = 1 // too late: filled, cancelled or never seen
	VenueReasonNoLiquidity  VenueReason = 2 // market or FOK order without enough depth
	VenueReasonWouldTake    VenueReason = 3 // post only, but marketable
	VenueReasonBookStale    VenueReason = 4 // no book to fill against
	VenueReasonUnavailable  VenueReason = 5 // gateway down or its queue full
	VenueReasonInvalid      VenueReason = 6 // terms the venue cannot take
)

var venueReasonNames = [...]string{"", "venue.unknown_order", "venue.no_liquidity", "venue.would_take",
	"venue.book_stale", "venue.unavailable", "venue.invalid"}

// String returns the stable textual code, "" for none.
func (r VenueReason) String() string {
	if int(r) < len(venueReasonNames) {
		return venueReasonNames[r]
	}
	return "venue.other"
}

// Execution is one fill of one order, as recorded.
type Execution struct {
	ID         uint64 // ExecID (FIX 17), assigned by the sequencer, ascending
	Order      OrderID
	Account    AccountID
	Strategy   StrategyID
	Instrument InstrumentID
	Side       Side
	Liquidity  Liquidity
	LastPx     Price
	LastQty    Qty
	Leg        Leg
	FeeIn      FeeCurrency
	Fee        Notional
	VenueTime  Nanos
	Time       Nanos // when it was sequenced
	ClOrdID    ClOrdID
}
