// Package fakevenue is a Binance that behaves, and misbehaves on request: a real
// WebSocket and REST server on a loopback port, for tests of feed sessions.
//
// It plays a Source, a recorded or synthetic stream of frames, to whoever has
// subscribed, and keeps the true book of each symbol beside it with book.Naive,
// read with encoding/json: not with the decoder and the book that it tests. GET
// /depth answers with the true book as of the last update played; Truth tells the
// test the same.
//
//	src := fakevenue.Synthetic(fakevenue.SyntheticConfig{Seed: 1, Messages: 2000})
//	srv, err := fakevenue.New(src)
//	defer srv.Close()
//	// a session connects to srv.WS() and srv.REST()
//	srv.WaitSubscribed(ctx, 1)
//	srv.Step(500)               // play 500 frames
//	srv.SkipDepth("BTCUSDT", 1) // the next depth update is lost
//	srv.Step(500)
//	srv.Barrier(ctx)            // every client has read all of it
//	bids, asks, id := srv.Truth("BTCUSDT")
//
// # Addresses
//
// As the venue does, it serves depth, bookTicker and trade below /public and mark
// prices below /market (WSAt), and never what is asked for at the wrong one. The
// bare address (WS) serves everything.
//
// # What is true when frames are lost
//
// The truth moves with the script, not with what arrives: a skipped, swapped or
// silenced update has happened at the venue all the same. The book that a client
// ends with must therefore equal the truth whatever was done to its connection.
//
// # A capture's truth
//
// Before the REST snapshot inside a capture nothing is known of the book. A
// Source made of a capture begins with the first depth message that the snapshot
// needs, with the snapshot as the book before it. The fake answers with all
// levels it knows, whatever limit was asked: a book that was resynchronised half
// way then equals one that never was.
//
// # Ownership
//
// All methods of Server are safe for concurrent use; frames are played by one
// caller at a time. Each connection has a goroutine that reads requests. Close
// ends them all.
//
// # Imports
//
// core, core/book and feed/binance (for the names and limits of the markets, and
// to discover what a capture holds).
package fakevenue
