package engine

import (
	"errors"
	"time"

	"qcat/core"
	"qcat/core/hist"
	"qcat/core/record"
	"qcat/ringbuf"
	"qcat/risk"
)

// Config is what an Engine is made of. Zero sizes mean the defaults below.
type Config struct {
	Directory *core.Directory // required; definitions go through the Engine
	Clock     core.Clock      // default: core.SystemClock
	Quotes    Quotes          // required to run
	Journal   Journal         // required to run
	// Gateways by venue name. An order for a venue without one is refused with
	// VenueUnavailable.
	Gateways map[string]Gateway

	Risk risk.Config
	Idle ringbuf.IdleStrategy

	MaxOpenOrders    int // open orders; more are refused with Capacity
	KeepClosedOrders int // closed orders kept for look-up and idempotency

	CommandRing  int // new orders, amends, checks waiting
	ReportRing   int // venue reports waiting
	PriorityRing int // cancels of one order waiting
	KillRing     int // state changes and cancels of whole scopes waiting
	EventRing    int // events a gating reader may be behind
	MaxSinks     int // registered reply sinks

	// Batch is how many commands of each ring a duty cycle takes.
	Batch int
	// MaxStaged bounds the outputs that wait for a commit: beyond it no command
	// but a kill is taken, so that the rings fill and shed.
	MaxStaged int
	// MaxOutbox bounds the commands that wait for one gateway: beyond it its new
	// orders are refused with VenueUnavailable. Cancels are kept regardless; there
	// is at most one an open order, and one more without a record.
	MaxOutbox int
	// MarkEvery is how often the prices of instruments that are held or have open
	// orders are looked at. One that moved by MarkMove or more is recorded at once, and
	// with it every account that holds the instrument is evaluated; smaller moves wait
	// until MarkQuiet has passed since the last.
	MarkEvery time.Duration
	MarkMove  int64 // PPM
	MarkQuiet time.Duration
	// ReconcileEvery is how long a venue has to answer what it knows of an order
	// before it is asked again.
	ReconcileEvery time.Duration
	// DrainTimeout is how long Run waits at its end for the journal to commit and
	// for the gateways to take what waits for them.
	DrainTimeout time.Duration
}

// Defaults of Config.
const (
	DefaultMaxOpenOrders    = 1 << 17
	DefaultKeepClosedOrders = 1 << 17
	DefaultCommandRing      = 1 << 14
	DefaultReportRing       = 1 << 14
	DefaultPriorityRing     = 1 << 12
	DefaultKillRing         = 1 << 10
	DefaultEventRing        = 1 << 14
	DefaultMaxSinks         = 1 << 14
	DefaultBatch            = 64
	DefaultMaxStaged        = 1 << 15
	DefaultMaxOutbox        = 1 << 12
	DefaultMarkEvery        = 50 * time.Millisecond
	DefaultMarkMove         = 100
	DefaultMarkQuiet        = time.Second
	DefaultReconcileEvery   = 5 * time.Second
	DefaultDrainTimeout     = 5 * time.Second
)

func (c Config) withDefaults() Config {
	for _, d := range []struct {
		v   *int
		def int
	}{
		{&c.MaxOpenOrders, DefaultMaxOpenOrders}, {&c.KeepClosedOrders, DefaultKeepClosedOrders},
		{&c.CommandRing, DefaultCommandRing}, {&c.ReportRing, DefaultReportRing},
		{&c.PriorityRing, DefaultPriorityRing}, {&c.KillRing, DefaultKillRing},
		{&c.EventRing, DefaultEventRing},
		{&c.MaxSinks, DefaultMaxSinks}, {&c.Batch, DefaultBatch},
		{&c.MaxStaged, DefaultMaxStaged}, {&c.MaxOutbox, DefaultMaxOutbox},
	} {
		if *d.v <= 0 {
			*d.v = d.def
		}
	}
	if c.Clock == nil {
		c.Clock = core.SystemClock()
	}
	if c.Directory == nil {
		c.Directory = core.NewDirectory()
	}
	if c.MarkEvery <= 0 {
		c.MarkEvery = DefaultMarkEvery
	}
	if c.MarkMove <= 0 {
		c.MarkMove = DefaultMarkMove
	}
	if c.MarkQuiet <= 0 {
		c.MarkQuiet = DefaultMarkQuiet
	}
	if c.ReconcileEvery <= 0 {
		c.ReconcileEvery = DefaultReconcileEvery
	}
	if c.DrainTimeout <= 0 {
		c.DrainTimeout = DefaultDrainTimeout
	}
	return c
}

// Errors of the engine.
var (
	// ErrFull is what a Journal wraps when it has no room for a record now.
	ErrFull = record.ErrFull
	// ErrJournal is wrapped by the error that stopped the journal for good.
	ErrJournal = errors.New("journal failed")
	// ErrDiverged is wrapped by a replay whose outcome is not the recorded one.
	ErrDiverged = errors.New("replay diverged")
	// ErrDrain is wrapped by the error of a Run that ended with something left.
	ErrDrain = errors.New("engine stopped before everything was committed and sent")
	// ErrRunning is returned by what must come before Run.
	ErrRunning = errors.New("engine is running")
	// ErrRefused is wrapped, with the reason's code, by definitions and limits
	// that the state does not admit.
	ErrRefused = errors.New("refused")
)

// Stats are the engine's histograms and counters; any goroutine may read them.
// Histograms are sampled: one command in StageSample.
type Stats struct {
	RingWait hist.Histogram // edge to sequencer
	Risk     hist.Histogram // deciding
	Journal  hist.Histogram // appending and flushing
	Route    hist.Histogram // releasing a cycle's outputs

	// MarkToAction is from the receipt of a price that crossed a limit until what the
	// breach does was handed over to the gateways; of every breach, not a sample.
	MarkToAction hist.Histogram

	Breaches   Counter // limits crossed by what is held
	Commands   Counter // taken from the rings
	Refused    Counter // new orders, amends and cancels refused
	Shed       Counter // Submit returned false
	Executions Counter
	Repeated   Counter // venue reports seen before
	Stray      Counter // venue reports of orders not kept
	Withheld   Counter // new orders and amends kept back by a halt
	Unrecorded Counter // cancels and state changes carried out without a record
	StatusSent Counter // times a venue was asked about an order
	Reconciled Counter // orders that ceased to be unknown
	Outbox     Counter // times a gateway's queue was full

	Tally Tally
}

// StageSample is how many commands share one reading of the stage histograms.
const StageSample = 64
