package postgres

import (
	"encoding/binary"
	"fmt"
	"io"
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

// copyHeader begins COPY's binary format: signature, flags, length of an extension.
const copyHeader = "PGCOPY\n\xff\r\n\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00"

// copyReader is rows as COPY's binary format, encoded into the reader's caller's buffer
// as it asks for them: between a row and the socket it is written once.
type copyReader[R any] struct {
	t    *table[R]
	e    *encoder
	rows []R

	rest  []byte // encoded, but without room in the caller's buffer
	spare []byte // rest's memory
	begun bool
	ended bool
}

// maxRow is the room in a buffer that makes it worth encoding another row there. Longer
// rows are cut, at the cost of a copy.
const maxRow = 1 << 10

// Read fills p with whole rows, as many as fit. The error of an encoding ends the COPY.
func (c *copyReader[R]) Read(p []byte) (int, error) {
	if len(c.rest) > 0 {
		n := copy(p, c.rest)
		c.rest = c.rest[n:]
		return n, nil
	}
	if c.ended {
		return 0, io.EOF
	}
	c.e.b = p[:0:len(p)]
	if !c.begun {
		c.begun = true
		c.e.b = append(c.e.b, copyHeader...)
	}
	for len(c.rows) > 0 && (len(c.e.b) == 0 || len(p)-len(c.e.b) >= maxRow) {
		c.t.appendRow(c.e, &c.rows[0])
		c.rows = c.rows[1:]
	}
	if c.e.err != nil {
		return 0, c.e.err
	}
	if len(c.rows) == 0 && !c.ended {
		c.ended = true
		c.e.b = append(c.e.b, 0xff, 0xff)
	}
	return c.deliver(p), nil
}

// deliver hands out what was encoded: it stands in p already, unless it outgrew it.
func (c *copyReader[R]) deliver(p []byte) int {
	b := c.e.b
	c.e.b = nil
	if len(b) <= len(p) {
		if len(b) > 0 && &b[0] != &p[0] {
			copy(p, b)
		}
		return len(b)
	}
	n := copy(p, b)
	c.spare = append(c.spare[:0], b[n:]...)
	c.rest = c.spare
	return n
}
