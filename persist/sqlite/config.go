package sqlite

import (
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"qcat/core"
)

// Config is what Open needs to know. Path is required; zero fields take the
// defaults named.
type Config struct {
	// Path of the database file. It is created with mode 0600, and its folder
	// with 0700, when there is none.
	Path string

	// SlowQuery is how long a statement may take before a line "slow query" is
	// logged; negative for never. Default 200 ms.
	SlowQuery time.Duration

	// KeepTicks is for how long trades, quotes and one-second candles are kept,
	// counted back from the newest of their instrument; negative for ever.
	// Default 7 days.
	KeepTicks time.Duration

	// PruneInterval is how often what is older is deleted. Default 1 minute.
	PruneInterval time.Duration

	// CheckTimeout bounds the check of the whole file after an unclean end, which
	// trading waits for: about 120 MB are read in a second. A check that is cut short
	// is logged and not an error. Default 3 s.
	CheckTimeout time.Duration

	// SyncEvery is the least time between two syncs of the journal's rows: what a
	// power cut may take is written again from the journal. Negative: each commit is
	// synced. Default 5 s.
	SyncEvery time.Duration

	// Readers bounds the connections that read. Default 4.
	Readers int

	// Clock times statements. Default core.SystemClock.
	Clock core.Clock

	// Log may be nil.
	Log *zap.Logger
}

// ErrConfig is wrapped when a Config cannot be used.
var ErrConfig = errors.New("sqlite: config")

// withDefaults returns c with its zero fields filled in.
func (c Config) withDefaults() (Config, error) {
	if c.Path == "" {
		return c, fmt.Errorf("%w: no path", ErrConfig)
	}
	if c.Readers < 0 || c.PruneInterval < 0 || c.CheckTimeout < 0 {
		return c, fmt.Errorf("%w: a negative bound", ErrConfig)
	}
	orElse(&c.SlowQuery, 200*time.Millisecond)
	orElse(&c.KeepTicks, 7*24*time.Hour)
	orElse(&c.PruneInterval, time.Minute)
	orElse(&c.CheckTimeout, 3*time.Second)
	orElse(&c.SyncEvery, 5*time.Second)
	orElse(&c.Readers, 4)
	if c.Clock == nil {
		c.Clock = core.SystemClock()
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	return c, nil
}

// orElse sets *v to fallback when it is zero.
func orElse[T comparable](v *T, fallback T) {
	var zero T
	if *v == zero {
		*v = fallback
	}
}
