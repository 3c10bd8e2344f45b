package storetest

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"qcat/core"
	"qcat/core/history"
)

// page returns the rows that keep selects, by descending key, at most limit.
func page[R any](rows []R, limit int, keep func(*R) bool, order func(a, b *R) int) []R {
	var out []R
	for i := range rows {
		if keep(&rows[i]) {
			out = append(out, rows[i])
		}
	}
	slices.SortStableFunc(out, func(a, b R) int { return order(&b, &a) })
	return out[:min(len(out), max(limit, 0))]
}

// within reports whether t is in [from, to), where zero bounds nothing.
func within(t, from, to core.Nanos) bool { return (from == 0 || t >= from) && (to == 0 || t < to) }

// is reports whether want selects got: zero selects all.
func is[T comparable](want, got T) bool {
	var zero T
	return want == zero || want == got
}

// Orders implements history.Reader.
func (m *Memory) Orders(ctx context.Context, q history.OrderQuery) ([]history.Order, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return page(slices.Collect(maps.Values(m.orders)), q.Limit, func(o *history.Order) bool {
		return is(q.Account, o.Account) && is(q.Strategy, o.Strategy) && is(q.Instrument, o.Instrument) &&
			is(q.Side, o.Side) && is(q.Status, o.Status) && (!q.OpenOnly || o.Status.Open()) &&
			is(q.ClOrdID, o.ClOrdID) && within(o.CreateTime, q.From, q.To) && (q.Before == 0 || o.ID < q.Before)
	}, func(a, b *history.Order) int { return cmp.Compare(a.ID, b.ID) }), m.usable(ctx)
}

// Executions implements history.Reader.
func (m *Memory) Executions(ctx context.Context, q history.ExecutionQuery) ([]history.Execution, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return page(m.executions, q.Limit, func(x *history.Execution) bool {
		return is(q.Account, x.Account) && is(q.Strategy, x.Strategy) && is(q.Instrument, x.Instrument) &&
			is(q.Order, x.Order) && within(x.Time, q.From, q.To) && (q.Before == 0 || x.ID < q.Before)
	}, func(a, b *history.Execution) int { return cmp.Compare(a.ID, b.ID) }), m.usable(ctx)
}

// Trades implements history.Reader.
func (m *Memory) Trades(ctx context.Context, q history.TradeQuery) ([]history.Trade, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	order := func(at core.Nanos, aID uint64, bt core.Nanos, bID uint64) int {
		return cmp.Or(cmp.Compare(at, bt), cmp.Compare(aID, bID))
	}
	return page(m.trades, q.Limit, func(x *history.Trade) bool {
		return x.Instrument == q.Instrument && within(x.ExchangeTime, q.From, q.To) &&
			(q.Before == history.TradeKey{} || order(x.ExchangeTime, x.ID, q.Before.Time, q.Before.ID) < 0)
	}, func(a, b *history.Trade) int { return order(a.ExchangeTime, a.ID, b.ExchangeTime, b.ID) }), m.usable(ctx)
}

// Quotes implements history.Reader.
func (m *Memory) Quotes(ctx context.Context, q history.QuoteQuery) ([]history.Quote, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return page(m.quotes, q.Limit, func(x *history.Quote) bool {
		return x.Instrument == q.Instrument && within(x.ReceiveTime, q.From, q.To) &&
			(q.Before == 0 || x.ReceiveTime < q.Before)
	}, func(a, b *history.Quote) int { return cmp.Compare(a.ReceiveTime, b.ReceiveTime) }), m.usable(ctx)
}

// Candles implements history.Reader.
func (m *Memory) Candles(ctx context.Context, q history.CandleQuery) ([]history.Candle, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return page(slices.Collect(maps.Values(m.candles)), q.Limit, func(c *history.Candle) bool {
		return c.Instrument == q.Instrument && c.Interval == q.Interval && within(c.OpenTime, q.From, q.To) &&
			(q.Before == 0 || c.OpenTime < q.Before)
	}, func(a, b *history.Candle) int { return cmp.Compare(a.OpenTime, b.OpenTime) }), m.usable(ctx)
}

// Equity implements history.Reader.
func (m *Memory) Equity(ctx context.Context, q history.EquityQuery) ([]history.Equity, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if q.Limit <= 0 {
		return nil, m.usable(ctx)
	}
	rows := page(m.equity, len(m.equity), func(e *history.Equity) bool {
		return e.Account == q.Account && within(e.Time, q.From, q.To) && (q.Before == 0 || e.Time < q.Before)
	}, func(a, b *history.Equity) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(b.Settle, a.Settle), cmp.Compare(b.Scale, a.Scale))
	})
	n := min(q.Limit, len(rows))
	for n > 0 && n < len(rows) && rows[n].Time == rows[n-1].Time {
		n++
	}
	return rows[:n], m.usable(ctx)
}

// Transfers implements history.Reader.
func (m *Memory) Transfers(ctx context.Context, q history.TransferQuery) ([]history.Transfer, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return page(m.transfers, q.Limit, func(t *history.Transfer) bool {
		return is(q.Account, t.Account) && is(q.Currency, t.Currency) && within(t.Time, q.From, q.To) &&
			(q.Before == 0 || t.Seq < q.Before)
	}, func(a, b *history.Transfer) int { return cmp.Compare(a.Seq, b.Seq) }), m.usable(ctx)
}

// RiskEvents implements history.Reader.
func (m *Memory) RiskEvents(ctx context.Context, q history.EventQuery) ([]history.RiskEvent, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return page(m.riskEvents, q.Limit, func(e *history.RiskEvent) bool {
		return is(q.Kind, e.Kind) && is(q.Account, e.Account) && is(q.Strategy, e.Strategy) && within(e.Time, q.From, q.To) &&
			(q.Before == 0 || e.Seq < q.Before)
	}, func(a, b *history.RiskEvent) int { return cmp.Compare(a.Seq, b.Seq) }), m.usable(ctx)
}

// Audit implements history.Reader.
func (m *Memory) Audit(ctx context.Context, q history.EventQuery) ([]history.Audit, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return page(m.audit, q.Limit, func(a *history.Audit) bool {
		return is(q.Action, a.Action) && within(a.Time, q.From, q.To) && (q.Before == 0 || a.Seq < q.Before)
	}, func(a, b *history.Audit) int { return cmp.Compare(a.Seq, b.Seq) }), m.usable(ctx)
}
