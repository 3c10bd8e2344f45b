package storetest

import (
	"context"
	"testing"

	"qcat/core"
	"qcat/core/history"
)

// testQueries asks hundreds of random questions of stores that hold the same.
func testQueries(t *testing.T, open Open) {
	for _, seed := range seeds[:2] {
		p := newPair(t, open, seed)
		p.fill(12, 12)
		p.same()
		for range 60 {
			compare(p, "orders", p.world.orderQuery(), history.Reader.Orders)
			compare(p, "executions", p.world.executionQuery(), history.Reader.Executions)
			compare(p, "trades", p.world.tradeQuery(), history.Reader.Trades)
			compare(p, "quotes", p.world.quoteQuery(), history.Reader.Quotes)
			compare(p, "candles", p.world.candleQuery(), history.Reader.Candles)
			compare(p, "equity", p.world.equityQuery(), history.Reader.Equity)
			compare(p, "transfers", p.world.transferQuery(), history.Reader.Transfers)
			compare(p, "risk events", p.world.eventQuery(), history.Reader.RiskEvents)
			compare(p, "audit", p.world.eventQuery(), history.Reader.Audit)
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// some returns v one time in n and else zero, which selects all.
func some[T any](w *world, n int, v T) T {
	if w.rng.IntN(n) == 0 {
		return v
	}
	var zero T
	return zero
}

// span is a random range of the time that the rows cover, often unbounded; each of
// its ends may be the very time of a row.
func (w *world) span() (from, to core.Nanos) {
	return some(w, 2, w.moment()), some(w, 2, w.moment())
}

func (w *world) moment() core.Nanos {
	if w.flip() {
		return w.times[w.rng.IntN(len(w.times))]
	}
	return start + core.Nanos(w.rng.Int64N(int64(w.now-start)))
}

func (w *world) limit() int { return [...]int{1, 2, 7, 50, 1000, 0, -1}[w.rng.IntN(7)] }

// pastOrder is an order that was made, as it is now.
func (w *world) pastOrder() history.Order { return w.orders[w.rng.IntN(len(w.orders))] }

func (w *world) orderQuery() (q history.OrderQuery) {
	o := w.pastOrder()
	q = history.OrderQuery{Account: some(w, 3, o.Account), Strategy: some(w, 4, o.Strategy), Instrument: some(w, 4, o.Instrument),
		Side: some(w, 4, o.Side), Status: some(w, 4, o.Status), OpenOnly: w.rng.IntN(4) == 0,
		ClOrdID: some(w, 4, o.ClOrdID), Before: some(w, 3, o.ID), Limit: w.limit()}
	q.From, q.To = w.span()
	return q
}

func (w *world) executionQuery() (q history.ExecutionQuery) {
	o := w.pastOrder()
	q = history.ExecutionQuery{Account: some(w, 3, o.Account), Strategy: some(w, 4, o.Strategy), Instrument: some(w, 4, o.Instrument),
		Order: some(w, 4, o.ID), Before: some(w, 3, w.rng.Uint64N(w.exec+1)), Limit: w.limit()}
	q.From, q.To = w.span()
	return q
}

func (w *world) tradeQuery() (q history.TradeQuery) {
	q = history.TradeQuery{Instrument: w.instrument().ID, Limit: w.limit(),
		Before: some(w, 2, history.TradeKey{Time: start + core.Nanos(w.rng.Int64N(int64(w.now-start))), ID: w.rng.Uint64N(w.seq[1])})}
	q.From, q.To = w.span()
	return q
}

func (w *world) quoteQuery() (q history.QuoteQuery) {
	q = history.QuoteQuery{Instrument: w.instrument().ID, Limit: w.limit()}
	q.From, q.To = w.span()
	q.Before, _ = w.span()
	return q
}

func (w *world) candleQuery() (q history.CandleQuery) {
	interval := history.CandleIntervals[w.rng.IntN(len(history.CandleIntervals))]
	q = history.CandleQuery{Instrument: w.instrument().ID, Interval: interval, Limit: w.limit()}
	q.From, q.To = w.span()
	q.Before, _ = w.span()
	return q
}

func (w *world) equityQuery() (q history.EquityQuery) {
	q = history.EquityQuery{Account: w.strategy().Account, Limit: w.limit()}
	q.From, q.To = w.span()
	q.Before, _ = w.span()
	return q
}

func (w *world) transferQuery() (q history.TransferQuery) {
	q = history.TransferQuery{Account: some(w, 2, w.strategy().Account), Currency: some(w, 3, w.currency()),
		Before: some(w, 3, w.rng.Uint64N(w.seq[0]+1)), Limit: w.limit()}
	q.From, q.To = w.span()
	return q
}

func (w *world) eventQuery() (q history.EventQuery) {
	q = history.EventQuery{Kind: some(w, 2, history.RiskEventKind(1+w.rng.IntN(10))), Action: some(w, 2, w.action()),
		Account: some(w, 2, w.strategy().Account), Before: some(w, 3, w.rng.Uint64N(w.seq[0]+1)), Limit: w.limit()}
	if w.rng.IntN(3) == 0 {
		s := w.strategy()
		q.Account, q.Strategy = s.Account, s.ID
	}
	q.From, q.To = w.span()
	return q
}

// testPaging turns pages while rows are added at the front: the pages make up the
// list as it was when the first was asked for.
func testPaging(t *testing.T, open Open) {
	p := newPair(t, open, 7)
	p.fill(8, 12)
	ctx := t.Context()
	account := core.AccountID(1)
	pageThrough(p, "orders", history.OrderQuery{Account: account}, history.Reader.Orders,
		func(q *history.OrderQuery, last *history.Order, n int) { q.Before, q.Limit = last.ID, n })
	pageThrough(p, "executions", history.ExecutionQuery{Account: account}, history.Reader.Executions,
		func(q *history.ExecutionQuery, last *history.Execution, n int) { q.Before, q.Limit = last.ID, n })
	pageThrough(p, "equity", history.EquityQuery{Account: account}, history.Reader.Equity,
		func(q *history.EquityQuery, last *history.Equity, n int) { q.Before, q.Limit = last.Time, n })
	pageThrough(p, "transfers", history.TransferQuery{}, history.Reader.Transfers,
		func(q *history.TransferQuery, last *history.Transfer, n int) { q.Before, q.Limit = last.Seq, n })
	pageThrough(p, "risk events", history.EventQuery{}, history.Reader.RiskEvents,
		func(q *history.EventQuery, last *history.RiskEvent, n int) { q.Before, q.Limit = last.Seq, n })
	pageThrough(p, "audit", history.EventQuery{}, history.Reader.Audit,
		func(q *history.EventQuery, last *history.Audit, n int) { q.Before, q.Limit = last.Seq, n })
	in := p.world.dir.Instruments()[0].ID
	quotes := history.QuoteQuery{Instrument: in, To: p.world.quoted[in] + 1}
	pageThrough(p, "quotes", quotes, history.Reader.Quotes,
		func(q *history.QuoteQuery, last *history.Quote, n int) { q.Before, q.Limit = last.ReceiveTime, n })
	// Of the market's times nothing is known beforehand: rows may come between two
	// that were shown, so nothing is added while these are paged.
	for _, b := range []int{1, 4} {
		trades, _ := p.naive.Trades(ctx, history.TradeQuery{Instrument: in, Limit: 1 << 20})
		sameRows(t, "pages of trades", b, pages(p, history.TradeQuery{Instrument: in}, b, history.Reader.Trades,
			func(q *history.TradeQuery, last *history.Trade, n int) {
				q.Before, q.Limit = history.TradeKey{Time: last.ExchangeTime, ID: last.ID}, n
			}, func() {}), trades)
		q := history.CandleQuery{Instrument: in, Interval: history.CandleIntervals[0], Limit: 1 << 20}
		candles, _ := p.naive.Candles(ctx, q)
		sameRows(t, "pages of candles", b, pages(p, q, b, history.Reader.Candles,
			func(q *history.CandleQuery, last *history.Candle, n int) { q.Before, q.Limit = last.OpenTime, n }, func() {}), candles)
	}
}

// pageThrough pages by several sizes while batches are written whose orders are all
// new, and compares the keys and rows with the whole list from before.
func pageThrough[Q any, R comparable](p *pair, what string, q Q, ask func(history.Reader, context.Context, Q) ([]R, error),
	next func(q *Q, last *R, n int)) {
	p.t.Helper()
	for _, n := range []int{1, 3, 10} {
		var none R
		all := q
		next(&all, &none, 1<<20)
		want, err := ask(p.naive, p.t.Context(), all)
		if err != nil || len(want) < 5 {
			p.t.Fatalf("%s: %d rows to page through (%v)", what, len(want), err)
		}
		turns := 0
		got := pages(p, q, n, ask, next, func() {
			if turns++; turns%10 != 0 {
				return
			}
			p.world.orders = nil // what was shown stays as it is
			p.write(p.world.journal(2))
			p.write(p.world.ticks(1))
		})
		sameRows(p.t, "pages of "+what, n, got, want)
	}
}

// pages asks for pages of n rows until there is none, calling between after each.
func pages[Q any, R comparable](p *pair, q Q, n int, ask func(history.Reader, context.Context, Q) ([]R, error),
	next func(q *Q, last *R, n int), between func()) []R {
	p.t.Helper()
	var all []R
	var last R
	for {
		next(&q, &last, n)
		rows, err := ask(p.store, p.t.Context(), q)
		if err != nil {
			p.t.Fatalf("page %+v: %v", q, err)
		}
		if len(rows) == 0 || len(all) > 100_000 {
			return all
		}
		all = append(all, rows...)
		last = rows[len(rows)-1]
		between()
	}
}
