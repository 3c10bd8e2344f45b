// Package feed brings a venue's market data into the process: Session keeps the
// connections and fetches snapshots, a venue's Decoder turns frames into
// Messages, and a Lane turns Messages into books, quotes and events.
//
//	main socket ──► Session ─► Decoder ─► Lane ─► Sync (what follows what)
//	auxiliary ones ──┘                    ├──► book.Book
//	                                      ├──► market.QuoteTable   (order lane)
//	                                      └──► ringbuf.Broadcast   (everybody else)
//
// Gap and resync logic stands here once, for all venues: a venue says by its
// Continuity how its depth messages follow one another, and nothing else.
//
// # Invariants
//
//   - A book that misses an update is stale at once, in the quote table and in the
//     ring, and is resynchronised by itself, alone (I7).
//   - While Lane.Live says true, the book equals the venue's at Lane.UpdateID.
//   - All streams of an instrument arrive on one Lane, whatever address they come
//     from: a quote has one writer. Books depend on the main connection alone.
//   - In the live state a frame is read, decoded, applied and published without an
//     allocation, a contended lock, a log or a look at another goroutine (I1).
//
// # Frames
//
// net/http makes the handshake and core/frame reads what follows: one system call
// takes as many frames as the kernel has, and a frame is decoded where it was read.
// A receive time is that of the system call that brought the frame's last byte, so
// that frames that came together have one, whatever the first of them takes.
// Compression is not negotiated. That a text is UTF-8 is left to the decoder, which
// knows what it may hold.
//
// # Ownership
//
// A Lane belongs to one goroutine at a time. Lane.RequestSnapshot and Lane.Stats
// may be called from any. A Session guards its lane by a mutex that a reader
// goroutine holds while it applies a frame; in the steady state nobody else wants
// it but, about once a second, a reader of marks (see Session).
//
// # Use
//
//	s, err := feed.NewSession(feed.SessionConfig{
//		Venue: adapter,
//		Lane: feed.LaneConfig{
//			Name: "binance-spot", Decoder: decoder, Continuity: feed.ContinuityFirst,
//			Instruments: ids, Quotes: quotes,
//		},
//		Log: log,
//	})
//	go s.Run(ctx)
//	tap := market.NewTap([]market.Source{s.Source()}, waiter)
//
// A producer of its own, such as a simulated market, makes a Lane and calls Apply
// and, now and then, Duty.
//
// # Imports
//
// core, core/book, core/frame, core/hist, core/market and ringbuf of this module; net/http
// and an injected zap.Logger on cold paths. Never api, persist or core/engine.
package feed
