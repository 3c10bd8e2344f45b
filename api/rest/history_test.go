package rest_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"qcat/api/rest"
	"qcat/core"
	"qcat/core/engine"
	"qcat/core/history"
)

// archive is a store with rows that a test puts there, and with faults.
type archive struct {
	mu     sync.Mutex
	err    error
	stuck  bool // answers nothing until the question is given up
	asked  int
	orders []history.Order
	fills  []history.Execution
	trades []history.Trade
	quotes []history.Quote
	bars   []history.Candle
	equity []history.Equity
	events []history.RiskEvent
	moved  []history.Transfer
	acts   []history.Audit
}

func (a *archive) set(err error, stuck bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.err, a.stuck = err, stuck
}

func (a *archive) questions() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked
}

// pick returns the rows that match, the highest key first.
func pick[T any](ctx context.Context, a *archive, rows []T, limit int, key func(*T) int64, match func(*T) bool) ([]T, error) {
	a.mu.Lock()
	a.asked++
	err, stuck := a.err, a.stuck
	a.mu.Unlock()
	if stuck {
		<-ctx.Done()
		return nil, fmt.Errorf("query: %w", ctx.Err())
	}
	if err != nil {
		return nil, err
	}
	var out []T
	for i := range rows {
		if match(&rows[i]) {
			out = append(out, rows[i])
		}
	}
	slices.SortStableFunc(out, func(x, y T) int { return cmp.Compare(key(&y), key(&x)) })
	return out[:min(limit, len(out))], nil
}

func in(t, from, to core.Nanos) bool { return t >= from && (to == 0 || t < to) }

func (a *archive) Orders(ctx context.Context, q history.OrderQuery) ([]history.Order, error) {
	f := engine.OrderFilter{Account: q.Account, Strategy: q.Strategy, Instrument: q.Instrument, Side: q.Side, Status: q.Status,
		OpenOnly: q.OpenOnly, ClOrdID: q.ClOrdID, From: q.From, To: q.To, Before: q.Before}
	return pick(ctx, a, a.orders, q.Limit, func(o *history.Order) int64 { return int64(o.ID) }, func(o *history.Order) bool { return f.Matches(&o.Order) })
}

func (a *archive) Executions(ctx context.Context, q history.ExecutionQuery) ([]history.Execution, error) {
	f := engine.ExecutionFilter{Account: q.Account, Strategy: q.Strategy, Instrument: q.Instrument, Order: q.Order, From: q.From, To: q.To, Before: q.Before}
	return pick(ctx, a, a.fills, q.Limit, func(x *history.Execution) int64 { return int64(x.ID) }, func(x *history.Execution) bool { return f.Matches(&x.Execution) })
}

func (a *archive) Trades(ctx context.Context, q history.TradeQuery) ([]history.Trade, error) {
	return pick(ctx, a, a.trades, q.Limit, func(t *history.Trade) int64 { return int64(t.ExchangeTime) }, func(t *history.Trade) bool {
		return t.Instrument == q.Instrument && in(t.ExchangeTime, q.From, q.To) && (q.Before == history.TradeKey{} || t.ExchangeTime < q.Before.Time)
	})
}

func (a *archive) Quotes(ctx context.Context, q history.QuoteQuery) ([]history.Quote, error) {
	return pick(ctx, a, a.quotes, q.Limit, func(x *history.Quote) int64 { return int64(x.ReceiveTime) }, func(x *history.Quote) bool {
		return x.Instrument == q.Instrument && in(x.ReceiveTime, q.From, q.To) && (q.Before == 0 || x.ReceiveTime < q.Before)
	})
}

func (a *archive) Candles(ctx context.Context, q history.CandleQuery) ([]history.Candle, error) {
	return pick(ctx, a, a.bars, q.Limit, func(x *history.Candle) int64 { return int64(x.OpenTime) }, func(x *history.Candle) bool {
		return x.Instrument == q.Instrument && x.Interval == q.Interval && in(x.OpenTime, q.From, q.To) && (q.Before == 0 || x.OpenTime < q.Before)
	})
}

