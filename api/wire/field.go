package wire

import (
	"math/bits"

	"qcat/core"
)

// Field is a field of a request.
type Field uint8

// The fields a request may have. Which of them a particular request takes is
// said by a FieldSet.
const (
	FieldNone Field = iota
	FieldOp
	FieldID
	FieldChannels
	FieldFromSeq
	FieldFromIdx
	FieldToken
	FieldOrder // the order's fields as an object of their own

	FieldAccount
	FieldStrategy
	FieldInstrument
	FieldSide
	FieldType
	FieldTimeInForce
	FieldPrice
	FieldQty
	FieldClientOrderID
	FieldReduceOnly
	FieldExpireTime
	FieldOrderID
	FieldPositionSide
	FieldCancelOnDisconnect

	FieldScope
	FieldState
	FieldReason
	FieldCancelOpen
	FieldTimeout
	FieldEnable

	FieldCurrency
	FieldAmount
	FieldBy
	FieldLeverage
	FieldMode
	FieldPositionMode
	FieldRate

	FieldLimits
	FieldUntil
	FieldApprove

	FieldKey
	FieldTimestamp
	FieldWindow
	FieldNonce
	FieldSignature

	fieldCount
)

// shape is what a field's value must look like.
type shape uint8

const (
	shapeName    shape = iota // a non-empty string without escapes
	shapeDecimal              // a decimal string
	shapeUint                 // a whole number ≥ 0
	shapeDigits               // the same, kept as it is written
	shapeBool
	shapeText     // any string without escapes, may be empty
	shapeID       // a string or a whole number, echoed as it is
	shapeChannels // an array of names
	shapeObject
	shapeLimits // an object of limits by name: strings, or null
	shapeEnum   // a string out of a fixed set
)

var fields = [fieldCount]struct {
	name   string
	shape  shape
	maxLen int // of a string, in bytes
}{
	FieldOp:                 {"op", shapeName, 24},
	FieldID:                 {"id", shapeID, MaxIDLen},
	FieldChannels:           {"channels", shapeChannels, 128},
	FieldFromSeq:            {"from_seq", shapeUint, 0},
	FieldFromIdx:            {"from_idx", shapeUint, 0},
	FieldToken:              {"token", shapeText, 4096},
	FieldOrder:              {"order", shapeObject, 0},
	FieldAccount:            {"account", shapeName, 64},
	FieldStrategy:           {"strategy", shapeName, 64},
	FieldInstrument:         {"instrument", shapeName, 128},
	FieldSide:               {"side", shapeEnum, 16},
	FieldType:               {"type", shapeEnum, 16},
	FieldTimeInForce:        {"time_in_force", shapeEnum, 16},
	FieldPrice:              {"price", shapeDecimal, 40},
	FieldQty:                {"qty", shapeDecimal, 40},
	FieldClientOrderID:      {"client_order_id", shapeName, 36},
	FieldReduceOnly:         {"reduce_only", shapeBool, 0},
	FieldExpireTime:         {"expire_time", shapeUint, 0},
	FieldOrderID:            {"order_id", shapeUint, 0},
	FieldScope:              {"scope", shapeEnum, 16},
	FieldState:              {"state", shapeEnum, 16},
	FieldReason:             {"reason", shapeText, 64},
	FieldCancelOpen:         {"cancel_open", shapeBool, 0},
	FieldPositionSide:       {"position_side", shapeEnum, 16},
	FieldCancelOnDisconnect: {"cancel_on_disconnect", shapeBool, 0},
	FieldTimeout:            {"timeout_ms", shapeUint, 0},
	FieldEnable:             {"enable", shapeBool, 0},
	FieldCurrency:           {"currency", shapeName, core.MaxNameLen},
	FieldAmount:             {"amount", shapeDecimal, 40},
	FieldBy:                 {"by", shapeName, 64},
	FieldLeverage:           {"leverage", shapeDecimal, 40},
	FieldMode:               {"mode", shapeEnum, 16},
	FieldPositionMode:       {"position_mode", shapeEnum, 16},
	FieldRate:               {"rate", shapeDecimal, 40},
	FieldLimits:             {"limits", shapeLimits, 64},
	FieldUntil:              {"until", shapeUint, 0},
	FieldApprove:            {"approve", shapeBool, 0},
	FieldKey:                {"key", shapeName, 64},
	FieldTimestamp:          {"timestamp", shapeDigits, 20},
	FieldWindow:             {"window", shapeDigits, 20},
	FieldNonce:              {"nonce", shapeName, 64},
	FieldSignature:          {"signature", shapeName, 128},
}

