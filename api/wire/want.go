package wire

import (
	"math/bits"
	"strconv"
)

// appendWant appends what would have been right, as far as the kind of mistake tells it.
func (e *Error) appendWant(dst []byte) []byte {
	const wanted = ", wanted "
	switch e.Kind {
	case WrongType, BadValue:
		if e.Field != FieldNone {
			return append(append(dst, wanted...), e.Field.takes()...)
		}
		if e.Pos == 0 {
			return append(dst, ", wanted a JSON object"...)
		}
	case MissingField:
		if e.take != 0 {
			return appendFields(append(dst, wanted...), e.take, " or ")
		}
	case Syntax:
		if e.Pos == 0 {
			return append(dst, ", wanted a JSON object"...)
		}
	case TooLong:
		if e.Field != FieldNone && fields[e.Field].maxLen > 0 {
			dst = append(dst, ", wanted at most "...)
			return append(strconv.AppendInt(dst, int64(fields[e.Field].maxLen), 10), " bytes"...)
		}
	case OutOfRange:
		return append(append(dst, wanted...), e.Field.inRange()...)
	case UnknownField, NotForThis:
		if list := e.take; list != 0 && bits.OnesCount64(uint64(list)) <= maxListed {
			return appendFields(append(dst, ", there are "...), list, " and ")
		}
		return append(dst, e.Field.belongs()...)
	}
	return dst
}

// maxListed is how many fields an error lists: those of any one request, and not all that a
// WebSocket knows.
const maxListed = 20

// appendFields appends the names of a set, with word before the last: "a, b and c".
func appendFields(dst []byte, set FieldSet, word string) []byte {
	for n := 0; set != 0; n++ {
		f := set.first()
		set &^= Fields(f)
		switch {
		case n > 0 && set == 0:
			dst = append(dst, word...)
		case n > 0:
			dst = append(dst, ", "...)
		}
		dst = append(dst, fields[f].name...)
	}
	return dst
}

// inRange says which numbers a field takes.
func (f Field) inRange() string {
	switch f {
	case FieldPrice, FieldQty:
		return "more than 0, and at most 18 digits"
	case FieldTimeout:
		return "0 to 86400000, a day"
	}
	return "at most 18 digits"
}

// belongs says where a field that is one too many would have its place, "" where there is
// nothing to add.
func (f Field) belongs() string {
	switch f {
	case FieldPrice:
		return ": a market order has no price"
	case FieldTimeInForce:
		return ": a market order is ioc or fok"
	case FieldExpireTime:
		return ": it is for time_in_force gtd"
	case FieldPositionSide:
		return ": it says whose margin amount changes"
	case FieldAccount, FieldStrategy, FieldInstrument:
		return ": the scope is of another level"
	}
	return ""
}

// takes says what a field takes.
func (f Field) takes() string {
	switch f {
	case FieldSide:
		return "buy or sell"
	case FieldType:
		return "limit or market"
	case FieldTimeInForce:
		return "gtc, ioc, fok, gtd or post_only"
	case FieldScope:
		return "firm, account, strategy or instrument"
	case FieldState:
		return "active, reducing or halted"
	case FieldPositionSide:
		return "both, long or short"
	case FieldMode:
		return "cross or isolated"
	case FieldPositionMode:
		return "one_way or hedge"
	}
	switch fields[f].shape {
	case shapeName:
		return "a string that is not empty"
	case shapeDecimal:
		return `a decimal string such as "1.50"`
	case shapeUint:
		return "a whole number"
	case shapeBool:
		return "true or false"
	case shapeID:
		return "a string or a whole number"
	case shapeChannels:
		return "an array of strings"
	case shapeObject:
		return "an object"
	case shapeLimits:
		return `an object of limits as strings, such as {"max_notional":"1000"}, null for none`
	}
	return "a string"
}
