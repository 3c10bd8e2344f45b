// Package replay reads captures: recorded frames of a venue, run through the
// same decode → Lane → book path that live data takes.
//
//   - Reader reads the capture format: one line a frame, its receive time in Unix
//     nanoseconds, a space, the raw frame; plain, gzip or zstd, told by the file's
//     first bytes. REST snapshots stand in the stream as their raw body.
//   - Run runs a capture as fast as it goes and returns a Report: what was in it,
//     what is missing in it, and whether the book agrees with the venue's own
//     best bid and offer.
//   - Player plays a capture into a Lane as if it were live, at a chosen speed.
//
// # Which venue
//
// A capture does not name its venue. A Bind, given by the caller, looks at the
// first frames and says how they are read; this package knows no venue.
//
//	binding, err := replay.Probe(path, bind)
//	p, err := replay.NewPlayer(replay.PlayerConfig{
//		Path: path, Binding: binding, Speed: 10 * replay.RealTime,
//		Lane: feed.LaneConfig{Name: "replay", Quotes: quotes},
//	})
//	go p.Run(ctx)
//	tap := market.NewTap([]market.Source{p.Source()}, waiter)
//
// # Ownership
//
// A Reader and a Player belong to one goroutine; Player.Run is the owner of its
// Lane. Run starts no goroutine.
//
// # Imports
//
// core, core/book, core/market and feed. No venue, no engine, no client.
package replay
