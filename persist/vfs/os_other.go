//go:build !linux

package vfs

import (
	"errors"
	"os"
)

// Datasync syncs data and metadata: there is no cheaper call everywhere.
func (f *osFile) Datasync() error { return f.Sync() }

// Allocate is not supported.
func (f *osFile) Allocate(int64) error {
	return &os.PathError{Op: "allocate", Path: f.Name(), Err: errors.ErrUnsupported}
}

// WriteV writes the buffers one after the other.
func (f *osFile) WriteV(bufs [][]byte, off int64) (int, error) {
	total := 0
	for _, b := range bufs {
		n, err := f.WriteAt(b, off+int64(total))
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}
