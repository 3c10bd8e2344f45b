//go:build amd64 && !race

package hist

// add adds to a word that this goroutine alone writes. An aligned 64-bit store is
// indivisible on amd64 and stores become visible in program order, so a plain one
// does; a sync/atomic store would be a locked instruction several times the price
// of the rest of Record.
func add(p *uint64, n uint64) { *p += n }

// set stores to a word that this goroutine alone writes.
func set(p *uint64, v uint64) { *p = v }
