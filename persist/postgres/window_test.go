package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/store"
)

func TestDays(t *testing.T) {
	for _, c := range []struct {
		at  core.Nanos
		day int32
	}{{0, 0}, {dayNanos - 1, 0}, {dayNanos, 1}, {-1, -1}, {-dayNanos, -1}, {-dayNanos - 1, -2}, {math.MaxInt64, 106751}, {math.MinInt64, -106752}} {
		if got := dayOf(c.at); got != c.day {
			t.Errorf("%d is in day %d, want %d", c.at, got, c.day)
		}
		low, high := dayBounds(c.day, c.day)
		if int64(c.at) < low || int64(c.at) > high || high < low || high-low > int64(dayNanos) {
			t.Errorf("day %d is from %d to %d", c.day, low, high)
		}
	}
}

func TestFirstWidth(t *testing.T) {
	for _, c := range []struct {
		r     keyRange
		limit int
		want  uint64
	}{
		{keyRange{first: 1, last: 1000, copied: 1000}, 100, 801},
		{keyRange{first: 5, last: 5, copied: 1}, 1, 9},
		{keyRange{first: 0, last: math.MaxInt64 - 1, copied: 1}, 100, math.MaxInt64},
		{keyRange{first: math.MinInt64, last: math.MaxInt64, copied: 1}, 1, math.MaxInt64},
		{keyRange{first: 1, last: 10}, 1, 81},
	} {
		if got := firstWidth(&c.r, c.limit); got != c.want {
			t.Errorf("%+v limit %d: %d, want %d", c.r, c.limit, got, c.want)
		}
	}
}

// large fills three days with trades, of which one in 5 000 is of a quiet instrument, and
// returns them newest first.
func large(t *testing.T, s *Store, conn *pgx.Conn) []history.Trade {
	t.Helper()
	ctx := context.Background()
	const days, each, batch = 3, 60_000, 20_000
	var list []history.Trade
	seq := uint64(1)
	for day := range days {
		for range each / batch {
			rows := benchTrades(batch, seq)
			for i := range rows {
				r := &rows[i]
				at := core.Nanos(1_700_006_400_000_000_000) + core.Nanos(day)*dayNanos + core.Nanos(seq+uint64(i))*1_000_000
				r.ExchangeTime, r.ReceiveTime = at-core.Nanos(i%7)*1_000_000, at
				if (seq+uint64(i))%5000 == 0 {
					r.Instrument = 2
				}
			}
			if err := s.Write(ctx, &store.Batch{Stream: store.Ticks, Log: store.LogID{1}, From: seq, To: seq + batch - 1,
				Time: rows[batch-1].ReceiveTime, Trades: rows}); err != nil {
				t.Fatal(err)
			}
			list = append(list, rows...)
			seq += batch
		}
	}
	// What autovacuum does when a range of a BRIN index is full.
	if _, err := conn.Exec(ctx, "SELECT brin_summarize_new_values(indexrelid) FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE relname LIKE 'trades_2%' AND relkind = 'i'"); err != nil { //nolint:misspell // SQL
		t.Fatal(err)
	}
	if _, err := conn.Exec(ctx, "ANALYZE trades"); err != nil { //nolint:misspell // SQL
		t.Fatal(err)
	}
	slices.SortFunc(list, func(a, b history.Trade) int {
		return cmp.Or(cmp.Compare(b.ExchangeTime, a.ExchangeTime), cmp.Compare(b.ID, a.ID))
	})
	return list
}

// TestPagesOfALargeTable pages through days of trades, and holds the work of a page against
// the size of the table: the newest hundred must not sort a day.
func TestPagesOfALargeTable(t *testing.T) {
	ctx := context.Background()
	s, conn := benchStore(t)
	if _, err := s.cfg.Directory.AddInstrument(core.Instrument{Venue: "sim", Symbol: "QUIET", Base: "Q", Quote: "USDT", Settle: "USDT",
		Kind: core.Linear, PriceScale: 2, QtyScale: 3, SettleScale: 8, ContractSize: 1, TickSize: 1, StepSize: 1}); err != nil {
		t.Fatal(err)
	}
	list := large(t, s, conn)
	for _, id := range []core.InstrumentID{1, 2} {
		var want []history.Trade
		for _, r := range list {
			if r.Instrument == id {
				want = append(want, r)
			}
		}
		q := history.TradeQuery{Instrument: id, Limit: 100}
		for _, at := range []int{0, len(want) / 2, len(want) - 7} { // across midnights, and at the end
			if at > 0 {
				q.Before = history.TradeKey{Time: want[at-1].ExchangeTime, ID: want[at-1].ID}
			}
			got, err := s.Trades(ctx, q)
			if end := min(at+100, len(want)); err != nil || !slices.Equal(got, want[at:end]) {
				t.Fatalf("instrument %d from row %d: %d rows (%v)", id, at, len(got), err)
			}
		}
	}
	part := keyRange{first: int64(list[len(list)/3-1].ExchangeTime), last: int64(list[0].ExchangeTime), copied: int64(len(list) / 3)}
	var f filter
	f.add("instrument = $", int64(1))
	k := keys{part.last - int64(firstWidth(&part, 100)), part.last}
	day := dayOf(core.Nanos(part.last))
	sql, args := partedTrades.windowQuery(&f, k, day, day, "exchange_ns DESC, id DESC", 100)
	var plan string
	if err := conn.QueryRow(ctx, "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "+sql, args...).Scan(&plan); err != nil { //nolint:misspell // SQL
		t.Fatal(err)
	}
	var explained []struct {
		Plan struct {
			Hit  int `json:"Shared Hit Blocks"`
			Read int `json:"Shared Read Blocks"`
			Rows int `json:"Actual Rows"`
		}
	}
	if err := json.Unmarshal([]byte(plan), &explained); err != nil || len(explained) != 1 {
		t.Fatalf("%v: %s", err, plan)
	}
	var blocks int
	if err := conn.QueryRow(ctx, "SELECT sum(relpages)::int FROM pg_class WHERE relname LIKE 'trades_2%' AND relkind = 'r'").Scan(&blocks); err != nil {
		t.Fatal(err)
	}
	if p := explained[0].Plan; p.Rows != 100 || (p.Hit+p.Read)*8 > blocks {
		t.Errorf("a page of %d rows touches %d of %d blocks:\n%s", p.Rows, p.Hit+p.Read, blocks, plan)
	}
}

