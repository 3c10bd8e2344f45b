package engine

import "sync/atomic"

// Counter counts up from any goroutine.
type Counter struct{ n atomic.Uint64 }

// Load returns the count.
func (c *Counter) Load() uint64 { return c.n.Load() }

func (c *Counter) add(n uint64) { c.n.Add(n) }

// bump is add(1) for a counter that only the engine's goroutine writes: a load
// and a store, without a locked instruction.
func (c *Counter) bump() { c.n.Store(c.n.Load() + 1) }
