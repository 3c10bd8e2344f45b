// Command torture kills the server under load, again and again, and holds what is
// left against what was acknowledged.
//
// A cycle starts the real binary on the data directory of the cycle before, lets
// clients place, amend and cancel orders over WebSocket, kills the process with
// SIGKILL at a random moment, and then reads the journal by itself:
//
//   - every acknowledged answer's journal sequence is there, once, and is the
//     record of that very order with the id that was answered;
//   - sequences have no gap, and nothing that was read before has changed;
//   - an engine of its own that folded every record from the first one has the
//     state that the newest snapshot and the records behind it give;
//   - no order is routed to a venue twice: every order id is accepted once.
//
// At the end the server runs until its store has caught up, and the store's
// content is held against a projection of the whole journal.
//
// The last line is a summary with counts; the exit code says whether all held.
//
//	go run ./bench/torture -binary bin/qcat -cycles 500
package main
