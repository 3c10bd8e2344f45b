//go:build !amd64 || race

package hist

import "sync/atomic"

// add adds to a word that this goroutine alone writes, so it may read it plainly.
func add(p *uint64, n uint64) { atomic.StoreUint64(p, *p+n) }

// set stores to a word that this goroutine alone writes.
func set(p *uint64, v uint64) { atomic.StoreUint64(p, v) }
