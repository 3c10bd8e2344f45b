package feed_test

import (
	"context"
	"testing"
	"time"

	"qcat/core"
	"qcat/feed"
)

// TestBackoff: the bound doubles up to the cap and the jitter spans all of it.
func TestBackoff(t *testing.T) {
	var bounds []int64
	b := feed.Backoff{Base: time.Second, Cap: 10 * time.Second, Rand: func(n int64) int64 {
		bounds = append(bounds, n)
		return n - 1
	}}
	for i, want := range []time.Duration{1, 2, 4, 8, 10, 10} {
		if got := b.Wait(i + 1); got != want*time.Second-1 || bounds[i] != int64(want*time.Second) {
			t.Errorf("attempt %d: waits %v of at most %v, want %v s", i+1, got, time.Duration(bounds[i]), int64(want))
		}
	}
	if b.Wait(1<<30) >= b.Cap {
		t.Error("beyond the cap after very many attempts")
	}
	if (feed.Backoff{}).Wait(3) != 0 {
		t.Error("the zero back-off waits")
	}
}

// TestLimiterBlock: what the venue said last and longest holds.
func TestLimiterBlock(t *testing.T) {
	clock := core.NewManualClock(1000)
	l := feed.NewLimiter(time.Second, clock)
	if err := l.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	l.Block(&feed.RateLimitError{Banned: true})
	l.Block(&feed.RateLimitError{RetryAfter: time.Second})
	if got := l.Blocked(); got != 1000+core.Nanos(2*time.Minute) {
		t.Errorf("blocked until %d", got)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if l.Wait(ctx) == nil {
		t.Error("let a request pass while blocked")
	}
	clock.Advance(3 * time.Minute)
	if err := l.Wait(context.Background()); err != nil {
		t.Error(err)
	}
}
