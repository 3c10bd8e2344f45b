package engine

import (
	"qcat/core"
	"qcat/core/record"
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
	// EventPosition is a position that changed without a fill, such as by funding, or
	// as a snapshot held it.
	EventPosition
	// EventBreach is a limit that was crossed by what is held: Scope, Reason with the
	// numbers, and Breach with what was done about it.
	EventBreach
	// EventFlatten is a node, Scope, whose positions cannot be closed: for Reason, which
	// the last closing order met, Order; Breach.Cancelled counts how many in a row. The
	// engine goes on trying.
	EventFlatten
	// EventAccount is a change of an account that no order made, or, with a Reason,
	// one that was refused: Account says which, Note why.
	EventAccount
	// EventCountdown is a dead man's switch of Scope that was armed, disarmed or
	// fired, as Countdown says; a renewal is not told. What it cancelled follows as
	// EventOrder.
	EventCountdown
	// EventProposal is what became of a proposed change of the limits of Scope:
	// Proposal, Note is why it was proposed, Reason why it was refused. The change
	// itself, when it takes effect, is an EventLimits before it.
	EventProposal
)

// Event is one output of the sequencer: flat, pointer-free, in journal order.
// Seq and Index together are unique and ascending.
type Event struct {
	Kind  EventKind
	State risk.TradingState // EventState
	// Countdown is what became of a dead man's switch, and Timeout its length;
	// EventCountdown.
	Countdown CountdownChange
	Last      bool // the last event of its journal record
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
	Timeout   core.Nanos
	Note      Note
	_         [7]uint8
	Breach    BreachEvent
	Account   AccountEvent
	Proposal  ProposalEvent
}

// BreachEvent is what stands beside the Reason of an EventBreach.
type BreachEvent struct {
	Action     risk.Action
	Instrument core.InstrumentID // whose price or fill crossed the limit; 0: neither
	Cancelled  uint32            // orders whose venues were asked to cancel
	Price      core.Price
	Cause      uint64     // sequence of the record that crossed it
	Seen       core.Nanos // receive time of the price; 0: it was no mark
}

// AccountEvent is one change of an account. Which fields hold something depends on
// Change: a transfer has Currency and Amount; a margin setting Margin, Instrument,
// Leg and Amount, which is the setting's value; brackets and a rate have none but
// Instrument and Currency; funding has Instrument, Amount (its rate in 10^-9), Price
// and Paid.
type AccountEvent struct {
	Change     record.Type // TypeTransfer, TypeMargin, TypeTiers, TypeFunding or TypeRateFrom
	Margin     record.MarginKind
	Leg        core.Leg
	Currency   CurrencyName
	Account    core.AccountID
	Instrument core.InstrumentID
	Paid       uint32
	_          [4]uint8
	Amount     int64
	Price      core.Price
}

// MaxCurrencyLen bounds the names of the currencies of accounts, in bytes.
const MaxCurrencyLen = 20

// CurrencyName is the name of a currency by value.
type CurrencyName struct {
	n uint8
	b [MaxCurrencyLen]byte
}

// String returns the name.
func (c CurrencyName) String() string { return string(c.b[:c.n]) }

func currencyName(s string) (c CurrencyName) {
	c.n = uint8(copy(c.b[:], s))
	return c
}

// PositionState is a position with the names it belongs to.
type PositionState struct {
	Account    core.AccountID
	Strategy   core.StrategyID
	Instrument core.InstrumentID
	Leg        core.Leg
	Position   core.Position
}

// CountdownChange says what became of a dead man's switch.
type CountdownChange uint8

const (
	CountdownArmed CountdownChange = iota + 1
	CountdownDisarmed
	CountdownFired
)

var countdownNames = [...]string{"", "armed", "disarmed", "fired"}

// String returns the name used in JSON.
func (c CountdownChange) String() string {
	if c > 0 && int(c) < len(countdownNames) {
		return countdownNames[c]
	}
	return "unknown"
}
