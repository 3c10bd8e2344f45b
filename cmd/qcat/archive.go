package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"qcat/core"
	"qcat/persist/journal"
	"qcat/persist/postgres"
	"qcat/persist/sqlite"
	"qcat/persist/store"
)

// archive is what lies behind the lanes: the store, and the followers that carry
// the journal and the tick log to it. The store may be away, also at the start: it
// is tried again until it is there, and finds in the logs what it has missed.
type archive struct {
	lateStore

	directory *core.Directory

	kind    string
	open    func(ctx context.Context) (store.Store, error)
	begin   func(ctx context.Context, st store.Store) error // an empty one, when the journal's first records are gone
	journal *journal.Log
	ticks   *journal.Log // nil: none is kept
	// neverSynced says that the journal leaves syncing to the kernel.
	neverSynced bool
	sample      time.Duration
	clock       core.Clock
	log         *zap.Logger

	followers [store.NumStreams]atomic.Pointer[store.Follower]
	found     [store.NumStreams]atomic.Pointer[store.Position] // where the store stood when it was opened
	failure   atomic.Pointer[string]                           // why there is no store
}

// Kinds of stores.
const (
	embeddedKind = "embedded"
	postgresKind = "postgres"
)

// holdName is the name under which the logs keep what the store has not read.
const holdName = "store"

// storeTimeout bounds opening a store that is elsewhere, storeRetry is the pause
// between two attempts.
const (
	storeTimeout = 15 * time.Second
	storeRetry   = 2 * time.Second
)

// buildArchive opens the store and the tick log. A store that cannot be reached
// does not stop the start; one of another journal, one that is ahead of it, and one
// whose schema is not this program's do.
func (s *server) buildArchive(ctx context.Context) error {
	a := &archive{directory: s.directory, journal: s.journal, sample: s.cfg.QuoteSample, clock: s.clock, log: s.log.Named("store"),
		neverSynced: s.cfg.JournalSync == journal.SyncOS.String()}
	a.begin = s.writeBaseline
	s.archive = a
	s.chooseStore(a)
	a.journal.Hold(holdName)
	switch err := a.tryOpen(ctx); {
	case err == nil:
	case errors.Is(err, postgres.ErrURL):
		return badSetting("database-url", "%v", err)
	case a.kind == embeddedKind, unusable(err), ctx.Err() != nil:
		return err
	default:
		a.log.Warn("the store is away; trading goes on without it, and it will catch up", zap.Error(err))
	}
	return s.openTicks(ctx)
}

// unusable reports whether an error of a store will not go away by waiting.
func unusable(err error) bool {
	return errors.Is(err, store.ErrSchema) || errors.Is(err, store.ErrForeign) || errors.Is(err, store.ErrPosition)
}

// chooseStore says how the store is opened: Postgres where one is set, else the
// embedded one.
func (s *server) chooseStore(a *archive) {
	if url := postgresURL(s.cfg.DatabaseURL); url != "" {
		a.kind = postgresKind
		a.open = func(ctx context.Context) (store.Store, error) {
			return postgres.Open(ctx, postgres.Config{URL: url, Directory: s.directory, SlowQuery: s.cfg.SlowQuery, Log: a.log})
		}
		return
	}
	a.kind = embeddedKind
	a.open = func(ctx context.Context) (store.Store, error) {
		return sqlite.Open(ctx, sqlite.Config{
			Path: embeddedPath(s.cfg.DataDir), SlowQuery: orNever(s.cfg.SlowQuery), KeepTicks: orNever(s.cfg.KeepTicks),
			Clock: s.clock, Log: a.log,
		})
	}
}

// orNever is a duration for those who take 0 for their default.
func orNever(d time.Duration) time.Duration {
	if d == 0 {
		return -1
	}
	return d
}

// tryOpen opens the store once, and makes sure that it goes with the journal.
func (a *archive) tryOpen(ctx context.Context) error {
	if a.kind != embeddedKind { // whose file is checked, and brought up to date, however long that takes
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, storeTimeout)
		defer cancel()
	}
	st, err := a.open(ctx)
	if err == nil {
		if err = a.goesWith(ctx, st); err == nil {
			err = a.look(ctx, st)
		}
		if err != nil {
			err = errors.Join(err, st.Close())
		}
	}
	if err != nil {
		why := err.Error()
		a.failure.Store(&why)
		return err
	}
	a.failure.Store(nil)
	a.opened.Store(&st)
	return nil
}

