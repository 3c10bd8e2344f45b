package engine

import (
	"context"
	"fmt"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"

	"qcat/core"
	"qcat/core/record"
	"qcat/ringbuf"
)

// Engine is the sequencer. Submit, Put, Serve, Execute, RegisterSink, UnregisterSink, Events, Stats
// and the Define methods are for any goroutine; everything else belongs to the
// goroutine of Run, or to whoever has its turn: what is said here of "the engine's
// goroutine" holds for them as well.
type Engine struct {
	cfg     Config
	m       *machine
	journal Journal
	waiter  *ringbuf.Waiter
	maxIdle time.Duration
	sinks   *sinkTable
	stats   Stats

	kills    *ringbuf.MPSC[Command]
	priority *ringbuf.MPSC[Command]
	reports  *ringbuf.MPSC[Command]
	commands *ringbuf.MPSC[Command]
	control  controlQueue
	turn     turn
	sleeps   time.Duration // for how long Run goes to sleep at most; Run's own

	// Everything below is touched by whoever has the turn only, except the atomics.
	events    *ringbuf.Broadcast[Event]
	outboxes  []outbox
	outboxOf  []int16 // by instrument; -1: no gateway
	internal  fifo[Command]
	killsLeft int // kills that the present backlog still lets in
	deferred  fifo[deferredCancel]
	taken     uint64 // commands taken from the command ring
	held      heldReport
	unsaved   []Command // state changes carried out, to be recorded
	restart   bool      // recovered, and that is not recorded yet
	orphaned  bool      // recovered, and sessions' orders are not cancelled yet
	draining  bool      // Run ends: nobody is asked any more
	leads     bool      // whoever has the turn will call Commit

	doomed    fifo[doomedOrder]
	way       []decrease // what is taken away for a new order
	resolving bool       // and that is being done

	orphansPassed bool // their cancels were sent without a record

	rec       record.Record
	quote     core.Quote
	buf       []byte
	batch     []Command
	sample    uint32
	flushed   uint64 // last sequence handed to Flush
	marks     marks
	breaches  breaches
	closer    closer
	gated     bool  // the event ring had no room at the last try
	full      bool  // the journal had no room at the last try
	failed    error // the journal takes no more records
	published atomic.Uint64
	answered  atomic.Uint64
	unknown   atomic.Int64 // open orders that are Unknown
	watchers  atomic.Pointer[[]func(bool)]
	state     atomic.Uint32 // Health

	runMu   sync.Mutex
	running bool
}

// New returns an engine with an empty state. Recover it from a journal or
// define what it trades, then Run it.
func New(cfg Config) *Engine {
	cfg = cfg.withDefaults()
	e := &Engine{
		cfg: cfg, m: newMachine(&cfg), journal: cfg.Journal,
		waiter: ringbuf.NewWaiter(cfg.Idle), maxIdle: timersEvery,
		sinks:    newSinkTable(cfg.MaxSinks),
		kills:    ringbuf.NewMPSC[Command](cfg.KillRing),
		priority: ringbuf.NewMPSC[Command](cfg.PriorityRing),
		reports:  ringbuf.NewMPSC[Command](cfg.ReportRing),
		commands: ringbuf.NewMPSC[Command](cfg.CommandRing),
		events:   ringbuf.NewBroadcast[Event](cfg.EventRing),
		outboxOf: []int16{-1},
		batch:    make([]Command, cfg.Batch),
		buf:      make([]byte, 0, 1024),
	}
	e.turn.claim() // until Run begins
	e.outboxes = newOutboxes(cfg.Gateways)
	return e
}

// Submit hands c over and returns false when its ring is full: a new order is
// then shed (the caller answers "overloaded"), a gateway offers its report again.
// Any goroutine; does not wait.
func (e *Engine) Submit(c *Command) bool {
	if !e.Put(c) {
		return false
	}
	e.notify()
	return true
}

// Put is Submit for a caller that has more to hand over and calls Serve then: until it
// does, nobody is told of c. Any goroutine.
func (e *Engine) Put(c *Command) bool {
	if e.ringOf(c).Put(c) {
		return true
	}
	e.stats.Shed.add(1)
	e.stats.Tally.shed(c.Kind)
	return false
}

