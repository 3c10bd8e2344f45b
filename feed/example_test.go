package feed_test

import (
	"fmt"

	"qcat/core"
	"qcat/core/book"
	"qcat/core/market"
	"qcat/feed"
)

// A lane fed by hand: a snapshot makes the book live, a missing message makes it
// stale, and a consumer behind the ring hears of both.
func ExampleLane() {
	lane, err := feed.NewLane(feed.LaneConfig{
		Name: "example", Continuity: feed.ContinuityFirst, Instruments: []core.InstrumentID{1},
		RequestResync: func(id core.InstrumentID) { fmt.Println("snapshot wanted of instrument", id) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	tap := market.NewTap([]market.Source{lane.Source()}, nil)
	defer tap.Close()
	show := func(ev *core.Event, r *book.Replica) {
		if ev.Kind == core.EventQuote {
			fmt.Printf("%d / %d, stale %v\n", ev.Price, ev.AskPrice, r.Stale())
		}
	}

	lane.Apply(&feed.Message{
		Kind: feed.MessageSnapshot, Instrument: 1, LastID: 10,
		Bids: []core.Level{{Price: 99, Qty: 1}}, Asks: []core.Level{{Price: 101, Qty: 1}},
	}, 1)
	lane.Apply(&feed.Message{
		Kind: feed.MessageDepth, Instrument: 1, FirstID: 11, LastID: 12,
		Bids: []core.Level{{Price: 100, Qty: 5}},
	}, 2)
	tap.Poll(show)
	lane.Apply(&feed.Message{Kind: feed.MessageDepth, Instrument: 1, FirstID: 14, LastID: 14}, 3)
	tap.Poll(show)
	fmt.Println("stale", tap.Book(1).Stale())
	// Output:
	// 99 / 101, stale false
	// 100 / 101, stale false
	// snapshot wanted of instrument 1
	// stale true
}
