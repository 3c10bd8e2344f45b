//go:build !race

package market

import (
	"testing"

	"qcat/core"
)

func TestQuoteTableNoAllocations(t *testing.T) {
	table := NewQuoteTable(1)
	var q core.Quote
	if n := testing.AllocsPerRun(100, func() { table.Store(1, &q); table.Load(1, &q) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
