package vfs

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// Datasync is fdatasync: of the metadata it writes only what is needed to read
// the data back, so that a file which neither grows nor gets new blocks costs the
// data alone.
func (f *osFile) Datasync() error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if !errors.Is(err, unix.EINTR) {
			return f.wrap("fdatasync", err)
		}
	}
}

// Allocate is fallocate.
func (f *osFile) Allocate(size int64) error {
	for {
		err := unix.Fallocate(int(f.Fd()), 0, 0, size)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOSYS):
			return f.wrap("fallocate", errors.ErrUnsupported)
		default:
			return f.wrap("fallocate", err)
		}
	}
}

// WriteV is pwritev, repeated until everything is written.
func (f *osFile) WriteV(bufs [][]byte, off int64) (int, error) {
	total := 0
	for {
		for len(bufs) > 0 && len(bufs[0]) == 0 {
			bufs = bufs[1:]
		}
		if len(bufs) == 0 {
			return total, nil
		}
		n, err := unix.Pwritev(int(f.Fd()), bufs, off+int64(total))
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return total, f.wrap("pwritev", err)
		case n == 0:
			return total, f.wrap("pwritev", io.ErrShortWrite)
		}
		total += n
		bufs = skip(bufs, n)
	}
}

func (f *osFile) wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	return &os.PathError{Op: op, Path: f.Name(), Err: err}
}

// skip drops the first n bytes of bufs.
func skip(bufs [][]byte, n int) [][]byte {
	for n > 0 && n >= len(bufs[0]) {
		n -= len(bufs[0])
		bufs = bufs[1:]
	}
	if n > 0 {
		bufs[0] = bufs[0][n:]
	}
	return bufs
}
