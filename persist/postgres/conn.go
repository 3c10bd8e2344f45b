package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// connect makes the stream's connection unless there is one, with its statements prepared.
func (w *writer) connect(ctx context.Context) error {
	if w.conn != nil && !w.conn.IsClosed() {
		return nil
	}
	w.drop()
	conn, err := pgconn.ConnectConfig(ctx, w.config)
	if err != nil {
		return err
	}
	w.conn = conn
	if err := w.setUp(ctx); err != nil {
		w.drop()
		return err
	}
	return nil
}

// setUp ends the session before, learns this one's name and prepares the statements.
func (w *writer) setUp(ctx context.Context) error {
	if w.lost.start != "" {
		const sql = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2::timestamptz"
		r := w.conn.ExecParams(ctx, sql, [][]byte{[]byte(w.lost.pid), []byte(w.lost.start)}, []uint32{integer.oid, text.oid}, nil, nil).Read()
		if r.Err != nil {
			return fmt.Errorf("ending the session before: %w", r.Err)
		}
		w.lost = session{}
	}
	r := w.conn.ExecParams(ctx, "SELECT pid, backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()", nil, nil, nil, nil).Read()
	if r.Err != nil {
		return r.Err
	}
	if len(r.Rows) == 1 {
		w.session = session{string(r.Rows[0][0]), string(r.Rows[0][1])}
	}
	for _, s := range w.statements() {
		if _, err := w.conn.Prepare(ctx, s.name, s.sql, s.oids); err != nil {
			return fmt.Errorf("prepare %s: %w", s.name, err)
		}
	}
	return nil
}

// session names a process of the server for as long as the server lives.
type session struct{ pid, start string }

type statement struct {
	name, sql string
	oids      []uint32
}

func (w *writer) statements() []statement {
	return []statement{
		{"move", moveSQL, []uint32{text.oid, bytea.oid, bigint.oid, bigint.oid, bigint.oid, bigint.oid}},
		{"close", "DELETE FROM orders_open WHERE id = ANY($1) RETURNING id", []uint32{bigint.array}},
		merging(instruments), merging(accounts), merging(strategies), merging(positions), merging(marks), merging(candles),
		merging(quotesLast), merging(totals), merging(transfers), merging(equity), merging(audit), merging(gaps), merging(keyRanges),
	}
}

func merging[R any](t *table[R]) statement { return statement{t.name, t.merge, t.oids()} }

// close ends the connection after the write that is under way.
func (w *writer) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drop()
}

// dropTimeout bounds saying goodbye to a server that may be gone.
const dropTimeout = 250 * time.Millisecond

// drop ends the connection, and with it a transaction, and forgets what was known. A server
// that the network keeps from noticing would still hold the position's row: the next
// session ends this one by its name.
func (w *writer) drop() {
	if w.conn != nil {
		ctx, cancel := context.WithTimeout(context.Background(), dropTimeout)
		defer cancel()
		w.conn.Close(ctx) //nolint:errcheck // it may have been cut already
		w.conn = nil
		if w.session.start != "" {
			w.lost, w.session = w.session, session{}
		}
	}
	clear(w.made)
}
