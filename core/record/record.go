package record

import "qcat/core"

// Version is the version byte of records written by this code.
const Version = 2

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
	TypeTransfer   Type = 15
	TypeMargin     Type = 16
	TypeTiers      Type = 17
	TypeFunding    Type = 18
	TypeBreach     Type = 19
	TypeCountdown  Type = 20
	TypeProposal   Type = 21
	TypeDecision   Type = 22
	TypeRateFrom   Type = 23
)

var typeNames = [...]string{"", "instrument", "account", "strategy", "limits", "new", "cancel",
	"cancel_all", "amend", "report", "state", "clock", "rate", "mark", "restart",
	"transfer", "margin", "tiers", "funding", "breach", "countdown", "proposal", "decision", "rate_from"}

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
	Quote      core.Quote // prices, their times, Seq and Flags only; sizes are not recorded
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

	Before []LimitField // what they were, ascending by ID
}

// Change is a replacement of the limits of a node that followed from a proposal.
type Change struct {
	Proposal uint32
	Scope    Scope
	Before   []LimitField // ascending by ID
	After    []LimitField // ascending by ID
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

	Leg          core.Leg
	CancelOnDrop bool
	Closing      bool // the sequencer entered it itself, to close a position of a node that is flattened
	Session      core.SessionID
	// Less is how much of Qty is not sent, because orders of one's own would have
	// traded with it.
	Less core.Qty

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
	Cause   Cause

	Found  core.OrderID // the order it names, 0 if none
	Sent   bool         // the venue is asked; false if it already had been
	Reason Reason
}

// Cause is why orders are cancelled.
type Cause uint8

const (
	CauseAsked     Cause = iota // a person or a program asked for it
	CauseDropped                // their session ended without a logout
	CauseCountdown              // a dead man's switch was not renewed
	CauseSelfTrade              // an order of one's own would have traded with it
	CauseAgain                  // the venue rejected the cancel of an order that must end
)

var causeNames = [...]string{"asked", "session_dropped", "countdown", "self_trade", "again"}

// String returns the name used in JSON and in tools' output.
func (c Cause) String() string {
	if int(c) < len(causeNames) {
		return causeNames[c]
	}
	return "unknown"
}

