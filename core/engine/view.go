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
	orders     map[core.OrderID]*viewOrder
	newest     *viewOrder // the one of the highest id
	near       *viewOrder // where an order was put last
	restoring  bool       // the orders are those of a snapshot, not yet in order
	spare      *viewOrder // forgotten ones, linked by older
	byClOrdID  map[clOrdKey]core.OrderID
	closed     fifo[core.OrderID]
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

// viewOrder is an order and its neighbours by id.
type viewOrder struct {
	order        core.Order
	seq          uint64 // of the record that changed it last
	newer, older *viewOrder
}

// viewExecution is an execution and the sequence of its record.
type viewExecution struct {
	core.Execution
	seq uint64
}

type clOrdKey struct {
	account core.AccountID
	id      core.ClOrdID
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
		orders:     make(map[core.OrderID]*viewOrder),
		byClOrdID:  make(map[clOrdKey]core.OrderID),
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
	v.restoring = ev.Restored
	v.apply(ev)
	if ev.Restored && ev.Last {
		v.restoring = false
		v.orderByID()
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
	have := v.orders[o.ID]
	fresh := have == nil
	if fresh {
		have = v.place(o.ID)
		v.orders[o.ID] = have
		v.edge.orders.reach(uint64(o.ID))
		if key := (clOrdKey{o.Account, o.ClOrdID}); o.ClOrdID.Len() > 0 && v.byClOrdID[key] < o.ID {
			v.byClOrdID[key] = o.ID // of a name used again, the last order
		}
	}
	closes := !o.Status.Open() && (fresh || have.order.Status.Open())
	have.order, have.seq = *o, seq
	if !closes {
		return
	}
	*v.closed.push() = o.ID
	for v.closed.len() > v.cfg.KeepOrders {
		v.forget(*v.closed.front())
		v.closed.pop()
	}
}

// place puts an empty order where its id belongs: at the newest end, for ids ascend,
// except for one that was forgotten and comes again by a late fill. Those of a
// snapshot come in any order and are put in theirs by orderByID.
func (v *View) place(id core.OrderID) *viewOrder {
	var newer *viewOrder
	older := v.newest
	if older != nil && older.order.ID > id && !v.restoring {
		older = v.near
		for ; older != nil && older.order.ID > id; older = older.older {
			newer = older
		}
		if newer == nil {
			for older.newer.order.ID < id { // ends: the newest one's is higher
				older = older.newer
			}
			newer = older.newer
		}
	}
	o := v.spare
	if o != nil {
		v.spare = o.older
	} else {
		o = &viewOrder{}
	}
	*o = viewOrder{newer: newer, older: older}
	o.order.ID = id
	if newer != nil {
		newer.older = o
	} else {
		v.newest = o
	}
	if older != nil {
		older.newer = o
	}
	v.near = o
	return o
}

func (v *View) forget(id core.OrderID) {
	o := v.orders[id]
	delete(v.orders, id)
	v.edge.pass(o.seq)
	key := clOrdKey{o.order.Account, o.order.ClOrdID}
	if v.byClOrdID[key] == id {
		delete(v.byClOrdID, key)
	}
	if o.newer != nil {
		o.newer.older = o.older
	} else {
		v.newest = o.older
	}
	if o.older != nil {
		o.older.newer = o.newer
	}
	if v.near == o {
		v.near = v.newest
	}
	*o = viewOrder{older: v.spare}
	v.spare = o
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
