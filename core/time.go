package core

import (
	"sync/atomic"
	"time"
)

// Nanos is Unix time in nanoseconds.
type Nanos int64

// Time returns n as a UTC time.Time.
func (n Nanos) Time() time.Time { return time.Unix(0, int64(n)).UTC() }

// Clock tells the time. A reading costs tens of nanoseconds: loops read it once
// a duty cycle and hand the reading on. Implementations are safe for concurrent
// use.
type Clock interface {
	// Now returns Unix nanoseconds. It never goes backwards within a process.
	Now() Nanos
}

// systemClock adds the monotonic time since its start to the wall time of its
// start, so that a step of the wall clock never moves a timer or a latency.
type systemClock struct{ start time.Time }

// SystemClock returns the clock of the machine: wall time at the start of the
// process, monotonic from there.
func SystemClock() Clock { return processClock }

var processClock = systemClock{start: time.Now()}

func (c systemClock) Now() Nanos {
	return Nanos(c.start.UnixNano() + int64(time.Since(c.start)))
}

// ManualClock is a clock that moves only when told to, for tests and replays.
type ManualClock struct{ now atomic.Int64 }

// NewManualClock returns a clock that stands at t.
func NewManualClock(t Nanos) *ManualClock {
	c := &ManualClock{}
	c.now.Store(int64(t))
	return c
}

// Now returns the time the clock was set to.
func (c *ManualClock) Now() Nanos { return Nanos(c.now.Load()) }

// Set moves the clock to t.
func (c *ManualClock) Set(t Nanos) { c.now.Store(int64(t)) }

// Advance moves the clock forward by d.
func (c *ManualClock) Advance(d time.Duration) { c.now.Add(int64(d)) }
