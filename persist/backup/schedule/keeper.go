package schedule

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"qcat/persist/backup"
)

// Config says when backups are due, and how one is made. Zero durations mean the defaults
// below.
type Config struct {
	Times Times  // none: what others make is only told of
	Dir   string // the folder of backups
	// Make makes a backup and verifies it. It wraps backup.ErrBusy when another is being
	// made. Keeper calls it, one call at a time.
	Make func(ctx context.Context) (*backup.Manifest, error)
	// Cleanup removes old backups, after one was made; nil: none is removed.
	Cleanup func(ctx context.Context) error

	Delay    time.Duration // after the start, until one that was missed is made up for
	Every    time.Duration // how often the folder is looked at
	Retry    time.Duration // after a failure, doubled after each that follows
	MaxRetry time.Duration

	Now func() time.Time // time.Now
	Log *zap.Logger
}

// Defaults of Config.
const (
	DefaultDelay    = 5 * time.Second
	DefaultEvery    = time.Minute
	DefaultRetry    = time.Minute
	DefaultMaxRetry = time.Hour
)

// Stats are what is known of the backups.
type Stats struct {
	Last     time.Time     // when the newest verified one began; zero: there is none
	Duration time.Duration // how long it took
	Bytes    int64         // how long its files are
	Verified bool          // the newest that is complete is verified
	Made     uint64        // by this keeper
	Failures uint64        // attempts of this keeper that failed
	Running  bool          // one is being made
	Err      error         // why the latest attempt failed; nil when it did not
}

// Keeper makes backups when they are due.
type Keeper struct {
	cfg Config

	failed int       // attempts in a row
	retry  time.Time // not before this; of Run

	mu    sync.Mutex
	stats Stats
}

// NewKeeper returns a keeper; Run it. It panics with times and without Make.
func NewKeeper(cfg Config) *Keeper {
	if !cfg.Times.None() && cfg.Make == nil {
		panic("schedule: a Keeper with times needs Make")
	}
	for _, d := range []struct {
		v   *time.Duration
		def time.Duration
	}{{&cfg.Delay, DefaultDelay}, {&cfg.Every, DefaultEvery}, {&cfg.Retry, DefaultRetry}, {&cfg.MaxRetry, DefaultMaxRetry}} {
		if *d.v <= 0 {
			*d.v = d.def
		}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	return &Keeper{cfg: cfg}
}

// Stats tells what is known. Any goroutine.
func (k *Keeper) Stats() Stats {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.stats
}

func (k *Keeper) change(f func(*Stats)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f(&k.stats)
}

// Run looks at the folder, and makes a backup when one is due, until ctx is done.
func (k *Keeper) Run(ctx context.Context) {
	k.retry = k.cfg.Now().Add(k.cfg.Delay)
	for {
		k.look()
		if k.due(k.cfg.Now()) {
			k.attempt(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(k.pause(k.cfg.Now())):
		}
	}
}

// due reports whether a time has come since the newest verified backup.
func (k *Keeper) due(now time.Time) bool {
	last, ok := k.cfg.Times.Last(now)
	return ok && !now.Before(k.retry) && k.Stats().Last.Before(last)
}

// pause is how long there is nothing to do: until the next time, the next attempt, or the
// next look, which also finds a clock that was set.
func (k *Keeper) pause(now time.Time) time.Duration {
	pause := k.cfg.Every
	if next, ok := k.cfg.Times.Next(now); ok {
		pause = min(pause, next.Sub(now))
	}
	if wait := k.retry.Sub(now); wait > 0 {
		pause = min(pause, wait)
	}
	return max(pause, time.Millisecond)
}

// look finds the newest verified backup, whoever made it. It reads names, lengths and
// manifests.
func (k *Keeper) look() {
	all, err := backup.List(k.cfg.Dir)
	if err != nil {
		k.cfg.Log.Warn("the folder of backups cannot be read", zap.Error(err))
		return
	}
	var newest *backup.Entry
	verified, first := false, true
	for i := range all {
		e := &all[i]
		if e.State != backup.StateComplete {
			continue
		}
		if first {
			first, verified = false, !e.Verified.IsZero()
		}
		if !e.Verified.IsZero() {
			newest = e
			break
		}
	}
	k.change(func(s *Stats) {
		s.Verified = verified
		s.Last, s.Duration, s.Bytes = time.Time{}, 0, 0
		if newest != nil {
			s.Last, s.Duration, s.Bytes = newest.Time, newest.Took, newest.Bytes
		}
	})
}

// attempt makes one, and says when to try again if that fails.
func (k *Keeper) attempt(ctx context.Context) {
	k.change(func(s *Stats) { s.Running = true })
	m, err := k.cfg.Make(ctx)
	k.change(func(s *Stats) { s.Running = false })
	switch {
	case ctx.Err() != nil:
		return // the server stops: what was begun is made up for after the next start
	case errors.Is(err, backup.ErrBusy):
		k.retry = k.cfg.Now().Add(k.cfg.Retry)
		k.cfg.Log.Info("another process is making or removing backups; the scheduled one waits", zap.Time("until", k.retry))
		return
	case err != nil:
		k.fail("a scheduled backup was not made", err)
		return
	}
	k.failed, k.retry = 0, time.Time{}
	k.change(func(s *Stats) { s.Err, s.Made = nil, s.Made+1 })
	k.cfg.Log.Info("backup made and verified", zap.String("name", m.Name), zap.Int64("bytes", m.Bytes()), zap.Uint64("rows", m.Rows()),
		zap.Uint64("seq", m.Seq()), zap.Duration("took", time.Duration(m.TookNs)))
	k.look()
	if k.cfg.Cleanup == nil {
		return
	}
	if err := k.cfg.Cleanup(ctx); err != nil && !errors.Is(err, backup.ErrBusy) && ctx.Err() == nil {
		k.cfg.Log.Error("old backups were not removed", zap.Error(err))
	}
}

// fail puts the next attempt off.
func (k *Keeper) fail(what string, err error) {
	wait := min(k.cfg.Retry<<min(k.failed, 10), k.cfg.MaxRetry)
	k.failed++
	k.retry = k.cfg.Now().Add(wait)
	k.change(func(s *Stats) { s.Failures++; s.Err = err })
	k.cfg.Log.Error(what, zap.Error(err), zap.Int("attempts", k.failed), zap.Time("again", k.retry))
}
