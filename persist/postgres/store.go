package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"go.uber.org/zap"

	"qcat/core"
	"qcat/persist/migrate"
	"qcat/persist/store"
)

// Store is a store.Store in Postgres.
type Store struct {
	cfg     Config
	scales  scales
	read    *sql.DB
	writers [store.NumStreams]writer
	closed  atomic.Bool
}

var _ store.Store = (*Store)(nil)

var errClosed = errors.New("postgres: the store is closed")

// Open connects, and requires the schema to have this program's version.
//
// Errors: store.ErrSchema wrapped; the server's. None of them holds the password.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	cfg = cfg.withDefaults()
	write, err := cfg.writeConfig()
	if err != nil {
		return nil, err
	}
	s := &Store{cfg: cfg, scales: scales{directory: cfg.Directory}}
	for stream := range s.writers {
		s.writers[stream].init(s, store.Stream(stream), write.Copy())
	}
	if s.read, err = cfg.readPool(); err != nil {
		return nil, err
	}
	if err := s.check(ctx); err != nil {
		return nil, errors.Join(err, s.read.Close())
	}
	return s, nil
}

// check looks at the schema's version and learns the instruments.
func (s *Store) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.ReadTimeout)
	defer cancel()
	if err := migrate.Check(ctx, migrate.Postgres, s.read); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	return s.with(ctx, func(c *pgx.Conn) error { return s.learn(ctx, c) })
}

// learn reads the definitions of all instruments.
func (s *Store) learn(ctx context.Context, q querier) error {
	list, err := rowsOf(ctx, s, q, instruments, "SELECT "+instruments.list+" FROM instruments")
	if err != nil {
		return err
	}
	s.scales.learn(list)
	return nil
}

// Ping is nil when the server answers in time.
func (s *Store) Ping(ctx context.Context) error {
	if s.closed.Load() {
		return errClosed
	}
	ctx, cancel := context.WithTimeout(ctx, min(s.cfg.ReadTimeout, s.cfg.ConnectTimeout))
	defer cancel()
	if err := s.read.PingContext(ctx); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	return nil
}

// Close ends all connections; a write that is under way comes first.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	for i := range s.writers {
		s.writers[i].close()
	}
	return s.read.Close()
}

// with lends f a connection of the readers' pool.
func (s *Store) with(ctx context.Context, f func(*pgx.Conn) error) error {
	conn, err := s.read.Conn(ctx)
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	err = conn.Raw(func(c any) error { return f(c.(*stdlib.Conn).Conn()) })
	return errors.Join(err, conn.Close())
}

// snapshot lends f a transaction in which every statement sees the same rows.
func (s *Store) snapshot(ctx context.Context, f func(pgx.Tx) error) error {
	return s.with(ctx, func(c *pgx.Conn) error {
		tx, err := c.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
		if err != nil {
			return fmt.Errorf("postgres: %w", err)
		}
		if err := f(tx); err != nil {
			return errors.Join(err, tx.Rollback(ctx))
		}
		return tx.Rollback(ctx) // nothing was changed
	})
}

// Position returns how far the store has come in a stream.
func (s *Store) Position(ctx context.Context, stream store.Stream) (p store.Position, err error) {
	err = s.ask(ctx, "position", func(ctx context.Context) (int, error) {
		return 1, s.with(ctx, func(c *pgx.Conn) error {
			p, err = position(ctx, c, stream)
			return err
		})
	})
	return p, err
}

func position(ctx context.Context, q querier, stream store.Stream) (store.Position, error) {
	var log []byte
	var seq, at int64
	err := q.QueryRow(ctx, "SELECT log, seq, time_ns FROM stream_positions WHERE stream = $1", stream.String()).Scan(&log, &seq, &at)
	if err != nil {
		return store.Position{}, fmt.Errorf("postgres: position of %s: %w", stream, err)
	}
	p := store.Position{Seq: uint64(seq), Time: core.Nanos(at)}
	if len(log) != len(p.Log) {
		return store.Position{}, fmt.Errorf("postgres: position of %s: a log id of %d bytes", stream, len(log))
	}
	copy(p.Log[:], log)
	return p, nil
}

// ask bounds a question in time and logs it when it was slow: by name, time and rows,
// without its parameters.
func (s *Store) ask(ctx context.Context, name string, f func(context.Context) (rows int, err error)) error {
	return s.askWithin(ctx, s.cfg.ReadTimeout, name, f)
}

func (s *Store) askWithin(ctx context.Context, limit time.Duration, name string, f func(context.Context) (rows int, err error)) error {
	if s.closed.Load() {
		return errClosed
	}
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	start := time.Now()
	rows, err := f(ctx)
	if took := time.Since(start); s.cfg.SlowQuery > 0 && took > s.cfg.SlowQuery {
		s.cfg.Log.Warn("slow query", zap.String("store", "postgres"), zap.String("query", name), zap.Duration("took", took),
			zap.Int("rows", rows), zap.Bool("failed", err != nil))
	}
	return err
}

// querier is a connection or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// each calls f with every row of a query for t.list. The row is f's until it returns.
func each[R any](ctx context.Context, s *Store, q querier, t *table[R], f func(*R), sql string, args ...any) error {
	rows, err := q.Query(ctx, sql, append([]any{pgx.QueryResultFormats{pgx.BinaryFormatCode}}, args...)...)
	if err != nil {
		return fmt.Errorf("postgres: %s: %w", t.name, err)
	}
	defer rows.Close()
	d := decoder{scales: &s.scales}
	for rows.Next() {
		var r R
		if err := t.scan(&d, rows.RawValues(), &r); err != nil {
			return err
		}
		f(&r)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("postgres: %s: %w", t.name, err)
	}
	return nil
}

// rowsOf returns all rows of a query for t.list.
func rowsOf[R any](ctx context.Context, s *Store, q querier, t *table[R], sql string, args ...any) (list []R, err error) {
	err = each(ctx, s, q, t, func(r *R) { list = append(list, *r) }, sql, args...)
	return list, err
}
