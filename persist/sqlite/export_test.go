package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
)

// WriterExec runs a statement on the connection that writes.
func (s *Store) WriterExec(ctx context.Context, text string) error {
	s.writer.mu.Lock()
	defer s.writer.mu.Unlock()
	if s.writer.conn == nil {
		c, err := connect(ctx, s.writer.connector)
		if err != nil {
			return err
		}
		s.writer.conn, s.writer.synced = c, true
	}
	_, err := s.writer.conn.exec(ctx, text, nil)
	return err
}

// WriterPragma reads a setting of the connection that writes.
func (s *Store) WriterPragma(ctx context.Context, name string) (int64, error) {
	s.writer.mu.Lock()
	defer s.writer.mu.Unlock()
	var v [1]driver.Value
	_, err := s.writer.conn.row(ctx, v[:], "PRAGMA "+name)
	n, _ := v[0].(int64)
	return n, err
}

// Literal is how a dump writes a value.
func Literal(v any) (string, error) {
	b, err := appendLiteral(nil, v)
	return string(b), err
}

// DumpAny is Dump of a database that need not be a store's, which Inspect could not
// say anything of.
func DumpAny(ctx context.Context, db *sql.DB, w io.Writer) error {
	return inView(ctx, db, func(tx *sql.Tx) error { return dump(ctx, tx, w) })
}
