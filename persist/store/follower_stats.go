package store

import (
	"context"
	"sync"
	"time"

	"qcat/core"
	"qcat/core/hist"
)

// FollowerState is what a follower is at.
type FollowerState uint8

const (
	Loading    FollowerState = iota // the stored state is not there yet
	CatchingUp                      // behind what the log held when it began
	Following
	Retrying // the last call of the store failed
	Stopped  // Run has returned; Err says why
)

var followerStates = [...]string{"loading", "catching_up", "following", "retrying", "stopped"}

// String returns the name used in JSON.
func (s FollowerState) String() string { return followerStates[s] }

// FollowerStats is where a follower stands.
type FollowerStats struct {
	Name   string
	Stream Stream
	State  FollowerState

	Position Position // of what is stored
	Last     uint64   // record of the log that may be stored
	Behind   uint64   // records between the two
	// Lag is the age of the last stored record while there are newer ones, else 0;
	// and 0 of an empty store.
	Lag time.Duration

	// CatchUpFrom and CatchUpTo are the records the follower began behind and
	// before: Position.Seq goes from one to the other.
	CatchUpFrom, CatchUpTo uint64

	Rows, Batches, Records uint64 // stored since the start
	Errors                 uint64 // failed calls since the start
	FailedInARow           uint64 // of them since the last that succeeded
	LastError              string
	LastErrorTime          core.Nanos
	UnknownTicks           uint64 // left out: of instruments that nobody defined
	// Err is why it stopped for good, or nil.
	Err error
}

// status is what Stats reads; Run's goroutine writes it once a batch.
type status struct {
	mu      sync.Mutex
	cfg     *Config
	s       FollowerStats
	changed chan struct{} // closed and made anew when the position advances or Run ends
	// writes is how long a batch took to be stored, retries included.
	writes hist.Histogram
}

func (s *status) init(c *Config) {
	s.cfg = c
	s.s = FollowerStats{Name: c.Name, Stream: c.Stream}
	s.changed = make(chan struct{})
}

// Stats returns where the follower stands. Any goroutine.
func (f *Follower) Stats() FollowerStats {
	last, now := f.cfg.Log.Last(), f.cfg.Clock.Now()
	f.stat.mu.Lock()
	defer f.stat.mu.Unlock()
	s := f.stat.s
	s.Last = last
	if s.Last > s.Position.Seq {
		s.Behind = s.Last - s.Position.Seq
		if s.Position.Time > 0 {
			s.Lag = max(0, time.Duration(now-s.Position.Time))
		}
	}
	return s
}

// Writes is how long batches take to be stored, retries included. Any goroutine.
func (f *Follower) Writes() *hist.Histogram { return &f.stat.writes }

// WaitFor returns when the store has record seq. Any goroutine.
//
// Errors: ctx's; the one that stopped the follower for good.
func (f *Follower) WaitFor(ctx context.Context, seq uint64) error {
	for {
		f.stat.mu.Lock()
		at, state, err, changed := f.stat.s.Position.Seq, f.stat.s.State, f.stat.s.Err, f.stat.changed
		f.stat.mu.Unlock()
		switch {
		case at >= seq && state != Loading:
			return nil
		case err != nil:
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// tell wakes who waits for a change; the lock is held.
func (s *status) tell() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *status) loaded(at Position) {
	last := s.cfg.Log.Last()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.s.Position, s.s.CatchUpFrom, s.s.CatchUpTo = at, at.Seq, max(last, at.Seq)
	s.s.Err = nil
	s.s.State = s.progress()
	s.tell()
}

// progress is the state of a follower whose store answers; the lock is held.
func (s *status) progress() FollowerState {
	if s.s.Position.Seq < s.s.CatchUpTo {
		return CatchingUp
	}
	return Following
}

func (s *status) committed(b *Batch, took core.Nanos, unknown uint64) {
	s.writes.Record(int64(took))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.s.Position = Position{Log: b.Log, Seq: b.To, Time: b.Time}
	s.s.Rows += uint64(b.Rows())
	s.s.Records += b.To - b.From + 1
	s.s.Batches++
	s.s.UnknownTicks = unknown
	s.s.State = s.progress()
	s.tell()
}

// failed returns how many calls have failed in a row.
func (s *status) failed(err error, now core.Nanos) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.s.Errors++
	s.s.FailedInARow++
	s.s.State = Retrying
	s.s.LastError, s.s.LastErrorTime = err.Error(), now
	return s.s.FailedInARow
}

// answered ends a row of failures and returns how many there were.
func (s *status) answered() (n uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n, s.s.FailedInARow = s.s.FailedInARow, 0; n > 0 {
		s.s.State = s.progress()
	}
	return n
}

func (s *status) ended(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.s.State, s.s.Err = Stopped, err
	if err != nil {
		s.s.LastError, s.s.LastErrorTime = err.Error(), s.cfg.Clock.Now()
	}
	s.tell()
}
