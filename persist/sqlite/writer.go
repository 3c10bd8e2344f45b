package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"sync"

	"qcat/core"
	"qcat/persist/store"
)

// writer owns the connection that writes. Its mutex orders the two followers and
// the pruner, each of which holds it for one transaction.
type writer struct {
	connector driver.Connector

	mu     sync.Mutex
	conn   *conn // nil until it is first used, and after it failed
	args   []driver.NamedValue
	synced bool // the connection syncs at each commit
	closed bool
}

// transact runs f in one transaction. durable says whether the commit is synced
// before transact returns.
//
// Errors: ErrClosed; f's, after a rollback; the database's, after which the
// connection is given up and the next call makes a new one.
func (w *writer) transact(ctx context.Context, durable bool, f func(*conn) error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return ErrClosed
	}
	if err := w.begin(ctx, durable); err != nil {
		return err
	}
	err := f(w.conn)
	if err == nil {
		if _, err = w.conn.exec(ctx, "COMMIT", nil); err == nil {
			return nil
		}
	}
	// Some failures have rolled back already, and then there is none to roll back:
	// either way the connection that closes leaves nothing behind.
	if _, rerr := w.conn.exec(context.WithoutCancel(ctx), "ROLLBACK", nil); rerr != nil {
		w.drop()
	}
	return err
}

// begin connects if needed and takes the write lock.
func (w *writer) begin(ctx context.Context, durable bool) error {
	if w.conn == nil {
		c, err := connect(ctx, w.connector)
		if err != nil {
			return err
		}
		w.conn, w.synced = c, true
	}
	if w.synced != durable {
		mode := "PRAGMA synchronous = NORMAL"
		if durable {
			mode = "PRAGMA synchronous = FULL"
		}
		if _, err := w.conn.exec(ctx, mode, nil); err != nil {
			w.drop()
			return err
		}
		w.synced = durable
	}
	if _, err := w.conn.exec(ctx, "BEGIN IMMEDIATE", nil); err != nil {
		w.drop()
		return err
	}
	return nil
}

// drop gives the connection up.
func (w *writer) drop() {
	if w.conn != nil {
		// What it failed with is on its way to the caller already.
		_ = w.conn.close()
		w.conn = nil
	}
}

// close folds the WAL into the file and gives the connection up for good.
func (w *writer) close(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil
	}
	w.closed = true
	if w.conn == nil {
		return nil
	}
	// A reader of another process may hold on to the WAL: that is not waited for.
	_, err1 := w.conn.exec(ctx, "PRAGMA busy_timeout = 100", nil)
	_, err2 := w.conn.exec(ctx, "PRAGMA wal_checkpoint(TRUNCATE)", nil)
	err3 := w.conn.close()
	w.conn = nil
	return errors.Join(err1, err2, err3)
}

// insert writes rows, as many a statement as fit.
func insert[T any](ctx context.Context, w *writer, t *table[T], rows []T) error {
	for len(rows) > 0 {
		n, text := 1, t.one
		if len(rows) >= t.batch {
			n, text = t.batch, t.many
		}
		f := fields{mode: taking, args: w.arguments(n * len(t.columns))}
		for i := range n {
			t.fields(&f, &rows[i])
		}
		if _, err := w.conn.exec(ctx, text, f.args); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		rows = rows[n:]
	}
	return nil
}

// arguments returns n numbered slots that are used again by the next statement.
func (w *writer) arguments(n int) []driver.NamedValue {
	for len(w.args) < n {
		w.args = append(w.args, driver.NamedValue{Ordinal: len(w.args) + 1})
	}
	return w.args[:n]
}

