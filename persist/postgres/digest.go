package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"qcat/persist/store"
)

// Digest sums up all rows, in one snapshot. It reads every row and has no deadline but
// ctx's.
func (s *Store) Digest(ctx context.Context) (store.Digest, error) {
	var b store.DigestBuilder
	err := s.askWithin(ctx, 0, "digest", func(ctx context.Context) (rows int, err error) {
		err = s.whole(ctx, func(tx pgx.Tx) error { return s.digest(ctx, tx, &b) })
		for _, t := range b.Digest().Tables {
			rows += int(t.Rows)
		}
		return rows, err
	})
	if err != nil {
		return store.Digest{}, err
	}
	return b.Digest(), nil
}

func (s *Store) digest(ctx context.Context, tx pgx.Tx, b *store.DigestBuilder) error {
	for _, add := range []func() error{
		addTo(ctx, s, tx, instruments, b.AddInstrument),
		addTo(ctx, s, tx, accounts, b.AddAccount),
		addTo(ctx, s, tx, strategies, b.AddStrategy),
		addTo(ctx, s, tx, ordersOpen, b.AddOrder),
		addTo(ctx, s, tx, orders, b.AddOrder),
		addTo(ctx, s, tx, executions, b.AddExecution),
		addTo(ctx, s, tx, positions, b.AddPosition),
		addTo(ctx, s, tx, marks, b.AddMark),
		addTo(ctx, s, tx, totals, b.AddTotal),
		addTo(ctx, s, tx, transfers, b.AddTransfer),
		addTo(ctx, s, tx, equity, b.AddEquity),
		addTo(ctx, s, tx, riskEvents, b.AddRiskEvent),
		addTo(ctx, s, tx, audit, b.AddAudit),
		addTo(ctx, s, tx, trades, b.AddTrade),
		addTo(ctx, s, tx, quotes, b.AddQuote),
		addTo(ctx, s, tx, candles, b.AddCandle),
		addTo(ctx, s, tx, gaps, b.AddGap),
	} {
		if err := add(); err != nil {
			return err
		}
	}
	for stream := range store.NumStreams {
		p, err := position(ctx, tx, stream)
		if err != nil {
			return err
		}
		if p.Seq > 0 {
			b.AddPositionOf(stream, p)
		}
	}
	return nil
}

func addTo[R any](ctx context.Context, s *Store, tx pgx.Tx, t *table[R], add func(*R)) func() error {
	return func() error { return each(ctx, s, tx, t, add, "SELECT "+t.list+" FROM "+t.name) }
}
