package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"qcat/core/history"
	"qcat/persist/store"
)

// Load returns the position and the state there of one stream, in one snapshot. It has no
// deadline but ctx's: a start waits for it.
func (s *Store) Load(ctx context.Context, stream store.Stream) (*store.State, error) {
	st := &store.State{}
	err := s.askWithin(ctx, 0, "load "+stream.String(), func(ctx context.Context) (int, error) {
		err := s.whole(ctx, func(tx pgx.Tx) (err error) {
			if st.Position, err = position(ctx, tx, stream); err != nil {
				return err
			}
			if stream == store.Ticks {
				return s.loadTicks(ctx, tx, st)
			}
			return s.loadJournal(ctx, tx, st)
		})
		return len(st.Open) + len(st.Positions) + len(st.Candles), err
	})
	if err != nil {
		return nil, err
	}
	return st, nil
}

// whole is snapshot for what may read whole tables: without the server's limit on a
// statement, and with all instruments learned.
func (s *Store) whole(ctx context.Context, f func(pgx.Tx) error) error {
	return s.snapshot(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL statement_timeout = 0"); err != nil {
			return fmt.Errorf("postgres: %w", err)
		}
		if err := s.learn(ctx, tx); err != nil {
			return err
		}
		return f(tx)
	})
}

func (s *Store) loadJournal(ctx context.Context, tx pgx.Tx, st *store.State) (err error) {
	if st.Instruments, err = all(ctx, s, tx, instruments); err != nil {
		return err
	}
	if st.Accounts, err = all(ctx, s, tx, accounts); err != nil {
		return err
	}
	if st.Strategies, err = all(ctx, s, tx, strategies); err != nil {
		return err
	}
	if st.Open, err = all(ctx, s, tx, ordersOpen); err != nil {
		return err
	}
	if st.Positions, err = all(ctx, s, tx, positions); err != nil {
		return err
	}
	if st.Totals, err = all(ctx, s, tx, totals); err != nil {
		return err
	}
	st.Marks, err = all(ctx, s, tx, marks)
	return err
}

func (s *Store) loadTicks(ctx context.Context, tx pgx.Tx, st *store.State) (err error) {
	if st.Quotes, err = all(ctx, s, tx, quotesLast); err != nil {
		return err
	}
	if st.Candles, err = s.lastCandles(ctx, tx); err != nil {
		return err
	}
	st.Gaps, err = rowsOf(ctx, s, tx, gaps, "SELECT "+gaps.list+" FROM tick_gaps ORDER BY tick DESC LIMIT $1", store.RecentGaps)
	return err
}

// lastCandles returns the latest candle of each instrument and interval. It steps from one
// pair to the next in the primary key, and from each to its end, so that it costs two
// look-ups a pair however long the history is.
func (s *Store) lastCandles(ctx context.Context, tx pgx.Tx) ([]history.Candle, error) {
	return rowsOf(ctx, s, tx, candles, `
		WITH RECURSIVE pair AS (
			(SELECT instrument, interval_ns FROM candles ORDER BY instrument, interval_ns LIMIT 1)
			UNION ALL
			SELECT n.instrument, n.interval_ns FROM pair CROSS JOIN LATERAL (
				SELECT c.instrument, c.interval_ns FROM candles c
				WHERE (c.instrument, c.interval_ns) > (pair.instrument, pair.interval_ns)
				ORDER BY c.instrument, c.interval_ns LIMIT 1) n
		)
		SELECT c.* FROM pair CROSS JOIN LATERAL (
			SELECT `+candles.list+` FROM candles
			WHERE instrument = pair.instrument AND interval_ns = pair.interval_ns
			ORDER BY open_ns DESC LIMIT 1) c`)
}

// all returns all rows of a small table.
func all[R any](ctx context.Context, s *Store, tx pgx.Tx, t *table[R]) ([]R, error) {
	return rowsOf(ctx, s, tx, t, "SELECT "+t.list+" FROM "+t.name)
}
