package record

import "qcat/core"

// Version is the version byte of records written by this code.
const Version = 1

// Type says what a record holds. Numbers are journalled: never reused.
type Type uint8

const (
	TypeInstrument Type = 1
	TypeAccount    Type = 2
	TypeStrategy   Type = 3
	TypeLimits     Type = 4
	TypeNew        Type = 5
	TypeCancel     Type = 6
	TypeCancelAll  Type = 7
	TypeAmend      Type = 8
	TypeReport     Type = 9
	TypeState      Type = 10
	TypeClock      Type = 11
	TypeRate       Type = 12
	TypeMark       Type = 13
	TypeRestart    Type = 14
)

var typeNames = [...]string{"", "instrument", "account", "strategy", "limits", "new", "cancel",
	"cancel_all", "amend", "report", "state", "clock", "rate", "mark", "restart"}

// String returns the name used in tools' output.
func (t Type) String() string {
	if int(t) < len(typeNames) && t > 0 {
		return typeNames[t]
	}
	return "unknown"
}

// Header begins every record.
type Header struct {
	Type Type
	Seq  uint64     // 1, 2, 3, … in a journal
	Time core.Nanos // when the sequencer took the command
}

// Scope names a node of the limit tree; the numbers are risk's.
type Scope struct {
	Level      uint8
	Account    core.AccountID
	Strategy   core.StrategyID
	Instrument core.InstrumentID
}

// Reason is a refusal; the numbers are risk's. Code 0 is no refusal.
type Reason struct {
	Code  uint16
	Unit  uint8
	Scope Scope
	Limit int64
	Value int64
}

// Outside is what a check read besides the sequencer's own state.
type Outside struct {
	Ready      bool       // the venue's gateway could take orders
	QuoteKnown bool       // Quote is what the quote table held
	Quote      core.Quote // prices, their times, Seq and Flags only; the rest is not recorded
}

// Instrument defines an instrument.
type Instrument struct{ Definition core.Instrument }

// Account defines an account.
type Account struct {
	ID   core.AccountID
	Name string
}

// Strategy defines a strategy of an account.
type Strategy struct {
	ID      core.StrategyID
	Account core.AccountID
	Name    string
}

// LimitField is one limit that is set; the numbers are risk's.
type LimitField struct {
	ID    uint16
	Value int64
}

// Limits replaces the limits of a node: what is not listed is unset.
type Limits struct {
	Scope  Scope
	Fields []LimitField // ascending by ID
}

// New is a new order and its answer.
type New struct {
	Account    core.AccountID
	Strategy   core.StrategyID
	Instrument core.InstrumentID
	Side       core.Side
	Type       core.OrdType
	TIF        core.TimeInForce
	ReduceOnly bool
	Price      core.Price
	Qty        core.Qty
	ExpireTime core.Nanos
	ClOrdID    core.ClOrdID
	Outside    Outside

	// Order is the id it was given, or that of the order it duplicates, or 0.
	Order     core.OrderID
	Duplicate bool
	Reason    Reason
}

// Cancel is a request to cancel one order and its answer.
type Cancel struct {
	Account core.AccountID // that must own the order, 0 for any
	Order   core.OrderID   // 0: named by Account and ClOrdID
	ClOrdID core.ClOrdID

	Found  core.OrderID // the order it names, 0 if none
	Sent   bool         // the venue is asked; false if it already had been
	Reason Reason
}

// CancelAll is a request to cancel every open order of a scope.
type CancelAll struct {
	Scope Scope

	Cancelled uint32 // how many venues were asked to cancel
}

// Amend is a request to change an order and its answer. Zero terms stay.
type Amend struct {
	Account core.AccountID
	Order   core.OrderID
	ClOrdID core.ClOrdID
	Price   core.Price
	Qty     core.Qty
	Outside Outside

	Found  core.OrderID
	Reason Reason
}

// Disposition is what became of a venue's report.
type Disposition uint8

const (
	// Applied changed the order as the report says.
	Applied Disposition = iota + 1
	// Repeated had been seen: nothing changed.
	Repeated
	// Stray named no order that is kept: nothing changed.
	Stray
	// Late came after the order was closed. A late fill is booked.
	Late
	// Invalid could not be what happened, or a sum would overflow: nothing is
	// booked and the firm is halted.
	Invalid
)

var dispositionNames = [...]string{"", "applied", "repeated", "stray", "late", "invalid"}

// String returns the name used in tools' output.
func (d Disposition) String() string {
	if int(d) < len(dispositionNames) && d > 0 {
		return dispositionNames[d]
	}
	return "unknown"
}

// Report is a venue's report and what became of it.
type Report struct {
	Report core.ExecReport

	Disposition Disposition
	Status      core.OrdStatus // of the order afterwards, 0 for a stray
	ExecID      uint64         // of the execution it booked, or 0
}

// MaxNoteLen bounds the note of a State in bytes.
const MaxNoteLen = 64

// State is a change of trading state.
type State struct {
	Scope      Scope
	State      uint8
	CancelOpen bool
	NoteLen    uint8
	Note       [MaxNoteLen]byte

	Cancelled uint32
	Reason    Reason
}

// Clock expires what is due at its time.
type Clock struct {
	Expired uint32 // how many venues were asked to cancel
}

// Rate sets what one unit of a currency is worth in the risk currency.
type Rate struct {
	PPM      int64
	Currency string
}

// Mark values what is held of an instrument at a price that was read outside.
type Mark struct {
	Instrument core.InstrumentID
	Price      core.Price
}

// Restart is where a process took over from one that ended: what was on its way to
// the venues then, or back, is not known.
type Restart struct {
	Unknown uint32 // how many open orders it made unknown
}

// Record is one record of any type: the field named as Header.Type holds it, the
// others are left over from earlier use.
type Record struct {
	Header

	Instrument Instrument
	Account    Account
	Strategy   Strategy
	Limits     Limits
	New        New
	Cancel     Cancel
	CancelAll  CancelAll
	Amend      Amend
	Report     Report
	State      State
	Clock      Clock
	Rate       Rate
	Mark       Mark
	Restart    Restart
}
