package ringbuf

// pause tells the processor n times that the caller spins (PAUSE: 10 to 140
// cycles each), which leaves a hyper-threaded sibling its share and avoids the
// memory-order flush at the end of the spin.
//
//go:noescape
func pause(n uint32)