// CancelAll is a request to cancel every open order of a scope or, with a Session, of
// those the orders of that session that were to be cancelled with it.
type CancelAll struct {
	Scope   Scope
	Session core.SessionID // core.EverySession: of every session there was
	Cause   Cause

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

// Clock does what is due at its time: orders expire, countdowns end, a day begins,
// overrides and cool-downs are over.
type Clock struct {
	// TellsLapse says that no proposal lapses but the one in Lapsed. Where it is not set,
	// as in records that were written before there was Lapsed, all that are due lapse
	// untold.
	TellsLapse bool

	Expired uint32   // how many orders were due: their venues are asked to cancel them
	Ended   []Change // by the overrides that ended, in the order in which they did
	Lapsed  Lapse    // with TellsLapse
}

// Lapse is a proposal that nobody decided in time.
type Lapse struct {
	Proposal uint32 // 0: none lapsed, and nothing else is set
	Scope    Scope
	By       Text // who proposed it
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
	Seen       core.Nanos // receive time of the price
	Confirmed  bool       // it came from a fresh, uncrossed book and agrees with what was known
}

// Restart is where a process took over from one that ended: what was on its way to
// the venues then, or back, is not known.
type Restart struct {
	Unknown uint32 // how many open orders it made unknown
}

// Text is a short text by value.
type Text struct {
	Len uint8
	B   [MaxNoteLen]byte
}

// MakeText returns s as a Text, cut to MaxNoteLen bytes.
func MakeText(s string) (t Text) {
	t.Len = uint8(copy(t.B[:], s))
	return t
}

// String returns the text.
func (t *Text) String() string { return string(t.B[:t.Len]) }

// AmountScale is the number of decimals of an amount of any currency in an account.
const AmountScale = 8

// Transfer moves an amount into an account, or out of it when it is negative.
type Transfer struct {
	Account  core.AccountID
	Currency string
	Amount   int64 // 10^-AmountScale
	By       Text
	Note     Text

	Balance int64 // of the account in the currency afterwards, 10^-AmountScale
	Reason  Reason
}

// MarginKind is which setting of an account's margin a Margin changes.
type MarginKind uint8

const (
	MarginLeverage MarginKind = iota + 1 // Value: leverage in PPM
	MarginMode                           // Value: 0 cross, 1 isolated
	MarginHedge                          // Value: 0 one-way, 1 hedge; of the account, no Instrument
	MarginIsolated                       // Value: amount to add to (negative: take from) an isolated position
)

var marginNames = [...]string{"", "leverage", "mode", "hedge", "isolated"}

// String returns the name used in JSON and in tools' output.
func (k MarginKind) String() string {
	if int(k) < len(marginNames) && k > 0 {
		return marginNames[k]
	}
	return "unknown"
}

// Margin changes a margin setting of an account in an instrument.
type Margin struct {
	Kind       MarginKind
	Leg        core.Leg // MarginIsolated
	Account    core.AccountID
	Instrument core.InstrumentID
	Value      int64
	By         Text

	Before int64 // what the setting was; of MarginIsolated the amount that was there
	Reason Reason
}

// Tier is one bracket of an instrument's maintenance margin.
type Tier struct {
	Floor    int64 // notional from which it holds, at SettleScale
	Rate     int64 // maintenance margin in PPM of the notional
	Leverage int64 // the largest leverage in it, PPM
}

// Tiers replaces the maintenance margin brackets of an instrument.
type Tiers struct {
	Instrument core.InstrumentID
	Tiers      []Tier // ascending by Floor, the first 0
}

// Funding is a payment between the long and the short holders of an instrument.
type Funding struct {
	Instrument core.InstrumentID
	Rate       int64 // 10^-9 of the notional, paid by longs; negative: to them
	Price      core.Price

	Paid uint32 // how many positions it was booked to
}

// Breach is a limit that was crossed by what is held, with the numbers that say so,
// and what was done about it.
type Breach struct {
	Scope      Scope
	Code       uint16
	Unit       uint8
	Action     uint8
	Limit      int64
	Value      int64
	Instrument core.InstrumentID // whose price, or fill, crossed it
	Price      core.Price
	Cause      uint64     // sequence of the record that crossed it
	Seen       core.Nanos // receive time of that price, for the latency; not 0 for a mark

	Cancelled uint32
}

// Countdown arms, renews or (Timeout 0) disarms a dead man's switch: unless it is
// renewed within Timeout, the open orders of Scope are cancelled.
type Countdown struct {
	Scope   Scope
	Timeout core.Nanos

	Reason Reason
}

// Proposal is a change of the limits of a node. One that only tightens takes effect at
// once, one that loosens waits for a Decision of another person.
type Proposal struct {
	Scope  Scope
	Until  core.Nanos // when the limits before come back; 0: never
	By     Text
	Note   Text
	Fields []LimitField // what the node's limits are to be, ascending by ID

	Before  []LimitField // what they are, ascending by ID
	ID      uint32       // that it was given; 0 when refused
	Applied bool
	Reason  Reason
}

// Decision approves or rejects a proposal that waits.
type Decision struct {
	Proposal uint32
	Approve  bool
	By       Text

	Change Change // that the proposal asked for: made if it is approved; empty if it is not known
	Reason Reason
}

// RateFrom values a currency by the mark of an instrument that buys it.
type RateFrom struct {
	Instrument core.InstrumentID
	Currency   string
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
	Transfer   Transfer
	Margin     Margin
	Tiers      Tiers
	Funding    Funding
	Breach     Breach
	Countdown  Countdown
	Proposal   Proposal
	Decision   Decision
	RateFrom   RateFrom
}