// Write stores the batch and its position in one transaction: see store.Store.
func (s *Store) Write(ctx context.Context, b *store.Batch) error {
	if b.Stream >= store.NumStreams {
		return fmt.Errorf("sqlite: %s: stream %d", s.cfg.Path, b.Stream)
	}
	start := s.cfg.Clock.Now()
	defer s.slow("write "+b.Stream.String(), start, b.Rows())
	durable := b.Stream == store.Journal && s.dueSync(start)
	err := s.writer.transact(ctx, durable, func(c *conn) error {
		if err := follows(ctx, c, b); err != nil {
			return err
		}
		if err := s.writer.rows(ctx, b); err != nil {
			return err
		}
		_, err := c.exec(ctx, "INSERT INTO stream_positions (stream, log, seq, time_ns) VALUES (?, ?, ?, ?)"+
			" ON CONFLICT (stream) DO UPDATE SET log = excluded.log, seq = excluded.seq, time_ns = excluded.time_ns",
			values(b.Stream.String(), b.Log[:], int64(b.To), int64(b.Time)))
		return err
	})
	if durable && err == nil {
		s.syncedAt = start
		s.synced.Store(b.To)
	}
	return s.wrap("write", err)
}

// dueSync tells whether the journal's rows are to be synced again.
func (s *Store) dueSync(now core.Nanos) bool {
	since := now - s.syncedAt
	return s.synced.Load() == 0 || since < 0 || since >= core.Nanos(s.cfg.SyncEvery)
}

// Synced implements store.Syncer. Nothing is owed to the tick log.
func (s *Store) Synced(stream store.Stream) uint64 {
	if stream == store.Ticks {
		return math.MaxUint64
	}
	return s.synced.Load()
}

// follows tells whether b is what comes next in its stream.
func follows(ctx context.Context, c *conn, b *store.Batch) error {
	var vals [3]driver.Value
	found, err := c.row(ctx, vals[:], positionSQL, b.Stream.String())
	if err != nil {
		return err
	}
	var p store.Position
	if found {
		if p, err = positionOf(vals[0], vals[1], vals[2]); err != nil {
			return err
		}
		if p.Log != b.Log {
			return fmt.Errorf("%w: %s %x, not %x", store.ErrForeign, b.Stream, p.Log, b.Log)
		}
	}
	if b.From != p.Seq+1 || b.To < b.From {
		return fmt.Errorf("%w: %s %d to %d after %d", store.ErrPosition, b.Stream, b.From, b.To, p.Seq)
	}
	return nil
}

// positionSQL asks for the position of one stream.
const positionSQL = "SELECT log, seq, time_ns FROM stream_positions WHERE stream = ?"

// positionOf makes a position of a row of positionSQL.
func positionOf(log, seq, time any) (store.Position, error) {
	id, ok1 := log.([]byte)
	n, ok2 := seq.(int64)
	at, ok3 := time.(int64)
	if !ok1 || !ok2 || !ok3 || len(id) != len(store.LogID{}) {
		return store.Position{}, fmt.Errorf("stream_positions holds %v, %v, %v", log, seq, time)
	}
	return store.Position{Log: store.LogID(id), Seq: uint64(n), Time: core.Nanos(at)}, nil
}

// rows writes the rows of b.
func (w *writer) rows(ctx context.Context, b *store.Batch) error {
	for _, step := range []func() error{
		func() error { return insert(ctx, w, instruments, b.Instruments) },
		func() error { return insert(ctx, w, accounts, b.Accounts) },
		func() error { return insert(ctx, w, strategies, b.Strategies) },
		func() error { return insert(ctx, w, orders, b.Orders) },
		func() error { return insert(ctx, w, executions, b.Executions) },
		func() error { return insert(ctx, w, positions, b.Positions) },
		func() error { return insert(ctx, w, marks, b.Marks) },
		func() error { return insert(ctx, w, totals, b.Totals) },
		func() error { return insert(ctx, w, transfers, b.Transfers) },
		func() error { return insert(ctx, w, equity, b.Equity) },
		func() error { return insert(ctx, w, riskEvents, b.RiskEvents) },
		func() error { return insert(ctx, w, audit, b.Audit) },
		func() error { return insert(ctx, w, trades, b.Trades) },
		func() error { return insert(ctx, w, quotes, b.Quotes) },
		func() error { return insert(ctx, w, candles, b.Candles) },
		func() error { return insert(ctx, w, gaps, b.Gaps) },
		func() error { return insert(ctx, w, timeSpans, spansOf(b)) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
