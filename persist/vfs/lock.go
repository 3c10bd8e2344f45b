package vfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// ErrHeld is wrapped by TryLock when another holds the lock.
var ErrHeld = errors.New("the lock is held")

// FileLock is the machine's lock on a file, which stays: removing it would let two
// hold "the" lock. The kernel gives it back when the process ends, however it ends.
type FileLock struct {
	// File is the one that is locked; what stands in it is its owner's.
	File *os.File
}

// TryLock makes the file if there is none, and takes its lock or says at once that it
// cannot.
//
// Errors: ErrHeld; the file system's.
func TryLock(name string, perm fs.FileMode) (*FileLock, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, perm)
	if err != nil {
		return nil, err
	}
	switch err = flock(f, unix.LOCK_EX|unix.LOCK_NB); {
	case err == nil:
		return &FileLock{f}, nil
	case errors.Is(err, unix.EWOULDBLOCK):
		err = ErrHeld
	}
	return nil, errors.Join(fmt.Errorf("lock %s: %w", name, err), f.Close())
}

// Lock is TryLock that waits until whoever holds the lock gives it back or ends. The kernel
// wakes it: nothing is asked in the meantime. Of several who wait one gets the lock.
//
// Errors: ErrHeld with the cause of ctx when that is done first; the file system's.
func Lock(ctx context.Context, name string, perm fs.FileMode) (*FileLock, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, perm)
	if err != nil {
		return nil, err
	}
	taken := make(chan error, 1)
	go func() { taken <- flock(f, unix.LOCK_EX) }()
	select {
	case err = <-taken:
	case <-ctx.Done():
		go func() { // the call cannot be taken back: what it gets nobody wants any more
			_ = errors.Join(<-taken, (&FileLock{f}).Unlock())
		}()
		return nil, fmt.Errorf("lock %s: %w: %w", name, ErrHeld, context.Cause(ctx))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", name, err), f.Close())
	}
	return &FileLock{f}, nil
}

// flock is flock(2), through signals.
func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// Unlock gives the lock back. Closing the file alone would not do: a child that is
// just being started has the file too, until it runs a program.
func (l *FileLock) Unlock() error {
	return errors.Join(unix.Flock(int(l.File.Fd()), unix.LOCK_UN), l.File.Close())
}
