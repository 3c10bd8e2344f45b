package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"
	lib "modernc.org/sqlite/lib"

	"qcat/persist/migrate"
)

// Open opens the store of that file, made and brought to this program's schema if
// need be, and starts its pruner. After an unclean end the file is checked first.
//
// Errors: ErrConfig; store.ErrSchema when the schema is newer than this program;
// ErrDamaged; ctx's; the file system's.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := create(cfg.Path); err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	s := &Store{cfg: cfg}
	unclean := hasWAL(cfg.Path)
	if s.readers, err = pool(cfg.Path, reading, cfg.Readers); err != nil {
		return nil, s.wrap("open", err)
	}
	if err := s.start(ctx, unclean); err != nil {
		return nil, errors.Join(err, s.readers.Close(), s.writer.close(ctx))
	}
	s.startPruner()
	return s, nil
}

// start connects the writer, checks what it finds and migrates it.
func (s *Store) start(ctx context.Context, unclean bool) error {
	var err error
	if s.writer.connector, err = connector(s.cfg.Path, serving); err != nil {
		return s.wrap("open", err)
	}
	if err := s.connect(ctx); err != nil {
		return err
	}
	if unclean {
		if err := s.check(ctx); err != nil {
			return err
		}
	}
	db, err := pool(s.cfg.Path, writing, 2)
	if err != nil {
		return s.wrap("open", err)
	}
	defer func() { _ = db.Close() }() // every step is committed
	steps, err := migrate.Up(ctx, migrate.SQLite, db)
	for _, step := range steps {
		s.cfg.Log.Info("schema step applied", zap.String("file", s.cfg.Path), zap.String("step", step.Name))
	}
	return s.wrap("migrate", err)
}

// connect opens the writer's connection. Setting the file to WAL mode fails at once
// when another process that starts is doing just that, whatever the busy timeout.
func (s *Store) connect(ctx context.Context) error {
	s.writer.mu.Lock()
	defer s.writer.mu.Unlock()
	deadline := time.Now().Add(busyMillis * time.Millisecond)
	for {
		c, err := connect(ctx, s.writer.connector)
		if err == nil {
			s.writer.conn, s.writer.synced = c, true
			return nil
		}
		if codeOf(err) != lib.SQLITE_BUSY || time.Now().After(deadline) || ctx.Err() != nil {
			return s.wrap("open", err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// check reads the whole file, for at most CheckTimeout. A process that was killed
// leaves the file whole; what the check finds is what a disk or another program did.
func (s *Store) check(ctx context.Context) error {
	start := s.cfg.Clock.Now()
	limited, cancel := context.WithTimeout(ctx, s.cfg.CheckTimeout)
	defer cancel()
	var found string
	err := s.readers.QueryRowContext(limited, "PRAGMA quick_check(1)").Scan(&found)
	log := s.cfg.Log.With(zap.String("file", s.cfg.Path), zap.Duration("took", time.Duration(s.cfg.Clock.Now()-start)))
	switch {
	case err != nil && ctx.Err() == nil && limited.Err() != nil:
		log.Warn("unclean end: the check of the database file was cut short", zap.Duration("limit", s.cfg.CheckTimeout))
		return nil
	case err != nil:
		return s.wrap("check", err)
	case found != "ok":
		return fmt.Errorf("sqlite: %s: check: %w (%s)", s.cfg.Path, ErrDamaged, found)
	}
	log.Info("unclean end: the database file was checked and is whole")
	return nil
}

// create makes the file, readable by its owner only, when there is none; SQLite
// gives the mode to the files beside it. A file that is there is not opened here:
// closing it would take away the locks that this process may hold on it.
func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// hasWAL reports whether the file was left without being closed, or is open
// elsewhere: the last connection that closes removes the WAL.
func hasWAL(path string) bool {
	st, err := os.Stat(path + "-wal")
	return err == nil && st.Size() > 0
}
