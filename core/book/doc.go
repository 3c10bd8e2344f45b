// Package book holds the price levels of one instrument (L2): Book, built for
// speed; Naive, built to be obviously right, which tests hold Book against; and
// Replica, a Book that follows a stream of core.Event and knows when it may not
// be trusted.
//
// # Use
//
//	b := book.New(256)
//	b.Set(core.Buy, 6_000_000, 5) // 5 at 60000.00 when PriceScale is 2
//	b.Set(core.Sell, 6_000_010, 7)
//	bid, ok := b.BestBid()
//	asks := b.Levels(core.Sell, asks[:0], 20) // best to worst
//
// # Sides and prices
//
// core.Buy names the bids, core.Sell the offers. Any int64 is a price, so that
// instruments with negative prices work too; a quantity of zero or less removes
// the level.
//
// # Ownership
//
// A Book, a Naive and a Replica each belong to one goroutine. Nothing here
// starts one, blocks, logs or reads a clock. Set, Clear and the reading methods
// do not allocate, except when a side grows beyond the deepest it ever was.
//
// # Limits
//
// A side holds at most MaxLevels levels. Beyond that the level farthest from the
// best is evicted and counted: memory is bounded whatever a venue sends, and the
// best levels are always exact.
//
// # Imports
//
// core, and xxhash for the canonical hash.
package book
