package journal

import (
	"errors"
	"fmt"

	"qcat/core/record"
)

// Errors of the package, wrapped with what was wrong and where.
var (
	// ErrOptions is wrapped when Options are no good.
	ErrOptions = errors.New("journal: options")
	// ErrDamaged is wrapped when a log has lost something that had been synced: it
	// is not opened. A DamageError says where.
	ErrDamaged = errors.New("journal: damaged")
	// ErrFull is wrapped by Append while there is no room in the buffer or on the
	// disk. The same record may be tried again.
	ErrFull = record.ErrFull
	// ErrTooLarge is wrapped by Append for a record that no segment has room for.
	ErrTooLarge = errors.New("journal: record too large")
	// ErrOrder is wrapped by Append for a record whose sequence is not the next one,
	// or whose time lies before that of the last.
	ErrOrder = errors.New("journal: record out of order")
	// ErrFailed is wrapped, with its cause, by everything after a write or sync that
	// failed.
	ErrFailed = errors.New("journal: failed for good")
	// ErrClosed is wrapped by what comes after Close.
	ErrClosed = errors.New("journal: closed")
	// ErrGone is wrapped by a reader whose records were deleted. A GoneError says
	// where reading can go on.
	ErrGone = errors.New("journal: records deleted by retention")
	// ErrAhead is wrapped by NewReader for a record that lies beyond the next one: who
	// asks has followed another log, or one that has lost its end.
	ErrAhead = errors.New("journal: no such record yet")
	// ErrNone is wrapped by OpenReadOnly when a directory holds no such log.
	ErrNone = errors.New("journal: no log")
)

// DamageError says where a log is damaged. It wraps ErrDamaged.
type DamageError struct {
	File   string
	Offset int64
	Seq    uint64 // the last sequence before the damage
	Why    string
}

// Error names file, offset and what is wrong there.
func (e *DamageError) Error() string {
	return fmt.Sprintf("%v: %s at offset %d, after record %d: %s", ErrDamaged, e.File, e.Offset, e.Seq, e.Why)
}

// Unwrap returns ErrDamaged.
func (e *DamageError) Unwrap() error { return ErrDamaged }

// GoneError says that a reader's next record was deleted. It wraps ErrGone.
type GoneError struct {
	Next  uint64 // the record that was asked for
	First uint64 // the oldest that is left
}

// Error names the two sequences.
func (e *GoneError) Error() string {
	return fmt.Sprintf("%v: %d is gone, the log begins at %d", ErrGone, e.Next, e.First)
}

// Unwrap returns ErrGone.
func (e *GoneError) Unwrap() error { return ErrGone }
