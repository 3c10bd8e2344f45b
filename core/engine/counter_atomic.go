//go:build !amd64 || race

package engine

import "sync/atomic"

// bump adds one to a counter that only the engine's goroutine writes, so it may read it
// plainly.
func (c *Counter) bump() { atomic.StoreUint64(&c.n, c.n+1) }
