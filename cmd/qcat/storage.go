package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// journalFlags are the settings of the order journal and the snapshots.
type journalFlags struct {
	JournalSync          string        `help:"What an acknowledgement waits for: always (the disk), batch (the kernel; synced every --journal-batch-interval) or os (the kernel). See docs/format/journal-segments.md." enum:"always,batch,os" default:"always"`
	JournalBatchInterval time.Duration `help:"What a power cut may cost with --journal-sync batch." default:"50ms"`
	JournalSegment       byteSize      `help:"Size of a journal file." default:"64MiB"`
	JournalBuffer        byteSize      `help:"What may wait for the disk; orders are refused beyond it." default:"8MiB"`
	JournalRetention     time.Duration `help:"How long journal files are kept after every store and the snapshots have passed them; 0: for ever." default:"168h"`
	SnapshotRecords      uint64        `help:"Records between two snapshots of the state." default:"1000000"`
	SnapshotInterval     time.Duration `help:"Longest time between two snapshots, if anything was recorded." default:"10m"`
	SnapshotKeep         int           `help:"Snapshots that are kept." default:"3"`
}

// storeFlags are the settings of the stores and the tick log that feeds them.
type storeFlags struct {
	DatabaseURL string        `help:"Postgres; DB_HOST, DB_PORT, DB_NAME, DB_USER and DB_PASSWORD serve as well. Without one, the embedded store in the data directory is used." env:"QCAT_DATABASE_URL,DATABASE_URL" placeholder:"URL"`
	RedisURL    string        `help:"Redis, where other processes find quotes and positions; REDIS_HOST, REDIS_PORT and REDIS_PASSWORD serve as well. It may be absent." env:"QCAT_REDIS_URL,REDIS_URL" placeholder:"URL"`
	SlowQuery   time.Duration `help:"A query that takes longer is logged; 0: none is." default:"200ms"`

	TickLog     bool          `help:"Keep trades, quotes and candles." default:"true" negatable:""`
	TickLogSize byteSize      `help:"What the tick log may take; the oldest is dropped beyond it, stored or not." default:"1GiB"`
	TickLogAge  time.Duration `help:"How long the tick log is kept." default:"24h"`
	QuoteSample time.Duration `help:"Time between two stored quotes of an instrument." default:"1s"`
	KeepTicks   time.Duration `help:"How long the embedded store keeps trades, quotes and candles of a second; 0: for ever." default:"168h"`
}

// storageFlags are those of everything that is kept.
type storageFlags struct {
	journalFlags `embed:""`
	storeFlags   `embed:""`
}

func (f *storageFlags) validate() error {
	switch {
	case f.JournalSegment < 1<<16:
		return badSetting("journal-segment", "%s is too small: 64KiB at least", f.JournalSegment)
	case f.JournalBuffer < 1<<16:
		return badSetting("journal-buffer", "%s is too small: 64KiB at least", f.JournalBuffer)
	case f.JournalBuffer > f.JournalSegment/2:
		return badSetting("journal-buffer", "%s is more than half of a journal file of %s", f.JournalBuffer, f.JournalSegment)
	case f.JournalBatchInterval <= 0:
		return badSetting("journal-batch-interval", "%v is not a time to wait", f.JournalBatchInterval)
	case f.SnapshotRecords == 0:
		return badSetting("snapshot-records", "there must be one at least")
	case f.SnapshotInterval <= 0:
		return badSetting("snapshot-interval", "%v is not a time to wait", f.SnapshotInterval)
	case f.SnapshotKeep < 1:
		return badSetting("snapshot-keep", "one must be kept at least")
	case f.TickLogSize < 1<<20:
		return badSetting("tick-log-size", "%s is too small: 1MiB at least", f.TickLogSize)
	case f.QuoteSample <= 0:
		return badSetting("quote-sample", "%v is not a time to wait", f.QuoteSample)
	case f.JournalRetention < 0 || f.TickLogAge < 0 || f.KeepTicks < 0 || f.SlowQuery < 0:
		return badSetting("journal-retention, tick-log-age, keep-ticks, slow-query", "none can be negative")
	}
	return nil
}

// Places in a data directory.
const (
	journalName = "journal"
	ticksName   = "ticks"
)

func journalDir(dataDir string) string   { return filepath.Join(dataDir, "journal") }
func ticksDir(dataDir string) string     { return filepath.Join(dataDir, "ticks") }
func snapshotDir(dataDir string) string  { return filepath.Join(dataDir, "snapshots") }
func embeddedPath(dataDir string) string { return filepath.Join(dataDir, "qcat.db") }

// byteSize is a number of bytes, written with KiB, MiB or GiB.
type byteSize int64

var byteUnits = []struct {
	suffix string
	shift  uint
}{{"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}}

// UnmarshalText implements encoding.TextUnmarshaler.
func (b *byteSize) UnmarshalText(text []byte) error {
	number, shift := string(text), uint(0)
	for _, u := range byteUnits {
		if n, ok := strings.CutSuffix(number, u.suffix); ok {
			number, shift = n, u.shift
		}
	}
	v, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if err != nil || v < 0 || v > math.MaxInt64>>shift {
		return fmt.Errorf("%q is not a size such as 64MiB", text)
	}
	*b = byteSize(v << shift)
	return nil
}

// String is the form that UnmarshalText reads, with the largest unit that fits.
func (b byteSize) String() string {
	for i := len(byteUnits) - 1; i >= 0; i-- {
		if u := byteUnits[i]; b != 0 && b%(1<<u.shift) == 0 {
			return strconv.FormatInt(int64(b>>u.shift), 10) + u.suffix
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

// environment is where settings come from that have no flag; tests have one of their
// own.
var environment = os.Getenv

// rounded is a size for a person, to one place.
func (b byteSize) rounded() string {
	for i := len(byteUnits) - 1; i >= 0; i-- {
		if u := byteUnits[i]; b >= 1<<u.shift {
			return strconv.FormatFloat(float64(b)/float64(int64(1)<<u.shift), 'f', 1, 64) + u.suffix
		}
	}
	return strconv.FormatInt(int64(b), 10) + "B"
}
