package market

import (
	"testing"

	"qcat/core"
)

// BenchmarkQuoteTable stores and loads quotes over 16 instruments from one
// goroutine, which shows the cost without contention, and checks what it loads.
func BenchmarkQuoteTable(b *testing.B) {
	table := NewQuoteTable(16)
	q := core.Quote{Seq: 1}
	for id := range core.InstrumentID(16) {
		table.Store(id+1, &q)
	}
	b.Run("store", func(b *testing.B) {
		id := core.InstrumentID(0)
		for b.Loop() {
			table.Store(id%16+1, &q)
			id++
		}
	})
	b.Run("load", func(b *testing.B) {
		var got core.Quote
		id := core.InstrumentID(0)
		for b.Loop() {
			if !table.Load(id%16+1, &got) || got.Seq != 1 {
				b.Fatal("wrong quote")
			}
			id++
		}
	})
}
