package sqlite

import (
	"context"
	"math"
	"strings"

	"qcat/core"
	"qcat/core/history"
)

// query collects the conditions of a SELECT. Only those that were asked for are in
// it, so that the planner sees what it can use.
type query struct {
	where strings.Builder
	args  []any
	none  bool // no row can match
}

// and adds a condition.
func (q *query) and(cond string, args ...any) {
	if q.where.Len() == 0 {
		q.where.WriteString("WHERE ")
	} else {
		q.where.WriteString(" AND ")
	}
	q.where.WriteString(cond)
	q.args = append(q.args, args...)
}

// equal adds column = v unless v is zero, which selects all. A plus before the column
// keeps the planner, which knows no counts, from using its index where there is a
// better one.
func equal[T ~uint64 | ~uint32 | ~uint8](q *query, column string, v T) {
	if v != 0 {
		q.and(column+" = ?", int64(v))
	}
}

// unless returns the column, without its index when better is there.
func unless(better bool, column string) string {
	if better {
		return "+" + column
	}
	return column
}

// below adds column < v unless v is zero, which is no bound.
func below[T ~uint64 | ~int64](q *query, column string, v T) {
	if v != 0 {
		q.and(column+" < ?", int64(v))
	}
}

// between bounds a column of times; zero is no bound.
func (q *query) between(column string, from, to core.Nanos) {
	if from != 0 {
		q.and(column+" >= ?", int64(from))
	}
	below(q, column, to)
}

// page returns the newest rows that q selects, in that order, and logs what was slow.
func page[T any](ctx context.Context, s *Store, t *table[T], q *query, order string, limit int) ([]T, error) {
	if limit <= 0 || q.none {
		return nil, nil
	}
	start := s.cfg.Clock.Now()
	rest := strings.TrimSpace(q.where.String() + " ORDER BY " + order + " LIMIT ?")
	rows, err := all(ctx, s.readers, t, rest, append(q.args, limit)...)
	if err != nil {
		return nil, s.wrap("read", err)
	}
	s.slow(t.name+" "+rest, start, len(rows))
	return rows, nil
}

// Order returns one order, open or closed, and false when there is none.
func (s *Store) Order(ctx context.Context, id core.OrderID) (history.Order, bool, error) {
	found, err := all(ctx, s.readers, orders, "WHERE id = ?", int64(id))
	if err != nil || len(found) == 0 {
		return history.Order{}, false, s.wrap("read", err)
	}
	return found[0], true, nil
}

// Orders returns orders, newest first.
func (s *Store) Orders(ctx context.Context, o history.OrderQuery) ([]history.Order, error) {
	var q query
	// Few orders are open, and fewer share a client order id; a strategy has some of
	// its account's.
	few := o.OpenOnly || o.ClOrdID.Len() > 0
	equal(&q, unless(few || o.Strategy != 0, "account"), o.Account)
	equal(&q, unless(few, "strategy"), o.Strategy)
	equal(&q, unless(few || o.Strategy != 0, "instrument"), o.Instrument)
	equal(&q, "side", o.Side)
	equal(&q, "status", o.Status)
	below(&q, "id", o.Before)
	if o.OpenOnly && o.ClOrdID.Len() > 0 {
		q.and("+status < 3")
	} else if o.OpenOnly {
		q.and("status < 3") // in the words of the index orders_open
	}
	if o.ClOrdID.Len() > 0 {
		q.and("cl_ord_id <> '' AND cl_ord_id = ?", o.ClOrdID.String()) // in those of orders_cl_ord_id
	}
	if err := s.spanning(ctx, &q, orders.name, "id", "create_ns", o.From, o.To); err != nil {
		return nil, err
	}
	return page(ctx, s, orders, &q, "id DESC", o.Limit)
}

// Executions returns executions, newest first.
func (s *Store) Executions(ctx context.Context, x history.ExecutionQuery) ([]history.Execution, error) {
	var q query
	few := x.Order != 0
	equal(&q, unless(few || x.Strategy != 0, "account"), x.Account)
	equal(&q, unless(few, "strategy"), x.Strategy)
	equal(&q, unless(few || x.Strategy != 0, "instrument"), x.Instrument)
	equal(&q, "order_id", x.Order)
	below(&q, "id", x.Before)
	if err := s.spanning(ctx, &q, executions.name, "id", "time_ns", x.From, x.To); err != nil {
		return nil, err
	}
	return page(ctx, s, executions, &q, "id DESC", x.Limit)
}

