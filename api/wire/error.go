package wire

import "strconv"

// ErrorKind is what is wrong with a request.
type ErrorKind uint8

// Kinds of error. Their codes are stable.
const (
	OK ErrorKind = iota
	Syntax
	TooLarge
	TooDeep
	Trailing
	UnknownField
	DuplicateField
	MissingField
	WrongType
	NotDecimalString
	BadValue
	TooLong
	Escaped
	NotForThis
	BadPrecision
	OutOfRange
	TooMany
	TooFine
)

var errorKinds = [...]struct{ code, text string }{
	OK:               {"", ""},
	Syntax:           {"request.syntax", "not valid JSON"},
	TooLarge:         {"request.too_large", "the request is too large"},
	TooDeep:          {"request.too_deep", "nested too deeply"},
	Trailing:         {"request.trailing", "there is something after the object"},
	UnknownField:     {"request.unknown_field", "no such field"},
	DuplicateField:   {"request.duplicate_field", "the field is given twice"},
	MissingField:     {"request.missing_field", "the field is missing"},
	WrongType:        {"request.type", "the value has the wrong type"},
	NotDecimalString: {"request.type", `decimals are strings: write "1.50", not 1.50`},
	BadValue:         {"request.value", "the value is not one of those allowed"},
	TooLong:          {"request.too_long", "the value is too long"},
	Escaped:          {"request.escape", "escape sequences and control characters are not taken here"},
	NotForThis:       {"request.not_applicable", "the field does not belong to this request"},
	BadPrecision:     {"request.precision", "more decimals than the instrument has"},
	OutOfRange:       {"request.range", "the number is out of range"},
	TooMany:          {"request.too_many", "there are too many of them"},
	TooFine:          {"request.precision", "more decimals than the field takes"},
}

// Error is why a request was not understood, by value; the zero Error is none.
// It holds no part of the request but a copy of the start of an unknown field's
// name.
type Error struct {
	Kind  ErrorKind
	Field Field // FieldNone: Name, or nothing in particular
	nameN uint8
	name  [24]byte
	Pos   int      // byte offset in the request
	take  FieldSet // of a field that is none or too many: those that there are; of a missing one: which would do
}

// OK reports whether there is no error.
func (e Error) OK() bool { return e.Kind == OK }

// Code is the stable code of the error, "request.…".
func (e Error) Code() string { return errorKinds[e.Kind].code }

// FieldName is the name of the field the error is about, "" if none.
func (e *Error) FieldName() string {
	if e.Field != FieldNone {
		return e.Field.String()
	}
	return string(e.name[:e.nameN])
}

// AppendDetail appends the error for a person to read: plain text, not JSON.
func (e *Error) AppendDetail(dst []byte) []byte {
	if e.Field != FieldNone || e.nameN > 0 {
		dst = append(dst, "field "...)
		if e.Field != FieldNone {
			dst = strconv.AppendQuote(dst, e.Field.String())
		} else {
			dst = strconv.AppendQuote(dst, string(e.name[:e.nameN]))
		}
		dst = append(dst, ": "...)
	}
	if e.Kind == BadValue && e.Field != FieldNone && fields[e.Field].shape != shapeEnum {
		dst = append(dst, "the value cannot be read"...)
	} else {
		dst = append(dst, errorKinds[e.Kind].text...)
	}
	dst = e.appendWant(dst)
	if e.Kind == MissingField || e.Kind == NotForThis {
		return dst
	}
	dst = append(dst, " (byte "...)
	dst = strconv.AppendInt(dst, int64(e.Pos), 10)
	return append(dst, ')')
}

// Error returns the detail: Error is an error for those who want one (the Go
// client, tests); servers answer with Code and AppendDetail.
func (e Error) Error() string { return string(e.AppendDetail(nil)) }

func (e *Error) setName(b []byte) { e.nameN = uint8(copy(e.name[:], b)) }
