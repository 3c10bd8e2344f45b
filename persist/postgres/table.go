package postgres

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
)

// table is the one place that says what the columns of a table are: rows are copied
// into it, merged into it and read from it by the same list.
type table[R any] struct {
	name    string
	columns []column[R]

	list   string // the columns' names, as they stand in SQL
	copyIn string // COPY … FROM STDIN
	merge  string // INSERT … SELECT FROM unnest … ON CONFLICT
}

// newTable fills in the statements. Rows with a key replace those of the same key.
func newTable[R any](name string, columns []column[R], key ...string) *table[R] {
	t := &table[R]{name: name, columns: columns}
	names := make([]string, len(columns))
	arrays := make([]string, len(columns))
	var set []string
	for i, c := range columns {
		names[i] = c.name
		arrays[i] = "$" + strconv.Itoa(i+1) + "::" + c.kind.name + "[]"
		if !slices.Contains(key, c.name) {
			set = append(set, c.name+" = EXCLUDED."+c.name)
		}
	}
	t.list = strings.Join(names, ", ")
	t.copyIn = "COPY " + name + " (" + t.list + ") FROM STDIN BINARY"
	t.merge = "INSERT INTO " + name + " (" + t.list + ") SELECT * FROM unnest(" + strings.Join(arrays, ", ") + ")"
	if len(key) > 0 {
		t.merge += " ON CONFLICT (" + strings.Join(key, ", ") + ") DO UPDATE SET " + strings.Join(set, ", ")
	}
	return t
}

// onlyAbove lets a row replace another only if it is above it in a column.
func (t *table[R]) onlyAbove(column string) *table[R] {
	t.merge += " WHERE EXCLUDED." + column + " > " + t.name + "." + column
	return t
}

// oids are the types of merge's parameters.
func (t *table[R]) oids() []uint32 {
	oids := make([]uint32, len(t.columns))
	for i, c := range t.columns {
		oids[i] = c.kind.array
	}
	return oids
}

// scan reads one row of t.list.
func (t *table[R]) scan(d *decoder, values [][]byte, r *R) error {
	d.reset(values)
	for i := range t.columns {
		d.at = i
		t.columns[i].get(d, r)
	}
	if d.err != nil {
		return d.failed(t.name, t.columns[d.failedAt].name)
	}
	return nil
}

// appendRow appends one row in COPY's binary format.
func (t *table[R]) appendRow(e *encoder, r *R) {
	e.b = binary.BigEndian.AppendUint16(e.b, uint16(len(t.columns)))
	for i := range t.columns {
		t.columns[i].put(e, r)
	}
}

// arrays encodes rows as one array a column, for merge. An element is what a row of COPY
// has of the column: its length and its value.
func (t *table[R]) arrays(e *encoder, rows []R) ([][]byte, error) {
	values := make([][]byte, len(t.columns))
	for i := range t.columns {
		c := &t.columns[i]
		e.b = appendArrayHeader(make([]byte, 0, arrayHeader+len(rows)*16), c.kind, len(rows))
		for j := range rows {
			c.put(e, &rows[j])
		}
		values[i] = e.b
	}
	e.b = nil
	return values, e.err
}

// arrayHeader is the length of what stands before the elements.
const arrayHeader = 20

// appendArrayHeader begins a one-dimensional array without nulls.
func appendArrayHeader(b []byte, k *kind, n int) []byte {
	for _, v := range [...]uint32{1, 0, k.oid, uint32(n), 1} { // dimensions, nulls, type, length, first index
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

// arrayOf is an array of n encoded elements.
func arrayOf(k *kind, n int, elements []byte) []byte {
	return append(appendArrayHeader(nil, k, n), elements...)
}
