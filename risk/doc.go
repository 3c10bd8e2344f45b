// Package risk decides whether an order may be sent. It holds a tree of limits,
// firm → account → strategy → instrument, together with what every node has
// used up, and answers one question by value: admitted, or refused for which
// control, at which level, with which limit.
//
// # Use
//
//	approved, reason := tree.CheckNew(&order, &ref, now) // reads only
//	if !reason.OK() { … refuse … }
//	tree.Accept(&approved, &hold)                        // reserves, at once
//	…
//	tree.Fill(&hold, &booking, now)                      // open → position
//	tree.Release(&hold)                                  // what is left, given back
//
// An Approved can only be made by a check and is good for exactly one Accept,
// before anything else changes the tree: an order that was not checked cannot be
// sent, by type, and one that was checked against an older state panics.
//
// # The tree
//
// A limit hangs on one of six nodes of an order's path, checked in this order:
// the firm, the account, the strategy, the instrument firm-wide, the instrument
// of the account, the instrument of the strategy. Every node must admit the
// order. A limit that is not set is not checked and costs nothing.
//
// # Invariants
//
//   - A check changes nothing: after a refusal nothing has been consumed.
//   - Every accepted order counts against every limit at once, until it fills,
//     is released or its amendment is settled (I4).
//   - What is missing refuses: an account, a strategy, an instrument, a fresh and
//     uncrossed reference price, a conversion rate, an arithmetic result (I4).
//   - An order that only reduces the position it is measured against is never
//     refused for a risk limit; see docs/risk-controls.md for each control.
//   - The sums of a node equal the sums over its instruments, exactly.
//   - State is a fold of the calls made: no clock, no random number, no
//     iteration over a map (I3).
//
// # What happens without an order
//
// Mark, Fill, Fund and Tick keep profit and loss of every node, and trip it when that,
// or what they count, crosses a limit. What is then to be done waits in a queue:
//
//	for b, ok := tree.NextBreach(); ok; b, ok = tree.NextBreach() {
//		… journal b …
//		tree.Act(&b) // state; the caller cancels and closes as b says
//	}
//
// Deadline says when Tick has something to do next.
//
// # Ownership and cost
//
// A Tree belongs to one goroutine, the sequencer's. CheckNew, CheckAmend,
// Accept, Fill and Release do not allocate, except when an (account, instrument)
// pair trades for the first time and the tables have outgrown Config, or when a
// path trades for the first time after a limit was changed.
//
// # Imports
//
// risk imports core, core/mem, core/state and risk/margin only: no clock, log or I/O.
package risk
