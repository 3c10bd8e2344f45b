package postgres

import (
	"context"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/migrate"
	"qcat/persist/postgres/pgtest"
	"qcat/persist/store"
)

// benchTrades are n trades of one instrument and day, of prices and quantities as a busy
// market has them.
func benchTrades(n int, first uint64) []history.Trade {
	const day = core.Nanos(1_700_000_000_000_000_000)
	rows := make([]history.Trade, n)
	for i := range rows {
		at := day + core.Nanos(first+uint64(i))*1000
		rows[i] = history.Trade{Instrument: 1, ID: 4_000_000_000 + first + uint64(i), Side: core.Buy, Price: core.Price(6_543_210 + i%1000),
			Qty: core.Qty(1 + i%5000), ExchangeTime: at, ReceiveTime: at + 250_000, Tick: first + uint64(i)}
	}
	return rows
}

// benchStore is a migrated database of its own.
func benchStore(tb testing.TB) (*Store, *pgx.Conn) {
	tb.Helper()
	ctx := context.Background()
	url := pgtest.URL(tb)
	db, err := OpenDB(ctx, url)
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	if _, err := migrate.Up(ctx, migrate.Postgres, db); err != nil {
		tb.Fatal(err)
	}
	dir := core.NewDirectory()
	if _, err := dir.AddInstrument(core.Instrument{Venue: "sim", Symbol: "BTCUSDT", Base: "BTC", Quote: "USDT", Settle: "USDT",
		Kind: core.Linear, PriceScale: 2, QtyScale: 3, SettleScale: 8, ContractSize: 1, TickSize: 1, StepSize: 1}); err != nil {
		tb.Fatal(err)
	}
	s, err := Open(ctx, Config{URL: url, Directory: dir})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close(ctx) })
	return s, conn
}

// pgxRows hands trades to pgx's CopyFrom as its documentation has it.
func pgxRows(rows []history.Trade) pgx.CopyFromSource {
	return pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) {
		t := &rows[i]
		return []any{int64(t.Tick), int64(t.ExchangeTime), int64(t.ReceiveTime), int64(t.ID), int32(t.Instrument), int16(t.Side),
			pgtype.Numeric{Int: big.NewInt(int64(t.Price)), Exp: -2, Valid: true},
			pgtype.Numeric{Int: big.NewInt(int64(t.Qty)), Exp: -3, Valid: true}}, nil
	})
}

// BenchmarkBatch stores batches of 1 000, 10 000 and 100 000 trades, each in a transaction
// that is synced, into the partitioned table with its BRIN index:
//
//	bare    pgx's CopyFrom of the same rows into the same table
//	copy    our encoder in the same place
//	write   the whole of Store.Write: position, ranges of keys, COPY
//
// The three take turns within each iteration, so that the machine's moods meet all of them;
// the ratios of rows/s are what counts. Every run ends with a count of the rows.
func BenchmarkBatch(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("rows=%d", n), func(b *testing.B) { benchBatch(b, n) })
	}
}

func benchBatch(b *testing.B, n int) {
	ctx := context.Background()
	s, conn := benchStore(b)
	if _, err := conn.Exec(ctx, "SELECT qcat_make_partition('trades', $1)", int64(dayOf(1_700_000_000_000_000_000))); err != nil {
		b.Fatal(err)
	}
	var names []string
	for _, c := range trades.columns {
		names = append(names, c.name)
	}
	var bare, own, whole time.Duration
	seq := uint64(1)
	timed := func(d *time.Duration, f func() error) {
		start := time.Now()
		if err := f(); err != nil {
			b.Fatal(err)
		}
		*d += time.Since(start)
	}
	rounds := 0
	for b.Loop() {
		rounds++
		timed(&bare, func() error {
			_, err := conn.CopyFrom(ctx, pgx.Identifier{"trades"}, names, pgxRows(benchTrades(n, seq)))
			return err
		})
		timed(&own, func() error {
			e := encoder{scales: &s.scales}
			_, err := conn.PgConn().CopyFrom(ctx, &copyReader[history.Trade]{t: trades, e: &e, rows: benchTrades(n, seq)}, trades.copyIn)
			return err
		})
		timed(&whole, func() error {
			return s.Write(ctx, &store.Batch{Stream: store.Ticks, Log: store.LogID{1}, From: seq, To: seq + uint64(n) - 1,
				Time: 1_700_000_000_000_000_000, Trades: benchTrades(n, seq)})
		})
		seq += uint64(n)
	}
	var rows, distinct int
	var sum int64
	if err := conn.QueryRow(ctx, "SELECT count(*), count(DISTINCT tick), sum(price * 100 + qty * 1000)::bigint FROM trades").Scan(&rows, &distinct, &sum); err != nil {
		b.Fatal(err)
	}
	var want int64
	for first := uint64(1); first < seq; first += uint64(n) {
		for _, t := range benchTrades(n, first) {
			want += 3 * (int64(t.Price) + int64(t.Qty))
		}
	}
	if rows != 3*rounds*n || distinct != rounds*n || sum != want {
		b.Fatalf("%d rows, %d ticks, sum %d; want %d, %d, %d", rows, distinct, sum, 3*rounds*n, rounds*n, want)
	}
	perSecond := func(d time.Duration) float64 { return float64(rounds*n) / d.Seconds() }
	b.ReportMetric(perSecond(bare), "bare-rows/s")
	b.ReportMetric(perSecond(own), "copy-rows/s")
	b.ReportMetric(perSecond(whole), "write-rows/s")
	b.ReportMetric(perSecond(own)/perSecond(bare), "copy/bare")
	b.ReportMetric(perSecond(whole)/perSecond(bare), "write/bare")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkEncode encodes a trade in COPY's format, without a server.
func BenchmarkEncode(b *testing.B) {
	s := &scales{}
	s.learn([]core.Instrument{{ID: 1, PriceScale: 2, QtyScale: 3, SettleScale: 8}})
	rows := benchTrades(1000, 1)
	buf := make([]byte, 65536)
	e := encoder{scales: s}
	b.ReportAllocs()
	for b.Loop() {
		e.b = buf[:0]
		for i := range rows {
			trades.appendRow(&e, &rows[i])
			if len(e.b) > len(buf)-maxRow {
				e.b = buf[:0]
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(rows)), "ns/row")
	if e.err != nil {
		b.Fatal(e.err)
	}
}
