package identity

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"qcat/core"
	"qcat/core/identity"
	"qcat/persist/migrate"
)

// tx is a transaction. Statements number their arguments $1, $2, …
type tx struct {
	ctx context.Context
	raw *sql.Tx
	s   *Store
}

// text is a statement as the database reads it: SQLite takes ?1 for the first argument.
func (t *tx) text(query string) string {
	if t.s.dialect == migrate.SQLite {
		return strings.ReplaceAll(query, "$", "?")
	}
	return query
}

// exec runs a statement and returns how many rows it changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	if err := t.s.ask(query); err != nil {
		return 0, err
	}
	r, err := t.raw.ExecContext(t.ctx, t.text(query), plain(args)...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// get reads the one row of a query. Errors: identity.ErrNotFound.
func (t *tx) get(dst []any, query string, args ...any) error {
	if err := t.s.ask(query); err != nil {
		return err
	}
	err := t.raw.QueryRowContext(t.ctx, t.text(query), plain(args)...).Scan(dst...)
	if errors.Is(err, sql.ErrNoRows) {
		return identity.ErrNotFound
	}
	return err
}

// count reads a number.
func (t *tx) count(query string, args ...any) (n int64, err error) {
	err = t.get([]any{&n}, query, args...)
	return n, err
}

// list reads all rows of a query; fields names the places of a row's columns in order,
// and done, if there is one, makes the rest of the value from what was read.
func list[T any](t *tx, fields func(*T) (dst []any, done func() error), query string, args ...any) (out []T, err error) {
	if err := t.s.ask(query); err != nil {
		return nil, err
	}
	rows, err := t.raw.QueryContext(t.ctx, t.text(query), plain(args)...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // what failed is in Err
	for rows.Next() {
		var v T
		dst, done := fields(&v)
		if err := rows.Scan(dst...); err != nil {
			return nil, err
		}
		if done != nil {
			if err := done(); err != nil {
				return nil, err
			}
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// one is the only row of a list. Errors: identity.ErrNotFound.
func one[T any](found []T, err error) (v T, _ error) {
	if err == nil && len(found) == 0 {
		err = identity.ErrNotFound
	}
	if err != nil {
		return v, err
	}
	return found[0], nil
}

// plain makes arguments of the types that every driver takes: a driver may ask a named
// type how it prints.
func plain(args []any) []any {
	out := make([]any, len(args))
	for i, a := range args {
		switch a := a.(type) {
		case core.Nanos:
			out[i] = int64(a)
		case identity.UserID:
			out[i] = int64(a)
		case identity.Role:
			out[i] = int64(a)
		case identity.KeyKind:
			out[i] = int64(a)
		case identity.Permission:
			out[i] = int64(a)
		case identity.Sealed:
			out[i] = bytesOrNull(a)
		case []byte:
			out[i] = bytesOrNull(a)
		case bool:
			out[i] = flag(a)
		default:
			out[i] = a
		}
	}
	return out
}

func bytesOrNull(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
