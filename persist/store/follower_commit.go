package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"go.uber.org/zap"
)

// commit stores a batch, however long it takes. After an error nobody knows whether
// it was stored: the store is asked where it stands, and that decides.
func (f *Follower) commit(b *Batch) error {
	began := f.cfg.Clock.Now()
	for {
		cause := f.call(func(ctx context.Context) error { return f.cfg.Store.Write(ctx, b) })
		if cause == nil {
			break
		}
		f.trouble("writing", cause)
		stored, err := f.settle(b)
		if err != nil {
			return err
		}
		if stored {
			break
		}
		if permanent(cause) {
			return cause
		}
		f.pause()
	}
	f.recovered()
	f.stored = b.To
	f.letGo(b.To)
	unknown := uint64(0)
	if f.ticks != nil {
		unknown = f.ticks.Unknown()
	}
	f.stat.committed(b, f.cfg.Clock.Now()-began, unknown)
	return nil
}

// letGo tells the log what need not be kept for the store any more.
func (f *Follower) letGo(stored uint64) {
	if s, ok := f.cfg.Store.(Syncer); ok {
		stored = min(stored, s.Synced(f.cfg.Stream))
	}
	f.hold.Advance(stored)
}

// settle asks until it is told whether a batch is stored. A write that is still
// under way at the other end may be stored later than that: the next one is then
// refused, and asked about again.
func (f *Follower) settle(b *Batch) (stored bool, err error) {
	err = f.insist("asking where it stands", func(ctx context.Context) error {
		at, err := f.cfg.Store.Position(ctx, b.Stream)
		switch {
		case err != nil:
			return err
		case at.Seq > 0 && at.Log != b.Log:
			return fmt.Errorf("%w: %s holds %s %x now", ErrForeign, f.cfg.Name, b.Stream, at.Log)
		case at.Seq < f.stored:
			return f.rewound(at)
		case at.Seq != b.To && at.Seq != b.From-1:
			return fmt.Errorf("%w: %s stands at %d, the batch goes from %d to %d: somebody else writes to it", ErrPosition,
				f.cfg.Name, at.Seq, b.From, b.To)
		}
		stored = at.Seq == b.To
		return nil
	})
	return stored, err
}

// errRewound is wrapped when a store stands before what it had stored.
var errRewound = errors.New("store: went back")

func (f *Follower) rewound(at Position) error {
	return fmt.Errorf("%w: %s stands at %d, it was at %d", errRewound, f.cfg.Name, at.Seq, f.stored)
}

// insist makes a call until it succeeds, ctx ends or its error is permanent.
func (f *Follower) insist(what string, call func(ctx context.Context) error) error {
	for {
		err := f.call(call)
		switch {
		case err == nil:
			return nil
		case f.ctx.Err() != nil:
			return f.ctx.Err()
		}
		f.trouble(what, err)
		if permanent(err) {
			return err
		}
		f.pause()
	}
}

// call bounds one call of the store.
func (f *Follower) call(call func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(f.ctx, f.cfg.CallTimeout)
	defer cancel()
	return call(ctx)
}

// permanent reports whether trying again is of no use.
func permanent(err error) bool {
	return errors.Is(err, ErrForeign) || errors.Is(err, ErrPosition) || errors.Is(err, ErrSchema) || errors.Is(err, ErrRecord) ||
		errors.Is(err, errRewound)
}

// trouble counts an error, and logs the first of a row.
func (f *Follower) trouble(what string, err error) {
	now := f.cfg.Clock.Now()
	if f.stat.failed(err, now) == 1 {
		f.troubled = now
		f.cfg.Logger.Warn("store does not answer", zap.String("what", what), zap.Error(err))
	}
}

// recovered ends a row of errors.
func (f *Follower) recovered() {
	f.retry = f.cfg.RetryMin
	if n := f.stat.answered(); n > 0 {
		f.cfg.Logger.Info("store answers again", zap.Uint64("errors", n),
			zap.Duration("after", time.Duration(f.cfg.Clock.Now()-f.troubled)))
	}
}

// pause waits before another try: longer each time, and rarely as long as another
// follower.
func (f *Follower) pause() {
	wait := f.retry/2 + rand.N(f.retry/2+1)
	f.retry = min(2*f.retry, f.cfg.RetryMax)
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
	case <-f.ctx.Done():
	}
}
