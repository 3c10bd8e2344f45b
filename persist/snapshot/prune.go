package snapshot

import (
	"errors"
	"fmt"
	"path/filepath"

	"qcat/persist/vfs"
)

// Prune removes the snapshots of a log but for the keep newest, and what unfinished
// writes have left. Snapshots of another log stay. One that is damaged does not count
// as kept, and goes once it is older than those that are; so each of them is read, as
// far as its checksums. The newest always stays.
//
// Errors: the file system's, all of them; it goes on after each.
func Prune(fsys vfs.FS, dir string, log [16]byte, keep int) (removed int, err error) {
	entries, err := List(fsys, dir)
	if err != nil {
		return 0, err
	}
	var errs []error
	remove := func(path string) {
		if err := fsys.Remove(path); err != nil {
			errs = append(errs, fmt.Errorf("snapshot: %w", err))
			return
		}
		removed++
	}
	kept := 0
	for i := range entries {
		switch e := &entries[i]; {
		case kept >= max(keep, 1):
			if e.Err != nil || e.Log == log {
				remove(e.Path)
			}
		case e.Err == nil && e.Log == log && check(fsys, e.Path) == nil:
			kept++
		}
	}
	names, err := fsys.List(dir)
	if err != nil && len(entries) > 0 {
		errs = append(errs, fmt.Errorf("snapshot: %w", err))
	}
	for _, name := range names {
		if isTemporary(name) {
			remove(filepath.Join(dir, name))
		}
	}
	if removed > 0 {
		if err := fsys.SyncDir(dir); err != nil {
			errs = append(errs, fmt.Errorf("snapshot: %w", err))
		}
	}
	return removed, errors.Join(errs...)
}
