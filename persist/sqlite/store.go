package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"qcat/core"
	"qcat/persist/store"
)

// Store is the embedded store: see the package comment. Open makes one.
type Store struct {
	cfg     Config
	writer  writer
	readers *sql.DB

	synced   atomic.Uint64 // journal record up to which the rows outlast a power cut; 0: not known
	syncedAt core.Nanos    // of the journal's follower

	stop   context.CancelFunc // ends the pruner
	pruner sync.WaitGroup
}

var (
	_ store.Store  = (*Store)(nil)
	_ store.Syncer = (*Store)(nil)
)

// Path is the database file.
func (s *Store) Path() string { return s.cfg.Path }

// DB is the pool that reads, for Dump and for tools. Its connections refuse to
// write; it is closed with the Store.
func (s *Store) DB() *sql.DB { return s.readers }

// Ping is nil when the store answers.
func (s *Store) Ping(ctx context.Context) error {
	var n int
	return s.wrap("ping", s.readers.QueryRowContext(ctx, "SELECT count(*) FROM stream_positions").Scan(&n))
}

// Close waits for the transaction in progress, folds the WAL into the file and
// closes it. Calls after it fail.
func (s *Store) Close() error {
	s.stop()
	s.pruner.Wait()
	// The readers first: the last connection to go removes the WAL.
	err := s.readers.Close()
	return s.wrap("close", errors.Join(err, s.writer.close(context.Background())))
}

// slow logs a line when what began at start took longer than it may. rows is how
// many it wrote or returned.
func (s *Store) slow(what string, start core.Nanos, rows int) {
	took := s.cfg.Clock.Now() - start
	if limit := core.Nanos(s.cfg.SlowQuery); limit < 0 || took < limit {
		return
	}
	s.cfg.Log.Warn("slow query", zap.String("store", "sqlite"), zap.String("query", what),
		zap.Duration("took", time.Duration(took)), zap.Int("rows", rows))
}
