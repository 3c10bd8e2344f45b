package feed

import (
	"math/rand/v2"
	"time"

	"qcat/core"
)

// Backoff says how long to wait before the next attempt: a random time of up to
// Base doubled with each attempt, at most Cap ("full jitter": clients that were
// cut off together do not come back together).
type Backoff struct {
	// Base is the upper bound before the second attempt.
	Base time.Duration
	// Cap bounds every wait.
	Cap time.Duration
	// Rand returns a number in [0, n). Default: math/rand/v2.
	Rand func(n int64) int64
}

// Wait returns how long to wait after that many failed attempts in a row, which
// is at least one.
func (b Backoff) Wait(attempts int) time.Duration {
	limit := b.Base
	for i := 1; i < attempts && limit < b.Cap; i++ {
		limit *= 2
	}
	limit = min(limit, b.Cap)
	if limit <= 0 {
		return 0
	}
	random := b.Rand
	if random == nil {
		random = rand.Int64N
	}
	return time.Duration(random(int64(limit)))
}

// after returns now plus d.
func after(now core.Nanos, d time.Duration) core.Nanos { return now + core.Nanos(d) }
