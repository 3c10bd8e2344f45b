package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

// controlQueue carries rare calls into the engine's goroutine: definitions,
// limits, questions about the limit tree. It is unbounded only in the number of
// callers, each of which waits for its own.
type controlQueue struct {
	waiting atomic.Int32
	mu      sync.Mutex
	calls   []controlCall
}

type controlCall struct {
	f    func()
	done chan struct{}
}

// maxControl is how many calls a duty cycle makes.
const maxControl = 16

// run makes the calls that wait. Engine goroutine.
func (q *controlQueue) run() int {
	if q.waiting.Load() == 0 {
		return 0
	}
	q.mu.Lock()
	n := min(len(q.calls), maxControl)
	calls := append([]controlCall(nil), q.calls[:n]...)
	q.calls = append(q.calls[:0], q.calls[n:]...)
	q.waiting.Store(int32(len(q.calls)))
	q.mu.Unlock()
	for _, c := range calls {
		c.f()
		close(c.done)
	}
	return n
}

// onEngine runs f where it may touch the state: on the engine's goroutine while
// there is one, else here. It returns when f has run.
func (e *Engine) onEngine(f func()) {
	e.runMu.Lock()
	if !e.running {
		defer e.runMu.Unlock()
		f()
		return
	}
	call := controlCall{f, make(chan struct{})}
	e.control.mu.Lock()
	e.control.calls = append(e.control.calls, call)
	e.control.waiting.Store(int32(len(e.control.calls)))
	e.control.mu.Unlock()
	e.runMu.Unlock()
	e.notify()
	<-call.done
}

// Query runs f on the engine's goroutine with the limit tree, which f may only
// read, and the journal sequence it reflects. It delays orders by what f costs:
// keep it to a few nodes, and copy what is to be kept. Like the Define methods it
// waits for the engine: not to be called from a ReplySink.
func (e *Engine) Query(f func(tree *risk.Tree, seq uint64)) {
	e.onEngine(func() { f(e.m.tree, e.m.seq) })
}

// DefineInstrument adds an instrument to the directory, the journal and the limit
// tree, or returns the one there is when it says the same. Before Run it may also
// change the filters of one, as venues do while nobody watches: open orders stay.
//
// Errors: those of Directory.AddInstrument and RedefineInstrument; the journal's.
func (e *Engine) DefineInstrument(in core.Instrument) (out *core.Instrument, err error) {
	e.onEngine(func() {
		old := e.cfg.Directory.InstrumentNamed(in.Name())
		if old != nil && !e.running {
			out, err = e.redefine(old, in)
			return
		}
		if out, err = e.cfg.Directory.AddInstrument(in); err == nil {
			err = e.syncDirectory()
		}
	})
	return out, err
}

// redefine records a definition of an instrument that has one, and only then puts
// it into the directory: a journal that does not take it leaves the old one.
func (e *Engine) redefine(old *core.Instrument, in core.Instrument) (*core.Instrument, error) {
	if err := e.syncDirectory(); err != nil {
		return nil, err
	}
	if in.ID = old.ID; in == *old {
		return old, nil
	}
	if err := in.Validate(); err != nil {
		return nil, err
	}
	if err := in.MayRedefine(old); err != nil {
		return nil, err
	}
	e.rec.Type, e.rec.Instrument.Definition = record.TypeInstrument, in
	if _, err := e.define(); err != nil {
		return nil, err
	}
	return e.cfg.Directory.RedefineInstrument(in)
}

// DefineAccount adds an account and its default strategy, or returns the one
// there is.
func (e *Engine) DefineAccount(name string) (out *core.Account, err error) {
	e.onEngine(func() {
		if out, err = e.cfg.Directory.AddAccount(name); err == nil {
			err = e.syncDirectory()
		}
	})
	return out, err
}

// DefineStrategy adds a strategy of an account, or returns the one there is.
func (e *Engine) DefineStrategy(account core.AccountID, name string) (out *core.Strategy, err error) {
	e.onEngine(func() {
		if out, err = e.cfg.Directory.AddStrategy(account, name); err == nil {
			err = e.syncDirectory()
		}
	})
	return out, err
}

