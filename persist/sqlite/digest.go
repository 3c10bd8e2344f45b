package sqlite

import (
	"context"
	"database/sql"

	"qcat/persist/store"
)

// Digest sums up one state of the whole file. It reads every row.
func (s *Store) Digest(ctx context.Context) (store.Digest, error) {
	var d store.Digest
	err := s.view(ctx, func(tx *sql.Tx) (err error) {
		d, err = digest(ctx, tx)
		return err
	})
	return d, s.wrap("digest", err)
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
