package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"qcat/persist/vfs"
)

// dataDir is a data directory that this process alone uses.
type dataDir struct {
	path string
	lock *vfs.FileLock
}

// lockName is the file of a data directory whose lock its user holds.
const lockName = "LOCK"

// openDataDir makes the directory if need be and takes its lock. The kernel
// gives the lock back when the process ends, however it ends.
func openDataDir(path string) (*dataDir, error) {
	d, err := tryDataDir(path)
	if errors.Is(err, vfs.ErrHeld) {
		return nil, badSetting("data-dir", "%s is in use by process %s; stop it, or give this one another --data-dir", path, holderOf(path))
	}
	return d, err
}

// tryDataDir is openDataDir that leaves it to the caller what to say.
//
// Errors: vfs.ErrHeld; the file system's.
func tryDataDir(path string) (*dataDir, error) {
	if err := makeToStay(path); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	lock, err := vfs.TryLock(filepath.Join(path, lockName), 0o640)
	return signed(path, lock, err)
}

// waitForDataDir is tryDataDir that waits for whoever has the directory.
//
// Errors: vfs.ErrHeld when ctx was done first; the file system's.
func waitForDataDir(ctx context.Context, path string) (*dataDir, error) {
	lock, err := vfs.Lock(ctx, filepath.Join(path, lockName), 0o640)
	return signed(path, lock, err)
}

// holderOf is the process that has a directory, for messages alone.
func holderOf(path string) string {
	holder, err := os.ReadFile(filepath.Join(path, lockName))
	if err != nil || len(bytes.TrimSpace(holder)) == 0 {
		return "unknown"
	}
	return string(bytes.TrimSpace(holder))
}

// signed is the directory whose lock was taken, if it was.
func signed(path string, lock *vfs.FileLock, err error) (*dataDir, error) {
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	d := &dataDir{path: path, lock: lock}
	if err := d.sign(); err != nil {
		return nil, fmt.Errorf("data directory: write %s: %w", lock.File.Name(), errors.Join(err, d.Close()))
	}
	return d, nil
}

// sign writes who holds the directory into the lock's file. A full disk leaves the
// directory usable: the name in a message is all that is lost.
func (d *dataDir) sign() error {
	if err := d.lock.File.Truncate(0); err != nil {
		return nil //nolint:nilerr // see above
	}
	_, err := d.lock.File.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// makeToStay makes a directory, and those above it that are missing, so that a power
// cut leaves what is synced in it where it can be found.
func makeToStay(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	var above []string // directories that get a new entry
	for dir := path; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		above = append(above, filepath.Dir(dir))
	}
	if err := os.MkdirAll(path, 0o750); err != nil {
		return err
	}
	for _, dir := range above {
		if err := (vfs.OS{}).SyncDir(dir); err != nil {
			return err
		}
	}
	return nil
}

// Close gives the directory back.
func (d *dataDir) Close() error { return d.lock.Unlock() }
