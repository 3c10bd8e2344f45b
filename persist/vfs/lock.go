package vfs

import (
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
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	switch {
	case err == nil:
		return &FileLock{f}, nil
	case errors.Is(err, unix.EWOULDBLOCK):
		err = ErrHeld
	}
	return nil, errors.Join(fmt.Errorf("lock %s: %w", name, err), f.Close())
}

// Unlock gives the lock back. Closing the file alone would not do: a child that is
// just being started has the file too, until it runs a program.
func (l *FileLock) Unlock() error {
	return errors.Join(unix.Flock(int(l.File.Fd()), unix.LOCK_UN), l.File.Close())
}
