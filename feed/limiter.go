package feed

import (
	"context"
	"sync"
	"time"

	"qcat/core"
)

// Waits when a venue asks to slow down and does not say for how long.
const (
	defaultRetryAfter = 10 * time.Second
	defaultBan        = 2 * time.Minute
)

// Limiter spaces the snapshot requests to one venue, and stops them while the
// venue wants to be left alone. Sessions of the same venue share one: the venue
// counts by address. It is safe for concurrent use.
type Limiter struct {
	clock    core.Clock
	interval time.Duration

	mu      sync.Mutex
	next    core.Nanos // when the next request may be sent
	blocked core.Nanos // none before this
}

// NewLimiter returns a limiter that lets a request pass each interval. A nil
// clock is the system's.
func NewLimiter(interval time.Duration, clock core.Clock) *Limiter {
	if clock == nil {
		clock = core.SystemClock()
	}
	return &Limiter{clock: clock, interval: interval}
}

// Block stops the requests as the venue's answer says.
func (l *Limiter) Block(e *RateLimitError) {
	wait := e.RetryAfter
	if wait <= 0 {
		wait = defaultRetryAfter
		if e.Banned {
			wait = defaultBan
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.blocked = max(l.blocked, after(l.clock.Now(), wait))
}

// Blocked returns until when no request is sent, in the past if one may be.
func (l *Limiter) Blocked() core.Nanos {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.blocked
}

// reserve takes a turn when it is due now and returns 0, or says how long to wait.
func (l *Limiter) reserve() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.Now()
	if due := max(l.next, l.blocked); due > now {
		return time.Duration(due - now)
	}
	l.next = after(now, l.interval)
	return 0
}

// Wait returns nil when the caller may send a request, or ctx's error.
func (l *Limiter) Wait(ctx context.Context) error {
	for {
		wait := l.reserve()
		if wait == 0 {
			return ctx.Err()
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// sleep waits for d or until ctx is done.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
