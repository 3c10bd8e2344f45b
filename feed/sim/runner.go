package sim

import (
	"context"
	"time"

	"qcat/core"
	"qcat/feed"
)

// quantum is the shortest pause of a paced Runner: at high rates steps are done
// in bunches a quantum apart, so that the process does not wake for each.
const quantum = time.Millisecond

// patience bounds a pause, and so how long a snapshot that a reader asks of the
// lane may wait.
const patience = 5 * time.Millisecond

// maxLag is how far the schedule may be behind before what was missed is left
// out: after a suspended machine, the flow of the time between helps nobody.
const maxLag = core.Nanos(1e9)

// Lane is what a Runner feeds: feed.Lane, or a recorder.
type Lane interface {
	Apply(m *feed.Message, rx core.Nanos)
	// Duty returns how long it is to be left alone, as feed.Lane.Duty.
	Duty() (pause time.Duration)
}

// Runner feeds one lane from one exchange: it stands where a venue's session
// does. It belongs to the goroutine that calls Duty or Run, which is the lane's.
type Runner struct {
	exchange *Exchange
	lane     Lane
	clock    core.Clock
	now      core.Nanos
	duty     core.Nanos // when the lane's duty may be done again
	apply    func(*feed.Message)
}

// NewRunner returns a runner; nothing happens before Duty or Run.
func NewRunner(e *Exchange, lane Lane, clock core.Clock) *Runner {
	r := &Runner{exchange: e, lane: lane, clock: clock}
	r.apply = func(m *feed.Message) { r.lane.Apply(m, r.now) }
	return r
}

// Duty does what is due until now, the receive time of its messages, and the
// lane's own duty. It returns the number of messages. It does not allocate.
func (r *Runner) Duty(now core.Nanos) int {
	r.now = now
	if now-r.exchange.Next() > maxLag {
		r.exchange.Skip(now)
	}
	n := r.exchange.Advance(now, r.apply)
	if now >= r.duty {
		r.duty = now + core.Nanos(r.lane.Duty())
	}
	return n
}

// Run runs the lane until ctx is done. It reads the clock once a duty cycle.
func (r *Runner) Run(ctx context.Context) {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for ctx.Err() == nil {
		now := r.clock.Now()
		r.Duty(now)
		if r.exchange.mean == 0 {
			continue
		}
		wait := time.Duration(r.exchange.Next() - now)
		pause.Reset(min(max(wait, quantum), patience))
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
	}
}
