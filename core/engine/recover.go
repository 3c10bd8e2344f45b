package engine

import (
	"fmt"
	"iter"
)

// Recovery says who is told of a recovery. The zero value tells nobody.
type Recovery struct {
	// Observe sees every event, as the event ring would have carried it.
	Observe func(*Event)
	// Progress is called every ProgressEvery records, and at the end, with the
	// sequence reached.
	Progress func(seq uint64)
}

// ProgressEvery is how many records a recovery folds between two calls of
// Recovery.Progress.
const ProgressEvery = 1 << 16

// Recover is RecoverLog for records that come without errors.
func (e *Engine) Recover(records iter.Seq[[]byte], observe func(*Event)) error {
	return e.RecoverLog(func(yield func([]byte, error) bool) {
		for rec := range records {
			if !yield(rec, nil) {
				return
			}
		}
	}, Recovery{Observe: observe})
}

// RecoverLog folds the records of a journal into the engine, from the first one on
// or, after a Restore or another recovery, from the one after Seq: the same code
// that wrote them decides on each input again and must come to the same record,
// byte for byte. Nothing is sent and nobody is answered.
//
// Errors: ErrRunning; one that wraps ErrDiverged, record's or the log's, with the
// sequence. The engine is then of no use.
func (e *Engine) RecoverLog(records iter.Seq2[[]byte, error], r Recovery) error {
	e.runMu.Lock()
	defer e.runMu.Unlock()
	if e.running {
		return ErrRunning
	}
	for rec, err := range records {
		if err == nil {
			err = e.replayOne(rec, r.Observe)
		}
		if err != nil {
			return fmt.Errorf("record %d: %w", e.m.seq+1, err)
		}
		if r.Progress != nil && e.m.seq%ProgressEvery == 0 {
			r.Progress(e.m.seq)
		}
	}
	e.takeOver()
	if r.Progress != nil {
		r.Progress(e.m.seq)
	}
	return nil
}

// takeOver goes on from a state that was recovered: everything up to it has been
// committed, answered and published, and a Run begins with what a restart records.
func (e *Engine) takeOver() {
	e.restart = e.m.seq > 0
	e.orphaned = e.restart
	e.unknown.Store(int64(e.m.unknown))
	e.flushed = e.m.seq
	e.published.Store(e.m.seq)
	e.answered.Store(e.m.seq)
}
