package journal

import (
	"encoding"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"qcat/core"
	"qcat/persist/vfs"
	"qcat/ringbuf"
)

// SyncMode says when a record counts as committed, and so what a power cut may
// cost. The table in the package comment compares the modes.
type SyncMode uint8

const (
	// SyncAlways commits a record when fdatasync has returned.
	SyncAlways SyncMode = iota
	// SyncBatch commits a record when it is in the page cache, and syncs every
	// Options.BatchInterval.
	SyncBatch
	// SyncOS commits a record when it is in the page cache, and syncs at the end of
	// a segment and in Close only.
	SyncOS
)

var syncNames = [...]string{SyncAlways: "always", SyncBatch: "batch", SyncOS: "os"}

var (
	_ encoding.TextMarshaler   = SyncAlways
	_ encoding.TextUnmarshaler = (*SyncMode)(nil)
)

// String returns the name that ParseSyncMode reads.
func (m SyncMode) String() string {
	if int(m) < len(syncNames) {
		return syncNames[m]
	}
	return fmt.Sprintf("SyncMode(%d)", uint8(m))
}

// ParseSyncMode reads "always", "batch" or "os". Other text gives an error that
// wraps ErrOptions.
func ParseSyncMode(s string) (SyncMode, error) {
	for i, name := range syncNames {
		if s == name {
			return SyncMode(i), nil
		}
	}
	return 0, fmt.Errorf("%w: sync mode %q is none of %s", ErrOptions, s, strings.Join(syncNames[:], ", "))
}

// MarshalText returns the name.
func (m SyncMode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText is ParseSyncMode.
func (m *SyncMode) UnmarshalText(text []byte) (err error) {
	*m, err = ParseSyncMode(string(text))
	return err
}

// Defaults and limits of Options.
const (
	DefaultName          = "journal"
	DefaultBatchInterval = 50 * time.Millisecond
	DefaultSegmentBytes  = 64 << 20
	DefaultBufferBytes   = 4 << 20

	MinSegmentBytes = 4 << 10
	MaxSegmentBytes = 1 << 30
	MinBufferBytes  = 1 << 10
)

// Options say what log to open and how. Only Dir has no default.
type Options struct {
	Dir  string
	Name string // prefix of the file names: letters, digits, '_'; DefaultName
	FS   vfs.FS // vfs.OS

	Sync          SyncMode
	BatchInterval time.Duration // between the syncs of SyncBatch; DefaultBatchInterval
	SegmentBytes  int64         // size of a segment's file; DefaultSegmentBytes
	BufferBytes   int           // records that wait to be written, rounded up to a power of two; DefaultBufferBytes
	Start         uint64        // first sequence of an empty log; 1

	// Retention, see Log.Retain. Zero sets no bound.
	MaxBytes int64         // of all files; at least three segments
	MaxAge   time.Duration // of a segment's last record
	// Lossy lets MaxBytes delete segments that a Hold still needs: its reader then
	// gets ErrGone. Not for a log that is the only copy.
	Lossy bool

	Clock    core.Clock           // times syncs, dates segments, ages them; core.SystemClock
	Idle     ringbuf.IdleStrategy // how the committer waits
	Progress func(Progress)       // called by Open while it reads; may be nil
	Log      *zap.Logger          // what was cut, disk full and room again, failures; may be nil
}

// Progress is how far Open has come.
type Progress struct {
	Segment, Segments int    // the one being read, from 1, and how many there are
	Bytes, Total      int64  // read, and to be read at most
	Seq               uint64 // last sequence found
}

func (o Options) withDefaults() (Options, error) {
	if o.Dir == "" {
		return o, fmt.Errorf("%w: no directory", ErrOptions)
	}
	if o.Name == "" {
		o.Name = DefaultName
	}
	if !validName(o.Name) {
		return o, fmt.Errorf("%w: name %q", ErrOptions, o.Name)
	}
	if o.FS == nil {
		o.FS = vfs.OS{}
	}
	if int(o.Sync) >= len(syncNames) {
		return o, fmt.Errorf("%w: %s", ErrOptions, o.Sync)
	}
	setDefault(&o.BatchInterval, DefaultBatchInterval)
	setDefault(&o.SegmentBytes, DefaultSegmentBytes)
	setDefault(&o.BufferBytes, DefaultBufferBytes)
	setDefault(&o.Start, 1)
	switch {
	case o.SegmentBytes < MinSegmentBytes || o.SegmentBytes > MaxSegmentBytes:
		return o, fmt.Errorf("%w: segments of %d bytes: %d to %d are possible",
			ErrOptions, o.SegmentBytes, MinSegmentBytes, MaxSegmentBytes)
	case o.BufferBytes < MinBufferBytes || o.BufferBytes > MaxSegmentBytes:
		return o, fmt.Errorf("%w: a buffer of %d bytes: %d to %d are possible",
			ErrOptions, o.BufferBytes, MinBufferBytes, MaxSegmentBytes)
	case o.BatchInterval < 0 || o.MaxAge < 0 || o.MaxBytes < 0:
		return o, fmt.Errorf("%w: a negative interval, age or size", ErrOptions)
	case o.MaxBytes > 0 && o.MaxBytes < 3*o.SegmentBytes:
		return o, fmt.Errorf("%w: at most %d bytes do not hold three segments of %d", ErrOptions, o.MaxBytes, o.SegmentBytes)
	}
	if o.Clock == nil {
		o.Clock = core.SystemClock()
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	return o, nil
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

func validName(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return s != ""
}