func (a *archive) Equity(ctx context.Context, q history.EquityQuery) ([]history.Equity, error) {
	return pick(ctx, a, a.equity, q.Limit, func(x *history.Equity) int64 { return int64(x.Time) }, func(x *history.Equity) bool {
		return x.Account == q.Account && in(x.Time, q.From, q.To) && (q.Before == 0 || x.Time < q.Before)
	})
}

func (a *archive) Transfers(ctx context.Context, q history.TransferQuery) ([]history.Transfer, error) {
	return pick(ctx, a, a.moved, q.Limit, func(x *history.Transfer) int64 { return int64(x.Seq) }, func(x *history.Transfer) bool {
		return (q.Account == 0 || x.Account == q.Account) && (q.Currency == "" || x.Currency == q.Currency) && in(x.Time, q.From, q.To) &&
			(q.Before == 0 || x.Seq < q.Before)
	})
}

func (a *archive) RiskEvents(ctx context.Context, q history.EventQuery) ([]history.RiskEvent, error) {
	return pick(ctx, a, a.events, q.Limit, func(x *history.RiskEvent) int64 { return int64(x.Seq) }, func(x *history.RiskEvent) bool {
		return (q.Kind == 0 || x.Kind == q.Kind) && (q.Account == 0 || x.Account == q.Account) && (q.Strategy == 0 || x.Strategy == q.Strategy) &&
			in(x.Time, q.From, q.To) && (q.Before == 0 || x.Seq < q.Before)
	})
}

func (a *archive) Audit(ctx context.Context, q history.EventQuery) ([]history.Audit, error) {
	return pick(ctx, a, a.acts, q.Limit, func(x *history.Audit) int64 { return int64(x.Seq) }, func(x *history.Audit) bool {
		return (q.Action == "" || x.Action == q.Action) && in(x.Time, q.From, q.To) && (q.Before == 0 || x.Seq < q.Before)
	})
}

const minute = core.Nanos(60e9)

// fillArchive puts ten rows of each kind of market data and event there.
func fillArchive(a *archive) {
	for i := range core.Nanos(10) {
		at := start + i*minute
		a.trades = append(a.trades, history.Trade{Instrument: 1, ID: uint64(i), Side: core.Buy, Price: 100, Qty: 1, ExchangeTime: at, ReceiveTime: at + 1})
		a.quotes = append(a.quotes, history.Quote{Instrument: 1, BidPrice: 100, BidQty: 2, ReceiveTime: at, ExchangeTime: at - 1})
		for _, interval := range history.CandleIntervals {
			a.bars = append(a.bars, history.Candle{Instrument: 1, Interval: interval, Gap: i == 3,
				Candle: core.Candle{Open: 1, High: 2, Low: 1, Close: 2, Volume: 3, Trades: 4, Closed: true, OpenTime: at}})
		}
		a.equity = append(a.equity, history.Equity{Account: 1, Settle: "USDT", Scale: 8, Time: at, Realised: 5, Unrealised: 7, Fees: 2, Valued: i != 9})
		a.moved = append(a.moved, history.Transfer{Seq: uint64(i + 1), Time: at, Account: 1, Currency: "USDT", Amount: 5, Balance: int64(5 * (i + 1)), By: "x"})
		a.events = append(a.events, history.RiskEvent{Seq: uint64(i + 1), Time: at, Kind: history.RiskOrderRefused, Code: 101, Account: 1})
		a.acts = append(a.acts, history.Audit{Seq: uint64(i + 1), Time: at, Action: "set_limits", Detail: "max_qty 5"})
	}
}

// shown is a row of any list.
type shown map[string]any

// pages walks a list by its cursors, in pages of limit, and returns all rows.
func (s *server) pages(path string, limit int) (rows []shown) {
	s.t.Helper()
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	for next := ""; ; {
		u := fmt.Sprintf("/api/v1/%s%slimit=%d", path, sep, limit)
		if next != "" {
			u += "&cursor=" + next
		}
		r := s.ask("GET", u, "")
		if r.status != 200 {
			s.t.Fatalf("%s: %d %s", u, r.status, r.body)
		}
		var part []shown
		r.into(&part)
		rows = append(rows, part...)
		next = r.header("Next-Cursor")
		if link := r.header("Link"); (link != "") != (next != "") || next != "" && !strings.Contains(link, "cursor="+next+`>; rel="next"`) {
			s.t.Errorf("%s: link %q, cursor %q", u, link, next)
		}
		if next == "" {
			return rows
		}
		if url.QueryEscape(next) != next {
			s.t.Errorf("cursor %q has to be escaped", next)
		}
		if len(part) == 0 || len(rows) > 1000 {
			s.t.Fatalf("%s: no end", u)
		}
	}
}

