package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"qcat/persist/vfs"
)

// dataDir is a data directory that this process alone uses.
type dataDir struct {
	path string
	lock *os.File
}

// openDataDir makes the directory if need be and takes its lock. The kernel
// gives the lock back when the process ends, however it ends.
func openDataDir(path string) (*dataDir, error) {
	if err := makeToStay(path); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	name := filepath.Join(path, "LOCK")
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		holder, _ := os.ReadFile(name) // only for the message
		_ = f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, badSetting("data-dir", "%s is in use by process %s; stop it, or give this one another --data-dir",
				path, strings.TrimSpace(string(holder)))
		}
		return nil, fmt.Errorf("data directory: lock %s: %w", name, err)
	}
	pid := strconv.Itoa(os.Getpid()) + "\n"
	if err := f.Truncate(0); err == nil {
		_, err = f.WriteAt([]byte(pid), 0)
		if err != nil {
			_ = f.Close()
			return nil, fmt.Errorf("data directory: write %s: %w", name, err)
		}
	}
	return &dataDir{path: path, lock: f}, nil
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
func (d *dataDir) Close() error {
	// Closing alone does not do: a child that is just being started has the file too,
	// until it runs a program.
	return errors.Join(unix.Flock(int(d.lock.Fd()), unix.LOCK_UN), d.lock.Close())
}
