package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"

	"modernc.org/sqlite"
)

// Settings of every connection.
const (
	// busyMillis is how long a statement waits for another process's lock.
	busyMillis = 5000
	// checkpointPages is the size of the WAL, in pages of 4 KiB, from which a
	// commit folds it into the file.
	checkpointPages = 1000
	// walLimit is what a WAL that a long reader let grow is cut back to.
	walLimit = 64 << 20
	// cacheKiB is the page cache of one connection.
	cacheKiB = 16 << 10
)

// purpose is what a connection is for.
type purpose uint8

const (
	reading purpose = iota
	writing
	serving // writing, and putting the file into WAL mode
)

// connector makes connections to the file. Of those that write, a transaction
// takes the write lock when it begins, so that it never has to be given up
// half-way for somebody else's.
func connector(path string, use purpose) (driver.Connector, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	q := url.Values{}
	pragma := func(name string, value any) { q.Add("_pragma", fmt.Sprintf("%s(%v)", name, value)) }
	pragma("busy_timeout", busyMillis)
	pragma("foreign_keys", 1)
	pragma("cache_size", -cacheKiB)
	pragma("temp_store", "memory")
	if use == serving {
		pragma("journal_mode", "wal")
	}
	if use == reading {
		pragma("query_only", 1)
	} else {
		pragma("synchronous", "full")
		pragma("wal_autocheckpoint", checkpointPages)
		pragma("journal_size_limit", walLimit)
		q.Set("_txlock", "immediate")
	}
	u := url.URL{Scheme: "file", Path: abs, RawQuery: q.Encode()}
	return sqlite.NewConnector(u.String())
}

// pool returns a *sql.DB of at most n connections to the file.
func pool(path string, use purpose, n int) (*sql.DB, error) {
	c, err := connector(path, use)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// OpenDB opens a database file for Restore and for migrations, without a Store: made
// with mode 0600 when there is none, and in the journal mode that it is in. The
// caller closes it.
func OpenDB(ctx context.Context, path string) (*sql.DB, error) {
	if err := create(path); err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	return reached(ctx, path, writing)
}

// OpenReader opens a database file for Dump and for looking at it, while a server
// may be writing to it. Its connections refuse to write. A file that is not there is
// an error. The caller closes it.
func OpenReader(ctx context.Context, path string) (*sql.DB, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	return reached(ctx, path, reading)
}

// reached is a pool that has read the file's header.
func reached(ctx context.Context, path string, use purpose) (*sql.DB, error) {
	db, err := pool(path, use, 2)
	if err != nil {
		return nil, wrap(path, "open", err)
	}
	if _, err := db.ExecContext(ctx, "PRAGMA schema_version"); err != nil {
		return nil, errors.Join(wrap(path, "open", err), db.Close())
	}
	return db, nil
}

// conn is one connection without database/sql around it: prepared statements take
// thousands of arguments without being copied, checked and boxed once more. One
// goroutine at a time.
type conn struct {
	raw   driver.Conn
	stmts map[string]driver.Stmt
}

// connect opens a connection that writes.
func connect(ctx context.Context, c driver.Connector) (*conn, error) {
	raw, err := c.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{raw: raw, stmts: map[string]driver.Stmt{}}, nil
}

// prepare returns the statement of that text, made when it is first asked for.
func (c *conn) prepare(ctx context.Context, text string) (driver.Stmt, error) {
	if s := c.stmts[text]; s != nil {
		return s, nil
	}
	s, err := c.raw.(driver.ConnPrepareContext).PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	c.stmts[text] = s
	return s, nil
}

// exec runs a statement and returns how many rows it changed.
func (c *conn) exec(ctx context.Context, text string, args []driver.NamedValue) (int64, error) {
	s, err := c.prepare(ctx, text)
	if err != nil {
		return 0, err
	}
	r, err := s.(driver.StmtExecContext).ExecContext(ctx, args)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// row runs a query and returns its first row in dst, and whether there is one.
func (c *conn) row(ctx context.Context, dst []driver.Value, text string, args ...any) (bool, error) {
	s, err := c.prepare(ctx, text)
	if err != nil {
		return false, err
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(ctx, values(args...))
	if err != nil {
		return false, err
	}
	defer func() { _ = rows.Close() }() // what failed is in Next
	if err := rows.Next(dst); err != nil {
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		return false, err
	}
	return true, nil
}

// close gives up the statements and the connection.
func (c *conn) close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.raw.Close())...)
}

// values numbers arguments as the driver wants them.
func values(args ...any) []driver.NamedValue {
	out := make([]driver.NamedValue, len(args))
	for i, a := range args {
		out[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	return out
}