func TestPagesOfEveryList(t *testing.T) {
	a := &archive{}
	fillArchive(a)
	s := serve(t, func(c *rest.Config) { c.History = a })
	for range 7 {
		s.ask("POST", ordersPath, limitOrder).ordered(201)
	}
	span := fmt.Sprintf("from=%d&to=%d", start+2*minute, start+5*minute)
	for path, want := range map[string]int{
		"orders":                                  7,
		"orders?account=other":                    0,
		"quotes/sim:BTCUSDT":                      10,
		"quotes/sim:BTCUSDT?" + span:              3,
		"quotes/sim:ETHUSDT":                      0,
		"candles/sim:BTCUSDT?interval=1s":         10,
		"candles/sim:BTCUSDT?interval=1h&" + span: 3,
		"trades/sim:BTCUSDT?" + span:              3,
		"trades/sim:BTCUSDT":                      13, // three of them from memory
		"equity?account=demo":                     10,
		"equity?account=nobody":                   0,
		"equity?account=demo&" + span:             3,
		"transfers":                               10,
		"transfers?account=demo&currency=USDT":    10,
		"transfers?currency=BTC":                  0,
		"transfers?account=nobody":                0,
		"transfers?" + span:                       3,
		"risk/events":                             10,
		"risk/events?kind=order_refused":          10,
		"risk/events?kind=restarted":              0,
		"risk/events?account=demo&" + span:        3,
		"audit":                                   10,
		"audit?action=set_limits&" + span:         3,
		"audit?action=restart":                    0,
		"audit?from=2023-11-14T22:20:20Z":         3,
	} {
		if n := len(s.pages(path, 3)); n != want {
			t.Errorf("%s: %d rows by pages, want %d", path, n, want)
		}
	}
	if u := fmt.Sprintf("orders?from=%d", start+1); len(s.pages(u, 3)) != 0 {
		t.Errorf("orders of later: %v", s.pages(u, 3))
	}
}

// Market data pages are oldest first in themselves, account data newest first.
func TestOrderOfRows(t *testing.T) {
	a := &archive{}
	fillArchive(a)
	s := serve(t, func(c *rest.Config) { c.History = a })
	for path, want := range map[string]string{
		"candles/sim:BTCUSDT?interval=1s&limit=2":                                  fmt.Sprintf(`[{"t":%d,"o":"0.01","h":"0.02","l":"0.01","c":"0.02","v":"0.003","n":4,"closed":true},{"t":%d`, start+8*minute, start+9*minute),
		"candles/sim:BTCUSDT?interval=1h&limit=1&to=" + fmt.Sprint(start+4*minute): `"closed":true,"gap":true}]`,
		"quotes/sim:BTCUSDT?limit=2":                                               fmt.Sprintf(`[{"bp":"1.00","bq":"0.002","ap":null,"aq":null,"ets":%d,"rts":%d},{`, start+8*minute-1, start+8*minute),
		"equity?account=demo&limit=1":                                              fmt.Sprintf(`[{"account":"demo","time":%d,"currency":"USDT","transfers":"0.00000000","realised":"0.00000005","unrealised":null,"fees":"0.00000002","funding":"0.00000000","total":null}]`, start+9*minute),
		"transfers?limit=1":                                                        fmt.Sprintf(`[{"seq":10,"time":%d,"account":"demo","currency":"USDT","amount":"0.00000005","balance":"0.00000050","by":"x","note":""}]`, start+9*minute),
		"risk/events?limit=1":                                                      `[{"seq":10,"time":`,
		"audit?limit=1":                                                            fmt.Sprintf(`[{"seq":10,"time":%d,"action":"set_limits","detail":"max_qty 5"}]`, start+9*minute),
	} {
		if r := s.ask("GET", "/api/v1/"+path, ""); !strings.Contains(r.body, want) {
			t.Errorf("%s: %s, want %s", path, r.body, want)
		}
	}
}

