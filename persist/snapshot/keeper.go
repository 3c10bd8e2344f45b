package snapshot

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"qcat/core"
)

// KeeperConfig says when to take a snapshot, and how. Zero durations and counts
// mean the defaults below.
type KeeperConfig struct {
	// Committed is the last committed record of the log.
	Committed func() uint64
	// Take folds the log into a snapshot, writes and prunes, and returns what it
	// is of and how long it is. Keeper calls it, one call at a time.
	Take func(ctx context.Context) (seq uint64, bytes int64, err error)

	Records  uint64        // take one after so many records
	Interval time.Duration // or after so long, when there is any new record
	Retry    time.Duration // how long to leave it after a failure
	Poll     time.Duration // how often to look

	// Last is what the newest snapshot is of that the start found, and LastTime when
	// it was taken; 0 when there was none.
	Last     uint64
	LastTime core.Nanos

	Clock core.Clock
	Log   *zap.Logger
}

// Defaults of KeeperConfig.
const (
	DefaultRecords  = 1_000_000
	DefaultInterval = 10 * time.Minute
	DefaultRetry    = 30 * time.Second
	DefaultPoll     = time.Second
)

// Stats are what a Keeper did.
type Stats struct {
	Taken    uint64
	Failed   uint64
	LastSeq  uint64        // what the newest snapshot is of; 0: there is none
	LastTime core.Nanos    // when it was taken; 0: there is none
	Bytes    int64         // its length; 0 when it was found, not taken
	Duration time.Duration // how long it took
	Running  bool          // one is being taken
	Err      error         // why the latest attempt failed; nil when it did not
}

// Keeper takes snapshots at intervals.
type Keeper struct {
	cfg  KeeperConfig
	take chan struct{} // holds a token while one is being taken

	mu    sync.Mutex // of what follows
	stats Stats
	since core.Nanos // when the newest snapshot was taken, or the keeper made
	retry core.Nanos // not before this
}

// NewKeeper returns a keeper; Run it. It panics without Committed or Take.
func NewKeeper(cfg KeeperConfig) *Keeper {
	if cfg.Committed == nil || cfg.Take == nil {
		panic("snapshot: a Keeper needs Committed and Take")
	}
	if cfg.Records == 0 {
		cfg.Records = DefaultRecords
	}
	for _, d := range []struct {
		v   *time.Duration
		def time.Duration
	}{{&cfg.Interval, DefaultInterval}, {&cfg.Retry, DefaultRetry}, {&cfg.Poll, DefaultPoll}} {
		if *d.v <= 0 {
			*d.v = d.def
		}
	}
	if cfg.Clock == nil {
		cfg.Clock = core.SystemClock()
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	return &Keeper{cfg: cfg, take: make(chan struct{}, 1), since: cfg.Clock.Now(), stats: Stats{LastSeq: cfg.Last, LastTime: cfg.LastTime}}
}

// Run takes snapshots when they are due until ctx is done.
func (k *Keeper) Run(ctx context.Context) {
	ticker := time.NewTicker(k.cfg.Poll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if k.due(k.cfg.Clock.Now()) {
				_ = k.Now(ctx) // told in the stats and the log
			}
		}
	}
}

// due reports whether a snapshot is to be taken.
func (k *Keeper) due(now core.Nanos) bool {
	committed := k.cfg.Committed()
	k.mu.Lock()
	defer k.mu.Unlock()
	if committed <= k.stats.LastSeq || now < k.retry {
		return false
	}
	return committed-k.stats.LastSeq >= k.cfg.Records || now-k.since >= core.Nanos(k.cfg.Interval)
}

// Now takes a snapshot, after the one that is being taken if there is one, and
// returns Take's error, or ctx's when it is done before. Any goroutine.
func (k *Keeper) Now(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case k.take <- struct{}{}:
		defer func() { <-k.take }()
	case <-ctx.Done():
		return ctx.Err()
	}
	start := k.cfg.Clock.Now()
	k.begin()
	seq, bytes, err := k.cfg.Take(ctx)
	end := k.cfg.Clock.Now()
	took := time.Duration(end - start)
	k.end(seq, bytes, end, took, err)
	switch {
	case err == nil:
		k.cfg.Log.Info("snapshot taken", zap.Uint64("seq", seq), zap.Int64("bytes", bytes), zap.Duration("took", took))
	case ctx.Err() == nil:
		k.cfg.Log.Error("snapshot not taken", zap.Error(err), zap.Duration("took", took))
	}
	return err
}

func (k *Keeper) begin() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stats.Running = true
}

func (k *Keeper) end(seq uint64, bytes int64, now core.Nanos, took time.Duration, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := &k.stats
	s.Running, s.Err = false, err
	if err != nil {
		s.Failed++
		k.retry = now + core.Nanos(k.cfg.Retry)
		return
	}
	s.Taken++
	s.LastSeq, s.LastTime, s.Bytes, s.Duration = seq, now, bytes, took
	k.since, k.retry = now, 0
}

// Stats returns what was done so far. Any goroutine.
func (k *Keeper) Stats() Stats {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.stats
}
