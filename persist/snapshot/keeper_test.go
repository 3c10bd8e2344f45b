package snapshot

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"qcat/core"
)

// bubbleClock tells the time of a synctest bubble.
type bubbleClock struct{}

func (bubbleClock) Now() core.Nanos { return core.Nanos(time.Now().UnixNano()) }

var errTake = errors.New("input/output error")

// taker is a log that grows when told to, and what is taken of it.
type taker struct {
	committed atomic.Uint64
	fail      atomic.Bool
	mu        sync.Mutex
	taken     []uint64
	takes     time.Duration
}

func (k *taker) take(ctx context.Context) (uint64, int64, error) {
	time.Sleep(k.takes)
	if k.fail.Load() {
		return 0, 0, errTake
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.taken = append(k.taken, k.committed.Load())
	return k.committed.Load(), 1000, ctx.Err()
}

func (k *taker) all() []uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.taken)
}

// keep runs a keeper of every 100 records or 10 minutes while test runs.
func keep(t *testing.T, last uint64, test func(t *testing.T, k *Keeper, log *taker)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		log := &taker{takes: 3 * time.Second}
		log.committed.Store(last)
		k := NewKeeper(KeeperConfig{Committed: log.committed.Load, Take: log.take, Records: 100, Interval: 10 * time.Minute,
			Retry: time.Minute, Last: last, Clock: bubbleClock{}})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); k.Run(ctx) }()
		test(t, k, log)
		cancel()
		<-done
	})
}

// pass lets time pass, and what is due then end.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestKeeperTakesAfterRecordsOrTime(t *testing.T) {
	keep(t, 50, func(t *testing.T, k *Keeper, log *taker) {
		pass(time.Hour)
		if len(log.all()) != 0 {
			t.Errorf("without a new record: %d", log.all())
		}
		log.committed.Store(51) // the interval has long passed
		pass(5 * time.Second)
		log.committed.Store(150)
		pass(9 * time.Minute)
		if taken := log.all(); !slices.Equal(taken, []uint64{51}) {
			t.Fatalf("taken %d, want 51 alone: neither 100 records nor the time had passed", taken)
		}
		log.committed.Store(151)
		pass(5 * time.Second)
		if taken := log.all(); !slices.Equal(taken, []uint64{51, 151}) {
			t.Fatalf("taken %d after 100 records", taken)
		}
		s := k.Stats()
		age := time.Duration(bubbleClock{}.Now() - s.LastTime)
		if s.Taken != 2 || s.Failed != 0 || s.LastSeq != 151 || s.Bytes != 1000 || s.Duration != 3*time.Second || s.Running ||
			s.Err != nil || age <= 0 || age > 5*time.Second {
			t.Errorf("stats %+v, age %v", s, age)
		}
	})
}

func TestKeeperTriesAgainAfterAFailure(t *testing.T) {
	keep(t, 0, func(t *testing.T, k *Keeper, log *taker) {
		log.fail.Store(true)
		log.committed.Store(100)
		pass(4 * time.Second)
		s := k.Stats()
		if s.Failed != 1 || !errors.Is(s.Err, errTake) || s.LastSeq != 0 {
			t.Errorf("after a failure: %+v", s)
		}
		pass(50 * time.Second)
		if s := k.Stats(); s.Failed != 1 {
			t.Errorf("tried again too soon: %+v", s)
		}
		log.fail.Store(false)
		pass(20 * time.Second)
		if s := k.Stats(); s.Taken != 1 || s.Err != nil || s.LastSeq != 100 {
			t.Errorf("after the pause: %+v", s)
		}
	})
}

// One that is asked for waits for the one that is being taken: there are never two
// at a time.
func TestKeeperTakesOneAtATime(t *testing.T) {
	keep(t, 0, func(t *testing.T, k *Keeper, log *taker) {
		log.committed.Store(100)
		pass(2 * time.Second)
		if s := k.Stats(); !s.Running {
			t.Fatalf("not running: %+v", s)
		}
		log.committed.Store(110)
		if err := k.Now(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := k.Stats(); s.Taken != 2 || s.LastSeq != 110 || s.Running {
			t.Errorf("%+v", s)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := k.Now(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("with a context that is done: %v", err)
		}
	})
}