// Orders and executions that the view has let go of come from the store, and those
// in flight from the view.
func TestOrdersOfThePast(t *testing.T) {
	a := &archive{}
	var seq uint64
	var mu sync.Mutex
	s := serve(t, func(c *rest.Config) {
		c.History = a
		c.HistorySeq = func() uint64 { mu.Lock(); defer mu.Unlock(); return seq }
		c.View = engine.NewView(c.Engine.(*lane).Engine, engine.ViewConfig{KeepOrders: 2, KeepExecutions: 2})
	})
	view := s.cfg.View
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); view.Run(ctx) }()
	t.Cleanup(func() { s.stop(); stop(); <-done })
	const n = 6
	for i := range n {
		s.ask("POST", ordersPath, fmt.Sprintf(`{"account":"demo","instrument":"sim:BTCUSDT","side":"buy","type":"market","qty":"0.001","client_order_id":"c%d"}`, i)).ordered(201)
		s.eventually("the fill", func() bool {
			return len(view.Executions(engine.ExecutionFilter{Limit: 1})) == 1 && view.Executions(engine.ExecutionFilter{Limit: 1})[0].ID == uint64(i+1)
		})
	}
	s.ask("GET", ordersPath, "").refused(503, "history_unavailable") // the store is empty and the view has forgotten
	s.ask("GET", "/api/v1/executions", "").refused(503, "history_unavailable")
	for id := core.OrderID(1); id <= n-2; id++ { // what was forgotten has been stored
		clOrdID, _ := core.MakeClOrdID(fmt.Sprintf("c%d", id-1))
		a.orders = append(a.orders, history.Order{Order: core.Order{ID: id, Account: 1, Strategy: 1, Instrument: 1, Side: core.Buy, Type: core.Market, TIF: core.IOC,
			Qty: 1, CumQty: 1, CumCost: core.Int128{}, Status: core.StatusFilled, CreateTime: start, ClOrdID: clOrdID}})
		a.fills = append(a.fills, history.Execution{Execution: core.Execution{ID: uint64(id), Order: id, Account: 1, Strategy: 1, Instrument: 1, Side: core.Buy, Liquidity: core.Maker, Time: start}})
	}
	mu.Lock()
	seq = view.CompleteSince()
	mu.Unlock()
	for limit := 1; limit <= n+1; limit++ {
		for path, key := range map[string]string{"orders": "order_id", "orders?status=filled": "order_id", "orders?account=demo": "order_id", "executions": "exec_id", "executions?account=demo": "exec_id"} {
			rows := s.pages(path, limit)
			if len(rows) != n {
				t.Fatalf("%s by %d: %d rows", path, limit, len(rows))
			}
			for i, r := range rows {
				if r[key] != float64(n-i) {
					t.Errorf("%s by %d: row %d is %v", path, limit, i, r[key])
				}
			}
		}
	}
	if o := s.ask("GET", ordersPath+"/1", "").ordered(200); o.ClientOrderID != "c0" {
		t.Errorf("order 1: %+v", o)
	}
	if rows := s.pages("orders?account=demo&client_order_id=c1", 5); len(rows) != 1 {
		t.Errorf("by name: %v", rows)
	}
	s.ask("GET", ordersPath+"/99", "").refused(404, "risk.unknown_order")

	before := a.questions()
	a.set(errors.New("password=hunter2: connection refused"), false)
	for _, path := range []string{ordersPath, ordersPath + "/1", "/api/v1/executions", "/api/v1/audit", "/api/v1/risk/events", "/api/v1/quotes/sim:BTCUSDT"} {
		if p := s.ask("GET", path, "").refused(503, "history_unavailable"); strings.Contains(p.Detail, "hunter2") {
			t.Errorf("the store's own words: %s", p.Detail)
		}
	}
	asked := a.questions()
	if asked == before {
		t.Error("the store was not asked")
	}
	for _, path := range []string{ordersPath + "?limit=1", ordersPath + "?status=open", ordersPath + "/6", "/api/v1/executions?limit=1", "/api/v1/positions"} {
		if r := s.ask("GET", path, ""); r.status != 200 {
			t.Errorf("%s needs no store: %d %s", path, r.status, r.body)
		}
	}
	if a.questions() != asked {
		t.Error("the store was asked for what the view has")
	}
}

