package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/store"
)

// Position returns how far the store has come in a stream; the zero Position when
// nothing is stored.
func (s *Store) Position(ctx context.Context, stream store.Stream) (store.Position, error) {
	p, err := position(ctx, s.readers, stream)
	return p, s.wrap("position", err)
}

// querier is a pool or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func position(ctx context.Context, q querier, stream store.Stream) (store.Position, error) {
	var log, seq, at any
	err := q.QueryRowContext(ctx, positionSQL, stream.String()).Scan(&log, &seq, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return store.Position{}, nil
	}
	if err != nil {
		return store.Position{}, err
	}
	return positionOf(log, seq, at)
}

// inView runs f on one state of the database, whatever is written meanwhile.
func inView(ctx context.Context, db *sql.DB, f func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	return f(tx)
}

// Load returns the position and the state there of one stream.
func (s *Store) Load(ctx context.Context, stream store.Stream) (*store.State, error) {
	start := s.cfg.Clock.Now()
	var st store.State
	err := inView(ctx, s.readers, func(tx *sql.Tx) (err error) {
		if st.Position, err = position(ctx, tx, stream); err != nil {
			return err
		}
		switch stream {
		case store.Journal:
			return loadJournal(ctx, tx, &st)
		case store.Ticks:
			return loadTicks(ctx, tx, &st)
		default:
			return fmt.Errorf("stream %d", stream)
		}
	})
	if err != nil {
		return nil, s.wrap("load", err)
	}
	s.slow("load "+stream.String(), start, len(st.Open)+len(st.Positions)+len(st.Candles))
	return &st, nil
}

func loadJournal(ctx context.Context, tx *sql.Tx, st *store.State) (err error) {
	if st.Instruments, err = all(ctx, tx, instruments, "ORDER BY id"); err != nil {
		return err
	}
	if st.Accounts, err = all(ctx, tx, accounts, "ORDER BY id"); err != nil {
		return err
	}
	if st.Strategies, err = all(ctx, tx, strategies, "ORDER BY id"); err != nil {
		return err
	}
	if st.Open, err = all(ctx, tx, orders, "WHERE status < 3 ORDER BY id"); err != nil {
		return err
	}
	if st.Positions, err = all(ctx, tx, positions, "ORDER BY strategy, instrument, leg"); err != nil {
		return err
	}
	if st.Totals, err = all(ctx, tx, totals, "ORDER BY account, currency"); err != nil {
		return err
	}
	st.Marks, err = all(ctx, tx, marks, "ORDER BY instrument")
	return err
}

// loadTicks reads the ends of tables that may be long: each instrument is found,
// and its last row sought, by the primary key.
func loadTicks(ctx context.Context, tx *sql.Tx, st *store.State) error {
	quoted, err := instrumentsOf(ctx, tx, "quotes")
	if err != nil {
		return err
	}
	for _, id := range quoted {
		last, err := all(ctx, tx, quotes, "WHERE instrument = ? ORDER BY receive_ns DESC LIMIT 1", int64(id))
		if err != nil {
			return err
		}
		st.Quotes = append(st.Quotes, last...)
	}
	traded, err := instrumentsOf(ctx, tx, "candles")
	if err != nil {
		return err
	}
	for _, id := range traded {
		for _, interval := range history.CandleIntervals {
			last, err := all(ctx, tx, candles, "WHERE instrument = ? AND interval_ns = ? ORDER BY open_ns DESC LIMIT 1",
				int64(id), int64(interval))
			if err != nil {
				return err
			}
			st.Candles = append(st.Candles, last...)
		}
	}
	st.Gaps, err = all(ctx, tx, gaps, "ORDER BY tick DESC LIMIT ?", store.RecentGaps)
	slices.Reverse(st.Gaps)
	return err
}

// instrumentsOf returns the instruments that a table has rows of, one seek each.
func instrumentsOf(ctx context.Context, q querier, table string) ([]core.InstrumentID, error) {
	next := "SELECT min(instrument) FROM " + table
	rows, err := q.QueryContext(ctx, "WITH RECURSIVE found(found_id) AS ("+next+
		" UNION ALL SELECT ("+next+" WHERE instrument > found.found_id) FROM found WHERE found.found_id IS NOT NULL)"+
		" SELECT found_id FROM found WHERE found_id IS NOT NULL")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // what failed is in Err
	var ids []core.InstrumentID
	for rows.Next() {
		var id core.InstrumentID
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// all returns the rows of a table that rest selects.
func all[T any](ctx context.Context, q querier, t *table[T], rest string, args ...any) ([]T, error) {
	var out []T
	err := each(ctx, q, t, rest, args, func(row *T) { out = append(out, *row) })
	return out, err
}

// each calls f for each of them. row is used again when f returns.
func each[T any](ctx context.Context, q querier, t *table[T], rest string, args []any, f func(row *T)) error {
	rows, err := q.QueryContext(ctx, t.selects+" "+rest, args...)
	if err != nil {
		return fmt.Errorf("%s: %w", t.name, err)
	}
	defer func() { _ = rows.Close() }() // what failed is in Err
	w := fields{mode: setting, vals: make([]any, len(t.columns))}
	dst := make([]any, len(w.vals))
	for i := range w.vals {
		dst[i] = &w.vals[i]
	}
	var row T
	for rows.Next() {
		if err := rows.Scan(dst...); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		w.at = 0
		if t.fields(&w, &row); w.err != nil {
			return fmt.Errorf("%s: %w", t.name, w.err)
		}
		f(&row)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("%s: %w", t.name, err)
	}
	return nil
}
