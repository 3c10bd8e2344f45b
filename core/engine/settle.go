package engine

import (
	"context"
	"fmt"
	"time"
)

// Settle waits until everything recorded before Run has been committed: ids that
// are given out survive then, and others may use them.
//
// Errors: ErrRunning; ctx's; one that wraps ErrJournal.
func (e *Engine) Settle(ctx context.Context) error {
	e.runMu.Lock()
	defer e.runMu.Unlock()
	if e.running {
		return ErrRunning
	}
	if e.journal == nil {
		return fmt.Errorf("%w: there is none", ErrJournal)
	}
	return e.settle(ctx)
}

// settle is Settle where the engine does not run and has a journal. Who calls it has
// runMu.
func (e *Engine) settle(ctx context.Context) error {
	e.journal.Notify(e.Serve)
	e.flush()
	unhook := context.AfterFunc(ctx, e.waiter.Wake)
	defer unhook()
	ready := func() bool {
		return e.journal.Committed() >= e.m.seq || e.journal.Err() != nil || ctx.Err() != nil
	}
	for !ready() {
		e.waiter.Wait(ready, time.Second)
	}
	switch {
	case e.failed != nil:
		return e.failed
	case e.journal.Committed() >= e.m.seq:
		return nil
	case e.journal.Err() != nil:
		return fmt.Errorf("%w: %w", ErrJournal, e.journal.Err())
	}
	return ctx.Err()
}