// TestLateFillAcrossDays: an order of one day that closes on another is found by
// its id, and a late fill replaces it in its own day's partition.
func TestLateFillAcrossDays(t *testing.T) {
	ctx := context.Background()
	s, conn := benchStore(t)
	const day = core.Nanos(1_700_006_400_000_000_000)
	o := history.Order{Order: core.Order{ID: 7, Account: 1, Strategy: 1, Instrument: 1, Side: core.Buy, Type: core.Limit, TIF: core.GTC,
		Status: core.StatusNew, Price: 1, Qty: 2, CreateTime: day}}
	for i, step := range []func(){
		func() {},
		func() { o.Status = core.StatusCancelled },
		func() { o.CumQty = 1 },
		func() { o.CumQty, o.Status = 2, core.StatusFilled },
	} {
		step()
		now := day + core.Nanos(i)*40*dayNanos
		o.Seq, o.UpdateTime = uint64(i+1), now
		if err := s.Write(ctx, &store.Batch{Stream: store.Journal, Log: store.LogID{1}, From: o.Seq, To: o.Seq, Time: now, Orders: []history.Order{o}}); err != nil {
			t.Fatal(err)
		}
		if got, ok, err := s.Order(ctx, 7); !ok || err != nil || got != o {
			t.Fatalf("step %d: %+v (%v, %v)", i, got, ok, err)
		}
		var rows int
		if err := conn.QueryRow(ctx, "SELECT count(*) FROM orders_all").Scan(&rows); err != nil || rows != 1 {
			t.Fatalf("step %d: %d rows (%v)", i, rows, err)
		}
	}
	var where string
	if err := conn.QueryRow(ctx, "SELECT tableoid::regclass::text FROM orders").Scan(&where); err != nil || where != "orders_20231115" {
		t.Errorf("the order is in %s (%v)", where, err)
	}
	// Its own day, and three days from each time at which it was written closed.
	var parts int
	if err := conn.QueryRow(ctx, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'orders'::regclass").Scan(&parts); err != nil || parts != 10 {
		t.Errorf("%d partitions (%v)", parts, err)
	}
}

func TestDaysOf(t *testing.T) {
	const day = dayNanos
	for _, c := range []struct {
		from, to core.Nanos
		want     days
	}{
		{0, 0, allDays},
		{day, 2 * day, days{1, 1}},
		{day - 1, 2*day + 1, days{0, 2}},
		{-1, 0, days{-1, math.MaxInt32}},
		{0, math.MinInt64, days{math.MinInt32, math.MinInt32}},
		{math.MinInt64, math.MaxInt64, days{dayOf(math.MinInt64), dayOf(math.MaxInt64)}},
	} {
		if got := daysOf(c.from, c.to); got != c.want {
			t.Errorf("[%d, %d): %v, want %v", c.from, c.to, got, c.want)
		}
	}
}

// TestOneDayOfMany: a question about one day opens that day's partition, and begins at
// its newest row, not at the newest there is.
func TestOneDayOfMany(t *testing.T) {
	ctx := context.Background()
	s, _ := benchStore(t)
	const first, perDay, count = core.Nanos(19_676) * dayNanos, 300, 5
	var all []history.Execution
	for i := range count * perDay {
		n := uint64(i + 1)
		all = append(all, history.Execution{Execution: core.Execution{ID: n, Order: core.OrderID(n), Account: 1 + core.AccountID(i%3), Strategy: 1,
			Instrument: 1, Side: core.Buy, LastPx: 1, LastQty: 1, Time: first + core.Nanos(i)*(dayNanos/perDay)}, Seq: n})
	}
	last := all[len(all)-1]
	if err := s.Write(ctx, &store.Batch{Stream: store.Journal, Log: store.LogID{1}, From: 1, To: last.Seq, Time: last.Time, Executions: all}); err != nil {
		t.Fatal(err)
	}
	q := history.ExecutionQuery{Account: 2, From: first + dayNanos, To: first + 2*dayNanos, Limit: 20}
	var want []history.Execution
	for i := 2*perDay - 1; len(want) < q.Limit; i-- {
		if all[i].Account == q.Account {
			want = append(want, all[i])
		}
	}
	if got, err := s.Executions(ctx, q); err != nil || !slices.Equal(got, want) {
		t.Errorf("%d rows (%v), want %d:\n%+v", len(got), err, len(want), got)
	}
	q.Order = want[3].Order // a question about an order does not go by its account
	if got, err := s.Executions(ctx, q); err != nil || !slices.Equal(got, want[3:4]) {
		t.Errorf("of one order: %+v (%v)", got, err)
	}
	err := s.snapshot(ctx, func(tx pgx.Tx) error {
		parts, err := partedExecutions.partitions(ctx, s, tx, allKeys, daysOf(q.From, q.To))
		if len(parts) != 1 || parts[0].first != perDay+1 || parts[0].last != 2*perDay {
			t.Errorf("partitions %+v", parts)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
