package vfs

import (
	"io"
	"io/fs"
)

// FS is a file system. Any goroutine may call it. Names are paths as the host
// writes them; errors of a name that is not there wrap fs.ErrNotExist, and errors
// of a full disk wrap syscall.ENOSPC.
type FS interface {
	// OpenFile opens a file with the flags of package os.
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)
	// Rename replaces to by from at once: whoever opens to sees the one or the
	// other. It survives a power cut after SyncDir.
	Rename(from, to string) error
	// Remove deletes a file. Those who have it open read on.
	Remove(name string) error
	// List returns the names in a directory, sorted, without its path.
	List(dir string) ([]string, error)
	// MkdirAll makes a directory and those above it. Each new one survives a power
	// cut as far as the file system promises it by itself.
	MkdirAll(dir string, perm fs.FileMode) error
	// Stat returns the size of a file in bytes.
	Stat(name string) (int64, error)
	// SyncDir makes what was created, renamed and removed in dir survive a power
	// cut.
	SyncDir(dir string) error
}

// File is an open file. Reading is for any goroutine, also beside one that writes.
type File interface {
	io.ReaderAt
	io.WriterAt
	// WriteV writes bufs one behind the other at off, in one system call where there
	// is one. It returns how many bytes were written, and an error when that is not
	// all of them. bufs is not kept; its elements may be resliced.
	WriteV(bufs [][]byte, off int64) (int, error)
	// Datasync makes what was written, and the size, survive a power cut. After an
	// error nobody knows what did, and a second call that succeeds says nothing:
	// the system may have dropped what it could not write.
	Datasync() error
	// Allocate keeps room for size bytes, and makes the file as long if it is
	// shorter: what is added reads as zeros, and writing there finds the disk full no
	// more. Errors that wrap errors.ErrUnsupported come from file systems that cannot;
	// nothing has changed then.
	Allocate(size int64) error
	// Truncate sets the size. What is added reads as zeros.
	Truncate(size int64) error
	// Size is the size in bytes.
	Size() (int64, error)
	// Close lets go of the descriptor. It does not sync.
	io.Closer
}
