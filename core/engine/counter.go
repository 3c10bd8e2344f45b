package engine

import "sync/atomic"

// Counter counts up. Its writers are either any goroutine, which add, or the engine's
// alone, which bumps; any goroutine reads.
type Counter struct{ n uint64 }

// Load returns the count.
func (c *Counter) Load() uint64 { return atomic.LoadUint64(&c.n) }

func (c *Counter) add(n uint64) { atomic.AddUint64(&c.n, n) }