// Postgres stopped: a question that needs it ends within the bound, market data is
// answered from memory, and orders go on.
func TestStoreThatDoesNotAnswer(t *testing.T) {
	a := &archive{stuck: true}
	s := serve(t, func(c *rest.Config) { c.History, c.Timeout = a, 2*time.Second })
	began := time.Now()
	if p := s.ask("GET", "/api/v1/audit", "").refused(503, "history_unavailable"); !strings.Contains(p.Detail, "within 2s") {
		t.Errorf("detail %q", p.Detail)
	}
	if took := time.Since(began); took > 30*time.Second { // the archive itself never answers
		t.Errorf("answered after %v", took)
	}
	s.ask("POST", ordersPath, limitOrder).ordered(201)
	if r := s.ask("GET", "/api/v1/trades/sim:BTCUSDT", ""); r.status != 200 || r.header("Next-Cursor") == "" {
		t.Errorf("trades: %d, cursor %q: %s", r.status, r.header("Next-Cursor"), r.body)
	}
}

// Without a store lists end with what is in memory, and what only a store can tell
// is refused with a reason.
func TestWithoutAStore(t *testing.T) {
	s := filled(t)
	for _, path := range []string{"audit", "risk/events", "transfers", "equity?account=demo", "quotes/sim:BTCUSDT", "candles/sim:BTCUSDT?interval=1h"} {
		s.ask("GET", "/api/v1/"+path, "").refused(503, "history_unavailable")
	}
	for path, want := range map[string]int{"orders": 3, "executions": 1} {
		if n := len(s.pages(path, 1)); n != want {
			t.Errorf("%s: %d", path, n)
		}
	}
	if n := len(s.pages("trades/sim:BTCUSDT", 100)); n != 3 {
		t.Errorf("%d trades", n)
	}
}

func TestBadPages(t *testing.T) {
	a := &archive{}
	fillArchive(a)
	s := serve(t, func(c *rest.Config) { c.History = a })
	next := s.ask("GET", "/api/v1/audit?limit=2", "").header("Next-Cursor")
	if next == "" {
		t.Fatal("no cursor")
	}
	if r := s.ask("GET", "/api/v1/audit?limit=5&cursor="+next, ""); r.status != 200 {
		t.Errorf("with another limit: %d %s", r.status, r.body)
	}
	for path, detail := range map[string]string{
		"audit?cursor=x":                           "not one that",
		"audit?cursor=" + next[1:]:                 "not one that",
		"audit?cursor=" + next + "&action=restart": "other filters",
		"risk/events?cursor=" + next:               "another list",
		"orders?cursor=" + next:                    "another list",
		"audit?cursor=":                            "empty",
		"audit?from=yesterday":                     "2026-01-31",
		"audit?from=1700000000":                    "nanoseconds",
		"audit?from=1700000000000":                 "nanoseconds",
		"audit?to=0":                               "nanoseconds",
		"audit?to=-5":                              "nanoseconds",
		"audit?from=2026-01-31T09:30:00+08:00":     "%2B",
		"audit?from=1066-10-14T09:00:00Z":          "between 1973",
		"audit?from=2026-02-01T00:00:00Z&to=2026-01-31T00:00:00Z": "after from",
		"audit?limit=0":                       "1 to",
		"audit?kind=x":                        "not known",
		"risk/events?kind=x":                  "order_refused",
		"equity":                              "needed",
		"candles/sim:BTCUSDT?interval=5m":     "1s, 1m or 1h",
		"trades/sim:BTCUSDT?limit=1501":       "1 to 1500",
		"quotes/sim:BTCUSDT?instrument=sim:X": "not known",
	} {
		if p := s.ask("GET", "/api/v1/"+path, "").refused(400, "request.query"); !strings.Contains(p.Detail, detail) {
			t.Errorf("%s: %s, want %q", path, p.Detail, detail)
		}
	}
	s.ask("GET", "/api/v1/quotes/sim:NOPE", "").refused(404, "not_found")
	if r := s.ask("GET", "/api/v1/audit?from="+url.QueryEscape("2023-11-15T06:13:20+08:00"), ""); r.status != 200 {
		t.Errorf("an offset: %d %s", r.status, r.body)
	}
}
