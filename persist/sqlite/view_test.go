package sqlite_test

import (
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"testing"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/store"
)

// TestViewsForPeople reads a row of each view: names, exact decimals, times.
func TestViewsForPeople(t *testing.T) {
	s := open(t, keep(filepath.Join(t.TempDir(), "qcat.db")))
	at := core.Nanos(1_700_000_000_000_000_007)
	b := &store.Batch{Stream: store.Journal, Log: scriptLog, From: 1, To: 9, Time: at,
		Instruments: []core.Instrument{{ID: 1, Venue: "sim", Symbol: "BTCUSDT", Settle: "USDT", PriceScale: 2, QtyScale: 3, SettleScale: 8},
			{ID: 2, Venue: "sim", Symbol: "WHOLE", Settle: "JPY"}},
		Accounts:   []core.Account{{ID: 1, Name: "demo"}},
		Strategies: []core.Strategy{{ID: 4, Account: 1, Name: "maker"}},
		Orders: []history.Order{
			{Order: core.Order{ID: 1, Account: 1, Strategy: 4, Instrument: 1, Side: core.Sell, Type: core.Limit, TIF: core.PostOnly,
				Status: core.StatusPartiallyFilled, Price: 6500010, Qty: 5, CumQty: 1, CreateTime: at, UpdateTime: at}},
			{Order: core.Order{ID: 2, Instrument: 2, Price: math.MinInt64, Qty: math.MaxInt64}},
			{Order: core.Order{ID: 3, Instrument: 77}}},
		Executions: []history.Execution{{Execution: core.Execution{ID: 1, Order: 1, Account: 1, Strategy: 4, Instrument: 1, Side: core.Sell,
			Liquidity: core.Maker, LastPx: 6500010, LastQty: 1, Fee: -5, Time: at}}},
		Positions: []history.Position{{Account: 1, Strategy: 4, Instrument: 1, Position: core.Position{Qty: -1500, Volume: 2000, Fees: 100_000_000}, Time: at}},
		Marks:     []store.Mark{{Instrument: 1, Price: 99}},
		Equity:    []history.Equity{{Account: 1, Settle: "USDT", Scale: 8, Time: at, Realised: -1, Unrealised: 250_000_000}},
	}
	ticks := &store.Batch{Stream: store.Ticks, Log: scriptLog, From: 1, To: 9, Time: at,
		Trades:  []history.Trade{{Instrument: 1, ID: 9, Side: core.Buy, Price: 1, Qty: 1000, ExchangeTime: at}},
		Quotes:  []history.Quote{{Instrument: 1, BidPrice: 100, AskPrice: 101, BidQty: 1, AskQty: 2, ReceiveTime: at, Stale: true}},
		Candles: []history.Candle{{Instrument: 1, Interval: 60e9, Candle: core.Candle{Open: 1, High: 10, Low: 0, Close: 100, Volume: 7, OpenTime: 60e9}}},
	}
	for _, batch := range []*store.Batch{b, ticks} {
		if err := s.Write(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	const when = "2023-11-14T22:13:20.000000007Z"
	for query, want := range map[string][]any{
		"account, strategy, instrument, side, type, time_in_force, status, price, qty, cum_qty, created FROM orders_text WHERE id = 1": {"demo", "maker", "sim:BTCUSDT", "sell", "limit", "post_only", "partially_filled", "65000.10", "0.005", "0.001", when},
		"instrument, price, qty FROM orders_text WHERE id = 2":                                                                         {"sim:WHOLE", "-9223372036854775808", "9223372036854775807"},
		"instrument, price FROM orders_text WHERE id = 3":                                                                              {nil, nil},
		"liquidity, last_px, last_qty, fee, settle, time FROM executions_text":                                                         {"maker", "65000.10", "0.001", "-0.00000005", "USDT", when},
		"qty, volume, fees, mark FROM positions_text":                                                                                  {"-1.500", "2.000", "1.00000000", "0.99"},
		"account, settle, realised, unrealised FROM equity_text":                                                                       {"demo", "USDT", "-0.00000001", "2.50000000"},
		"instrument, side, price, qty FROM trades_text":                                                                                {"sim:BTCUSDT", "buy", "0.01", "1.000"},
		"bid_qty, bid_price, ask_price, ask_qty, stale FROM quotes_text":                                                               {"0.001", "1.00", "1.01", "0.002", int64(1)},
		"interval, open_time, open, high, low, close, volume FROM candles_text":                                                        {"1m", "1970-01-01T00:01:00.000000000Z", "0.01", "0.10", "0.00", "1.00", "0.007"},
	} {
		got, dst := make([]any, len(want)), make([]any, len(want))
		for i := range got {
			dst[i] = &got[i]
		}
		if err := s.DB().QueryRowContext(t.Context(), "SELECT "+query).Scan(dst...); err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%v, not\n%v", query, fmt.Sprint(got...), fmt.Sprint(want...))
		}
	}
}
