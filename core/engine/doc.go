// Package engine is the order lane: one goroutine at a time takes commands in order,
// checks, journals, and only then answers and sends.
//
//	clients ──Submit──► command ring ─┐
//	gateways ─Submit──► report ring ──┤ (MPSC, bounded)
//	         ─Submit──► priority ring ┤
//	officers ─Submit──► kill ring ────┤
//	                                  ▼
//	     ENGINE: quote read → risk check → journal append → order table
//	                                  │ what a record promised waits until it is committed
//	         gateways ◄── replies ◄───┴──► event ring ──► View, hub, stores
//
// # Duty cycle
//
// A cycle reads the clock once, takes a bounded number of commands from each
// ring (kills first, then cancels, reports and new orders), and flushes the journal
// once. Of each command first the answer is decided, which changes nothing; then
// its record is appended; then the record is applied to the state. A record that
// the journal does not take has therefore not happened.
//
// Gateway commands, replies and events are staged with the sequence of their
// record and are released, in order, once Journal.Committed has reached it (I2).
// The engine goes on with further commands meanwhile, up to a bound.
//
// # Determinism
//
// The state is the fold of the journal: apply reads the record and the state,
// nothing else. Replay decodes a record, decides on its input again, and requires
// the same bytes. No map is iterated, no clock is read but the record's time
// (I3). What depends on a gateway's speed, the outbox, is not part of the state.
//
// # Priority, and what it means for order
//
// Cancels have a ring of their own: a flood of orders neither delays nor sheds
// them. So have kills, which are state changes and cancels of a whole scope: no
// flood of cancels sheds one, and it is taken even while so much waits for its
// commit that nothing else is. What waits is looked at again before it is sent, so
// a halt holds back orders that were recorded before it. A cancel may overtake a new order still waiting, which
// has not been acknowledged; one that names an order by a client order id not
// known yet waits until the commands that were queued before it have been taken.
//
// # Self trade, sessions and dead man's switches
//
// A new order that would trade with one's own is decided on like any other: it is
// admitted once everything in its way is being cancelled. The engine sees to that by
// records before it. Sessions that drop and countdowns that end are records too, each
// a cancel of many with its cause; after a restart the first one cancels what was to
// end with any session.
//
// # Expiry
//
// Good-till-date orders are expired here, not by the venue: when one is due the
// engine records a clock tick and asks the venue to cancel; the confirmed order is
// expired. A fill that was faster counts.
//
// # Restart and unknown orders
//
// What was on its way when a process ended has an outcome that only the venue
// knows. The first record of a Run that follows a recovery says so: it makes every
// open order unknown that no venue has confirmed, or that has a cancel or an amend
// pending. The venue is then asked about every open order, for fills may have been
// missed too, and again every ReconcileEvery about those that it has not answered
// or that are still unknown. Of what was sent before only cancels are sent again,
// after the question; an order or an amend never is.
//
// An unknown order counts in full against every limit. It can be cancelled, not
// amended. It is known again after a report that leaves it confirmed and with
// nothing pending, or that ends it. An order that its venue denies having, when it
// is to be cancelled or amended, is unknown as well: it is neither left open in
// silence nor closed on a guess.
//
// # Changes of limits
//
// Limits in force are changed by proposals. One that loosens nothing takes effect with
// its record; any other is kept, as part of the state, until another person's decision
// is recorded, or it expires. One with an end is an override: a clock record ends it and
// brings back what would be in force without it. DefineLimits seeds.
//
// # Snapshots
//
// The canonical form of the state, which StateHash hashes, is also what a snapshot
// holds; restored, it is put together again and must be the same bytes. A running
// engine is left alone: Shadow restores the last snapshot into an engine of its own,
// folds what the journal has since, and returns the next one.
//
// # Use
//
//	e := engine.New(engine.Config{Quotes: table, Journal: journal, Gateways: gateways})
//	view := engine.NewView(e, engine.ViewConfig{})
//	err := e.Restore(snapshot, view.Observe) // when there is one
//	err = e.RecoverLog(records, engine.Recovery{Observe: view.Observe}) // after it, or all
//	in, err := e.DefineInstrument(definition)
//	go view.Run(viewCtx)
//	go e.Run(ctx)
//
//	to, ok := e.RegisterSink(sink)
//	ok = e.Submit(&engine.Command{Kind: engine.CmdNew, Reply: to, …}) // false: overloaded
//	// sink.Deliver(reply), then: view.WaitFor(ctx, reply.Seq) and read own writes
//
// To stop: cancel ctx, wait for Run, then cancel viewCtx.
//
// # Goroutines
//
//	Engine.Run   the order lane while it has the turn: all state, journal, gateways, sinks,
//	             event ring (producer)
//	guests       the same, while they have it: clients in Execute and Serve, the journal's
//	             goroutine with what it has committed. No lock that a sink, a gateway or a
//	             Query takes may be held there
//	View.Run     the read model, fed by a gating reader of the event ring
//	callers      Submit from anywhere; Query and the Define methods from anywhere but a sink
//
// # Imports
//
// core, core/record, core/state, ringbuf, risk, core/hist. No log, no database, no network.
package engine
