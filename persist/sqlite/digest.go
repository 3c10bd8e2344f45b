package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"qcat/persist/store"
)

// Digest sums up one state of the whole file. It reads every row.
func (s *Store) Digest(ctx context.Context) (store.Digest, error) {
	var d store.Digest
	err := inView(ctx, s.readers, func(tx *sql.Tx) (err error) {
		d, err = digest(ctx, tx)
		return err
	})
	return d, s.wrap("digest", err)
}

// Content is what a database held at one moment.
type Content struct {
	SQLite    string // version of the library
	Schema    int64  // version of the migrations
	Digest    store.Digest
	Positions [store.NumStreams]store.Position
}

// Inspect sums up one state of a database that has the schema. It reads every row.
func Inspect(ctx context.Context, db *sql.DB) (c Content, err error) {
	err = inView(ctx, db, func(tx *sql.Tx) error {
		c, err = inspect(ctx, tx)
		return err
	})
	return c, err
}

func inspect(ctx context.Context, tx *sql.Tx) (c Content, err error) {
	if err := tx.QueryRowContext(ctx, "SELECT sqlite_version(), coalesce(max(version_id), 0) FROM goose_db_version"+
		" WHERE is_applied").Scan(&c.SQLite, &c.Schema); err != nil {
		return c, fmt.Errorf("sqlite: inspect: %w", err)
	}
	for stream := range store.NumStreams {
		if c.Positions[stream], err = position(ctx, tx, stream); err != nil {
			return c, fmt.Errorf("sqlite: inspect: %w", err)
		}
	}
	if c.Digest, err = digest(ctx, tx); err != nil {
		return c, fmt.Errorf("sqlite: inspect: %w", err)
	}
	return c, nil
}

func digest(ctx context.Context, tx *sql.Tx) (store.Digest, error) {
	var b store.DigestBuilder
	for _, step := range []func() error{
		func() error { return each(ctx, tx, instruments, "", nil, b.AddInstrument) },
		func() error { return each(ctx, tx, accounts, "", nil, b.AddAccount) },
		func() error { return each(ctx, tx, strategies, "", nil, b.AddStrategy) },
		func() error { return each(ctx, tx, orders, "", nil, b.AddOrder) },
		func() error { return each(ctx, tx, executions, "", nil, b.AddExecution) },
		func() error { return each(ctx, tx, positions, "", nil, b.AddPosition) },
		func() error { return each(ctx, tx, marks, "", nil, b.AddMark) },
		func() error { return each(ctx, tx, totals, "", nil, b.AddTotal) },
		func() error { return each(ctx, tx, transfers, "", nil, b.AddTransfer) },
		func() error { return each(ctx, tx, equity, "", nil, b.AddEquity) },
		func() error { return each(ctx, tx, riskEvents, "", nil, b.AddRiskEvent) },
		func() error { return each(ctx, tx, audit, "", nil, b.AddAudit) },
		func() error { return each(ctx, tx, trades, "", nil, b.AddTrade) },
		func() error { return each(ctx, tx, quotes, "", nil, b.AddQuote) },
		func() error { return each(ctx, tx, candles, "", nil, b.AddCandle) },
		func() error { return each(ctx, tx, gaps, "", nil, b.AddGap) },
	} {
		if err := step(); err != nil {
			return store.Digest{}, err
		}
	}
	for stream := range store.NumStreams {
		p, err := position(ctx, tx, stream)
		if err != nil {
			return store.Digest{}, err
		}
		if p != (store.Position{}) {
			b.AddPositionOf(stream, p)
		}
	}
	return b.Digest(), nil
}
