//go:build !amd64 && !arm64

package ringbuf

// pause passes n short moments without touching memory.
//
//go:noinline
func pause(n uint32) {
	for range n {
	}
}
