package engine

import (
	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

// CommandKind says what a Command asks for.
type CommandKind uint8

const (
	// CmdNew enters an order.
	CmdNew CommandKind = iota + 1
	// CmdCheck answers as CmdNew would and does nothing else: nothing is
	// journalled, sent, reserved or counted.
	CmdCheck
	// CmdAmend changes price and total quantity of an open order.
	CmdAmend
	// CmdCancel cancels one order, named by Order, or by Account and ClOrdID.
	CmdCancel
	// CmdCancelAll cancels every open order of Scope or, with a Session, those of its
	// orders in Scope that were to be cancelled with it.
	CmdCancelAll
	// CmdState sets the trading state of Scope and, with CancelOpen, cancels
	// every open order of it.
	CmdState
	// CmdReport is a venue's report of one order.
	CmdReport
	// CmdClock expires what is due at its time. The engine makes it itself.
	CmdClock
	// CmdCountdown arms the dead man's switch of Scope, renews it, or with no Timeout
	// disarms it: once Timeout has passed since, the open orders of Scope are
	// cancelled.
	CmdCountdown
)

// NoteLen bounds Command.Note in bytes.
const NoteLen = 64

// Command is one input of the sequencer: pointer-free, copied into a ring. Only
// the fields its kind names are read.
type Command struct {
	Kind CommandKind

	Side       core.Side        // CmdNew, CmdCheck
	Type       core.OrdType     // CmdNew, CmdCheck
	TIF        core.TimeInForce // CmdNew, CmdCheck
	Leg        core.Leg         // CmdNew, CmdCheck
	ReduceOnly bool             // CmdNew, CmdCheck
	// CancelOnDrop has the order cancelled with Session, which it needs; CmdNew.
	CancelOnDrop bool
	CancelOpen   bool // CmdState
	State        risk.TradingState

	Reply ReplyTo // where the answer goes; the zero value wants none
	Token uint64  // handed back in the Reply

	// Account of a cancel or amend, when given, must own the order.
	Account    core.AccountID
	Strategy   core.StrategyID
	Instrument core.InstrumentID
	Order      core.OrderID // CmdCancel, CmdAmend

	// Price and Qty of CmdAmend are the new price and the new total quantity;
	// 0 leaves either as it is.
	Price      core.Price
	Qty        core.Qty
	ExpireTime core.Nanos // GTD only
	Timeout    core.Nanos // CmdCountdown
	// Received is when the edge took the command, for the latency histograms; it
	// decides nothing and is not journalled. Zero is not known.
	Received core.Nanos

	// Session is the connection that a CmdNew came by, 0 for none, or whose orders a
	// CmdCancelAll is about.
	Session core.SessionID

	ClOrdID core.ClOrdID
	Scope   risk.Scope      // CmdCancelAll, CmdState, CmdCountdown
	Report  core.ExecReport // CmdReport

	// less is how much of Qty is not sent, because one's own orders lost as much.
	less core.Qty
	// Cause is why the engine cancels by itself; nobody else sets it.
	Cause record.Cause

	// closing says that the engine entered the order itself, to flatten a node.
	closing bool

	// Note is who did it and why, for the audit of CmdState.
	Note Note
}

// cause is why a CmdCancelAll cancels.
func (c *Command) cause() record.Cause {
	if c.Cause == record.CauseAsked && c.Session != 0 {
		return record.CauseDropped
	}
	return c.Cause
}

// Note is a short text by value.
type Note struct {
	n uint8
	b [NoteLen]byte
}

// MakeNote returns s as a Note, cut to NoteLen bytes.
func MakeNote(s string) (n Note) {
	n.n = uint8(copy(n.b[:], s))
	return n
}

// String returns the text.
func (n *Note) String() string { return string(n.b[:n.n]) }

// ReplyTo names a registered ReplySink. The zero value is nobody.
type ReplyTo uint32

// ReplySink takes the answers of commands that name it.
type ReplySink interface {
	// Deliver is called on the engine's goroutine, in journal order, once what
	// it tells is committed (I2). It must not block, and must not keep r.
	Deliver(r *Reply)
}

// Reply is the answer to one Command.
type Reply struct {
	Kind  CommandKind // of the command
	Token uint64
	// Seq is the journal sequence after which the answer holds: View.WaitFor(Seq)
	// then shows it. 0 when the command was not recorded.
	Seq uint64
	// Reason is why it was refused; zero when it was not.
	Reason risk.Reason
	// Refusals are all reasons that would refuse, for CmdCheck only; Reason is
	// the first of them. The slice may be kept.
	Refusals []risk.Reason
	// After is what would have been used after the order, for CmdCheck only, whether
	// it would be refused or not. It may be kept.
	After *risk.After
	// Order is the order as the command left it (CmdNew, CmdAmend, CmdCancel).
	// Of a refused new order ID is 0 and Status is StatusRejected.
	Order core.Order
	// Less is how much of the quantity asked for Order does not have, because it would
	// have traded with one's own orders; CmdNew, CmdCheck.
	Less core.Qty
	// Duplicate says that Order is the first order with this client order id,
	// and nothing was sent.
	Duplicate bool
	// Unrecorded says that the journal took no record of this cancel or state
	// change (its disk is full or broken), which was carried out regardless.
	Unrecorded bool
	// Cancelled is how many orders CmdCancelAll or CmdState asked the venues to
	// cancel, or CmdClock to expire.
	Cancelled int
	// Deadline is when a CmdCountdown fires unless it is renewed; 0: it is disarmed.
	Deadline core.Nanos
}
