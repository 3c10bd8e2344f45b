package store_test

import (
	"testing"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/store"
	"qcat/persist/store/storetest"
)

// bench projects a log of n records over and over, a batch of 8 192 rows at a time,
// and checks how many rows come of it. One operation is the whole log.
func bench(b *testing.B, records [][]byte, begin func() interface {
	Apply([]byte) error
	Rows() int
	Take() *store.Batch
}) {
	b.ReportAllocs()
	rows := -1
	for b.Loop() {
		p, n := begin(), 0
		for _, rec := range records {
			if err := p.Apply(rec); err != nil {
				b.Fatal(err)
			}
			if p.Rows() >= store.DefaultBatchRows {
				n += p.Take().Rows()
			}
		}
		if last := p.Take(); last != nil {
			n += last.Rows()
		}
		if rows >= 0 && n != rows || n < len(records)/2 {
			b.Fatalf("%d rows, %d before", n, rows)
		}
		rows = n
	}
	b.ReportMetric(float64(len(records))*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

func benchDirectory(b *testing.B) *core.Directory {
	dir := core.NewDirectory()
	for _, symbol := range []string{"A", "B", "C", "D"} {
		if _, err := dir.AddInstrument(core.Instrument{Venue: "sim", Symbol: symbol, Settle: "U", Kind: core.Linear, PriceScale: 2,
			QtyScale: 3, SettleScale: 8, ContractSize: 1, TickSize: 1, StepSize: 1}); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := dir.AddAccount("demo"); err != nil {
		b.Fatal(err)
	}
	return dir
}

// BenchmarkJournalProjection projects 20 000 records of orders, refusals, fills early
// and late, cancels and marks. A late fill's order comes from a map.
func BenchmarkJournalProjection(b *testing.B) {
	records := storetest.Journal(benchDirectory(b), 1, 20_000)
	memory := storetest.NewMemory()
	storetest.Fill(b, memory, nil, storetest.NewLog(testLog, records...), storetest.NewLog(ticksLog))
	find := func(id core.OrderID) (history.Order, bool, error) { return memory.Order(b.Context(), id) }
	bench(b, records, func() interface {
		Apply([]byte) error
		Rows() int
		Take() *store.Batch
	} {
		return store.NewJournalProjection(testLog, &store.State{}, find)
	})
}

// BenchmarkTicksProjection projects 20 000 ticks of four instruments, two in three of
// them trades, into trades, quotes and candles of three widths.
func BenchmarkTicksProjection(b *testing.B) {
	records := storetest.Ticks(benchDirectory(b), 1, 20_000)
	bench(b, records, func() interface {
		Apply([]byte) error
		Rows() int
		Take() *store.Batch
	} {
		return store.NewTicksProjection(ticksLog, &store.State{}, nil, 0)
	})
}
