package limit

import (
	"sync/atomic"
	"time"

	"qcat/core"
)

// Rate is how many a second, and how many at once after a pause.
type Rate struct {
	PerSecond float64
	Burst     int
}

// Limiter is a token bucket for each key. Any goroutine.
//
// Kept is one number a bucket, the moment at which it will be full: what lies in the
// future is what was taken.
type Limiter struct {
	table table[core.Nanos]
	each  core.Nanos // until one token has come back
	depth core.Nanos // until an empty bucket is full

	refused atomic.Uint64
}

// NewLimiter returns a limiter whose buckets are full. A rate or burst that is not positive
// allows nothing.
func NewLimiter(r Rate) *Limiter {
	l := &Limiter{table: newTable(func(full *core.Nanos, now int64) bool { return int64(*full) <= now })}
	if r.PerSecond > 0 && r.Burst > 0 {
		l.each = max(1, core.Nanos(1e9/r.PerSecond))
		l.depth = l.each * core.Nanos(r.Burst)
	}
	return l
}

// Take takes one token, or says how long to wait for it: nothing is taken then.
func (l *Limiter) Take(k Key, now core.Nanos) (wait time.Duration, ok bool) {
	return l.TakeN(k, 1, now)
}

// TakeN takes n tokens at once. More than the burst are never there: the wait is then
// that for a full bucket.
func (l *Limiter) TakeN(k Key, n int, now core.Nanos) (wait time.Duration, ok bool) {
	if l.each == 0 {
		l.refused.Add(1)
		return time.Hour, false
	}
	s, full := l.table.of(k, int64(now))
	defer s.mu.Unlock()
	*full = min(*full, now+l.depth) // an empty bucket at worst: the clock may have been set back
	after := max(*full, now) + l.each*core.Nanos(n)
	if over := after - now - l.depth; over > 0 {
		l.refused.Add(1)
		return time.Duration(min(over, l.depth)), false
	}
	*full = after
	return 0, true
}

// Refused is how often somebody was told to wait.
func (l *Limiter) Refused() uint64 { return l.refused.Load() }
