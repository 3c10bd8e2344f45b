package ringbuf

// pause tells the processor n times that the caller spins (YIELD).
//
//go:noescape
func pause(n uint32)
