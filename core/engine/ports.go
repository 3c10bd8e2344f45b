package engine

import (
	"qcat/core"
)

// Gateway carries orders to one venue. Its reports come back through
// Engine.Submit as CmdReport.
//
// The reports of an order come in the order of their VenueExecID: a lower one that
// comes later is taken for a repetition. What a gateway has missed, or may have, it
// therefore reports before anything newer of that order. After a restart the engine
// asks for it, with a core.VenueStatus for every open order; until that is answered
// a gateway that cannot know what the engine has seen reports nothing of the order.
type Gateway interface {
	// Submit takes a copy of c, and returns false when its queue is full: the
	// engine keeps c and offers it again. Engine goroutine; must not block.
	Submit(c *core.VenueCommand) bool
	// Ready reports whether new orders can be taken. Engine goroutine; must not
	// block.
	Ready() bool
}

// Quotes is where the reference price of a check is read. core/market's
// QuoteTable is one.
type Quotes interface {
	// Load copies the latest quote and returns false when none was ever stored.
	Load(id core.InstrumentID, q *core.Quote) bool
}

// Journal is the input log: what is not in it did not happen.
//
// Append, Flush and Publish are called by whoever is the engine, one at a time.
// Committing may happen elsewhere and later: the engine goes on meanwhile, and releases
// what a record promised once Committed has reached it.
type Journal interface {
	// Append copies rec as the next record and returns its sequence: 1, 2, 3, …
	//
	// Errors: one that wraps ErrFull refuses this record and may be tried again;
	// after any other the journal takes no more records.
	Append(rec []byte) (seq uint64, err error)
	// Flush starts committing what was appended. It must not wait for a sync.
	// An error is permanent.
	Flush() error
	// Publish is Flush for a caller that calls Commit soon, without being the engine:
	// until then the journal need not begin. An error is permanent.
	Publish() error
	// Commit commits what was published, on the calling goroutine if nobody else is
	// at it; it may wait for the disk. Any goroutine but one that is the engine.
	Commit()
	// Committed is the last sequence that will survive. Any goroutine.
	Committed() uint64
	// Err is nil while records can still commit; afterwards it is why not. Any
	// goroutine.
	Err() error
	// Notify names what is called when Committed or Err changes by itself. It may do
	// some of the engine's work, Append and Flush included; the journal calls it from its
	// own goroutine, or in Commit, and holds nothing meanwhile.
	Notify(f func())
}
