// Package sim is a simulated market: seeded order flow that looks like a
// market's, in the messages of a venue, so that it takes a venue's path through
// feed.Lane into books, rings and clients.
//
// # Model
//
// Each Market holds one instrument's visible book on its tick grid and a fair
// value that walks slowly between half and twice where it began. A step is one
// action of zero-intelligence flow:
//
//   - a market order, more often towards the fair value than away from it, takes
//     the visible quantity from the best level on: one trade message a level, then
//     one depth message that shows what the trades took;
//   - a maker whose best price stands beyond the fair value withdraws it;
//   - a maker narrows a spread that is wider than a tick, never past the fair value;
//   - otherwise a level near the touch grows or shrinks: the more it holds compared
//     with the profile of its distance, the more likely it shrinks.
//
// What follows holds after each step: the book is not crossed, each side has at
// least half of Depth levels and at most twice Depth, every price lies on the tick
// grid and every quantity on the step grid.
//
// # What it does not model
//
// Single orders and their queues (levels are aggregates), reactions to orders
// sent to the paper venue (they do not exist for this market), correlation between
// instruments, and bursts: arrivals are a Poisson stream.
//
// # Determinism
//
// Everything is integer arithmetic on one small generator per market, seeded by
// the seed and the symbol, and one for the schedule. The same seed, listings and
// length give the same messages byte for byte on any machine (a test pins the
// hash); cutting the length into other pieces does not change them. A market's
// own actions do not depend on which other markets run beside it; when they
// happen does.
//
// # Sequence
//
// Depth messages follow feed.ContinuityPrev: PrevID is the previous LastID. A
// snapshot is followed by a depth message that straddles its id and restates the
// touch, as that rule asks for.
//
// # Use
//
//	listings := sim.Listings(3) // sim:BTCUSDT, sim:ETHUSDT, sim:SOLUSDT; also SpotListings, InverseListings
//	for i := range listings {
//		in, err := directory.AddInstrument(listings[i].Instrument)
//		…
//		listings[i].Instrument = *in
//	}
//	exchange, err := sim.NewExchange(sim.Settings{Seed: 1, Rate: 100}, listings)
//	go sim.NewRunner(exchange, lane, core.SystemClock()).Run(ctx)
//
// # Ownership
//
// Market and Exchange start no goroutine and belong to one. Runner.Run is the
// lane's goroutine. Steps do not allocate.
//
// # Imports
//
// core and feed.
package sim
