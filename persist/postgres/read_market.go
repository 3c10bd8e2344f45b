package postgres

import (
	"context"
	"math"
	"strconv"

	"github.com/jackc/pgx/v5"

	"qcat/core/history"
)

// lastArg is the name of the last argument.
func lastArg(f *filter) string { return "$" + strconv.Itoa(len(f.args)) }

// Trades answers from all trades of an instrument.
func (s *Store) Trades(ctx context.Context, q history.TradeQuery) ([]history.Trade, error) {
	var f filter
	f.add("instrument = $", int64(q.Instrument))
	k := allKeys.of(q.From, q.To)
	if q.Before != (history.TradeKey{}) {
		k.last = min(k.last, int64(q.Before.Time))
		at, id := int64(q.Before.Time), int64(min(q.Before.ID, math.MaxInt64))
		f.args = append(f.args, at, id)
		f.conditions = append(f.conditions, "(exchange_ns, id) < ($2, $3)")
	}
	return read(ctx, s, "trades", q.Limit, func(ctx context.Context, tx pgx.Tx) ([]history.Trade, error) {
		return partedTrades.page(ctx, s, tx, &f, k, allDays, "exchange_ns DESC, id DESC", q.Limit)
	})
}

// Quotes answers from all sampled quotes of an instrument.
func (s *Store) Quotes(ctx context.Context, q history.QuoteQuery) ([]history.Quote, error) {
	var f filter
	f.add("instrument = $", int64(q.Instrument))
	k := allKeys.of(q.From, q.To).of(0, q.Before)
	return read(ctx, s, "quotes", q.Limit, func(ctx context.Context, tx pgx.Tx) ([]history.Quote, error) {
		return partedQuotes.page(ctx, s, tx, &f, k, allDays, "receive_ns DESC", q.Limit)
	})
}

// Candles answers from all candles of an instrument and interval.
func (s *Store) Candles(ctx context.Context, q history.CandleQuery) ([]history.Candle, error) {
	var f filter
	f.add("instrument = $", int64(q.Instrument))
	f.add("interval_ns = $", int64(q.Interval))
	f.within("open_ns", q.From, q.To)
	if q.Before != 0 {
		f.add("open_ns < $", int64(q.Before))
	}
	where := f.where()
	f.args = append(f.args, q.Limit)
	return read(ctx, s, "candles", q.Limit, func(ctx context.Context, tx pgx.Tx) ([]history.Candle, error) {
		return rowsOf(ctx, s, tx, candles, "SELECT "+candles.list+" FROM candles"+where+" ORDER BY open_ns DESC LIMIT "+lastArg(&f), f.args...)
	})
}
