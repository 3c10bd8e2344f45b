//go:build !amd64 && !arm64

package mem

import "unsafe"

// Fetch asks for the two cache lines (128 bytes) at p; here it does nothing.
func Fetch(unsafe.Pointer) {}

// FetchBlock asks for the eight cache lines at p; here it does nothing.
func FetchBlock(unsafe.Pointer) {}
