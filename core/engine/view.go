package engine

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"qcat/core"
	"qcat/ringbuf"
	"qcat/risk"
)

// ViewConfig bounds what a View keeps. Zero means the defaults.
type ViewConfig struct {
	KeepOrders     int // closed orders, on top of all open ones
	KeepExecutions int
	Idle           ringbuf.IdleStrategy
}

// Defaults of ViewConfig.
const (
	DefaultViewOrders     = 1 << 16
	DefaultViewExecutions = 1 << 16
)

// View is the read model: what clients ask for, kept by a goroutine of its own
// (Run) from the event ring, so that no question ever reaches the order lane.
//
// It reads through a gating reader: the engine never overwrites an event that
// View has not seen. A view with a gap would be wrong for good, and there is
// nothing slow in its way, no I/O and no client, so it keeps up; should it be
// descheduled for longer than the ring lasts, the engine holds events back, and
// then commands, instead of losing them. That is the right way round here, and
// nowhere else (I5).
//
// Readers share a lock that the writer takes for viewBatch events, or viewCatchUp
// times as many when it is behind; a reader that walks all orders lets go of it
// every walkChunk of them. Everything returned is a copy.
type View struct {
	engine *Engine
	dir    *core.Directory
	cfg    ViewConfig

	reader *ringbuf.Reader[Event]
	waiter *ringbuf.Waiter
	batch  []Event

	mu         sync.RWMutex
	orders     viewOrders
	closed     fifo[uint32] // slots of orders, in the order in which they closed
	executions fifo[viewExecution]
	edge       viewEdge
	positions  []PositionState
	positionAt map[positionKey]int
	states     []ScopeState

	applied uint64
	changed chan struct{} // closed and replaced when applied advances and somebody waits
	waiters int
	stopped bool

	wanted atomic.Bool // somebody waits for what it has not seen yet
}

// viewExecution is an execution and the sequence of its record.
type viewExecution struct {
	core.Execution
	seq uint64
}

// viewBatch is how many events are read from the ring at a time, and viewCatchUp
// bounds how many full batches are applied under one lock: readers in between cost
// a view that is behind the most.
const (
	viewBatch   = 256
	viewCatchUp = 16
)

// ErrViewStopped is returned by WaitFor when the view no longer runs.
var ErrViewStopped = errors.New("view stopped")

// NewView returns a view of e. Make it before e runs, so that it misses nothing,
// hand its Observe to Restore and Recover, and Run it as long as e runs.
func NewView(e *Engine, cfg ViewConfig) *View {
	if cfg.KeepOrders <= 0 {
		cfg.KeepOrders = DefaultViewOrders
	}
	if cfg.KeepExecutions <= 0 {
		cfg.KeepExecutions = DefaultViewExecutions
	}
	v := &View{
		engine: e, dir: e.cfg.Directory, cfg: cfg,
		reader: e.events.NewGatingReader(), waiter: ringbuf.NewWaiter(cfg.Idle),
		batch:      make([]Event, viewBatch),
		orders:     newViewOrders(2 * min(cfg.KeepOrders, DefaultViewOrders)),
		positionAt: make(map[positionKey]int),
		changed:    make(chan struct{}),
	}
	e.watch(v.tell)
	return v
}

// Backlog is how full the event ring is with what v has not seen, 0 to 1. Any goroutine.
func (v *View) Backlog() float64 {
	return float64(v.reader.Lag()) / float64(v.engine.events.Cap())
}

// Run applies events until ctx is done, then what is left in the ring, and lets
// go of the ring. Cancel ctx after the engine has stopped.
func (v *View) Run(ctx context.Context) {
	unhook := context.AfterFunc(ctx, v.waiter.Wake)
	defer unhook()
	ready := func() bool {
		return v.reader.Ready() || v.engine.Published() != v.applied || ctx.Err() != nil
	}
	pressed := func() bool { return v.wanted.Load() || v.reader.Lag() >= viewBatch || ctx.Err() != nil }
	for {
		done := ctx.Err() != nil
		if v.poll() > 0 {
			v.waiter.Doze(pressed, viewDoze)
			continue
		}
		if done {
			break
		}
		v.waiter.Wait(ready, 50*time.Millisecond)
	}
	v.reader.Close()
	v.mu.Lock()
	v.stopped = true
	close(v.changed)
	v.changed = make(chan struct{})
	v.mu.Unlock()
}

// viewDoze is how long the view leaves new events in the ring unless somebody waits
// for them: to wake it for each order costs the order more than the view's work.
const viewDoze = 200 * time.Microsecond

// tell is called by the engine when something was published. held says that it has no
// room for more.
func (v *View) tell(held bool) {
	if held {
		v.waiter.Wake()
	} else {
		v.waiter.Nudge()
	}
}

