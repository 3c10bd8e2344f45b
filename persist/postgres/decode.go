package postgres

import (
	"encoding/binary"
	"errors"
	"fmt"

	"qcat/core"
)

// decoder reads the binary values of one row. The first error stays. One goroutine.
type decoder struct {
	values   [][]byte
	at       int // column that is read
	err      error
	failedAt int

	scales *scales
}

var errColumn = errors.New("unexpected value")

func (d *decoder) reset(values [][]byte) {
	d.values, d.err, d.at = values, nil, 0
}

// failed is the error of the row, with where it stands.
func (d *decoder) failed(table, column string) error {
	return fmt.Errorf("postgres: %s.%s: %w", table, column, d.err)
}

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err, d.failedAt = err, d.at
	}
}

// fixed returns the n bytes of the column, or zeros after an error.
func (d *decoder) fixed(n int) []byte {
	var zero [8]byte
	if d.at >= len(d.values) || len(d.values[d.at]) != n {
		d.fail(errColumn)
		return zero[:n]
	}
	return d.values[d.at]
}

func (d *decoder) i64() int64 { return int64(binary.BigEndian.Uint64(d.fixed(8))) }

func (d *decoder) u64() uint64 {
	v := d.i64()
	if v < 0 {
		d.fail(fmt.Errorf("%w: %d", errColumn, v))
	}
	return uint64(v)
}

func (d *decoder) i32() int32 { return int32(binary.BigEndian.Uint32(d.fixed(4))) }

// id reads a dense id.
func (d *decoder) id() uint32 {
	v := d.i32()
	if v < 0 {
		d.fail(fmt.Errorf("%w: %d", errColumn, v))
	}
	return uint32(v)
}

func (d *decoder) u8() uint8 {
	v := int16(binary.BigEndian.Uint16(d.fixed(2)))
	if v < 0 || v > 0xff {
		d.fail(fmt.Errorf("%w: %d", errColumn, v))
	}
	return uint8(v)
}

func (d *decoder) u16() uint16 {
	v := d.i32()
	if v < 0 || v > 0xffff {
		d.fail(fmt.Errorf("%w: %d", errColumn, v))
	}
	return uint16(v)
}

func (d *decoder) u32() uint32 {
	v := d.i64()
	if v < 0 || v > 0xffffffff {
		d.fail(fmt.Errorf("%w: %d", errColumn, v))
	}
	return uint32(v)
}

func (d *decoder) bool() bool { return d.fixed(1)[0] != 0 }

// bytes is valid until the next row.
func (d *decoder) bytes() []byte {
	if d.at >= len(d.values) || d.values[d.at] == nil {
		d.fail(errColumn)
		return nil
	}
	return d.values[d.at]
}

func (d *decoder) text() string { return string(d.bytes()) }

func (d *decoder) clOrdID() core.ClOrdID {
	id, ok := core.MakeClOrdID(d.bytes())
	if !ok {
		d.fail(fmt.Errorf("%w: client order id %q", errColumn, d.text()))
	}
	return id
}

func (d *decoder) decimal(scale int) int64 {
	v, err := parseNumeric64(d.bytes(), scale)
	if err != nil {
		d.fail(err)
	}
	return v
}

func (d *decoder) decimal128(scale int) core.Int128 {
	v, err := parseNumeric(d.bytes(), scale)
	if err != nil {
		d.fail(err)
	}
	return v
}

// of returns the scales of an instrument, which must be known.
func (d *decoder) of(id core.InstrumentID) scale {
	s, ok := d.scales.of(id)
	if !ok {
		d.fail(fmt.Errorf("%w %d", errInstrument, id))
	}
	return s
}