// goesWith refuses a store that was filled from another journal, one that is ahead
// of this one, and one whose next record the journal no longer has. An empty one is
// begun with the state of a snapshot then.
func (a *archive) goesWith(ctx context.Context, st store.Store) error {
	pos, err := st.Position(ctx, store.Journal)
	if err != nil {
		return err
	}
	first, last := a.journal.First(), a.journal.Committed()
	switch {
	case pos.Seq == 0 && first == 1:
		return nil
	case pos.Seq == 0:
		return a.begin(ctx, st)
	case pos.Seq > 0 && pos.Log != store.LogID(a.journal.ID()):
		return fmt.Errorf("%w: the database belongs to another data directory; give this one a database of its own, or restore a backup of both", store.ErrForeign)
	case pos.Seq > last:
		return fmt.Errorf("%w: the database has record %d and the journal ends at %d: the journal lost its end or is an older one; restore a backup of both", store.ErrPosition, pos.Seq, last)
	case pos.Seq+1 < first:
		return fmt.Errorf("%w: the database stands at record %d and the journal begins at %d: what lies between was deleted; name the database that this data directory was used with, fill this one by qcat backup restore NAME --only database, from a backup of record %d or later, or name an empty database, which begins with the present state", store.ErrPosition, pos.Seq, first, first-1)
	}
	return nil
}

// run follows the logs until ctx is done, once there is a store.
func (a *archive) run(ctx context.Context) {
	told := ""
	for a.store() == nil {
		if !sleep(ctx, storeRetry) {
			return
		}
		if err := a.tryOpen(ctx); err != nil && err.Error() != told && ctx.Err() == nil {
			told = err.Error()
			a.log.Warn("the store is still away", zap.Error(err))
		}
	}
	a.log.Info("store open", zap.String("kind", a.kind))
	a.follow(ctx)
}

// follow carries both logs to the store until ctx is done. What ends one for good
// is told by health.
func (a *archive) follow(ctx context.Context) {
	var wg sync.WaitGroup
	start := func(stream store.Stream, log store.Log) {
		f := store.NewFollower(store.Config{
			Stream: stream, Log: log, Store: a.store(), Name: holdName, SampleEvery: a.sample, Directory: a.directory,
			Texts: journalTexts, Clock: a.clock, Logger: a.log,
		})
		a.followers[stream].Store(f)
		wg.Go(func() { _ = f.Run(ctx) }) // its error is in its stats and logged
	}
	start(store.Journal, a.journalLog())
	if a.ticks != nil {
		start(store.Ticks, anonymous{store.CommittedLog(a.ticks)})
	}
	wg.Wait()
}

// journalLog is the journal as the store may know it: only what a power cut
// leaves, unless the journal is never synced.
func (a *archive) journalLog() store.Log {
	if a.neverSynced {
		return store.CommittedLog(a.journal)
	}
	return store.DurableLog(a.journal)
}

// anonymous is a log without a name of its own: a tick log that begins anew goes
// on where the one before it ended, and its store goes on with it.
type anonymous struct{ store.Log }

// ID implements store.Log.
func (anonymous) ID() store.LogID { return store.LogID{} }

// drainPoll is how often drain looks how far the store is.
const drainPoll = 5 * time.Millisecond

// drain waits until the store has everything that is in the logs, or ctx is done:
// nothing is lost by not waiting, the next start goes on.
func (a *archive) drain(ctx context.Context) {
	if a.store() == nil {
		return
	}
	for a.lag() > 0 {
		if !sleep(ctx, drainPoll) {
			a.log.Info("the store is not waited for any longer; it catches up at the next start", zap.Uint64("records", a.lag()))
			return
		}
	}
}

// lag is how many records of both logs are not stored yet, not counting those of
// followers that have stopped for good.
func (a *archive) lag() (records uint64) {
	for i := range a.followers {
		if f := a.followers[i].Load(); f != nil {
			if st := f.Stats(); st.State != store.Stopped {
				records += st.Behind
			}
		}
	}
	return records
}

// look notes where the store stands: until its followers have loaded that, it is what
// can be asked for.
func (a *archive) look(ctx context.Context, st store.Store) error {
	for stream := range store.NumStreams {
		pos, err := st.Position(ctx, stream)
		if err != nil {
			return err
		}
		a.found[stream].Store(&pos)
	}
	return nil
}

// stored is how far the store has come in a log.
func (a *archive) stored(stream store.Stream) (pos store.Position) {
	if f := a.followers[stream].Load(); f != nil {
		pos = f.Stats().Position
	}
	if found := a.found[stream].Load(); pos.Seq == 0 && found != nil {
		pos = *found
	}
	return pos
}

// storedSeq is the last journal record whose rows are stored.
func (a *archive) storedSeq() uint64 { return a.stored(store.Journal).Seq }

// storedTime is the time of the last tick that is stored.
func (a *archive) storedTime() core.Nanos { return a.stored(store.Ticks).Time }

// close closes the store and the tick log.
func (a *archive) close() error {
	var errs []error
	if st := a.store(); st != nil {
		errs = append(errs, st.Close())
	}
	if a.ticks != nil {
		errs = append(errs, a.ticks.Close())
	}
	return errors.Join(errs...)
}