// Transfers returns transfers, newest first.
func (s *Store) Transfers(ctx context.Context, t history.TransferQuery) ([]history.Transfer, error) {
	var q query
	equal(&q, "account", t.Account)
	if t.Currency != "" {
		q.and("currency = ?", t.Currency)
	}
	below(&q, "seq", t.Before)
	if err := s.spanning(ctx, &q, transfers.name, "seq", "time_ns", t.From, t.To); err != nil {
		return nil, err
	}
	return page(ctx, s, transfers, &q, "seq DESC", t.Limit)
}

// RiskEvents returns risk events, newest first.
func (s *Store) RiskEvents(ctx context.Context, e history.EventQuery) ([]history.RiskEvent, error) {
	var q query
	equal(&q, unless(e.Account != 0, "kind"), e.Kind)
	equal(&q, "account", e.Account)
	equal(&q, unless(e.Account != 0, "strategy"), e.Strategy)
	below(&q, "seq", e.Before)
	if err := s.spanning(ctx, &q, riskEvents.name, "seq", "time_ns", e.From, e.To); err != nil {
		return nil, err
	}
	return page(ctx, s, riskEvents, &q, "seq DESC", e.Limit)
}

// Audit returns audit entries, newest first.
func (s *Store) Audit(ctx context.Context, e history.EventQuery) ([]history.Audit, error) {
	var q query
	if e.Action != "" {
		q.and("action = ?", e.Action)
	}
	below(&q, "seq", e.Before)
	if err := s.spanning(ctx, &q, audit.name, "seq", "time_ns", e.From, e.To); err != nil {
		return nil, err
	}
	return page(ctx, s, audit, &q, "seq DESC", e.Limit)
}

// Trades returns trades of one instrument, newest first.
func (s *Store) Trades(ctx context.Context, t history.TradeQuery) ([]history.Trade, error) {
	var q query
	q.and("instrument = ?", int64(t.Instrument))
	q.between("exchange_ns", t.From, t.To)
	if t.Before != (history.TradeKey{}) {
		q.and("(exchange_ns, id) < (?, ?)", int64(t.Before.Time), int64(t.Before.ID))
	}
	return page(ctx, s, trades, &q, "exchange_ns DESC, id DESC, tick DESC", t.Limit)
}

// Quotes returns sampled quotes of one instrument, newest first.
func (s *Store) Quotes(ctx context.Context, u history.QuoteQuery) ([]history.Quote, error) {
	var q query
	q.and("instrument = ?", int64(u.Instrument))
	q.between("receive_ns", u.From, u.To)
	below(&q, "receive_ns", u.Before)
	return page(ctx, s, quotes, &q, "receive_ns DESC", u.Limit)
}

// Candles returns candles of one instrument and interval, newest first.
func (s *Store) Candles(ctx context.Context, c history.CandleQuery) ([]history.Candle, error) {
	var q query
	q.and("instrument = ? AND interval_ns = ?", int64(c.Instrument), int64(c.Interval))
	q.between("open_ns", c.From, c.To)
	below(&q, "open_ns", c.Before)
	return page(ctx, s, candles, &q, "open_ns DESC", c.Limit)
}

// Equity returns equity rows of one account, newest first. The page goes on to the
// end of the Time that it would have ended in.
func (s *Store) Equity(ctx context.Context, e history.EquityQuery) ([]history.Equity, error) {
	if e.Limit <= 0 {
		return nil, nil
	}
	var q query
	q.and("account = ?", int64(e.Account))
	q.between("time_ns", e.From, e.To)
	below(&q, "time_ns", e.Before)
	last := "SELECT time_ns FROM equity " + q.where.String() + " ORDER BY time_ns DESC LIMIT 1 OFFSET ?"
	args := append(q.args[:len(q.args):len(q.args)], e.Limit-1)
	q.and("time_ns >= coalesce(("+last+"), ?)", append(args, int64(math.MinInt64))...)
	return page(ctx, s, equity, &q, "time_ns DESC, settle, scale", math.MaxInt64)
}