func (e *Engine) ringOf(c *Command) *ringbuf.MPSC[Command] {
	switch c.Kind {
	case CmdState, CmdCancelAll:
		return e.kills
	case CmdCancel, CmdCountdown:
		return e.priority
	case CmdReport:
		return e.reports
	}
	return e.commands
}

// Queue is one of the rings in which commands wait.
type Queue struct {
	Name string
	Cap  int
	Len  func() int // any goroutine
}

// Queues are the rings in which commands wait.
func (e *Engine) Queues() []Queue {
	return []Queue{
		{"orders", e.commands.Cap(), e.commands.Len},
		{"reports", e.reports.Cap(), e.reports.Len},
		{"cancels", e.priority.Cap(), e.priority.Len},
		{"kills", e.kills.Cap(), e.kills.Len},
	}
}

// RegisterSink returns the name under which commands ask for answers to s, and
// false when there are too many sinks.
func (e *Engine) RegisterSink(s ReplySink) (ReplyTo, bool) { return e.sinks.register(s) }

// UnregisterSink ends deliveries to a sink. One that is under way may still be
// finishing when it returns.
func (e *Engine) UnregisterSink(to ReplyTo) { e.sinks.unregister(to) }

// Events is the ring of what happened, in journal order. A gating reader holds
// back events, and with them at last the engine: only a reader that does nothing
// but memory work, as View, may gate.
func (e *Engine) Events() *ringbuf.Broadcast[Event] { return e.events }

// Published is a journal sequence: the events of all records up to it are in the
// event ring.
func (e *Engine) Published() uint64 { return e.published.Load() }

// Answered is a journal sequence that covers every answer given so far: who waits
// until the View reflects it sees what any client has been told. It is at or
// ahead of Published.
func (e *Engine) Answered() uint64 { return e.answered.Load() }

// Stats are the engine's own measurements.
func (e *Engine) Stats() *Stats { return &e.stats }

// Directory resolves names; what it holds is defined through the Engine.
func (e *Engine) Directory() *core.Directory { return e.cfg.Directory }

// Health tells whether the engine can take orders.
type Health uint32

const (
	HealthStopped Health = iota
	HealthRunning
	HealthJournalFull   // orders are refused until the journal has room again
	HealthJournalFailed // orders are refused for good
)

var healthNames = [...]string{"stopped", "running", "journal_full", "journal_failed"}

// String returns the name used in JSON.
func (h Health) String() string {
	if int(h) < len(healthNames) {
		return healthNames[h]
	}
	return "unknown"
}

// Health is the engine's present condition. Any goroutine.
func (e *Engine) Health() Health { return Health(e.state.Load()) }

// timersEvery bounds how long an idle engine goes without looking at its timers.
const timersEvery = 5 * time.Millisecond

// Run is the duty cycle; it returns when ctx is done and everything submitted
// before has been taken, committed and sent, or when DrainTimeout has passed.
//
// Errors: ErrRunning; one that wraps ErrJournal when the journal has failed, or
// ErrDrain when something was left.
func (e *Engine) Run(ctx context.Context) error {
	if err := e.start(); err != nil {
		return err
	}
	defer e.stop()
	unhook := context.AfterFunc(ctx, e.waiter.Wake)
	defer unhook()
	pprof.SetGoroutineLabels(pprof.WithLabels(ctx, pprof.Labels("lane", "orders")))
	ready := func() bool { return ctx.Err() != nil || e.looksForWork() }
	e.turn.free()
	for ctx.Err() == nil {
		if work, idle := e.dutyOfRun(); work == 0 {
			e.waiter.Wait(ready, idle)
		}
	}
	e.turn.await()
	return e.drain()
}

// dutyOfRun is a duty cycle, unless a guest carries one out, and how long to sleep when
// there was nothing to do.
func (e *Engine) dutyOfRun() (work int, idle time.Duration) {
	e.sleeps = e.maxIdle
	if !e.turn.claim() {
		return 0, e.sleeps
	}
	defer e.turn.free()
	if work = e.duty(); work > 0 {
		return work, 0
	}
	e.sleeps = e.idleTime()
	return 0, e.sleeps
}

