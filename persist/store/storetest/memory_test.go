package storetest_test

import (
	"slices"
	"testing"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/store"
	"qcat/persist/store/storetest"
)

// The naive store is what others are compared with, so its bounds are looked at here.
func TestMemoryBounds(t *testing.T) {
	m := storetest.NewMemory()
	b := store.Batch{Stream: store.Ticks, From: 1, To: 4}
	for at := range core.Nanos(4) {
		b.Quotes = append(b.Quotes, history.Quote{Instrument: 1, ReceiveTime: 10 * (at + 1)})
	}
	if err := m.Write(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		q    history.QuoteQuery
		want []core.Nanos
	}{
		{history.QuoteQuery{Limit: 9}, []core.Nanos{40, 30, 20, 10}},
		{history.QuoteQuery{Limit: 9, From: 20, To: 40}, []core.Nanos{30, 20}},
		{history.QuoteQuery{Limit: 9, Before: 30}, []core.Nanos{20, 10}},
		{history.QuoteQuery{Limit: 2}, []core.Nanos{40, 30}},
		{history.QuoteQuery{}, nil},
	} {
		c.q.Instrument = 1
		rows, err := m.Quotes(t.Context(), c.q)
		var got []core.Nanos
		for _, r := range rows {
			got = append(got, r.ReceiveTime)
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v (%v), want %v", c.q, got, err, c.want)
		}
	}
}

func TestMemoryKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(*testing.T, *core.Directory) store.Store { return storetest.NewMemory() })
}
