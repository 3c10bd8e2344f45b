package postgres

import "qcat/core"

// kind is a type of column: how it is named in SQL, and as an element and as an array
// on the wire (src/include/catalog/pg_type.dat).
type kind struct {
	name  string
	oid   uint32
	array uint32
}

var (
	boolean  = &kind{"boolean", 16, 1000}
	bytea    = &kind{"bytea", 17, 1001}
	bigint   = &kind{"bigint", 20, 1016}
	smallint = &kind{"smallint", 21, 1005}
	integer  = &kind{"integer", 23, 1007}
	text     = &kind{"text", 25, 1009}
	numeric  = &kind{"numeric", 1700, 1231}
)

// column is one column of rows of type R, and both ways between it and R's fields.
type column[R any] struct {
	name string
	kind *kind
	put  func(*encoder, *R)
	get  func(*decoder, *R)
}

// The kinds of columns. f points at the column's field, for writing and for reading.

func int64s[R any, T ~int64](name string, f func(*R) *T) column[R] {
	return column[R]{name, bigint,
		func(e *encoder, r *R) { e.i64(int64(*f(r))) },
		func(d *decoder, r *R) { *f(r) = T(d.i64()) }}
}

// counts are below 2^63: sequences, long ids.
func counts[R any, T ~uint64](name string, f func(*R) *T) column[R] {
	return column[R]{name, bigint,
		func(e *encoder, r *R) { e.u64(uint64(*f(r))) },
		func(d *decoder, r *R) { *f(r) = T(d.u64()) }}
}

func uint32s[R any](name string, f func(*R) *uint32) column[R] {
	return column[R]{name, bigint,
		func(e *encoder, r *R) { e.i64(int64(*f(r))) },
		func(d *decoder, r *R) { *f(r) = d.u32() }}
}

// ids are dense and therefore below 2^31.
func ids[R any, T ~uint32](name string, f func(*R) *T) column[R] {
	return column[R]{name, integer,
		func(e *encoder, r *R) { e.id(uint32(*f(r))) },
		func(d *decoder, r *R) { *f(r) = T(d.id()) }}
}

func codes[R any](name string, f func(*R) *uint16) column[R] {
	return column[R]{name, integer,
		func(e *encoder, r *R) { e.i32(int32(*f(r))) },
		func(d *decoder, r *R) { *f(r) = d.u16() }}
}

func enums[R any, T ~uint8](name string, f func(*R) *T) column[R] {
	return column[R]{name, smallint,
		func(e *encoder, r *R) { e.u8(uint8(*f(r))) },
		func(d *decoder, r *R) { *f(r) = T(d.u8()) }}
}

func bools[R any](name string, f func(*R) *bool) column[R] {
	return column[R]{name, boolean,
		func(e *encoder, r *R) { e.bool(*f(r)) },
		func(d *decoder, r *R) { *f(r) = d.bool() }}
}

func texts[R any](name string, f func(*R) *string) column[R] {
	return column[R]{name, text,
		func(e *encoder, r *R) { e.text(*f(r)) },
		func(d *decoder, r *R) { *f(r) = d.text() }}
}

func clOrdIDs[R any](name string, f func(*R) *core.ClOrdID) column[R] {
	return column[R]{name, text,
		func(e *encoder, r *R) { e.clOrdID(f(r)) },
		func(d *decoder, r *R) { *f(r) = d.clOrdID() }}
}

// prices are at the scale of the instrument that f names.
func prices[R any](name string, f func(*R) (core.InstrumentID, *core.Price)) column[R] {
	return column[R]{name, numeric,
		func(e *encoder, r *R) { id, p := f(r); e.decimal(int64(*p), e.of(id).price) },
		func(d *decoder, r *R) { id, p := f(r); *p = core.Price(d.decimal(int(d.of(id).price))) }}
}

// qtys are at the scale of the instrument that f names.
func qtys[R any](name string, f func(*R) (core.InstrumentID, *core.Qty)) column[R] {
	return column[R]{name, numeric,
		func(e *encoder, r *R) { id, q := f(r); e.decimal(int64(*q), e.of(id).qty) },
		func(d *decoder, r *R) { id, q := f(r); *q = core.Qty(d.decimal(int(d.of(id).qty))) }}
}

// amounts are in the settlement currency of the instrument that f names.
func amounts[R any](name string, f func(*R) (core.InstrumentID, *core.Notional)) column[R] {
	return column[R]{name, numeric,
		func(e *encoder, r *R) { id, n := f(r); e.decimal(int64(*n), e.of(id).settle) },
		func(d *decoder, r *R) { id, n := f(r); *n = core.Notional(d.decimal(int(d.of(id).settle))) }}
}

// decimals are at a scale that the row itself has in an earlier column.
func decimals[R any, T ~int64](name string, f func(*R) (uint8, *T)) column[R] {
	return column[R]{name, numeric,
		func(e *encoder, r *R) { scale, v := f(r); e.decimal(int64(*v), scale) },
		func(d *decoder, r *R) { scale, v := f(r); *v = T(d.decimal(int(scale))) }}
}

// wides are 128-bit sums at the scale that s makes of the instrument's.
func wides[R any](name string, s func(scale) uint8, f func(*R) (core.InstrumentID, *core.Int128)) column[R] {
	return column[R]{name, numeric,
		func(e *encoder, r *R) { id, v := f(r); e.decimal128(*v, s(e.of(id))) },
		func(d *decoder, r *R) { id, v := f(r); *v = d.decimal128(int(s(d.of(id)))) }}
}

// words are whole numbers that may need all 64 bits.
func words[R any](name string, f func(*R) *uint64) column[R] {
	return column[R]{name, numeric,
		func(e *encoder, r *R) { e.decimal128(core.Int128{Lo: *f(r)}, 0) },
		func(d *decoder, r *R) {
			v := d.decimal128(0)
			if v.Hi != 0 {
				d.fail(errNumeric)
			}
			*f(r) = v.Lo
		}}
}
