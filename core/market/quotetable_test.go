package market

import (
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"qcat/core"
)

func TestQuoteTableRange(t *testing.T) {
	table := NewQuoteTable(3)
	if table.Cap() != 3 {
		t.Fatalf("Cap = %d, want 3", table.Cap())
	}
	in := core.Quote{BidPrice: 1}
	for id, want := range map[core.InstrumentID]bool{0: false, 1: true, 3: true, 4: false, 1<<32 - 1: false} {
		out := core.Quote{BidPrice: 9}
		if table.Load(id, &out) || out.BidPrice != 9 {
			t.Errorf("Load(%d) of an empty table returned %v", id, out)
		}
		if got := table.Store(id, &in); got != want {
			t.Errorf("Store(%d) = %v, want %v", id, got, want)
		}
		if got := table.Load(id, &out); got != want || want && out != in {
			t.Errorf("Load(%d) = %v, %v, want %v", id, out, got, want)
		}
	}
	if out := (core.Quote{}); table.Load(2, &out) {
		t.Error("a quote was stored under another id")
	}
}

func TestQuoteTableEmpty(t *testing.T) {
	table := NewQuoteTable(0)
	var q core.Quote
	if table.Store(0, &q) || table.Store(1, &q) || table.Load(0, &q) || table.Load(1, &q) {
		t.Error("a table without room took a quote")
	}
}

// TestQuoteTableLayout asserts that cells fill whole pairs of cache lines.
func TestQuoteTableLayout(t *testing.T) {
	if size := unsafe.Sizeof(quoteCell{}); size != 128 {
		t.Errorf("a cell takes %d bytes, want 128", size)
	}
	for _, capacity := range []int{1, 5, 100, 5000} {
		if at := uintptr(unsafe.Pointer(&NewQuoteTable(capacity).cells[1])); at%64 != 0 {
			t.Errorf("capacity %d: cells start %d bytes into a cache line", capacity, at%64)
		}
	}
}

// TestQuoteTableConcurrent has one writer for each of two neighbouring
// instruments and readers of both: every quote is whole and belongs to its id.
func TestQuoteTableConcurrent(t *testing.T) {
	table := NewQuoteTable(2)
	var stop atomic.Bool
	var readers, writers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			var q core.Quote
			for i := 0; !stop.Load(); i++ {
				id := core.InstrumentID(1 + i%2)
				if !table.Load(id, &q) {
					continue
				}
				if q.BidQty != core.Qty(id) || q.AskPrice != q.BidPrice+1 || q.MarkTime != core.Nanos(q.Seq) || q.Seq != uint64(q.BidPrice) {
					t.Errorf("instrument %d: torn quote %+v", id, q)
					return
				}
			}
		})
	}
	for id := core.InstrumentID(1); id <= 2; id++ {
		writers.Go(func() {
			for i := range 100_000 {
				table.Store(id, &core.Quote{
					BidPrice: core.Price(i), AskPrice: core.Price(i + 1), BidQty: core.Qty(id), Seq: uint64(i), MarkTime: core.Nanos(i),
				})
			}
		})
	}
	writers.Wait()
	stop.Store(true)
	readers.Wait()
}
