package sqlite_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/sqlite"
	"qcat/persist/store"
)

// BenchmarkWrite commits batches of 1 000, 8 192 and 10 000 rows of one table into a
// file that grows: quotes of 20 instruments in order of time, and new orders with their
// five indexes. It reports rows/s; the digest's counts are checked at the end. The file
// is on the temporary folder's disk, orders synced every five seconds, quotes not.
func BenchmarkWrite(b *testing.B) {
	for _, n := range []int{1000, 8192, 10_000} {
		b.Run(fmt.Sprintf("quotes/%d", n), func(b *testing.B) { benchWrite(b, store.Ticks, "quotes", n, quotesOf) })
		b.Run(fmt.Sprintf("orders/%d", n), func(b *testing.B) { benchWrite(b, store.Journal, "orders", n, ordersOf) })
	}
}

func benchWrite(b *testing.B, stream store.Stream, table string, n int, rows func(*store.Batch)) {
	s := open(b, keep(filepath.Join(b.TempDir(), "qcat.db")))
	batch := &store.Batch{Stream: stream, Log: scriptLog, To: uint64(n)}
	var written uint64
	for b.Loop() {
		batch.From, batch.To = written+1, written+uint64(n)
		rows(batch)
		if err := s.Write(context.Background(), batch); err != nil {
			b.Fatal(err)
		}
		written = batch.To
	}
	b.ReportMetric(float64(written)/b.Elapsed().Seconds(), "rows/s")
	wantRows(b, s, table, written)
}

// wantRows checks how many rows a table has.
func wantRows(b *testing.B, s *sqlite.Store, table string, want uint64) {
	b.Helper()
	d, err := s.Digest(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	for _, t := range d.Tables {
		if t.Table == table && t.Rows != want {
			b.Fatalf("%s has %d rows, not %d", table, t.Rows, want)
		}
	}
}

func quotesOf(b *store.Batch) {
	b.Quotes = b.Quotes[:0]
	for tick := b.From; tick <= b.To; tick++ {
		at := scriptDay + core.Nanos(tick)*1_000_000
		b.Quotes = append(b.Quotes, history.Quote{Instrument: core.InstrumentID(1 + tick%20), Tick: tick, ReceiveTime: at, ExchangeTime: at - 700_000,
			BidPrice: 6_500_000, BidQty: 1200, AskPrice: 6_500_010, AskQty: 900})
	}
}

func ordersOf(b *store.Batch) {
	b.Orders = b.Orders[:0]
	rng := rand.New(rand.NewPCG(b.From, 0))
	for seq := b.From; seq <= b.To; seq++ {
		one := store.Batch{Time: scriptDay + core.Nanos(seq)*1_000_000}
		journalRows(&one, seq, rng)
		b.Orders = append(b.Orders, one.Orders...)
	}
}

// BenchmarkPage asks a store of 100 000 orders of 3 accounts for the newest 100 of one,
// and for 100 of a minute in the middle; the answers' lengths are checked.
func BenchmarkPage(b *testing.B) {
	s := open(b, keep(filepath.Join(b.TempDir(), "qcat.db")))
	batch := &store.Batch{Stream: store.Journal, Log: scriptLog, From: 1, To: 100_000}
	ordersOf(batch)
	if err := s.Write(context.Background(), batch); err != nil {
		b.Fatal(err)
	}
	middle := scriptDay + 50_000*1_000_000
	for name, q := range map[string]history.OrderQuery{
		"newest": {Account: 1, Limit: 100},
		"minute": {Account: 1, From: middle, To: middle + 60_000_000_000, Limit: 100},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if rows, err := s.Orders(context.Background(), q); err != nil || len(rows) != 100 {
					b.Fatalf("%d rows, %v", len(rows), err)
				}
			}
		})
	}
}
