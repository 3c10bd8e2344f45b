package engine

import (
	"qcat/core"
	"qcat/risk"
)

// EventKind says what an Event tells.
type EventKind uint8

const (
	// EventOrder is an order that changed: Order is its state after.
	EventOrder EventKind = iota + 1
	// EventExecution is a fill, with everything it moved: Execution, and Order
	// and Position as it left them. Order.ID is 0 for a fill of an order that is
	// no longer kept.
	EventExecution
	// EventRefused is a new order, amend or cancel that was refused for Reason:
	// Order is what was asked for (ID 0 for a new one).
	EventRefused
	// EventState is a change of trading state of Scope to State, with Note.
	EventState
	// EventLimits is a change of the limits of Scope.
	EventLimits
	// EventDefinition is a new instrument, account or strategy, or an instrument
	// with other filters; its id is in Position.
	EventDefinition
	// EventPosition is a position as a snapshot held it; it is never in the ring.
	EventPosition
)

// Event is one output of the sequencer: flat, pointer-free, in journal order.
// Seq and Index together are unique and ascending.
type Event struct {
	Kind  EventKind
	State risk.TradingState // EventState
	Last  bool              // the last event of its journal record
	// Restored says that this is what a snapshot held, told by Restore, and not a
	// change: Seq and Time are the snapshot's, or of a state when it was set.
	Restored bool
	Index    uint32     // counts the events of one journal record from 0
	Seq      uint64     // journal sequence
	Time     core.Nanos // of the journal record

	Order     core.Order
	Execution core.Execution
	Position  PositionState
	Scope     risk.Scope
	Reason    risk.Reason
	Note      Note
	_         [7]uint8
}

// PositionState is a position with the names it belongs to.
type PositionState struct {
	Account    core.AccountID
	Strategy   core.StrategyID
	Instrument core.InstrumentID
	Position   core.Position
}