// poll applies a batch, and those behind it when it is full, and returns how many
// events it applied.
func (v *View) poll() (applied int) {
	n, upTo := v.read()
	if n == 0 && upTo == v.applied {
		return 0
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for batches := 1; ; batches++ {
		for i := range v.batch[:n] {
			v.apply(&v.batch[i])
		}
		applied += n
		if n < len(v.batch) || batches == viewCatchUp {
			break
		}
		n, upTo = v.read()
	}
	if upTo > v.applied {
		v.advance(upTo)
	}
	return applied
}

// read takes a batch from the ring and returns the sequence that the view reflects
// once it is applied. The published sequence is read before the ring: if the ring
// is then found empty, nothing up to that sequence is missing. After a full batch
// there may be more: what is known is its last whole record.
func (v *View) read() (n int, upTo uint64) {
	upTo = v.engine.Published()
	n, _ = v.reader.Read(v.batch)
	if n == len(v.batch) {
		last := &v.batch[n-1]
		if upTo = last.Seq; !last.Last {
			upTo--
		}
	}
	return n, upTo
}

func (v *View) advance(seq uint64) {
	v.applied = seq
	if v.waiters > 0 {
		close(v.changed)
		v.changed = make(chan struct{})
		v.waiters = 0
		v.wanted.Store(false)
	}
}

// Observe applies one event of a restore or a recovery, before Run.
func (v *View) Observe(ev *Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.orders.restoring = ev.Restored
	v.apply(ev)
	if ev.Restored && ev.Last {
		v.orders.restoring = false
		v.orders.sort()
	}
}

func (v *View) apply(ev *Event) {
	switch ev.Kind {
	case EventOrder:
		v.putOrder(&ev.Order, ev.Seq)
	case EventExecution:
		if ev.Order.ID != 0 {
			v.putOrder(&ev.Order, ev.Seq)
		}
		v.putExecution(&ev.Execution, ev.Seq)
		v.putPosition(&ev.Position)
	case EventState:
		v.putState(ev)
	case EventPosition:
		v.putPosition(&ev.Position)
	}
	if ev.Restored {
		v.edge.restored(ev.Seq)
	}
}

func (v *View) putOrder(o *core.Order, seq uint64) {
	have, fresh, wasOpen := v.orders.put(o, seq)
	if fresh {
		v.edge.orders.reach(uint64(o.ID))
	}
	if o.Status.Open() || !fresh && !wasOpen {
		return
	}
	*v.closed.push() = have.slot
	for v.closed.len() > v.cfg.KeepOrders {
		oldest := v.orders.at(*v.closed.front())
		v.closed.pop()
		v.edge.pass(oldest.seq)
		v.orders.forget(oldest)
	}
}

func (v *View) putExecution(x *core.Execution, seq uint64) {
	v.edge.executions.reach(x.ID)
	*v.executions.push() = viewExecution{*x, seq}
	if v.executions.len() > v.cfg.KeepExecutions {
		v.edge.pass(v.executions.front().seq)
		v.executions.pop()
	}
}

func (v *View) putPosition(p *PositionState) {
	key := positionKey{p.Strategy, p.Instrument, p.Leg}
	at, ok := v.positionAt[key]
	if !ok {
		at = len(v.positions)
		v.positionAt[key] = at
		v.positions = append(v.positions, PositionState{})
	}
	v.positions[at] = *p
}

func (v *View) putState(ev *Event) {
	s := ScopeState{Scope: ev.Scope, State: ev.State, Note: ev.Note, Seq: ev.Seq, Time: ev.Time}
	for i := range v.states {
		if v.states[i].Scope == ev.Scope {
			v.states[i] = s
			return
		}
	}
	v.states = append(v.states, s)
}

// Applied is the journal sequence the view reflects.
func (v *View) Applied() uint64 {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.applied
}

// WaitFor returns once the view reflects journal sequence seq: with the Seq of a
// Reply, a client reads its own writes.
//
// Errors: ctx's, ErrViewStopped.
func (v *View) WaitFor(ctx context.Context, seq uint64) error {
	for {
		v.mu.Lock()
		applied, stopped, changed := v.applied, v.stopped, v.changed
		if applied < seq && !stopped {
			v.waiters++
			v.wanted.Store(true)
			v.waiter.Wake()
		}
		v.mu.Unlock()
		switch {
		case applied >= seq:
			return nil
		case stopped:
			return ErrViewStopped
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// States returns every trading state that was ever set, with who and why, in the
// order in which scopes were first set; an active one was resumed.
func (v *View) States() []ScopeState {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return append([]ScopeState(nil), v.states...)
}

// Stops is how many nodes are halted, by level, and the firm's own state.
func (v *View) Stops() (firm risk.TradingState, halted [risk.LevelInstrument + 1]int) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	for i := range v.states {
		s := &v.states[i]
		if s.Scope.Level == risk.LevelFirm {
			firm = s.State
		}
		if s.State == risk.StateHalted {
			halted[s.Scope.Level]++
		}
	}
	return firm, halted
}

// State is the trading state set on one node alone.
func (v *View) State(s risk.Scope) risk.TradingState {
	v.mu.RLock()
	defer v.mu.RUnlock()
	for i := range v.states {
		if v.states[i].Scope == s {
			return v.states[i].State
		}
	}
	return risk.StateActive
}
