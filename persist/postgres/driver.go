package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
)

// connector makes database/sql a pool of pgx connections: that is what goose works with and
// what readers share. It does what those two need: statements with their arguments, and
// transactions. (pgx has an adapter of its own, which brings a second pool along.)
type connector struct{ config *pgx.ConnConfig }

// Connect implements driver.Connector.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, c.config)
	if err != nil {
		return nil, err
	}
	return &sqlConn{conn}, nil
}

// Driver implements driver.Connector.
func (c connector) Driver() driver.Driver { return c }

// Open implements driver.Driver. Connections come from Connect only.
func (c connector) Open(string) (driver.Conn, error) { return nil, errUnsupported }

var errUnsupported = errors.New("postgres: not supported through database/sql")

// sqlConn is one pgx connection.
type sqlConn struct{ *pgx.Conn }

var (
	_ driver.QueryerContext  = (*sqlConn)(nil)
	_ driver.ExecerContext   = (*sqlConn)(nil)
	_ driver.ConnBeginTx     = (*sqlConn)(nil)
	_ driver.Pinger          = (*sqlConn)(nil)
	_ driver.Validator       = (*sqlConn)(nil)
	_ driver.SessionResetter = (*sqlConn)(nil)
)

// Prepare implements driver.Conn; pgx prepares by itself what is asked again.
func (c *sqlConn) Prepare(string) (driver.Stmt, error) { return nil, errUnsupported }

// Begin implements driver.Conn.
func (c *sqlConn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

// BeginTx begins a transaction of the server's default kind.
func (c *sqlConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	if o.Isolation != 0 || o.ReadOnly {
		return nil, errUnsupported
	}
	tx, err := c.Conn.Begin(ctx)
	if err != nil {
		return nil, err
	}
	return sqlTx{ctx, tx}, nil
}

type sqlTx struct {
	ctx context.Context // of BeginTx, as database/sql has it
	tx  pgx.Tx
}

func (t sqlTx) Commit() error   { return t.tx.Commit(t.ctx) }
func (t sqlTx) Rollback() error { return t.tx.Rollback(t.ctx) }

// Close says goodbye for as long as a server may take that is gone.
func (c *sqlConn) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), dropTimeout)
	defer cancel()
	return c.Conn.Close(ctx)
}

// IsValid keeps a connection that was cut, or left in a transaction, out of the pool.
func (c *sqlConn) IsValid() bool { return !c.IsClosed() && c.PgConn().TxStatus() == 'I' }

// ResetSession is called before a connection is lent again.
func (c *sqlConn) ResetSession(context.Context) error {
	if !c.IsValid() {
		return driver.ErrBadConn
	}
	return nil
}

// ExecContext implements driver.ExecerContext.
func (c *sqlConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	tag, err := c.Exec(ctx, query, values(args)...)
	if err != nil {
		return nil, err
	}
	return driver.RowsAffected(tag.RowsAffected()), nil
}

// QueryContext implements driver.QueryerContext.
func (c *sqlConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.Query(ctx, query, values(args)...)
	if err != nil {
		return nil, err
	}
	return sqlRows{rows}, nil
}

func values(args []driver.NamedValue) []any {
	list := make([]any, len(args))
	for i, a := range args {
		list[i] = a.Value
	}
	return list
}

type sqlRows struct{ rows pgx.Rows }

// Columns implements driver.Rows.
func (r sqlRows) Columns() []string {
	var names []string
	for _, f := range r.rows.FieldDescriptions() {
		names = append(names, f.Name)
	}
	return names
}

// Close implements driver.Rows.
func (r sqlRows) Close() error {
	r.rows.Close()
	return r.rows.Err()
}

// Next implements driver.Rows.
func (r sqlRows) Next(dest []driver.Value) error {
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return io.EOF
	}
	row, err := r.rows.Values()
	if err != nil {
		return err
	}
	for i, v := range row {
		if dest[i], err = driver.DefaultParameterConverter.ConvertValue(v); err != nil {
			return fmt.Errorf("column %d: %w", i+1, err)
		}
	}
	return nil
}
