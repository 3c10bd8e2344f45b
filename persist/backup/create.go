package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// CreateConfig says what to back up and where to.
type CreateConfig struct {
	Dir      string   // the folder of backups; made when there is none
	DataDir  string   // of the server; "" backs up the database alone
	Database Database // what is dumped
	Program  string   // version of this program, for the manifest

	Now func() time.Time // time.Now

	// archive is set by tests that let files vanish.
	archive func(ctx context.Context, w io.Writer, dataDir string, anchors []byte) (Data, error)
}

// Create makes a backup while the server may run, and returns its manifest. When it
// fails it leaves no file behind; when it is killed, an incomplete backup.
//
// Errors: ErrBusy, journal.ErrDamaged and snapshot.ErrDamaged when the journal or
// every snapshot that it needs is damaged, those of the database and of the file
// system.
func Create(ctx context.Context, cfg CreateConfig) (*Manifest, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.archive == nil {
		cfg.archive = archive
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	unlock, err := lock(cfg.Dir)
	if err != nil {
		return nil, err
	}
	defer unlock()
	name, err := freeName(cfg.Dir, cfg.Now())
	if err != nil {
		return nil, err
	}
	m, err := create(ctx, &cfg, name)
	if err != nil {
		return nil, errors.Join(err, removeFiles(cfg.Dir, name))
	}
	return m, nil
}

func create(ctx context.Context, cfg *CreateConfig, name string) (*Manifest, error) {
	began := time.Now()
	created, _ := timeOf(name)
	m := &Manifest{Version: manifestVersion, Name: name, Created: created, Program: cfg.Program, Store: cfg.Database.Kind()}
	anchors, err := readAnchors(cfg.DataDir)
	if err != nil {
		return nil, err
	}
	if err := m.dump(ctx, cfg); err != nil {
		return nil, fmt.Errorf("dump of the database: %w", err)
	}
	if cfg.DataDir != "" {
		if err := m.archive(ctx, cfg, anchors); err != nil {
			return nil, fmt.Errorf("archive of %s: %w", cfg.DataDir, err)
		}
		if err := m.covers(); err != nil {
			return nil, fmt.Errorf("backup: %w", err)
		}
	}
	m.TookNs = time.Since(began).Nanoseconds()
	return m, m.write(cfg.Dir)
}

func (m *Manifest) dump(ctx context.Context, cfg *CreateConfig) error {
	out, err := newSink(filepath.Join(cfg.Dir, m.Name+dumpSuffix))
	if err != nil {
		return err
	}
	state, err := cfg.Database.Dump(ctx, out)
	if err != nil {
		return errors.Join(err, out.abandon())
	}
	m.setState(state)
	m.Dump, err = out.finish()
	return err
}

// archiveTries is how often retention may delete a file while it is being copied.
const archiveTries = 5

func (m *Manifest) archive(ctx context.Context, cfg *CreateConfig, anchors []byte) error {
	var err error
	for range archiveTries {
		var out *sink
		if out, err = newSink(filepath.Join(cfg.Dir, m.Name+dataSuffix)); err != nil {
			return err
		}
		data, failed := cfg.archive(ctx, out, cfg.DataDir, anchors)
		if err = failed; err == nil {
			if data.File, err = out.finish(); err != nil {
				return err
			}
			m.Data = &data
			return nil
		}
		err = errors.Join(err, out.abandon())
		if !isGone(err) {
			return err
		}
	}
	return err
}

// freeName is a name that no file has: two backups may be made in one second.
func freeName(dir string, now time.Time) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("backup: %w", err)
	}
	taken := map[string]bool{}
	for _, e := range entries {
		if name, ok := owner(e.Name()); ok {
			taken[name] = true
		}
	}
	for taken[nameAt(now)] {
		now = now.Add(time.Second)
	}
	return nameAt(now), nil
}

// removeFiles removes every file of a backup, the manifest first: what is left by a
// crash is an incomplete backup.
func removeFiles(dir, name string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	files := []string{name + manifestSuffix}
	for _, e := range entries {
		if of, ok := owner(e.Name()); ok && of == name && !strings.HasSuffix(e.Name(), manifestSuffix) {
			files = append(files, e.Name())
		}
	}
	var errs []error
	for _, file := range files {
		if err := os.Remove(filepath.Join(dir, file)); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, fmt.Errorf("backup: %w", err))
		}
	}
	return errors.Join(append(errs, syncDir(dir))...)
}