// String returns the field's name in JSON.
func (f Field) String() string {
	if f < fieldCount {
		return fields[f].name
	}
	return "unknown"
}

// fieldsOf are the fields whose names have so many bytes, one behind the other.
var fieldsOf = func() (of [maxFieldLen + 1][]Field) {
	for f := FieldOp; f < fieldCount; f++ {
		n := len(fields[f].name)
		of[n] = append(of[n], f)
	}
	return of
}()

// maxFieldLen is the length of the longest name, cancel_on_disconnect.
const maxFieldLen = 20

func fieldNamed(name []byte) Field {
	if len(name) > maxFieldLen {
		return FieldNone
	}
	for _, f := range fieldsOf[len(name)] {
		if fields[f].name == string(name) {
			return f
		}
	}
	return FieldNone
}

// FieldSet is a set of fields.
type FieldSet uint64

// Fields makes a set.
func Fields(fs ...Field) FieldSet {
	var s FieldSet
	for _, f := range fs {
		s |= 1 << f
	}
	return s
}

// Has reports whether f is in the set.
func (s FieldSet) Has(f Field) bool { return s>>f&1 != 0 }

// first returns the lowest field of the set, FieldNone if it is empty.
func (s FieldSet) first() Field {
	if s == 0 {
		return FieldNone
	}
	return Field(bits.TrailingZeros64(uint64(s)))
}

// What each request takes and needs.
var (
	OrderFields = Fields(FieldAccount, FieldStrategy, FieldInstrument, FieldSide, FieldType, FieldTimeInForce,
		FieldPrice, FieldQty, FieldClientOrderID, FieldReduceOnly, FieldExpireTime, FieldPositionSide)
	OrderNeeds = Fields(FieldAccount, FieldInstrument, FieldSide, FieldType, FieldQty)

	// An amend names its order by order_id or by account and client_order_id, and
	// says the new price, the new total quantity, or both.
	AmendFields = Fields(FieldAccount, FieldOrderID, FieldClientOrderID, FieldPrice, FieldQty)

	// A cancel names one order as an amend does.
	CancelFields = Fields(FieldAccount, FieldOrderID, FieldClientOrderID)

	// A cancel of all narrows what it cancels by any of these.
	CancelAllFields = Fields(FieldAccount, FieldStrategy, FieldInstrument)

	StateFields = Fields(FieldScope, FieldAccount, FieldStrategy, FieldInstrument, FieldState, FieldReason, FieldCancelOpen)
	StateNeeds  = Fields(FieldScope, FieldState)

	// A countdown narrows what it cancels as a cancel of all does, and says in how
	// many milliseconds; 0 disarms it.
	CountdownFields = CancelAllFields | Fields(FieldTimeout)
	CountdownNeeds  = Fields(FieldTimeout)

	// A transfer moves an amount into the account that the path names, or out of it
	// when it is negative.
	TransferFields = Fields(FieldCurrency, FieldAmount, FieldBy, FieldReason)
	TransferNeeds  = Fields(FieldCurrency, FieldAmount)

	// A change of margin says one thing or several of the account that the path names.
	MarginFields = Fields(FieldInstrument, FieldLeverage, FieldMode, FieldPositionMode, FieldAmount, FieldPositionSide, FieldBy)

	FundingFields = Fields(FieldInstrument, FieldRate, FieldPrice)
	FundingNeeds  = Fields(FieldInstrument, FieldRate)

	// A change of limits names its node as a change of trading state does. Who asks for it
	// is known, or By has to say it.
	LimitsFields = Fields(FieldScope, FieldAccount, FieldStrategy, FieldInstrument, FieldLimits, FieldUntil, FieldBy, FieldReason)
	LimitsNeeds  = Fields(FieldScope, FieldLimits)

	DecisionFields = Fields(FieldApprove, FieldBy)
	DecisionNeeds  = Fields(FieldApprove)

	// SignatureFields prove who sends a request by a signature: SignatureNeeds, and how
	// long it is good.
	SignatureFields = SignatureNeeds | Fields(FieldWindow)
	SignatureNeeds  = Fields(FieldKey, FieldTimestamp, FieldNonce, FieldSignature)

	// SocketOrderFields are those of an order over a connection: it may be cancelled
	// with it.
	SocketOrderFields = OrderFields | Fields(FieldCancelOnDisconnect)

	// SocketFields are those of a WebSocket request of any op: Decode first, then
	// look at Op, then Check.
	SocketFields = Fields(FieldOp, FieldID, FieldChannels, FieldFromSeq, FieldFromIdx, FieldToken, FieldOrder) |
		SignatureFields | SocketOrderFields | AmendFields | CancelFields | StateFields | CountdownFields | Fields(FieldEnable)
)
