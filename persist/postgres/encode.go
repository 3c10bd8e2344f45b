package postgres

import (
	"encoding/binary"
	"fmt"
	"math"

	"qcat/core"
)

// encoder appends values as COPY, arrays and parameters have them: a 32-bit length and
// the bytes, big-endian. The first error stays; what is appended after it is never used.
// One goroutine.
type encoder struct {
	b   []byte
	err error

	scales *scales
	last   core.InstrumentID // whose scales in holds
	in     scale
}

func (e *encoder) i64(v int64) {
	e.b = append(e.b, 0, 0, 0, 8)
	e.b = binary.BigEndian.AppendUint64(e.b, uint64(v))
}

// u64 appends what is below 2^63 by contract.
func (e *encoder) u64(v uint64) {
	if v > math.MaxInt64 {
		e.fail(fmt.Errorf("postgres: %d does not fit a bigint", v))
	}
	e.i64(int64(v))
}

func (e *encoder) nanos(v core.Nanos) { e.i64(int64(v)) }

func (e *encoder) i32(v int32) {
	e.b = append(e.b, 0, 0, 0, 4)
	e.b = binary.BigEndian.AppendUint32(e.b, uint32(v))
}

// id appends a dense id.
func (e *encoder) id(v uint32) {
	if v > math.MaxInt32 {
		e.fail(fmt.Errorf("postgres: id %d does not fit an integer", v))
	}
	e.i32(int32(v))
}

func (e *encoder) i16(v int16) {
	e.b = append(e.b, 0, 0, 0, 2)
	e.b = binary.BigEndian.AppendUint16(e.b, uint16(v))
}

func (e *encoder) u8(v uint8) { e.i16(int16(v)) }

func (e *encoder) bool(v bool) {
	e.b = append(e.b, 0, 0, 0, 1, 0)
	if v {
		e.b[len(e.b)-1] = 1
	}
}

func (e *encoder) text(s string) {
	e.b = binary.BigEndian.AppendUint32(e.b, uint32(len(s)))
	e.b = append(e.b, s...)
}

func (e *encoder) clOrdID(id *core.ClOrdID) {
	e.b = binary.BigEndian.AppendUint32(e.b, uint32(id.Len()))
	e.b = id.Append(e.b)
}

func (e *encoder) decimal(v int64, scale uint8) { e.b = appendNumeric(e.b, v, scale) }

func (e *encoder) decimal128(v core.Int128, scale uint8) { e.b = appendNumeric128(e.b, v, scale) }

// of returns the scales of an instrument, which must be known: a number without its
// scale would be another number.
func (e *encoder) of(id core.InstrumentID) scale {
	if id == e.last && id != 0 {
		return e.in
	}
	s, ok := e.scales.of(id)
	if !ok {
		e.fail(fmt.Errorf("%w %d", errInstrument, id))
		return scale{}
	}
	e.last, e.in = id, s
	return s
}

// ofAny is of, with whole numbers for an instrument that is not known.
func (e *encoder) ofAny(id core.InstrumentID) scale {
	s, _ := e.scales.of(id) // scale 0
	return s
}

func (e *encoder) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}
