package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
)

// precision is what one measurement takes.
type precision struct {
	window      time.Duration // of a run: shorter than a time slice, so that some meet no disturbance
	widest      time.Duration // of a run that takes long to set up
	least, most int           // runs, of which the minimum is taken
	patience    time.Duration // that least runs may take; one is taken whatever it takes
}

// usual is the precision of a gate that decides about a change.
var usual = precision{window: 2 * time.Millisecond, widest: 20 * time.Millisecond, least: 5, most: 100, patience: 500 * time.Millisecond}

// subject is a kernel with what is known of both sides.
type subject struct {
	kernel
	base, head *testBinary
	note       string // why it is not measured; empty if it is

	iterations int // of a run, the same on both sides
	count      int // runs of a measurement
	takes      time.Duration

	rounds []*round
	allocs [2]extent // base, head
	bytes  [2]extent
	least  [2]float64 // ns an operation, base, head

	verdict  verdict
	accepted *accepted
}

// verdict on a kernel.
type verdict int

const (
	unmeasured verdict = iota // there is nothing to compare, and note says why
	undecided                 // there was no time
	passed
	failedSlower
	failedAllocs
	acceptedSlower
)

// extent is the least and the most of some figures.
type extent struct{ least, most int64 }

func (e extent) with(v int64) extent { return extent{min(e.least, v), max(e.most, v)} }

// compared readies a kernel of which both binaries are there.
func compared(k kernel, base, head *testBinary) *subject {
	none := extent{math.MaxInt64, math.MinInt64}
	inf := math.Inf(1)
	return &subject{kernel: k, base: base, head: head, verdict: undecided,
		allocs: [2]extent{none, none}, bytes: [2]extent{none, none}, least: [2]float64{inf, inf}}
}

// skip says that a kernel is not measured.
func (s *subject) skip(format string, args ...any) {
	s.note, s.verdict = fmt.Sprintf(format, args...), unmeasured
}

// calibrate runs the kernel on each side, which shows whether both have it, and chooses
// how it is measured so that a measurement takes about a share of time.
func (s *subject) calibrate(ctx context.Context, share time.Duration, p precision) error {
	const several = 5
	window := p.window.String()
	base, once, baseErr := timed(ctx, s.base, s.bench, window, 1)
	_, often, againErr := timed(ctx, s.base, s.bench, window, several)
	head, _, err := timed(ctx, s.head, s.bench, window, 1)
	switch baseErr = errors.Join(baseErr, againErr); {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("the head fails: %w", err)
	case baseErr != nil:
		s.skip("the base fails: %s", firstLine(baseErr))
		return nil
	case len(base) == 0 && len(head) == 0:
		s.skip("run by neither side")
		return nil
	case len(base) == 0:
		s.skip("new (the base does not run it)")
		return nil
	case len(head) == 0:
		s.skip("gone (the head does not run it)")
		return nil
	}
	s.choose(base[0].ns, once, (often-once)/(several-1), share, p)
	return nil
}

// timed is runs with the time that the process took.
func timed(ctx context.Context, b *testBinary, bench, benchtime string, count int) (runs []figures, took time.Duration, err error) {
	begin := time.Now()
	runs, err = b.runs(ctx, bench, benchtime, count)
	return runs, time.Since(begin), err
}

// choose sets iterations and runs: an operation takes ns, a process with one run takes
// once, and each run more. What is long to set up is then measured for longer, too.
func (s *subject) choose(ns float64, once, each, share time.Duration, p precision) {
	each = max(each, p.window)
	window := min(max(each/10, p.window), max(p.widest, p.window))
	each += window - p.window
	start := max(once-each, 0)
	s.iterations = max(1, int(float64(window.Nanoseconds())/max(ns, 0.1)))
	least := max(1, min(p.least, int(p.patience/each)))
	s.count = min(max(int((share-start)/each), least), p.most)
	s.takes = start + time.Duration(s.count)*each
}

// begin opens a round.
func (s *subject) begin() { s.rounds = append(s.rounds, &round{}) }

// last is the round that goes on.
func (s *subject) last() *round { return s.rounds[len(s.rounds)-1] }

// block adds four measurements to the last round, in the order ABBA.
func (s *subject) block(ctx context.Context) error {
	var ns [4]float64
	for i, side := range []int{0, 1, 1, 0} {
		binary := s.base
		if side == 1 {
			binary = s.head
		}
		runs, err := binary.runs(ctx, s.bench, fmt.Sprintf("%dx", s.iterations), s.count)
		if err != nil {
			return err
		}
		if len(runs) != s.count {
			return fmt.Errorf("%s: %d runs, want %d", s.name(), len(runs), s.count)
		}
		f := least(runs)
		ns[i] = f.ns
		s.least[side] = min(s.least[side], f.ns)
		s.allocs[side] = s.allocs[side].with(f.allocs)
		s.bytes[side] = s.bytes[side].with(f.bytes)
	}
	r := s.last()
	r.base = append(r.base, ns[0], ns[3])
	r.head = append(r.head, ns[1], ns[2])
	return nil
}

// leastAllocation is the size of the smallest allocation there is, in bytes. A rise by less
// is none of an operation's, or of every second one's: it is set-up shared out among the
// iterations.
const leastAllocation = 8

// allocatesMore says whether every measurement of the head is above every one of the
// base. Where the figures are always the same, that is any rise of the allocations, and
// one of the bytes by an allocation at least.
func (s *subject) allocatesMore() bool {
	return s.allocs[1].least > s.allocs[0].most || s.bytes[1].least >= s.bytes[0].most+leastAllocation
}

// decide draws the conclusion of the last round.
func (s *subject) decide() {
	r := s.last()
	switch {
	case r.blocks() < leastBlocks:
		s.verdict = undecided
	case s.allocatesMore():
		s.verdict = failedAllocs
	case !r.judge().slower && (r.blocks() == fullBlocks || r.settled()):
		s.verdict = passed
	case !r.judge().slower:
		s.verdict = undecided // the time was over, and more blocks might have shown more
	case len(s.rounds) < rounds:
		s.verdict = undecided
	case s.accepted != nil:
		s.verdict = acceptedSlower
	default:
		s.verdict = failedSlower
	}
}

// suspect says that the last round found it slower, and that others must confirm it.
func (s *subject) suspect() bool {
	return s.verdict == undecided && s.last().blocks() >= leastBlocks && s.last().judge().slower
}
