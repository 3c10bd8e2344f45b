package wire

import (
	"iter"

	"qcat/core"
	"qcat/risk"
)

// Limits of a request. A WebSocket message may be larger than an order because a
// subscription may name many channels.
const (
	MaxOrderBytes  = 4 << 10
	MaxSocketBytes = 64 << 10
	// A change of limits may name every one of them.
	MaxLimitsBytes = 16 << 10
	// MaxIDLen bounds the id of a WebSocket request in bytes, quotes included.
	MaxIDLen = 64
)

// Request is one decoded request: any of the fields that requests have. Byte
// slices are part of what it was decoded from. It holds no pointer of its own
// and is reused by Decode.
type Request struct {
	Set FieldSet // the fields that were given, null not counted

	// Who sends it. Timestamp and Window are the text of whole numbers.
	Key, Timestamp, Window, Nonce, Signature []byte

	// Of a WebSocket request. ID is its raw JSON text, nil when there is none.
	Op, ID, Token []byte
	FromSeq       uint64
	FromIdx       uint64 // of FromSeq's events the last one that is not wanted again
	channels      []byte // inside of the array
	channelCount  int

	Account, Strategy, Instrument []byte

	Side       core.Side
	Type       core.OrdType
	TIF        core.TimeInForce
	ReduceOnly bool
	// Price and Qty are decimal text: its scale is the instrument's.
	Price, Qty []byte
	ClOrdID    core.ClOrdID
	ExpireTime core.Nanos
	OrderID    core.OrderID
	Leg        core.Leg
	// CancelOnDisconnect is what an order says of its connection's end, if it Has
	// FieldCancelOnDisconnect.
	CancelOnDisconnect bool

	Level      risk.Level
	State      risk.TradingState
	Reason     []byte
	CancelOpen bool
	Timeout    core.Nanos
	Enable     bool

	// Of accounts. Amount, Leverage and Rate are decimal text.
	Currency, By           []byte
	Amount, Leverage, Rate []byte
	Isolated               bool // mode
	Hedge                  bool // position_mode

	// Of limits. limits is the inside of the object; see Limits.
	limits  []byte
	Until   core.Nanos
	Approve bool

	pos [fieldCount]int32 // where each field's value began, for later errors
}

// Has reports whether f was given.
func (r *Request) Has(f Field) bool { return r.Set.Has(f) }

// ChannelCount is the number of channels.
func (r *Request) ChannelCount() int { return r.channelCount }

// Channels yields the names of the channels. A name is valid as long as the
// request's bytes are.
func (r *Request) Channels() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		s := scanner{b: r.channels}
		for s.peek() == '"' {
			name, _ := s.str()
			if !yield(name) {
				return
			}
			s.accept(',')
		}
	}
}

// Decode reads the one JSON object in b into r. Fields outside allow are refused
// as not for this request, or as unknown.
func Decode(b []byte, allow FieldSet, maxBytes int, r *Request) Error {
	*r = Request{}
	if len(b) > maxBytes {
		return Error{Kind: TooLarge, Pos: maxBytes}
	}
	d := decoder{scanner: scanner{b: b}, r: r, allow: allow}
	if e := d.object(0); !e.OK() {
		return e
	}
	d.space()
	if d.pos != len(b) {
		return Error{Kind: Trailing, Pos: d.pos}
	}
	return Error{}
}

// Check reports the first field of need that was not given, then the first that
// was given and is not in take.
func (r *Request) Check(take, need FieldSet) Error {
	if f := (need &^ r.Set).first(); f != FieldNone {
		return Error{Kind: MissingField, Field: f}
	}
	if f := (r.Set &^ take).first(); f != FieldNone {
		return Error{Kind: NotForThis, Field: f, Pos: int(r.pos[f]), take: take}
	}
	return Error{}
}

// DecodeOrder reads an order as HTTP posts it.
func DecodeOrder(b []byte, r *Request) Error { return decodeBody(b, OrderFields, OrderNeeds, r) }

// DecodeState reads a change of trading state.
func DecodeState(b []byte, r *Request) Error { return decodeBody(b, StateFields, StateNeeds, r) }

// DecodeCountdown reads a dead man's switch.
func DecodeCountdown(b []byte, r *Request) Error {
	return decodeBody(b, CountdownFields, CountdownNeeds, r)
}

// DecodeTransfer reads a transfer into or out of an account.
func DecodeTransfer(b []byte, r *Request) Error {
	return decodeBody(b, TransferFields, TransferNeeds, r)
}

// DecodeMargin reads a change of an account's margin settings.
func DecodeMargin(b []byte, r *Request) Error { return decodeBody(b, MarginFields, 0, r) }

// DecodeFunding reads a funding payment.
func DecodeFunding(b []byte, r *Request) Error { return decodeBody(b, FundingFields, FundingNeeds, r) }

// DecodeLimits reads a change of limits.
func DecodeLimits(b []byte, r *Request) Error {
	if e := Decode(b, LimitsFields, MaxLimitsBytes, r); !e.OK() {
		return e
	}
	return r.Check(LimitsFields, LimitsNeeds)
}

// DecodeDecision reads the approval or rejection of a change of limits.
func DecodeDecision(b []byte, r *Request) Error {
	return decodeBody(b, DecisionFields, DecisionNeeds, r)
}

func decodeBody(b []byte, take, need FieldSet, r *Request) Error {
	if e := Decode(b, take, MaxOrderBytes, r); !e.OK() {
		return e
	}
	return r.Check(take, need)
}

// CheckTarget reports what is missing for the request to name one order:
// order_id, or account and client_order_id.
func (r *Request) CheckTarget() Error {
	switch {
	case r.Has(FieldOrderID):
		return Error{}
	case !r.Has(FieldClientOrderID):
		return Error{Kind: MissingField, Field: FieldOrderID, take: Fields(FieldOrderID, FieldClientOrderID)}
	case !r.Has(FieldAccount):
		return Error{Kind: MissingField, Field: FieldAccount}
	}
	return Error{}
}

// CheckAmend is CheckTarget, and asks for something to change.
func (r *Request) CheckAmend() Error {
	if e := r.CheckTarget(); !e.OK() {
		return e
	}
	if !r.Has(FieldPrice) && !r.Has(FieldQty) {
		return Error{Kind: MissingField, Field: FieldPrice, take: Fields(FieldPrice, FieldQty)}
	}
	return Error{}
}