// looksForWork reports whether there is work for Run, or will be before it means to
// look again: a guest may have left some. What there is while a guest is at it, the
// guest sees to.
func (e *Engine) looksForWork() bool {
	if !e.turn.claim() {
		return false
	}
	defer e.turn.free()
	return e.hasWork() || e.idleTime() < e.sleeps
}

func (e *Engine) start() error {
	e.runMu.Lock()
	defer e.runMu.Unlock()
	switch {
	case e.running:
		return ErrRunning
	case e.journal == nil || e.cfg.Quotes == nil:
		return fmt.Errorf("engine: Config needs a Journal and Quotes to run")
	}
	e.running, e.draining = true, false
	e.journal.Notify(e.Serve)
	e.setHealth()
	if err := e.syncDirectory(); err != nil {
		e.running = false
		return err
	}
	return nil
}

func (e *Engine) stop() {
	e.runMu.Lock()
	defer e.runMu.Unlock()
	e.running = false
	e.state.Store(uint32(HealthStopped))
	for e.control.run() > 0 { // whoever was waiting
	}
}

// drain takes what was submitted, and waits for the journal to commit it and for
// the gateways to take what was promised, but no longer than DrainTimeout.
func (e *Engine) drain() error {
	e.draining = true
	for waited := time.Duration(0); waited < e.cfg.DrainTimeout; {
		if e.duty() > 0 {
			continue
		}
		if e.m.out.len() == 0 && !e.waitsForGateway() && !e.hasWork() && (e.failed != nil || e.recorded()) {
			return e.failed
		}
		e.waiter.Wait(e.hasWork, time.Millisecond)
		waited += time.Millisecond
	}
	if e.failed != nil {
		return e.failed
	}
	return fmt.Errorf("%w: records up to %d, committed up to %d, commands waiting for a gateway: %v; "+
		"not recorded: %d state changes, a venue's report: %v, %d orders withheld, %d cancels",
		ErrDrain, e.m.seq, e.journal.Committed(), e.waitsForGateway(),
		len(e.unsaved), e.held.waiting, e.internal.len(), e.deferred.len())
}

// recorded reports whether the journal has everything that the engine holds for
// it: kills carried out without a record, a fill it had no room for, what was
// withheld, and cancels put aside.
func (e *Engine) recorded() bool {
	return len(e.unsaved) == 0 && e.breaches.passed == 0 && !e.held.waiting && e.internal.len() == 0 && e.deferred.len() == 0
}

func (e *Engine) waitsForGateway() bool {
	for i := range e.outboxes {
		if e.outboxes[i].queue.len() > 0 {
			return true
		}
	}
	return false
}

// hasWork is what the waiter looks at. Outputs that wait for a commit, and
// commands that wait for a gateway, are looked at again when idleTime has passed
// or the journal wakes the engine.
func (e *Engine) hasWork() bool {
	if e.m.out.len() > 0 && e.committable() {
		return true
	}
	if e.control.waiting.Load() != 0 {
		return true
	}
	if e.backlogged() {
		return e.killsLeft > 0 && e.kills.Ready()
	}
	return e.kills.Ready() || e.priority.Ready() || e.commands.Ready() || (e.reports.Ready() && !e.held.waiting)
}

// idleTime is how long the engine may sleep.
func (e *Engine) idleTime() time.Duration {
	if idle := e.soon(); idle < e.maxIdle || e.m.out.events.len() == 0 {
		return idle
	}
	return time.Millisecond
}

// soon is when the engine is to look again if nobody tells it to: at what a gateway, the
// journal or a reader of the events had no room for. Of a commit it is told.
func (e *Engine) soon() time.Duration {
	switch {
	case e.waitsForGateway(), e.waitsToAsk():
		return 200 * time.Microsecond
	case e.full, e.gated:
		return time.Millisecond
	}
	return e.maxIdle
}

func (e *Engine) setHealth() {
	h := HealthRunning
	switch {
	case e.failed != nil:
		h = HealthJournalFailed
	case e.full:
		h = HealthJournalFull
	}
	e.state.Store(uint32(h))
}
