package feed

import (
	"cmp"
	"time"

	"go.uber.org/zap"

	"qcat/core"
)

// defaultPolicy is how connections are kept where the venue says nothing.
var defaultPolicy = ConnPolicy{
	DialTimeout:       10 * time.Second,
	SubscribeInterval: 250 * time.Millisecond,
	PingEvery:         15 * time.Second,
	IdleTimeout:       45 * time.Second,
	DataTimeout:       60 * time.Second,
	MaxAge:            23*time.Hour + 30*time.Minute,
	Overlap:           3 * time.Second,
	ReadLimit:         4 << 20,
}

// or returns p with its zero fields taken from q.
func (p ConnPolicy) or(q ConnPolicy) ConnPolicy {
	return ConnPolicy{
		DialTimeout:       cmp.Or(p.DialTimeout, q.DialTimeout),
		SubscribeInterval: cmp.Or(p.SubscribeInterval, q.SubscribeInterval),
		PingEvery:         cmp.Or(p.PingEvery, q.PingEvery),
		IdleTimeout:       cmp.Or(p.IdleTimeout, q.IdleTimeout),
		DataTimeout:       cmp.Or(p.DataTimeout, q.DataTimeout),
		MaxAge:            cmp.Or(p.MaxAge, q.MaxAge),
		Overlap:           cmp.Or(p.Overlap, q.Overlap),
		ReadLimit:         cmp.Or(p.ReadLimit, q.ReadLimit),
	}
}

// withDefaults returns the configuration with its zero fields filled in.
func (c SessionConfig) withDefaults() SessionConfig {
	if c.Clock == nil {
		c.Clock = core.SystemClock()
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	if c.Limiter == nil {
		c.Limiter = NewLimiter(250*time.Millisecond, c.Clock)
	}
	c.SnapshotConcurrency = cmp.Or(c.SnapshotConcurrency, 2)
	c.SnapshotTimeout = cmp.Or(c.SnapshotTimeout, 10*time.Second)
	c.SnapshotDelay = cmp.Or(c.SnapshotDelay, 500*time.Millisecond)
	c.ResyncSpacing = cmp.Or(c.ResyncSpacing, time.Second)
	c.StableAfter = cmp.Or(c.StableAfter, time.Minute)
	c.DutyEvery = cmp.Or(c.DutyEvery, 100*time.Millisecond)
	c.Reconnect.Base = cmp.Or(c.Reconnect.Base, 500*time.Millisecond)
	c.Reconnect.Cap = cmp.Or(c.Reconnect.Cap, 30*time.Second)
	c.Resync.Base = cmp.Or(c.Resync.Base, time.Second)
	c.Resync.Cap = cmp.Or(c.Resync.Cap, time.Minute)
	return c
}
