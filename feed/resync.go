package feed

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"qcat/core"
)

// resyncer fetches the snapshots that a Session's lane asks for: one request an
// instrument at a time, a bounded number at once, spaced by the Limiter, and
// further apart the more often the same instrument asks in vain.
//
// ask is called on the lane's goroutine and does not wait; run and the fetches
// have goroutines of their own.
type resyncer struct {
	venue   Venue
	limiter *Limiter
	backoff Backoff
	clock   core.Clock
	log     *zap.Logger
	timeout time.Duration // of one fetch
	spacing time.Duration // between two snapshots of one instrument
	slots   chan struct{}
	signal  chan struct{}
	// deliver applies a snapshot's body that was asked for in the given epoch and
	// reports whether the book is live now.
	deliver func(id core.InstrumentID, body []byte, epoch uint64) (live bool, err error)

	mu      sync.Mutex
	up      bool   // connected: requests make sense
	epoch   uint64 // counts the connections that snapshots are to be continued by
	settled core.Nanos
	wanted  map[core.InstrumentID]*resyncState
	failed  uint64
}

// resyncState is what the resyncer knows of one instrument.
type resyncState struct {
	wanted    bool // waits for its turn
	inFlight  bool
	attempts  int // in vain since the book was last live
	notBefore core.Nanos
}

func (r *resyncer) state(id core.InstrumentID) *resyncState {
	st := r.wanted[id]
	if st == nil {
		st = &resyncState{}
		r.wanted[id] = st
	}
	return st
}

// ask puts the instrument in line, unless it is there already. While the
// connection is down nothing is asked: Lane.Connected will ask again.
func (r *resyncer) ask(id core.InstrumentID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.up {
		return
	}
	r.state(id).wanted = true
	r.notify()
}

func (r *resyncer) notify() {
	select {
	case r.signal <- struct{}{}:
	default:
	}
}

// open says that a connection is up: a new epoch. The first snapshots are worth
// asking for after settle, when the streams have begun to deliver.
func (r *resyncer) open(settle time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.up = true
	r.epoch++
	r.settled = after(r.clock.Now(), settle)
}

// current reports whether a snapshot asked for in that epoch may be applied. One
// that was asked for before the streams broke off, or before they were all
// subscribed to, is not continued by them: what came between is missing, and
// nothing that waits would show the hole.
func (r *resyncer) current(epoch uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.up && r.epoch == epoch
}

// shut says that the connection is gone: what waits in line is forgotten.
func (r *resyncer) shut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.up = false
	for _, st := range r.wanted {
		st.wanted = false
	}
}

// next returns the instrument whose turn is first, and when; ok is false when
// there is none.
func (r *resyncer) next() (id core.InstrumentID, due core.Nanos, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, st := range r.wanted {
		if !st.wanted || st.inFlight {
			continue
		}
		at := max(st.notBefore, r.settled)
		if !ok || at < due || at == due && i < id {
			id, due, ok = i, at, true
		}
	}
	return id, due, ok
}

// take moves the instrument from waiting to in flight and returns the epoch; ok is
// false when it is no longer wanted.
func (r *resyncer) take(id core.InstrumentID) (epoch uint64, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	st := r.state(id)
	if !st.wanted || st.inFlight {
		return 0, false
	}
	st.wanted, st.inFlight = false, true
	return r.epoch, true
}

// run hands the turns out until ctx is done, and returns when the last fetch has.
func (r *resyncer) run(ctx context.Context) {
	var fetches sync.WaitGroup
	defer fetches.Wait()
	for ctx.Err() == nil {
		id, due, ok := r.next()
		wait := time.Hour
		if ok {
			wait = time.Duration(due - r.clock.Now())
		}
		if wait > 0 {
			r.rest(ctx, wait)
			continue
		}
		if r.limiter.Wait(ctx) != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case r.slots <- struct{}{}:
		}
		epoch, ok := r.take(id)
		if !ok {
			<-r.slots
			continue
		}
		fetches.Go(func() {
			defer func() { <-r.slots }()
			r.fetch(ctx, id, epoch)
			r.notify()
		})
	}
}

// rest waits for d, a signal or ctx.
func (r *resyncer) rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-r.signal:
	case <-t.C:
	}
}

// fetch gets one snapshot and delivers it.
func (r *resyncer) fetch(ctx context.Context, id core.InstrumentID, epoch uint64) {
	fetchCtx, cancel := context.WithTimeout(ctx, r.timeout)
	body, err := r.venue.FetchSnapshot(fetchCtx, id)
	cancel()
	live := false
	if err == nil {
		live, err = r.deliver(id, body, epoch)
	}
	if limited := (*RateLimitError)(nil); errors.As(err, &limited) {
		r.limiter.Block(limited)
	}
	if err != nil && ctx.Err() == nil {
		r.log.Warn("depth snapshot failed", zap.Uint32("instrument", uint32(id)), zap.Error(err))
	}
	r.done(id, epoch, live, err != nil)
}

// done schedules what comes next for the instrument: nothing when its book is
// live, another snapshot otherwise, without delay when this one was good but of an
// epoch that is over.
func (r *resyncer) done(id core.InstrumentID, epoch uint64, live, failed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	st := r.state(id)
	st.inFlight = false
	now := r.clock.Now()
	if failed {
		r.failed++
	}
	switch {
	case live:
		st.attempts = 0
		st.notBefore = after(now, r.spacing)
		return
	case !failed && epoch != r.epoch:
		st.wanted = r.up
		return
	}
	st.attempts++
	st.notBefore = after(now, r.backoff.Base+r.backoff.Wait(st.attempts))
	st.wanted = r.up
}

// failures returns how many snapshots could not be had.
func (r *resyncer) failures() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}
