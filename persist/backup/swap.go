package backup

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"qcat/persist/audit"
	"qcat/persist/journal"
	"qcat/persist/store"
	"qcat/persist/vfs"
)

// The folders within a data directory that a restore works in. They are there, and
// not beside it, because a data directory may be a mount point.
const (
	stagingPrefix = "restoring-"
	asidePrefix   = "before-restore-"
)

// ticksDir is the tick log's folder in a data directory. It is not backed up.
const (
	ticksDir  = "ticks"
	ticksName = "ticks"
)

// embeddedFiles are the embedded store's: without its first, the others say nothing.
var embeddedFiles = []string{embeddedFile, embeddedFile + "-wal", embeddedFile + "-shm"}

// placesOf names what a restore puts into a data directory, in the order in which it is
// put there: the journal last, because a server that finds a filled store without its
// journal refuses to start. Anchors of the audit log that are there already stay: they know
// of entries that a backup which is older does not have, and that is for somebody to see.
func placesOf(dir string, m *Manifest, db Database) []string {
	var places []string
	if m.Data != nil && !exists(filepath.Join(dir, audit.HeadFile)) {
		places = append(places, audit.HeadFile)
	}
	if db != nil && db.Kind() == KindEmbedded {
		places = append(places, embeddedFiles...)
	}
	if m.Data != nil {
		places = append(places, snapshotDir, journalDir)
	}
	return places
}

// swap exchanges what is at some places of a data directory for what was made in its
// staging folder.
type swap struct {
	dir     string
	places  []string
	staging string
	aside   string
	moved   bool // something is in aside
	undo    []func() error
}

// newSwap begins an exchange. What another one that was killed had staged is removed.
//
// Errors: ErrNotEmpty unless clean; the file system's.
func newSwap(dir string, places []string, clean bool, now time.Time) (*swap, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), stagingPrefix) {
			if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
				return nil, fmt.Errorf("backup: %w", err)
			}
		}
	}
	s := &swap{dir: dir, places: places}
	if found := s.found(); len(found) > 0 && !clean {
		return nil, fmt.Errorf("backup: the data directory %s is %w: it has %s; restore into another one, or move that aside with --clean",
			dir, ErrNotEmpty, strings.Join(found, ", "))
	}
	stamp := now.UTC().Format(nameLayout)
	s.staging = filepath.Join(dir, stagingPrefix+stamp)
	s.aside = filepath.Join(dir, asidePrefix+stamp)
	for i := 2; exists(s.aside); i++ {
		s.aside = filepath.Join(dir, fmt.Sprintf("%s%s-%d", asidePrefix, stamp, i))
	}
	if err := os.Mkdir(s.staging, 0o750); err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	return s, nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// found names the places that something is at. A folder without files is nothing.
func (s *swap) found() (found []string) {
	for _, place := range s.places {
		path := filepath.Join(s.dir, place)
		if entries, err := os.ReadDir(path); exists(path) && (err != nil || len(entries) > 0) {
			found = append(found, place)
		}
	}
	return found
}

// do moves everything aside that is in the way, and the staged in its place. On an
// error, abandon moves it all back.
func (s *swap) do(m *Manifest) error {
	away := s.places
	if s.foreignTicks(m) {
		away = append([]string{ticksDir}, away...)
	}
	for _, place := range away {
		path := filepath.Join(s.dir, place)
		if !exists(path) {
			continue
		}
		if !s.moved {
			if err := os.Mkdir(s.aside, 0o750); err != nil {
				return fmt.Errorf("backup: %w", err)
			}
			s.moved = true
		}
		if err := s.rename(path, filepath.Join(s.aside, place)); err != nil {
			return err
		}
	}
	for _, place := range s.places {
		if staged := filepath.Join(s.staging, place); exists(staged) {
			if err := s.rename(staged, filepath.Join(s.dir, place)); err != nil {
				return err
			}
		}
	}
	if err := syncDir(s.dir); err != nil {
		return err
	}
	_ = os.RemoveAll(s.staging) // what is left of it is removed by the next restore
	return nil
}

// foreignTicks reports whether the tick log that is there is not the one that the
// database's rows came from, so that the two cannot go on together.
func (s *swap) foreignTicks(m *Manifest) bool {
	was := m.Positions[store.Ticks.String()]
	log, err := journal.OpenReadOnly(filepath.Join(s.dir, ticksDir), ticksName, vfs.OS{})
	if err != nil {
		return !errors.Is(err, journal.ErrNone)
	}
	id := log.ID()
	return was.Seq > 0 && hex.EncodeToString(id[:]) != was.Log
}

// rename moves a file or folder, and remembers how to move it back.
func (s *swap) rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	s.undo = append(s.undo, func() error { return os.Rename(to, from) })
	return nil
}

// abandon brings back what was there before.
func (s *swap) abandon() error {
	var errs []error
	for i := len(s.undo) - 1; i >= 0; i-- {
		errs = append(errs, s.undo[i]())
	}
	if s.moved {
		errs = append(errs, os.Remove(s.aside))
	}
	errs = append(errs, os.RemoveAll(s.staging), syncDir(s.dir))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("backup: bringing back what was in %s: %w", s.dir, err)
	}
	return nil
}
