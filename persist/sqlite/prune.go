package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"time"

	"go.uber.org/zap"

	"qcat/core"
)

// Pruned is how many rows Prune deleted.
type Pruned struct{ Trades, Quotes, Candles int64 }

// Rows is how many there are in all.
func (p *Pruned) Rows() int64 { return p.Trades + p.Quotes + p.Candles }

// pruneRows is how many rows one transaction deletes: it holds the followers up for
// some milliseconds.
const pruneRows = 2000

// prunable is a table of market data that loses its old rows. Its primary key begins
// with the instrument, fixed columns and the time.
type prunable struct {
	table  string
	fixed  string // a condition on the columns between the two, or ""
	column string
	count  func(*Pruned) *int64
}

var prunables = []prunable{
	{"trades", "", "exchange_ns", func(p *Pruned) *int64 { return &p.Trades }},
	{"quotes", "", "receive_ns", func(p *Pruned) *int64 { return &p.Quotes }},
	{"candles", " AND interval_ns = 1000000000", "open_ns", func(p *Pruned) *int64 { return &p.Candles }},
}

// Prune deletes the trades, quotes and one-second candles that are older than
// Config.KeepTicks, counted back from the newest row of their instrument or from
// now, whichever is earlier: a capture of last year keeps its last days, and a row
// from the future takes nothing with it. Nothing else is ever deleted.
//
// It runs by itself every Config.PruneInterval.
func (s *Store) Prune(ctx context.Context) (Pruned, error) {
	var p Pruned
	if s.cfg.KeepTicks < 0 {
		return p, nil
	}
	for i := range prunables {
		t := &prunables[i]
		ids, err := instrumentsOf(ctx, s.readers, t.table)
		if err != nil {
			return p, s.wrap("prune", err)
		}
		for _, id := range ids {
			n, err := s.pruneInstrument(ctx, t, id)
			*t.count(&p) += n
			if err != nil {
				return p, s.wrap("prune", err)
			}
		}
	}
	return p, nil
}

// pruneInstrument deletes what is too old of one instrument, a batch at a time.
func (s *Store) pruneInstrument(ctx context.Context, t *prunable, id core.InstrumentID) (deleted int64, err error) {
	rows := fmt.Sprintf("FROM %s WHERE instrument = ?%s", t.table, t.fixed)
	for {
		start := s.cfg.Clock.Now()
		var n int64
		err := s.writer.transact(ctx, false, func(c *conn) error {
			cut, ok, err := s.pruneBefore(ctx, c, t, rows, id)
			if err != nil || !ok {
				return err
			}
			n, err = c.exec(ctx, "DELETE "+rows+" AND "+t.column+" < ?", values(int64(id), cut))
			return err
		})
		if err != nil {
			return deleted, err
		}
		s.slow("prune "+t.table, start, int(n))
		if n == 0 {
			return deleted, nil
		}
		deleted += n
	}
}

// pruneBefore returns the time up to which the next transaction deletes, which is
// after at least one row and, unless many share a time, at most pruneRows; and false
// when nothing is too old.
func (s *Store) pruneBefore(ctx context.Context, c *conn, t *prunable, rows string, id core.InstrumentID) (int64, bool, error) {
	at := func(order string) (int64, bool, error) {
		var v [1]driver.Value
		found, err := c.row(ctx, v[:], "SELECT "+t.column+" "+rows+" ORDER BY "+order, int64(id))
		n, _ := v[0].(int64)
		return n, found, err
	}
	newest, found, err := at(t.column + " DESC LIMIT 1")
	if err != nil || !found {
		return 0, false, err
	}
	newest = min(newest, int64(s.cfg.Clock.Now()))
	cut := newest - int64(s.cfg.KeepTicks)
	if cut > newest {
		return 0, false, nil // below the smallest time there is
	}
	oldest, _, err := at(t.column + " LIMIT 1")
	if err != nil || oldest >= cut {
		return 0, false, err
	}
	next, found, err := at(fmt.Sprintf("%s LIMIT 1 OFFSET %d", t.column, pruneRows))
	if err != nil {
		return 0, false, err
	}
	if found && next == oldest {
		next++ // more of one time than a transaction should delete: they go together
	}
	if found {
		cut = min(cut, next)
	}
	return cut, true, nil
}

// startPruner prunes every interval, until Close.
func (s *Store) startPruner() {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	if s.cfg.KeepTicks < 0 {
		return
	}
	s.pruner.Go(func() {
		tick := time.NewTicker(s.cfg.PruneInterval)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			p, err := s.Prune(ctx)
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				s.cfg.Log.Warn("old market data could not be deleted", zap.Error(err))
			case p.Rows() > 0:
				s.cfg.Log.Debug("old market data deleted", zap.Int64("trades", p.Trades),
					zap.Int64("quotes", p.Quotes), zap.Int64("candles", p.Candles))
			}
		}
	})
}
