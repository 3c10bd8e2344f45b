package sqlite

import (
	"errors"
	"fmt"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// Errors of the embedded store, beside those of package store.
var (
	// ErrDamaged is wrapped when the file is not what SQLite wrote. The rows are
	// derived: with the file and its -wal and -shm moved away, the next start
	// writes them anew from the logs, as far back as those reach.
	ErrDamaged = errors.New("the database file is damaged; move it away together with its -wal and -shm " +
		"and start again: its rows are written anew from the journal, as far back as that reaches")
	// ErrFull is wrapped when there is no room for what is to be written. Nothing
	// of the transaction is stored; the same one succeeds when there is room.
	ErrFull = errors.New("no room for the database file")
	// ErrClosed is wrapped after Close.
	ErrClosed = errors.New("store is closed")
)

// wrap names the file and what it was asked for, and the sentinel that the error
// belongs to.
func (s *Store) wrap(what string, err error) error { return wrap(s.cfg.Path, what, err) }

func wrap(path, what string, err error) error {
	if err == nil {
		return nil
	}
	switch codeOf(err) {
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return fmt.Errorf("sqlite: %s: %s: %w (%w)", path, what, ErrDamaged, err)
	case lib.SQLITE_FULL:
		return fmt.Errorf("sqlite: %s: %s: %w (%w)", path, what, ErrFull, err)
	}
	return fmt.Errorf("sqlite: %s: %s: %w", path, what, err)
}

// codeOf is SQLite's primary result code of err, or 0.
func codeOf(err error) int {
	var e *driver.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}
