package journal

import (
	"errors"
	"io"
	"math/bits"

	"qcat/persist/vfs"
)

// windowBytes is how much is read from a file at once.
const windowBytes = 256 << 10

// window is the part of a file that is in memory: sequential reading costs one
// system call every windowBytes, and nothing is allocated once the buffer has grown to
// that, or to the largest record.
type window struct {
	f   vfs.File
	buf []byte
	off int64 // of buf[0] in the file
}

// reset makes the window look at another file.
func (w *window) reset(f vfs.File) { w.f, w.off, w.buf = f, 0, w.buf[:0] }

// view returns the n bytes at off, valid until the next call. It may read ahead,
// but nothing at or beyond limit: what lies there may still change.
//
// Errors: io.ErrUnexpectedEOF when the file or limit ends before; the file's.
func (w *window) view(off int64, n int, limit int64) ([]byte, error) {
	if i := off - w.off; i >= 0 && i+int64(n) <= int64(len(w.buf)) {
		return w.buf[i : i+int64(n)], nil
	}
	if off+int64(n) > limit {
		return nil, io.ErrUnexpectedEOF
	}
	if want := max(n, int(min(windowBytes, limit-off))); cap(w.buf) < want {
		w.buf = make([]byte, 0, 1<<bits.Len(uint(want-1)))
	}
	w.off, w.buf = off, w.buf[:min(int64(cap(w.buf)), limit-off)]
	got, err := w.f.ReadAt(w.buf, off)
	w.buf = w.buf[:got]
	switch {
	case got >= n:
		return w.buf[:n], nil
	case err == nil, errors.Is(err, io.EOF):
		return nil, io.ErrUnexpectedEOF
	default:
		w.buf = w.buf[:0]
		return nil, err
	}
}
