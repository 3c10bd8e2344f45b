package main

import (
	"context"
	"runtime"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sys/unix"
)

// schedule is an open-loop load: event i is due at start + i·period, whether or
// not what came before has been answered. Latency counts from when an event was
// due, so a stall is charged to every event it delayed.
type schedule struct {
	start  time.Time
	period time.Duration
	n      int
	ends   []int // of each phase: the number of the first event behind it
}

// newSchedule begins in a moment; it has a phase of each length.
func newSchedule(rate int, phases ...time.Duration) schedule {
	s := schedule{start: time.Now().Add(50 * time.Millisecond), period: time.Second / time.Duration(rate)}
	whole := time.Duration(0)
	for _, length := range phases {
		whole += length
		s.n = int(whole / s.period)
		s.ends = append(s.ends, s.n)
	}
	return s
}

func (s schedule) due(i int) time.Time { return s.start.Add(time.Duration(i) * s.period) }

// whole is the time that the schedule takes: the last event, too, has its period.
func (s schedule) whole() time.Duration { return time.Duration(s.n) * s.period }

// phaseEnd is when phase p ends.
func (s schedule) phaseEnd(p int) time.Time { return s.due(s.ends[p]) }

// run calls f(i) when event i is due, on one thread of its own whose timer slack
// is a nanosecond: the default would add 50 µs to every event.
func (s schedule) run(ctx context.Context, f func(i int) error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	for i := range s.n {
		if err := ctx.Err(); err != nil {
			return err
		}
		sleepUntil(s.due(i))
		if err := f(i); err != nil {
			return err
		}
	}
	return nil
}

// runBatches is run for a load that puts together what is due at once, most events at
// most: f gets the first and the one behind the last.
func (s schedule) runBatches(ctx context.Context, most int, f func(from, to int) error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	for next := 0; next < s.n; {
		if err := ctx.Err(); err != nil {
			return err
		}
		sleepUntil(s.due(next))
		to := min(int(time.Since(s.start)/s.period)+1, next+most, s.n)
		if err := f(next, to); err != nil {
			return err
		}
		next = to
	}
	return nil
}

// sleepUntil sleeps in the kernel: the runtime's timers are coarser.
func sleepUntil(t time.Time) {
	for {
		left := time.Until(t)
		if left <= 0 {
			return
		}
		ts := unix.NsecToTimespec(int64(left))
		_ = unix.Nanosleep(&ts, nil)
	}
}

// latencies counts to a minute with three significant digits.
type latencies struct{ h *hdrhistogram.Histogram }

func newLatencies() latencies {
	return latencies{hdrhistogram.New(1, int64(time.Minute), 3)}
}

func (l latencies) record(d time.Duration) {
	_ = l.h.RecordValue(max(1, min(int64(d), int64(time.Minute))))
}

func (l latencies) count() int { return int(l.h.TotalCount()) }

// quantile is the p-th percentile, 0 of nothing.
func (l latencies) quantile(p float64) time.Duration {
	return time.Duration(l.h.ValueAtPercentile(p))
}

// percentiles are the columns of every table.
var percentiles = []float64{50, 90, 99, 99.9, 99.99}

func (l latencies) row() []time.Duration {
	out := make([]time.Duration, 0, len(percentiles)+1)
	for _, p := range percentiles {
		out = append(out, time.Duration(l.h.ValueAtPercentile(p)))
	}
	return append(out, time.Duration(l.h.Max()))
}

// measured is the latencies of a schedule's events, a histogram a phase. One
// goroutine.
type measured struct {
	ends   []int
	phases []latencies
}

func (s schedule) measured() *measured {
	m := &measured{ends: s.ends}
	for range s.ends {
		m.phases = append(m.phases, newLatencies())
	}
	return m
}

// record counts event i in the phase it was due in.
func (m *measured) record(i int, d time.Duration) {
	for p, end := range m.ends {
		if i < end {
			m.phases[p].record(d)
			return
		}
	}
}

// merge adds those of another goroutine.
func (m *measured) merge(o *measured) {
	for p := range m.phases {
		m.phases[p].h.Merge(o.phases[p].h)
	}
}

// count is how many events were recorded.
func (m *measured) count() (n int) {
	for _, l := range m.phases {
		n += l.count()
	}
	return n
}
