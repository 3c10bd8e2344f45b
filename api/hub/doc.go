// Package hub fans market data and the engine's events out to connections.
//
// # Goroutines
//
//	market    follows the lanes through a market.Tap: books, trades, candles,
//	          public channels, and the queries that need them
//	private   follows the engine's event ring: private channels and their history
//	exposures once a tick, while somebody listens: what has changed in the limit tree,
//	          read on the engine's goroutine and handed to the private one
//	keeper    once a tick: pings, dead connections, stuck writes, memory of idle ones
//	answers   one a connection that has sent an order: the order lane wakes it
//	writer    one a connection that has more to write than its socket takes at once,
//	          for as long as that is so
//
// and, outside this package, one reader a connection, which calls the methods of
// Conn. Market and private own their topics and subscriptions; the others reach
// them by commands through an inbox. A connection's pending buffer is the only
// thing that several goroutines touch, under its mutex, for the time of a copy.
//
// # Writing
//
// What an idle connection is given is written by whoever gives it, without waiting:
// to wake a goroutine for it would take longer than the write. What the socket does
// not take at once, and what is large, is left to a goroutine of the connection's
// own, so that a slow client costs the others one system call that returns at once.
// So is everything for a connection that is more than a socket, one with TLS for
// instance. An idle connection has neither a goroutine that writes nor a buffer.
//
// A duty cycle of the market goroutine collects what its events mean to the public
// channels and then serves each connection once (outbox.go).
//
// # Frames
//
// A frame a server sends is not masked, so that its bytes are the same for every
// client: an event is encoded and framed once per channel and then only copied.
// Everything a connection is sent, data, answers, pongs and the closing frame,
// passes through its one writer of the moment, so that frames never interleave.
//
// # Bounds (I5)
//
// A connection's pending buffer has two bounds. Beyond the soft one public data
// is no longer added: the subscription lags, and when the writer has caught up it
// is sent the latest quote or candle (latest wins), a new snapshot of the book,
// or nothing for trades, whose missing seq shows the gap. Beyond the hard one,
// which only private data and answers reach, the connection is closed with
// SlowConsumer. What cannot be written for WriteTimeout, and who says nothing for
// IdleTimeout although pinged, is cut off.
//
// # Who sees what
//
// A connection belongs to a Viewer (viewer.go). Public channels are for everybody; of a
// private one a connection is pushed what its viewer may see, which is looked up by id in a
// set that was made of names once. An event is encoded for the first who may see it, and not
// at all if nobody may. The keeper ends connections whose viewer has ended, or never came.
//
// # Sequences
//
// The seq of a public channel counts its events from the start of the process;
// depth frames of one subscription have consecutive ones, beginning with a
// snapshot's. The seq of a private channel is the journal sequence of the event;
// when a record has several events the later ones carry their number in "idx".
//
// # Allocation
//
// In the steady state an event allocates nothing, whatever the number of
// subscribers (alloc_test.go). Subscribing, snapshots of private channels and
// queries do.
//
// # Imports
//
// hub imports core, core/book (what a Tap hands out), core/market, core/engine
// (event types), core/frame (opcodes), core/hist, ringbuf, risk and api/wire. It
// knows nothing of HTTP and of the WebSocket handshake.
package hub
