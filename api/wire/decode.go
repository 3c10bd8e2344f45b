package wire

import (
	"errors"

	"qcat/core"
	"qcat/risk"
)

// maxDepth is how deep objects nest: the request, and the order inside it.
const maxDepth = 1

// decoder reads one request. seen counts nulls too: a field given twice is
// refused even if one of them is null.
type decoder struct {
	scanner
	r     *Request
	allow FieldSet
	seen  FieldSet
}

// object reads {"field":value,…}.
func (d *decoder) object(depth int) Error {
	if depth > maxDepth {
		return d.fail(TooDeep)
	}
	if d.peek() != '{' {
		return d.fail(d.mismatch())
	}
	d.pos++
	if d.accept('}') {
		return Error{}
	}
	for {
		if e := d.member(depth); !e.OK() {
			return e
		}
		if d.accept(',') {
			continue
		}
		if d.accept('}') {
			return Error{}
		}
		return d.fail(Syntax)
	}
}

// member reads one "field":value.
func (d *decoder) member(depth int) Error {
	if d.peek() != '"' {
		return d.fail(Syntax)
	}
	start := d.pos
	name, kind := d.str()
	if kind != OK {
		return d.fail(kind)
	}
	f := fieldNamed(name)
	if f == FieldNone || (depth > 0 && !(SocketOrderFields | AmendFields).Has(f)) {
		return d.unknown(name, start, depth)
	}
	if !d.allow.Has(f) {
		return Error{Kind: NotForThis, Field: f, Pos: start, take: d.allow}
	}
	if d.seen.Has(f) {
		return Error{Kind: DuplicateField, Field: f, Pos: start}
	}
	d.seen |= Fields(f)
	if !d.accept(':') {
		return d.fail(Syntax)
	}
	next := d.peek()
	d.r.pos[f] = int32(d.pos)
	if next == 'n' && d.literal("null") {
		return Error{}
	}
	at := d.pos
	if f == FieldOrder {
		d.r.Set |= Fields(f)
		return d.object(depth + 1)
	}
	if kind := d.value(f); kind != OK {
		return Error{Kind: kind, Field: f, Pos: at}
	}
	d.r.Set |= Fields(f)
	return Error{}
}

// unknown is the error of a field that there is not, at start.
func (d *decoder) unknown(name []byte, start, depth int) Error {
	e := Error{Kind: UnknownField, Pos: start, take: d.allow}
	if depth > 0 {
		e.take &= SocketOrderFields | AmendFields
	}
	e.setName(name)
	return e
}

func (d *decoder) fail(k ErrorKind) Error { return Error{Kind: k, Pos: d.pos} }

// value reads the value of f.
func (d *decoder) value(f Field) ErrorKind {
	switch fields[f].shape {
	case shapeUint:
		return d.uint(f)
	case shapeDigits:
		return d.digits(f)
	case shapeBool:
		return d.bool(f)
	case shapeID:
		return d.id()
	case shapeChannels:
		return d.channels()
	case shapeLimits:
		return d.limits()
	}
	if d.peek() != '"' {
		kind := d.mismatch()
		if kind == WrongType && fields[f].shape == shapeDecimal && isNumberStart(d.b[d.pos]) {
			kind = NotDecimalString
		}
		return kind
	}
	v, kind := d.str()
	switch {
	case kind != OK:
		return kind
	case len(v) > fields[f].maxLen:
		return TooLong
	case len(v) == 0 && fields[f].shape != shapeText:
		return BadValue
	}
	return d.set(f, v)
}

func isNumberStart(c byte) bool { return c == '-' || c-'0' <= 9 && c >= '0' }

// set stores the string v as the value of f.
func (d *decoder) set(f Field, v []byte) ErrorKind {
	r := d.r
	valid := true
	switch f {
	case FieldOp:
		r.Op = v
	case FieldToken:
		r.Token = v
	case FieldKey:
		r.Key = v
	case FieldNonce:
		r.Nonce = v
	case FieldSignature:
		r.Signature = v
	case FieldAccount:
		r.Account = v
	case FieldStrategy:
		r.Strategy = v
	case FieldInstrument:
		r.Instrument = v
	case FieldReason:
		r.Reason = v
	case FieldPrice:
		r.Price, valid = v, isDecimal(v)
	case FieldQty:
		r.Qty, valid = v, isDecimal(v)
	case FieldSide:
		r.Side = core.ParseSide(view(v))
		valid = r.Side != 0
	case FieldType:
		r.Type = core.ParseOrdType(view(v))
		valid = r.Type != 0
	case FieldTimeInForce:
		r.TIF = core.ParseTimeInForce(view(v))
		valid = r.TIF != 0
	case FieldClientOrderID:
		r.ClOrdID, valid = core.MakeClOrdID(v)
	case FieldScope:
		r.Level, valid = risk.ParseLevel(view(v))
	case FieldState:
		r.State, valid = parseState(v)
	case FieldPositionSide:
		r.Leg, valid = core.ParseLeg(view(v))
	case FieldCurrency:
		r.Currency = v
	case FieldBy:
		r.By = v
	case FieldAmount:
		r.Amount, valid = v, isDecimal(v)
	case FieldLeverage:
		r.Leverage, valid = v, isDecimal(v)
	case FieldRate:
		r.Rate, valid = v, isDecimal(v)
	case FieldMode:
		r.Isolated, valid = eitherName(v, "cross", "isolated")
	case FieldPositionMode:
		r.Hedge, valid = eitherName(v, "one_way", "hedge")
	}
	if !valid {
		return BadValue
	}
	return OK
}

