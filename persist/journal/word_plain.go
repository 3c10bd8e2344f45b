//go:build amd64 && !race

package journal

// set stores to a word that this goroutine alone writes. An aligned 64-bit store is
// indivisible on amd64 and stores become visible in program order, so a plain one does,
// where an atomic one would be a locked instruction on the way of each order.
func set(p *uint64, v uint64) { *p = v }
