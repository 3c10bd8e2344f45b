package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The names of a backup's files are its own and one of these.
const (
	dumpSuffix     = ".sql.gz"
	dataSuffix     = ".data.tar.gz"
	manifestSuffix = ".json"
	sumSuffix      = ".sha256"
	partialSuffix  = ".partial"
)

const (
	namePrefix = "qcat_backup_"
	nameLayout = "20060102_150405" // UTC
)

// Errors of the package, wrapped with what was wrong and where.
var (
	// ErrNone is wrapped when there is no such backup.
	ErrNone = errors.New("no such backup")
	// ErrIncomplete is wrapped when a backup has no manifest or lacks a file.
	ErrIncomplete = errors.New("backup is incomplete")
	// ErrDamaged is wrapped when a file does not hold what was backed up.
	ErrDamaged = errors.New("backup is damaged")
	// ErrBusy is wrapped when another process writes in the folder of backups.
	ErrBusy = errors.New("another process is making or removing backups")
	// ErrNotEmpty is wrapped when a restore would cover something.
	ErrNotEmpty = errors.New("not empty")
	// ErrDiffers is wrapped when what was restored is not what was backed up.
	ErrDiffers = errors.New("restored content differs from the backup's")
	// ErrTools is wrapped when pg_dump or psql is missing or too old.
	ErrTools = errors.New("postgres client programs")
)

// nameAt is the name of a backup that begins at t.
func nameAt(t time.Time) string { return namePrefix + t.UTC().Format(nameLayout) }

// timeOf is when the backup of that name began, and false for other names.
func timeOf(name string) (time.Time, bool) {
	stamp, ok := strings.CutPrefix(name, namePrefix)
	if !ok {
		return time.Time{}, false
	}
	t, err := time.Parse(nameLayout, stamp)
	return t, err == nil && nameAt(t) == name
}

// owner returns which backup a file of the folder belongs to, and false when it
// belongs to none.
func owner(file string) (name string, ok bool) {
	name, _, ok = strings.Cut(file, ".")
	if !ok {
		return "", false
	}
	_, ok = timeOf(name)
	return name, ok
}

// Find says which backup is meant by text: its name or one of its files, in the
// folder dir or, when text has a directory, there.
//
// Errors: ErrNone.
func Find(dir, text string) (foundDir, name string, err error) {
	foundDir, name = dir, text
	if strings.ContainsRune(text, filepath.Separator) {
		foundDir, name = filepath.Split(filepath.Clean(text))
	}
	for _, suffix := range []string{sumSuffix, dumpSuffix, dataSuffix, manifestSuffix} {
		name = strings.TrimSuffix(name, suffix)
	}
	for _, suffix := range []string{manifestSuffix, dumpSuffix, dataSuffix} {
		_, err := os.Stat(filepath.Join(foundDir, name+suffix))
		if err == nil {
			return foundDir, name, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", "", fmt.Errorf("backup: %w", err)
		}
	}
	return "", "", fmt.Errorf("%w: %s in %s", ErrNone, name, foundDir)
}
