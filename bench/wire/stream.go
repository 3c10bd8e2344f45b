package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// sender writes the events from one number to before another to what is measured: a
// server's venue, or a bare relay's source.
type sender interface {
	send(from, to int) error
}

// stream is a way of ticks from a sender to a crowd, by way of a process.
type stream struct {
	sender  sender
	crowd   *crowd
	each    int    // deliveries of one event
	pid     int    // of the process between them
	metrics string // its address, empty: it has no metrics
	next    int    // number of the next event
}

// outcome is what became of a load.
type outcome struct {
	offered  float64       // events a second, as scheduled
	expected int64         // deliveries, or answers
	got      int64         // in time
	missed   int64         // known to be left out
	refused  int64         // answered, but otherwise than wanted
	reason   string        // of the first refusal
	cut      error         // a client that was cut off: no other row can follow
	events   float64       // that got stands for
	span     time.Duration // from when the first event was due to the last delivery
	lat      latencies
	turns    []latencies // of the loads it was put together of; none: it is one
	spent    spent
}

// typical is the median of the turns' percentiles: a pause of the machine is in the tail
// of the turn that it met, and decides nothing.
func (o *outcome) typical(percentile float64) time.Duration {
	var of []time.Duration
	for _, l := range o.ofTurns() {
		of = append(of, l.quantile(percentile))
	}
	slices.Sort(of)
	return (of[(len(of)-1)/2] + of[len(of)/2]) / 2
}

func (o *outcome) ofTurns() []latencies {
	if o.turns == nil {
		return []latencies{o.lat}
	}
	return o.turns
}

// achieved is the rate at which events arrived.
func (o *outcome) achieved() float64 {
	if o.span <= 0 {
		return 0
	}
	return o.events / o.span.Seconds()
}

// plus puts two loads at one rate together.
func (o *outcome) plus(p *outcome) *outcome {
	sum := *o
	sum.expected, sum.got, sum.missed, sum.refused = o.expected+p.expected, o.got+p.got, o.missed+p.missed, o.refused+p.refused
	if sum.reason == "" {
		sum.reason = p.reason
	}
	if sum.cut == nil {
		sum.cut = p.cut
	}
	sum.events, sum.span = o.events+p.events, o.span+p.span
	sum.lat = newLatencies()
	sum.lat.h.Merge(o.lat.h)
	sum.lat.h.Merge(p.lat.h)
	sum.turns = slices.Concat(o.ofTurns(), p.ofTurns())
	sum.spent = o.spent.plus(p.spent)
	return &sum
}

// Limits of a load of ticks.
const (
	mostAtOnce = 512 // events that are written together when they are late
	warmShare  = 10  // one part in so many of a row comes before it counts
	// grace is how long a row's last deliveries may take.
	grace = time.Second
)

// turnsOfRow is how many loads a row is put together of.
const turnsOfRow = 8

// runTurns is n turns of run, each a part of a row of that length, in one outcome. It ends
// with the turn in which a client was cut off.
func runTurns(ctx context.Context, l loader, rate int, row time.Duration, n int) (sum *outcome, err error) {
	for turn := 0; turn < n && (sum == nil || sum.cut == nil); turn++ {
		o, err := l.run(ctx, rate, row/turnsOfRow)
		if err != nil {
			return nil, err
		}
		if d, ok := l.(interface{ drain(context.Context) }); ok {
			d.drain(ctx) // what was too late is not the next turn's
		}
		if sum != nil {
			o = sum.plus(o)
		}
		sum = o
	}
	return sum, nil
}

// run offers rate events a second for length, after a tenth of it that does not count
// in the latencies.
func (f *stream) run(ctx context.Context, rate int, length time.Duration) (*outcome, error) {
	s := newSchedule(rate, length/warmShare, length)
	row := &tally{schedule: s, first: f.next, lat: s.measured()}
	before, err := used(f.pid, f.metrics)
	if err != nil {
		return nil, err
	}
	got, missed := f.crowd.got.Load(), f.crowd.missed.Load()
	f.crowd.row.Store(row)
	o := &outcome{offered: float64(time.Second) / float64(s.period), expected: int64(s.n * f.each)}
	err = s.runBatches(ctx, mostAtOnce, func(from, to int) error {
		if time.Since(s.due(s.n)) > grace {
			return errLate
		}
		f.next = row.first + to
		return f.sender.send(row.first+from, row.first+to)
	})
	if err != nil && !errors.Is(err, errLate) {
		return nil, err
	}
	o.span = max(f.settle(ctx, s, got, missed, o), s.whole())
	f.crowd.uncount()
	if o.cut = f.crowd.err(); o.cut != nil && !errors.Is(o.cut, errCut) {
		return nil, o.cut
	}
	after, err := used(f.pid, f.metrics)
	if err != nil {
		return nil, err
	}
	o.events, o.lat, o.spent = float64(o.got)/float64(f.each), row.lat.phases[1], after.since(before)
	return o, ctx.Err()
}

// errLate ends a row that cannot keep its schedule.
var errLate = fmt.Errorf("the schedule is more than %v behind", grace)

// settle waits until everything has come, or is known to be left out, or grace after
// the schedule's end; it returns how long the row took.
func (f *stream) settle(ctx context.Context, s schedule, got, missed int64, o *outcome) time.Duration {
	end := s.due(s.n).Add(grace)
	for {
		o.got, o.missed = f.crowd.got.Load()-got, f.crowd.missed.Load()-missed
		now := time.Now()
		if o.got+o.missed >= o.expected || now.After(end) || ctx.Err() != nil || f.crowd.err() != nil {
			return now.Sub(s.start)
		}
		time.Sleep(100 * time.Microsecond)
	}
}

// drain waits until what was sent has come to rest: nothing new for a while.
func (f *stream) drain(ctx context.Context) {
	const quiet = 100 * time.Millisecond
	last, since := f.crowd.got.Load(), time.Now()
	for time.Since(since) < quiet && ctx.Err() == nil {
		time.Sleep(5 * time.Millisecond)
		if now := f.crowd.got.Load(); now != last {
			last, since = now, time.Now()
		}
	}
}

// saturate sends as fast as the slowest client follows, window events ahead of it at
// most, for length. Events are of one instrument.
func (f *stream) saturate(ctx context.Context, window int, length time.Duration) (*outcome, error) {
	before, err := used(f.pid, f.metrics)
	if err != nil {
		return nil, err
	}
	got, missed, first, start := f.crowd.got.Load(), f.crowd.missed.Load(), f.next, time.Now()
	f.crowd.watch.Store(true)
	defer f.crowd.watch.Store(false)
	for time.Since(start) < length && ctx.Err() == nil && f.crowd.err() == nil {
		to := min(int(f.crowd.low.Load())+window, f.next+mostAtOnce)
		if to <= f.next {
			time.Sleep(20 * time.Microsecond)
			continue
		}
		if err := f.sender.send(f.next, to); err != nil {
			return nil, err
		}
		f.next = to
	}
	o := &outcome{expected: int64(f.next-first) * int64(f.each), lat: newLatencies()}
	o.span = f.settle(ctx, schedule{start: start, period: time.Since(start), n: 1}, got, missed, o)
	if err := f.crowd.err(); err != nil {
		return nil, err
	}
	after, err := used(f.pid, f.metrics)
	if err != nil {
		return nil, err
	}
	o.events, o.spent = float64(o.got)/float64(f.each), after.since(before)
	return o, ctx.Err()
}
