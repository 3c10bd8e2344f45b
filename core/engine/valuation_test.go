package engine

import (
	"testing"

	"qcat/core"
)

func TestValuation(t *testing.T) {
	const now = core.Nanos(1e15)
	book := core.Quote{BidPrice: 100, AskPrice: 104, ReceiveTime: now, LastPrice: 90}
	with := func(change func(*core.Quote)) core.Quote { q := book; change(&q); return q }
	for name, c := range map[string]struct {
		quote core.Quote
		want  core.Price
	}{
		"mark":                 {with(func(q *core.Quote) { q.MarkPrice, q.MarkTime = 110, now-markPatience }), 110},
		"mark that stopped":    {with(func(q *core.Quote) { q.MarkPrice, q.MarkTime = 110, now-markPatience-1 }), 102},
		"old mark, stale book": {with(func(q *core.Quote) { q.MarkPrice, q.Flags = 110, core.FlagStale }), 110},
		"no mark":              {book, 102},
		"crossed book":         {with(func(q *core.Quote) { q.BidPrice = 104 }), 90},
		"one side":             {with(func(q *core.Quote) { q.AskPrice = 0 }), 90},
		"nothing but a mark":   {core.Quote{MarkPrice: 110}, 110},
		"nothing":              {core.Quote{}, 0},
	} {
		if got, _ := valuation(&c.quote); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}
