package main

import (
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"qcat/core"
)

// runClock is the time of a run. It goes on from the last record of the run before,
// also when the clock of the machine was set back since: the times of records never
// descend, and what is compared with them, the ages of quotes above all, must be of the
// same time. Otherwise no order would be taken for as long as the step was wide. Any
// goroutine.
type runClock struct {
	machine core.Clock
	resumed atomic.Pointer[resumption]
}

// resumption is where a run goes on: when the machine's clock showed machine, it was
// at.
type resumption struct{ machine, at core.Nanos }

// slower is by which part of itself a clock that is ahead of the machine's goes slower,
// until the two agree: an hour is made up for in sixteen.
const slower = 16

// Now implements core.Clock.
func (c *runClock) Now() core.Nanos {
	now := c.machine.Now()
	r := c.resumed.Load()
	if r == nil {
		return now
	}
	gone := now - r.machine
	return max(now, r.at+gone-gone/slower)
}

// goOnFrom has the clock go on from at, and returns how far that is ahead of the
// machine's clock; 0 when it is not. Once, before anything but the start depends on it.
func (c *runClock) goOnFrom(at core.Nanos) time.Duration {
	now := c.machine.Now()
	if at <= now {
		return 0
	}
	c.resumed.Store(&resumption{machine: now, at: at})
	return time.Duration(at - now)
}

// goOnInTime sets the time of this run by the last record of the journal.
func (s *server) goOnInTime() {
	last := core.Nanos(s.journal.Gauges().LastTime)
	if ahead := s.clock.goOnFrom(last); ahead > 0 {
		s.log.Warn("the clock is behind the last record: time goes on from that, and slower until the two agree",
			zap.Time("last_record", last.Time()), zap.Duration("behind", ahead))
	}
}
