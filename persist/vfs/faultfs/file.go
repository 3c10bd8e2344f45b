package faultfs

import (
	"errors"
	"io/fs"
	"sync/atomic"
)

// file is an open file.
type file struct {
	fs     *FS
	inode  *inode
	name   string
	closed atomic.Bool
}

func (f *file) ReadAt(b []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.usable("read"); err != nil {
		return 0, err
	}
	return f.inode.readAt(b, off)
}

func (f *file) WriteAt(b []byte, off int64) (int, error) { return f.WriteV([][]byte{b}, off) }

func (f *file) WriteV(bufs [][]byte, off int64) (int, error) {
	last, err := f.fs.begin(Write, f.name, f.inode.id)
	defer f.fs.mu.Unlock()
	if err == nil {
		err = f.usable(Write)
	}
	if err != nil && !last {
		return 0, err
	}
	total := 0
	for _, b := range bufs {
		if len(b) == 0 {
			continue
		}
		at := off + int64(total)
		if err := f.fs.take(f.inode.needs(at, int64(len(b)))); err != nil {
			return total, &fs.PathError{Op: string(Write), Path: f.name, Err: err}
		}
		f.inode.writeAt(b, at)
		total += len(b)
	}
	if last {
		return 0, f.fs.crashError(Write, f.name)
	}
	return total, nil
}

func (f *file) Datasync() error {
	last, err := f.fs.begin(Sync, f.name, f.inode.id)
	defer f.fs.mu.Unlock()
	if err == nil && !last {
		err = f.usable(Sync)
	}
	switch {
	case last: // anything may have come through: nothing is made sure
		return f.fs.crashError(Sync, f.name)
	case errors.Is(err, ErrCrashed), errors.Is(err, fs.ErrClosed):
		return err
	case err != nil:
		f.inode.forget()
		return err
	}
	f.inode.datasync()
	return nil
}

func (f *file) Allocate(size int64) error {
	last, err := f.fs.begin(Allocate, f.name, f.inode.id)
	defer f.fs.mu.Unlock()
	if err == nil && !last {
		err = f.usable(Allocate)
	}
	if err == nil {
		err = f.fs.take(f.inode.needs(0, size))
	}
	if err != nil {
		return &fs.PathError{Op: string(Allocate), Path: f.name, Err: err}
	}
	f.inode.allocate(size)
	return f.fs.done(last, Allocate, f.name)
}

func (f *file) Truncate(size int64) error {
	last, err := f.fs.begin(Truncate, f.name, f.inode.id)
	defer f.fs.mu.Unlock()
	if err == nil && !last {
		err = f.usable(Truncate)
	}
	if err != nil {
		return err
	}
	before := f.inode.room()
	f.inode.resize(size)
	f.fs.used += f.inode.room() - before
	return f.fs.done(last, Truncate, f.name)
}

func (f *file) Size() (int64, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.usable("size"); err != nil {
		return 0, err
	}
	return int64(len(f.inode.data)), nil
}

func (f *file) Close() error {
	if f.closed.Swap(true) {
		return &fs.PathError{Op: "close", Path: f.name, Err: fs.ErrClosed}
	}
	return nil
}

// usable is the error of a descriptor that cannot be used. The lock is held.
func (f *file) usable(kind Kind) error {
	if f.closed.Load() {
		return &fs.PathError{Op: string(kind), Path: f.name, Err: fs.ErrClosed}
	}
	if f.fs.crashed {
		return f.fs.crashError(kind, f.name)
	}
	return nil
}
