//go:build !amd64 || race

package journal

import "sync/atomic"

// set stores to a word that this goroutine alone writes.
func set(p *uint64, v uint64) { atomic.StoreUint64(p, v) }