// DefineLimits replaces the limits of a node and returns the journal sequence.
// Nothing is recorded when they are those it has. It is the operator's seed, for a
// node that has no limits yet, and asks nobody: a change of limits that are in force
// is proposed (ProposeLimits). Overrides of the node end with it, and it stays.
//
// Errors: one that wraps ErrRefused with the reason; the journal's.
func (e *Engine) DefineLimits(s risk.Scope, l risk.Limits) (seq uint64, err error) {
	e.onEngine(func() {
		s = e.m.normalScope(s)
		if reason := e.m.changeable(s, &l); !reason.OK() {
			err = fmt.Errorf("%w: %s", ErrRefused, reason.Code)
			return
		}
		if e.m.tree.Limits(s) == l {
			seq = e.m.seq
			return
		}
		e.rec.Type = record.TypeLimits
		limitsToRecord(s, &l, &e.rec.Limits)
		seq, err = e.define()
	})
	return seq, err
}

// SeedLimits is DefineLimits for a node that has no limits, in force or coming back
// after an override. It reports whether it was one, and changes nothing if not.
//
// Errors: those of DefineLimits, also for a node that has limits.
func (e *Engine) SeedLimits(s risk.Scope, l risk.Limits) (seeded bool, err error) {
	e.onEngine(func() {
		s = e.m.normalScope(s)
		if reason := e.m.changeable(s, &l); !reason.OK() {
			err = fmt.Errorf("%w: %s", ErrRefused, reason.Code)
			return
		}
		has := e.m.tree.Limits(s)
		seeded = has.Len() == 0 && !e.m.changes.overridden(s)
	})
	if seeded {
		_, err = e.DefineLimits(s, l)
	}
	return seeded, err
}

// DefineRate sets what one unit of a currency is worth in the risk currency, in
// PPM, and returns the journal sequence.
func (e *Engine) DefineRate(currency string, ppm int64) (seq uint64, err error) {
	e.onEngine(func() {
		if reason := risk.NewTree(risk.Config{}).SetRate(currency, ppm); !reason.OK() || len(currency) > core.MaxNameLen {
			err = fmt.Errorf("%w: %s", ErrRefused, reason.Code)
			return
		}
		if e.m.tree.Rate(currency) == ppm {
			seq = e.m.seq
			return
		}
		e.rec.Type = record.TypeRate
		e.rec.Rate = record.Rate{PPM: ppm, Currency: currency}
		seq, err = e.define()
	})
	return seq, err
}

// syncDirectory records every definition of the directory that is not recorded
// yet, in id order: ids then come out the same on replay, whoever else defined
// something.
func (e *Engine) syncDirectory() error {
	r := &e.rec
	for {
		in := e.cfg.Directory.Instrument(core.InstrumentID(len(e.m.instruments)))
		a := e.cfg.Directory.Account(core.AccountID(e.m.accounts + 1))
		s := e.cfg.Directory.Strategy(core.StrategyID(len(e.m.strategies)))
		switch {
		case in != nil:
			r.Type, r.Instrument.Definition = record.TypeInstrument, *in
		case a != nil:
			r.Type, r.Account = record.TypeAccount, record.Account{ID: a.ID, Name: a.Name}
		case s != nil:
			r.Type, r.Strategy = record.TypeStrategy, record.Strategy{ID: s.ID, Account: s.Account, Name: s.Name}
		default:
			return nil
		}
		if _, err := e.define(); err != nil {
			return err
		}
	}
}

// define appends and applies the definition in e.rec.
func (e *Engine) define() (uint64, error) { return e.defineAt(e.cfg.Clock.Now()) }

func (e *Engine) defineAt(now core.Nanos) (uint64, error) {
	switch {
	case e.journal == nil:
		return 0, fmt.Errorf("%w: there is none", ErrJournal)
	case e.failed != nil:
		return 0, e.failed
	}
	e.rec.Header.Seq = e.m.seq + 1
	e.rec.Header.Time = max(now, e.m.now)
	e.m.decide(&e.rec)
	if err := e.appendDefinition(); err != nil {
		return 0, err
	}
	e.m.apply(&e.rec, e.buf)
	return e.rec.Seq, nil
}

// appendDefinition appends the record of a definition. Before Run nobody else makes
// room in the journal: a start with more definitions than its buffer holds waits for
// those before to be committed.
func (e *Engine) appendDefinition() error {
	err := e.append(&e.rec)
	if e.running || !errors.Is(err, ErrFull) || e.journal.Committed() >= e.m.seq {
		return err
	}
	if err := e.settle(context.Background()); err != nil {
		return err
	}
	return e.append(&e.rec)
}
