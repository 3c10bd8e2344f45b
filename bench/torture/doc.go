// Command torture breaks what must not lose anything, again and again, for as long
// as it is given, and holds what is left against what was acknowledged. It has
// parts, each the long form of something that `make test` does briefly:
//
//	kill      SIGKILL to the real binary under load, in each journal-sync mode in turn
//	crash     a crash at every I/O of journal and snapshots, on a file system that
//	          loses a random part of what was not synced, for many seeds
//	embedded  SIGKILL to a process that writes the embedded store
//	services  Postgres and Redis killed, stopped, cut off and emptied under load
//
// # The part kill
//
// A cycle starts the binary on the data directory of the cycle before, lets clients
// place, amend and cancel orders over WebSocket, kills the process with SIGKILL at a
// random moment, and then reads the journal by itself:
//
//   - every acknowledged answer's journal sequence is there, once, and is the
//     record of that very order with the id that was answered;
//   - sequences have no gap, and nothing that was read before has changed;
//   - an engine of its own that folded every record from the first one has the
//     state that the newest snapshot and the records behind it give;
//   - no order is routed to a venue twice: every order id is accepted once.
//
// At the end the server runs until its store has caught up, and the store's
// content, of the tick log too, is held against a projection of both logs.
//
// The other parts are Go tests that QCAT_TORTURE=1 and QCAT_TORTURE_SEEDS lengthen.
//
// The last line is a summary with counts; the exit code says whether all held.
//
//	go run ./bench/torture -binary bin/qcat -cycles 500
package main
