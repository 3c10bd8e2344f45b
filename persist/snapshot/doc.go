// Package snapshot keeps files that hold the whole state after one record of a
// log, so that a start need not fold the log from its beginning and old segments
// of it can be dropped.
//
//	newest snapshot ──► shadow engine ◄── records of the journal's files
//	                         │ state after the last one
//	                         ▼
//	        tmp file → sync → rename → sync of the directory → prune
//
// What the state is, the package does not know: it is bytes with a hash. How the
// file is laid out is in docs/format/snapshot.md.
//
// # Use
//
//	path, n, err := snapshot.Write(fsys, dir, meta, payload)
//	meta, payload, skipped, err := snapshot.Newest(fsys, dir, log.ID(), log.Committed())
//	removed, err := snapshot.Prune(fsys, dir, log.ID(), 3)
//
//	k := snapshot.NewKeeper(snapshot.KeeperConfig{Committed: log.Committed, Take: take})
//	go k.Run(ctx)
//
// # Invariants
//
//   - A file of the name of a snapshot is whole: it gets its name after its bytes
//     are synced. A crash leaves the old set or the new one, and at most a file of
//     another name, which Prune removes.
//   - Whatever bit of a file changes, Load refuses it; Newest then goes on to the
//     next older one and says what it passed over.
//   - Reading allocates no more than the file is long and than its header says the
//     payload is, which is at most MaxPayload.
//
// # Goroutines
//
// Keeper.Run is one, at the background's pace: it calls Take, which is given, and
// nothing here ever touches the order lane (I5). The other functions are for any
// goroutine, one writer a directory.
//
// # Imports
//
// core, persist/vfs. No engine: the caller folds.
package snapshot
