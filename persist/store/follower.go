package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"qcat/core"
	"qcat/core/history"
	"qcat/ringbuf"
)

// Config is what a Follower is made of.
type Config struct {
	Stream Stream // which projection makes the rows
	Log    Log    // required
	Store  Store  // required
	Name   string // of the store, in the log's holds and in messages; required

	// BatchRows, BatchRecords and BatchInterval end a batch: as many rows, as many
	// records, or as long after its first record.
	BatchRows     int
	BatchRecords  int
	BatchInterval time.Duration
	// RetryMin and RetryMax bound the pause after an error: it doubles from one to
	// the other, with jitter.
	RetryMin, RetryMax time.Duration
	// CallTimeout bounds one call of the store, so that a peer that is gone without
	// a word is found.
	CallTimeout time.Duration

	Texts Texts // of the journal's projection

	// Of the ticks.
	SampleEvery time.Duration   // least time between two quotes of an instrument
	Directory   *core.Directory // ticks of other instruments are left out; nil: none are

	Clock  core.Clock // default: core.SystemClock
	Logger *zap.Logger
}

// Defaults of Config.
const (
	DefaultBatchRows     = 8192
	DefaultBatchRecords  = 8 * DefaultBatchRows
	DefaultBatchInterval = 200 * time.Millisecond
	DefaultRetryMin      = 100 * time.Millisecond
	DefaultRetryMax      = 5 * time.Second
	DefaultCallTimeout   = 60 * time.Second
)

func (c Config) withDefaults() Config {
	setDefault(&c.BatchRows, DefaultBatchRows)
	setDefault(&c.BatchRecords, DefaultBatchRecords)
	setDefault(&c.BatchInterval, DefaultBatchInterval)
	setDefault(&c.RetryMin, DefaultRetryMin)
	setDefault(&c.RetryMax, DefaultRetryMax)
	setDefault(&c.CallTimeout, DefaultCallTimeout)
	if c.Clock == nil {
		c.Clock = core.SystemClock()
	}
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	c.Logger = c.Logger.With(zap.String("store", c.Name), zap.Stringer("stream", c.Stream))
	return c
}