// eitherName reports whether v is the second of two names, and whether it is either.
func eitherName(v []byte, no, yes string) (second, ok bool) {
	second = string(v) == yes
	return second, second || string(v) == no
}

// isDecimal reports whether b is a plain decimal of any precision.
func isDecimal(b []byte) bool {
	_, err := core.ParseDecimal(b, core.MaxScale)
	return !errors.Is(err, core.ErrDecimalSyntax)
}

func parseState(b []byte) (risk.TradingState, bool) { return risk.ParseTradingState(view(b)) }

func (d *decoder) uint(f Field) ErrorKind {
	if d.peek() == '"' || !isNumberStart(d.peek()) {
		return d.mismatch()
	}
	text, kind := d.number()
	if kind != OK {
		return kind
	}
	v, ok := parseUint(text)
	if !ok {
		return BadValue
	}
	switch f {
	case FieldFromSeq:
		d.r.FromSeq = v
	case FieldUntil:
		d.r.Until = core.Nanos(v)
	case FieldFromIdx:
		d.r.FromIdx = v
	case FieldExpireTime:
		d.r.ExpireTime = core.Nanos(v)
	case FieldOrderID:
		d.r.OrderID = core.OrderID(v)
	case FieldTimeout:
		if v > maxTimeout {
			return OutOfRange
		}
		d.r.Timeout = core.Nanos(v) * nanosPerMilli
	}
	return OK
}

// digits reads a whole number and keeps its text, which is signed as it is written.
func (d *decoder) digits(f Field) ErrorKind {
	if d.peek() == '"' || !isNumberStart(d.peek()) {
		return d.mismatch()
	}
	text, kind := d.number()
	if kind != OK {
		return kind
	}
	if _, ok := parseUint(text); !ok {
		return BadValue
	}
	if f == FieldWindow {
		d.r.Window = text
	} else {
		d.r.Timestamp = text
	}
	return OK
}

// The longest countdown is a day: whoever is away for longer does not need one.
const (
	nanosPerMilli = 1_000_000
	maxTimeout    = 24 * 60 * 60 * 1000 // ms
)

func (d *decoder) bool(f Field) ErrorKind {
	v := d.literal("true")
	if !v && !d.literal("false") {
		return d.mismatch()
	}
	switch f {
	case FieldReduceOnly:
		d.r.ReduceOnly = v
	case FieldCancelOnDisconnect:
		d.r.CancelOnDisconnect = v
	case FieldEnable:
		d.r.Enable = v
	case FieldApprove:
		d.r.Approve = v
	default:
		d.r.CancelOpen = v
	}
	return OK
}

// id reads a string or a whole number and keeps its text, quotes included.
func (d *decoder) id() ErrorKind {
	start := d.pos
	switch c := d.peek(); {
	case c == '"':
		if _, kind := d.str(); kind != OK {
			return kind
		}
	case isNumberStart(c):
		text, kind := d.number()
		if kind != OK {
			return kind
		}
		for _, c := range text {
			if c != '-' && c-'0' > 9 {
				return WrongType
			}
		}
	default:
		return d.mismatch()
	}
	if d.pos-start > MaxIDLen {
		return TooLong
	}
	d.r.ID = d.b[start:d.pos]
	return OK
}

// channels reads an array of non-empty strings.
func (d *decoder) channels() ErrorKind {
	if d.peek() != '[' {
		return d.mismatch()
	}
	d.pos++
	start := d.pos
	if d.accept(']') {
		return BadValue
	}
	for {
		if d.peek() != '"' {
			return d.mismatch()
		}
		name, kind := d.str()
		switch {
		case kind != OK:
			return kind
		case len(name) == 0:
			return BadValue
		case len(name) > fields[FieldChannels].maxLen:
			return TooLong
		}
		d.r.channelCount++
		if d.accept(',') {
			continue
		}
		end := d.pos
		if !d.accept(']') {
			return Syntax
		}
		d.r.channels = d.b[start:end]
		return OK
	}
}
