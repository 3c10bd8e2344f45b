// Package rows holds the content of a store against the two logs it was filled
// from, row by row: the journal and the tick log of a data directory are projected
// a second time, into the naive store of persist/store/storetest, and the digests of
// both stores must agree in every table, by count and by hash, positions included.
//
//	have, err := postgres.Open(ctx, postgres.Config{URL: url})
//	…
//	report, err := rows.Compare(ctx, dataDir, sampleEvery, have)
//
// The server must have stopped, and its store must have caught up. Nothing is
// written. One goroutine; the naive store keeps everything in memory, some hundred
// bytes a row.
//
// # Imports
//
// core, persist/journal, persist/store and its storetest, persist/vfs.
package rows
