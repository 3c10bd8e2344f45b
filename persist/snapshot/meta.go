package snapshot

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"qcat/core"
)

// Meta says what a snapshot is of.
type Meta struct {
	Log  [16]byte   // the log that was folded
	Seq  uint64     // of the last record folded
	Time core.Nanos // when it was taken
	Hash [32]byte   // the state's
}

// Entry is a snapshot as List finds it. Err is set when its header cannot be
// read; of the Meta then only Seq is known, from its name.
type Entry struct {
	Meta
	Path  string
	Bytes int64 // length of the file
	Err   error
}

// Errors of the package, wrapped with the file.
var (
	// ErrDamaged is of a file that does not hold what was written.
	ErrDamaged = errors.New("snapshot is damaged")
	// ErrVersion is of a file that another version of this program wrote.
	ErrVersion = errors.New("snapshot has an unknown version")
	// ErrOtherLog is of a snapshot of another log.
	ErrOtherLog = errors.New("snapshot of another log")
	// ErrAhead is of a snapshot of a record that its log does not have.
	ErrAhead = errors.New("snapshot is ahead of its log")
	// ErrNone says that there is no snapshot to use.
	ErrNone = errors.New("no snapshot")
	// ErrTooLarge is of a payload beyond MaxPayload.
	ErrTooLarge = errors.New("snapshot is too large")
)

const (
	prefix    = "snapshot-"
	suffix    = ".qsnap"
	tmpSuffix = suffix + ".tmp"
	seqDigits = 20
)

// fileName is the name of the snapshot after record seq.
func fileName(seq uint64) string { return fmt.Sprintf("%s%0*d%s", prefix, seqDigits, seq, suffix) }

// parseName returns the sequence that a name stands for, and false when it is not
// the name of a snapshot.
func parseName(name string) (seq uint64, ok bool) {
	digits, ok1 := strings.CutPrefix(name, prefix)
	digits, ok2 := strings.CutSuffix(digits, suffix)
	if !ok1 || !ok2 || len(digits) != seqDigits {
		return 0, false
	}
	seq, err := strconv.ParseUint(digits, 10, 64)
	return seq, err == nil && fileName(seq) == name
}

// isTemporary reports whether a name is that of a snapshot that was never finished.
func isTemporary(name string) bool {
	return strings.HasPrefix(name, prefix) && strings.HasSuffix(name, tmpSuffix)
}
