package book_test

import (
	"fmt"

	"qcat/core"
	"qcat/core/book"
)

func ExampleBook() {
	b := book.New(0)
	b.Set(core.Buy, 6_000_000, 5) // 60000.00 with two decimals
	b.Set(core.Buy, 5_999_990, 8)
	b.Set(core.Sell, 6_000_010, 7)
	b.Set(core.Buy, 6_000_000, 0) // taken

	for _, l := range b.Levels(core.Buy, nil, 10) {
		fmt.Println("bid", core.FormatDecimal(int64(l.Price), 2), l.Qty)
	}
	ask, _ := b.BestAsk()
	fmt.Println("ask", core.FormatDecimal(int64(ask.Price), 2), ask.Qty)
	// Output:
	// bid 59999.90 8
	// ask 60000.10 7
}

// A replica is not to be trusted until it has seen a whole snapshot run.
func ExampleReplica() {
	r := book.NewReplica(0)
	run := []core.Event{
		{Kind: core.EventLevel, Side: core.Buy, Price: 99, Qty: 1, Flags: core.FlagSnapshot | core.FlagFirst},
		{Kind: core.EventLevel, Side: core.Sell, Price: 101, Qty: 2, Flags: core.FlagSnapshot | core.FlagLast},
	}
	for i := range run {
		fmt.Println("stale:", r.Stale())
		r.Apply(&run[i])
	}
	fmt.Println("stale:", r.Stale())
	// Output:
	// stale: true
	// stale: true
	// stale: false
}
