package backup

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Entry is one backup of a folder.
type Entry struct {
	Name  string    `json:"name"`
	Time  time.Time `json:"time"`
	State string    `json:"state"` // StateComplete, StateIncomplete
	Why   string    `json:"why,omitempty"`
	Bytes int64     `json:"bytes"` // of all its files
	Store string    `json:"store,omitempty"`
	Seq   uint64    `json:"seq"` // Manifest.Seq
	Rows  uint64    `json:"rows"`

	Verified time.Time     `json:"verified,omitzero"` // when it was; zero: it was not
	Took     time.Duration `json:"took_ns"`           // to make it
}

// What a backup can be.
const (
	StateComplete   = "complete"
	StateIncomplete = "incomplete"
)

// List returns the backups of a folder, newest first. It reads manifests and looks
// whether the files are there and as long as they were; Verify reads them. A folder
// that is not there has none.
func List(dir string) ([]Entry, error) {
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	sizes := map[string]map[string]int64{} // of the files of a backup
	for _, f := range files {
		name, ok := owner(f.Name())
		if !ok {
			continue
		}
		if sizes[name] == nil {
			sizes[name] = map[string]int64{}
		}
		st, err := f.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed or renamed just now
		}
		if err != nil {
			return nil, fmt.Errorf("backup: %w", err)
		}
		sizes[name][f.Name()] = st.Size()
	}
	entries := make([]Entry, 0, len(sizes))
	for name, files := range sizes {
		entries = append(entries, entryOf(dir, name, files))
	}
	slices.SortFunc(entries, func(a, b Entry) int { return cmp.Compare(b.Name, a.Name) })
	return entries, nil
}

func entryOf(dir, name string, sizes map[string]int64) Entry {
	e := Entry{Name: name, State: StateComplete}
	e.Time, _ = timeOf(name)
	for _, n := range sizes {
		e.Bytes += n
	}
	m, err := ReadManifest(dir, name)
	if err != nil {
		e.State, e.Why = StateIncomplete, err.Error()
		return e
	}
	e.Store, e.Seq, e.Rows, e.Took = m.Store, m.Seq(), m.Rows(), time.Duration(m.TookNs)
	want := []File{m.Dump}
	if m.Data != nil {
		want = append(want, m.Data.File)
	}
	for _, f := range want {
		size, there := sizes[f.Name]
		_, sum := sizes[f.Name+sumSuffix]
		switch {
		case !there:
			e.State, e.Why = StateIncomplete, f.Name+" is missing"
		case size != f.Bytes:
			e.State, e.Why = StateIncomplete, fmt.Sprintf("%s has %d bytes instead of %d", f.Name, size, f.Bytes)
		case !sum:
			e.State, e.Why = StateIncomplete, f.Name+sumSuffix+" is missing"
		}
	}
	if e.State == StateComplete {
		e.Verified = markOf(dir, name)
	}
	return e
}

// Cleanup removes the backups of a folder that are older than keep, and returns them.
// The newest complete one stays whatever its age. What a verification that was killed
// left is removed, too.
//
// Errors: ErrBusy; the file system's.
func Cleanup(dir string, keep time.Duration, now time.Time) ([]Entry, error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	unlock, err := lock(dir)
	if err != nil {
		return nil, err
	}
	defer unlock()
	entries, err := List(dir)
	if err != nil {
		return nil, err
	}
	newest := slices.IndexFunc(entries, func(e Entry) bool { return e.State == StateComplete })
	var removed []Entry
	for i, e := range entries {
		if i == newest || now.Sub(e.Time) <= keep {
			continue
		}
		if err := removeFiles(dir, e.Name); err != nil {
			return removed, err
		}
		removed = append(removed, e)
	}
	return removed, removeStale(dir, keep, now)
}

// removeStale removes the temporary folders of verifications that were killed.
func removeStale(dir string, keep time.Duration, now time.Time) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	for _, f := range files {
		if !f.IsDir() || !strings.HasPrefix(f.Name(), ".verify-") {
			continue
		}
		if st, err := f.Info(); err == nil && now.Sub(st.ModTime()) > keep {
			if err := os.RemoveAll(filepath.Join(dir, f.Name())); err != nil {
				return fmt.Errorf("backup: %w", err)
			}
		}
	}
	return nil
}
