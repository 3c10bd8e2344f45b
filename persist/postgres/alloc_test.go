//go:build !race

package postgres

import (
	"testing"

	"qcat/core"
	"qcat/core/history"
)

// TestEncodingAllocatesNothing: a batch of any size is encoded in the buffer it is sent from.
func TestEncodingAllocatesNothing(t *testing.T) {
	s := &scales{}
	s.learn([]core.Instrument{{ID: 1, PriceScale: 2, QtyScale: 3, SettleScale: 8}})
	e := encoder{scales: s, b: make([]byte, 0, 4096)}
	trade := benchTrades(1, 1)[0]
	id, _ := core.MakeClOrdID("an-order")
	order := history.Order{Order: core.Order{ID: 1, Instrument: 1, CumCost: core.MulInt64(1e18, 1e18), Price: 1, ClOrdID: id}}
	if n := testing.AllocsPerRun(1000, func() {
		e.b = e.b[:0]
		trades.appendRow(&e, &trade)
		orders.appendRow(&e, &order)
	}); n != 0 || e.err != nil {
		t.Errorf("%v allocations a row (%v)", n, e.err)
	}
}
