// Package binance speaks the market-data side of Binance: the spot and the
// USD-M futures WebSocket streams, and the REST calls that a feed needs around
// them (exchangeInfo, depth snapshot).
//
// # What it holds
//
//   - Decoder: one raw frame to one feed.Message, in fixed point, without an
//     allocation.
//   - ParseExchangeInfo: the venue's trading rules as core.Instrument values.
//   - Discover: the same, inferred from the frames of a capture when there is no
//     exchange to ask.
//   - REST: the HTTP client for snapshots and trading rules. It honours the
//     venue's rate limits: after 429 or 418 it sends nothing until Retry-After
//     has passed.
//   - Adapter: what a feed.Session needs to know of this venue: endpoints,
//     streams, how many of them fit a connection, and how fast it may subscribe.
//
// # Two ways to read one frame
//
// Decode tries a fixed-shape scanner first. It knows the exact key order of the
// venue's frames and gives up at the first byte that differs. What it gives up
// is read by the general path, a strict JSON reader which takes the keys in any
// order, with white space, escapes and unknown keys. The general path defines
// what a frame means; the scanner is an optimisation that may only ever agree
// with it, which a fuzz test holds over every frame the scanner accepts. Both
// are free of allocations, so a venue that adds a key costs time, not garbage.
//
// # What frames mean
//
//   - Trades that did not come from the order book (USD-M, "X" other than
//     "MARKET": insurance fund, ADL, "NA" with price and quantity 0) and trades
//     of price or quantity 0 are ignored: they are no price anyone could have had.
//     The message still tells instrument and trade id, so that a counter of gaps
//     in trade ids may step over them.
//   - A symbol that the decoder was not given is ignored and counted in
//     Stats.UnknownSymbols: a subscription may outlive the wish for it.
//   - Prices and quantities that do not fit the instrument's scale exactly are
//     errors, as are negative ones: an order book must never hold a rounded
//     price. Only the mark price, which the venue computes with more decimals
//     than it trades in, is rounded (half to even).
//   - A refusal by the venue ({"code":…,"msg":…} or {"error":…}) is a *VenueError.
//
// # Ownership
//
// A Decoder belongs to one goroutine. REST and Adapter are safe for concurrent
// use.
//
// # Sources
//
// developers.binance.com, "WebSocket Streams" (spot) and "Websocket Market
// Streams" (USD-M), read in 2026; filters.md of binance-spot-api-docs.
//
// # Imports
//
// core and feed only. It must not know engines, clients or stores.
package binance
