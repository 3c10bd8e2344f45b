package sqlite

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// dumpHeader is the first line of a dump.
const dumpHeader = "-- qcat sqlite dump 1"

// Bounds of one INSERT of a dump: few enough rows to name the place of an error,
// enough to spare the parser.
const (
	dumpRows  = 64
	dumpBytes = 64 << 10
)

// ErrDump is wrapped when a database holds what a dump cannot.
var ErrDump = errors.New("sqlite: dump")

// Dump writes the whole content of a database as SQL text, schema and rows, in one
// transaction that Restore or the sqlite3 program runs on an empty one. All of it is
// one state of the database, whatever is written meanwhile, and equal content gives
// equal text, byte for byte: tables by name, rows by primary key, then indexes,
// views and triggers. It is streamed: memory does not grow with the content. A trigger
// that does more than to refuse is ErrDump. It returns what Inspect says of the state
// that was dumped.
func Dump(ctx context.Context, db *sql.DB, w io.Writer) (c Content, err error) {
	err = inView(ctx, db, func(tx *sql.Tx) error {
		if err := dump(ctx, tx, w); err != nil {
			return err
		}
		c, err = inspect(ctx, tx)
		return err
	})
	return c, err
}

func dump(ctx context.Context, tx *sql.Tx, w io.Writer) error {
	d := &dumper{ctx: ctx, tx: tx, w: bufio.NewWriterSize(w, dumpBytes)}
	objects, err := d.schema()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDump, err)
	}
	d.line(dumpHeader)
	d.line("BEGIN;")
	for _, kind := range []string{"table", "index", "view", "trigger"} {
		for _, o := range objects {
			if o.kind != kind {
				continue
			}
			if err := d.object(o); err != nil {
				return fmt.Errorf("%w: %s: %w", ErrDump, o.name, err)
			}
		}
	}
	d.line("COMMIT;")
	if err := d.w.Flush(); err != nil {
		return fmt.Errorf("%w: %w", ErrDump, err)
	}
	return nil
}

// dumper writes one dump. An error of the writer stays with it and comes out at
// the next Flush.
type dumper struct {
	ctx context.Context
	tx  *sql.Tx
	w   *bufio.Writer
	buf []byte
}

// object is a row of sqlite_schema.
type object struct{ kind, name, sql string }

func (d *dumper) line(s string) {
	_, _ = d.w.WriteString(s) // an error comes back from Flush
	_ = d.w.WriteByte('\n')
}

// refusing is the form of the triggers that a dump holds: they stop what they are of and
// do nothing, so that a dump that somebody made cannot either.
var refusing = regexp.MustCompile(`^CREATE TRIGGER \w+ BEFORE (INSERT|UPDATE|DELETE) ON \w+(\s+WHEN [^;'"]+)?\s+BEGIN SELECT RAISE\(ABORT, '[^;']*'\); END$`)

// sequences is SQLite's own table of the last ids given by AUTOINCREMENT. It comes
// with the first table that has one.
const sequences = "sqlite_sequence"

// schema returns what there is, by name. Indexes that belong to a constraint have no
// text and come with their table.
func (d *dumper) schema() ([]object, error) {
	rows, err := d.tx.QueryContext(d.ctx, "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL"+
		" AND (name = ? OR name NOT LIKE 'sqlite\\_%' ESCAPE '\\') ORDER BY name = ?, name", sequences, sequences)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // what failed is in Err
	var out []object
	for rows.Next() {
		var o object
		if err := rows.Scan(&o.kind, &o.name, &o.sql); err != nil {
			return nil, err
		}
		if o.kind == "trigger" && !refusing.MatchString(o.sql) {
			return nil, fmt.Errorf("%s is a trigger that does something, which a dump cannot hold", o.name)
		}
		out = append(out, o)
	}
	return out, rows.Err()
}

func (d *dumper) object(o object) error {
	if o.name == sequences {
		d.line("DELETE FROM " + sequences + ";")
	} else {
		d.line(o.sql + ";")
	}
	if o.kind != "table" {
		return nil
	}
	return d.rows(o.name)
}

// rows writes the rows of a table as INSERTs.
func (d *dumper) rows(name string) error {
	query, columns, err := d.query(name)
	if err != nil {
		return err
	}
	rows, err := d.tx.QueryContext(d.ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // what failed is in Err
	vals, dst := make([]any, columns), make([]any, columns)
	for i := range vals {
		dst[i] = &vals[i]
	}
	inStatement := 0
	d.buf = d.buf[:0]
	for rows.Next() {
		if err := rows.Scan(dst...); err != nil {
			return err
		}
		if inStatement == 0 {
			d.buf = append(d.buf, "INSERT INTO "...)
			d.buf = append(appendName(d.buf, name), " VALUES\n("...)
		} else {
			d.buf = append(d.buf, ",\n("...)
		}
		if err := d.row(vals); err != nil {
			return err
		}
		if inStatement++; inStatement == dumpRows || len(d.buf) >= dumpBytes {
			if err := d.end(); err != nil {
				return err
			}
			inStatement = 0
		}
	}
	if inStatement > 0 {
		if err := d.end(); err != nil {
			return err
		}
	}
	return rows.Err()
}

// row appends the values of a row and the bracket that ends it.
func (d *dumper) row(vals []any) (err error) {
	for i, v := range vals {
		if i > 0 {
			d.buf = append(d.buf, ',')
		}
		if d.buf, err = appendLiteral(d.buf, v); err != nil {
			return err
		}
	}
	d.buf = append(d.buf, ')')
	return nil
}

// end ends the statement in buf and writes it.
func (d *dumper) end() error {
	d.buf = append(d.buf, ';', '\n')
	_, err := d.w.Write(d.buf)
	d.buf = d.buf[:0]
	return err
}

// query returns the SELECT of a table's rows by primary key, and the number of its
// columns. A plus before a column takes its declared type away, which the driver
// would otherwise make times and booleans of.
func (d *dumper) query(name string) (string, int, error) {
	rows, err := d.tx.QueryContext(d.ctx, "SELECT name, pk FROM pragma_table_info(?) ORDER BY cid", name)
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = rows.Close() }() // what failed is in Err
	var columns []string
	key := map[int]string{}
	for rows.Next() {
		var column string
		var pk int
		if err := rows.Scan(&column, &pk); err != nil {
			return "", 0, err
		}
		column = string(appendName(nil, column))
		columns = append(columns, "+"+column)
		if pk > 0 {
			key[pk] = column
		}
	}
	order := []string{"rowid"}
	if len(key) > 0 {
		order = order[:0]
		for i := 1; i <= len(key); i++ {
			order = append(order, key[i])
		}
	}
	return "SELECT " + strings.Join(columns, ", ") + " FROM " + string(appendName(nil, name)) +
		" ORDER BY " + strings.Join(order, ", "), len(columns), rows.Err()
}
