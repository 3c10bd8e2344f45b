package backup

import (
	"errors"
	"fmt"
	"path/filepath"

	"qcat/persist/vfs"
)

// lockName is the file whose lock is held while a folder of backups is written.
const lockName = ".lock"

// lock takes the folder's lock. The kernel gives it back when the process ends.
func lock(dir string) (unlock func(), err error) {
	l, err := vfs.TryLock(filepath.Join(dir, lockName), 0o600)
	if errors.Is(err, vfs.ErrHeld) {
		return nil, fmt.Errorf("%w in %s", ErrBusy, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	return func() { _ = l.Unlock() }, nil
}
