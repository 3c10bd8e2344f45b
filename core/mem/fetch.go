//go:build amd64 || arm64

package mem

import "unsafe"

// Fetch asks for the two cache lines (128 bytes) at p and returns at once. It never
// faults, whatever p is; it neither reads nor writes as far as the program can tell.
//
//go:noescape
func Fetch(p unsafe.Pointer)

// FetchBlock is Fetch of the eight lines (512 bytes) at p.
//
//go:noescape
func FetchBlock(p unsafe.Pointer)
