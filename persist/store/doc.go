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
// # Ownership
//
// A Follower runs in a goroutine of its own, one a log. It reads files, never the
// writers' memory: a store that is slow or gone costs the lanes nothing (I5).
//
// # Imports
//
// core, core/record, core/history, core/hist, ringbuf. No database.
package store