func setDefault[T int | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

// projection is what makes the rows of a stream.
type projection interface {
	Apply(rec []byte) error
	Position() Position
	Rows() int
	Take() *Batch
}

// Follower carries the rows of one log to one store. While the store does not
// answer it keeps one batch, and the log keeps the rest.
type Follower struct {
	cfg  Config
	hold Hold
	wake *ringbuf.Waiter
	stat status

	// Of Run's goroutine.
	ctx      context.Context
	project  projection
	ticks    *TicksProjection // project, of the ticks
	reader   Reader
	stored   uint64        // record up to which the store was filled
	broken   bool          // the next tick does not follow on what is stored: see attach
	retry    time.Duration // the next pause
	troubled core.Nanos    // when the row of errors began
	readable func() bool
	ended    func() bool
}

// NewFollower returns a follower. From now on the log keeps what the store does not
// have, so all followers are made before the log's retention begins.
func NewFollower(c Config) *Follower {
	c = c.withDefaults()
	f := &Follower{cfg: c, hold: c.Log.Hold(c.Name), wake: ringbuf.NewWaiter(ringbuf.Park), retry: c.RetryMin}
	f.ended = func() bool { return f.ctx.Err() != nil }
	f.readable = func() bool { return f.ctx.Err() != nil || f.cfg.Log.Last() > f.project.Position().Seq }
	f.stat.init(&f.cfg)
	return f
}

// Run follows the log until ctx ends, and then returns nil. What is not stored by
// then is stored by the next Run. A store that turns out to stand before what it had
// stored, because a standby took over that had not received it, is filled again.
//
// Errors, each for good and also in Stats: ErrForeign, ErrPosition, ErrGone,
// ErrRecord, ErrSchema; the reader's.
func (f *Follower) Run(ctx context.Context) error {
	f.ctx = ctx
	defer context.AfterFunc(ctx, f.wake.Wake)()
	f.cfg.Log.Watch(f.wake)
	defer f.cfg.Log.Unwatch(f.wake)
	err := f.run()
	if f.reader != nil {
		err = errors.Join(err, f.reader.Close())
		f.reader = nil
	}
	if ctx.Err() != nil {
		f.stat.ended(nil)
		return nil
	}
	f.stat.ended(err)
	f.cfg.Logger.Error("store does not follow any more", zap.Error(err))
	return err
}

func (f *Follower) run() error {
	if err := f.load(); err != nil {
		return err
	}
	for f.ctx.Err() == nil {
		if f.reader == nil {
			if err := f.attach(); err != nil {
				return err
			}
			continue
		}
		err := f.carry()
		if errors.Is(err, errRewound) {
			err = f.rewind(err)
		}
		if err != nil {
			return err
		}
	}
	return f.ctx.Err()
}

// carry stores one batch.
func (f *Follower) carry() error {
	if err := f.fill(); err != nil {
		return err
	}
	if b := f.project.Take(); b != nil {
		return f.commit(b)
	}
	return nil
}

// rewind begins anew where a store stands that went back: a standby took over that had
// not received the last transactions, or an older copy was put in its place. Rows and
// position go back together, so that nothing is lost or doubled by following again from
// there, as long as the log reaches back that far.
func (f *Follower) rewind(why error) error {
	f.cfg.Logger.Warn("the store went back; it is filled again from where it stands", zap.Error(why))
	f.broken = false
	if err := f.detach(); err != nil {
		return err
	}
	f.pause()
	return f.load()
}

// load begins where the store stands.
func (f *Follower) load() error {
	var state *State
	err := f.insist("loading", func(ctx context.Context) (err error) {
		state, err = f.cfg.Store.Load(ctx, f.cfg.Stream)
		return err
	})
	if err != nil {
		return err
	}
	id := f.cfg.Log.ID()
	if state.Position.Seq > 0 && state.Position.Log != id {
		return fmt.Errorf("%w: %s holds %s %x up to record %d, this is %x", ErrForeign, f.cfg.Name, f.cfg.Stream,
			state.Position.Log, state.Position.Seq, id)
	}
	if f.cfg.Stream == Ticks {
		f.ticks = NewTicksProjection(id, state, f.cfg.Directory, core.Nanos(f.cfg.SampleEvery))
		f.project = f.ticks
	} else {
		p := NewJournalProjection(id, state, f.find)
		p.Tell(f.cfg.Texts)
		f.project = p
	}
	f.recovered()
	f.stored = state.Position.Seq
	f.letGo(state.Position.Seq)
	f.stat.loaded(state.Position)
	return nil
}

// find looks up a closed order. A store that does not have it may have gone back.
func (f *Follower) find(id core.OrderID) (history.Order, bool, error) {
	ctx, cancel := context.WithTimeout(f.ctx, f.cfg.CallTimeout)
	defer cancel()
	o, found, err := f.cfg.Store.Order(ctx, id)
	if found || err != nil {
		return o, found, err
	}
	at, err := f.cfg.Store.Position(ctx, f.cfg.Stream)
	if err == nil && at.Seq < f.stored {
		err = f.rewound(at)
	}
	return o, false, err
}

// fill applies records until a batch is full or its time is up, waiting for the
// first record as long as it takes.
func (f *Follower) fill() error {
	began, dozed := core.Nanos(0), false
	for n := 0; f.ctx.Err() == nil; {
		rec, ok, err := f.reader.Next()
		switch {
		case errors.Is(err, ErrGone) && f.ticks != nil:
			return f.detach()
		case err != nil:
			return fmt.Errorf("reading the %s: %w", f.cfg.Stream, err)
		case ok:
			if err := f.apply(rec); err != nil {
				return err
			}
			if n++; n == 1 {
				began = f.cfg.Clock.Now()
			}
			if n >= f.cfg.BatchRecords || f.project.Rows() >= f.cfg.BatchRows || n%64 == 0 && f.left(began) <= 0 {
				return nil
			}
		case n == 0:
			f.wake.Wait(f.readable, time.Minute)
		default:
			left := f.left(began)
			if dozed || left <= 0 {
				return nil
			}
			dozed = true
			f.wake.Doze(f.ended, left) // what comes meanwhile is read when the batch is due
		}
	}
	return nil
}

// left is what is left of a batch's interval.
func (f *Follower) left(began core.Nanos) time.Duration {
	return f.cfg.BatchInterval - time.Duration(f.cfg.Clock.Now()-began)
}

// apply folds one record, however long its look-ups take.
func (f *Follower) apply(rec []byte) error {
	if f.ticks != nil {
		f.pass(rec)
		if recordSeq(rec) == f.project.Position().Seq {
			return nil
		}
	}
	err := f.project.Apply(rec)
	if !errors.Is(err, ErrLookup) {
		return err
	}
	f.trouble("looking up an order", err)
	f.pause()
	if err = f.insist("looking up an order", func(context.Context) error { return f.project.Apply(rec) }); err == nil {
		f.recovered()
	}
	return err
}
