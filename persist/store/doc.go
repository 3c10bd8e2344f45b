// Package store is what all stores have in common: the batch of rows that one
// transaction writes, the projection that makes rows of records, and the follower
// that carries one to the other.
//
//	journal  ──Reader──► Journal projection ─┐
//	                                         ├─Batch─► Store.Write: rows and position, one transaction
//	tick log ──Reader──► Ticks projection ───┘
//
// # Exactly once
//
// A store's position in a log is committed in the transaction of the rows that
// come from it (I6). After any failure a follower asks the store where it stands
// and goes on from there: a commit whose answer was lost is found to have happened.
// The projection is a fold, so its state at a position is loaded from the store.
//
// A position has the time of its record, by which a follower finds that a log was
// put back to an older copy: a journal's follower then stops. The tick log, which is
// never synced and keeps its size by deleting, may lose records; its follower goes
// on and stores where the gap is.
//
//	f := store.NewFollower(store.Config{Stream: store.Journal, Log: store.DurableLog(log), Store: s, Name: "postgres"})
//	log.Retain()  // once all followers are made
//	go f.Run(ctx) // ends with ctx, or for good with what f.Stats().Err says
//
// # Ownership
//
// A Follower runs in a goroutine of its own, one a log. It reads files, never the
// writers' memory: a store that is slow or gone costs the lanes nothing (I5).
//
// # Imports
//
// core, core/record, core/history, core/hist, ringbuf, persist/journal and
// persist/ticklog. No database.
package store
