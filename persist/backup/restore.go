package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"qcat/persist/migrate"
	"qcat/persist/store"
)

// RestoreConfig says what to restore and where to.
type RestoreConfig struct {
	Dir  string // folder of the backup
	Name string // the backup's, see Find

	// DataDir is where journal and snapshots go, and the embedded store. The caller
	// holds its lock, and no server runs on it. "" restores the database alone.
	DataDir string
	// Database is what is filled; of the backup's kind. nil restores the data
	// directory alone.
	Database Database
	// Clean allows that there is something already: it is moved aside.
	Clean bool

	Now func() time.Time // time.Now

	// Progress is told what is being done and, in bytes of the backup's files, how far
	// it is; Total is 0 where nobody knows. May be nil. Called often, and quickly done.
	Progress func(Progress)
}

// Progress is how far a restore is.
type Progress struct {
	Phase       string
	Done, Total int64
}

// tell returns what reports a phase's bytes, and reports that it begins.
func (c *RestoreConfig) tell(phase string) func(done, total int64) {
	if c.Progress == nil {
		return nil
	}
	c.Progress(Progress{Phase: phase})
	return func(done, total int64) { c.Progress(Progress{phase, done, total}) }
}

// Outcome is what a restore did.
type Outcome struct {
	Manifest *Manifest     `json:"manifest"`
	Took     time.Duration `json:"took_ns"`
	Rows     uint64        `json:"rows"`  // of the database, when it was restored
	Aside    []string      `json:"aside"` // where the former content is
}

// Restore brings a backup back and proves it: the sums of the restored database are
// computed anew and compared with the manifest's, and every record of the journal and
// every snapshot is checked. Everything happens beside what is there; after an error,
// that is there as before.
//
// Errors: ErrIncomplete, ErrDamaged, ErrNotEmpty, ErrInUse, ErrDiffers, ErrTools,
// store.ErrSchema; those of the database and the file system.
func Restore(ctx context.Context, cfg RestoreConfig) (*Outcome, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	began := time.Now()
	m, err := ReadManifest(cfg.Dir, cfg.Name)
	if err != nil {
		return nil, err
	}
	if err := fits(m, &cfg); err != nil {
		return nil, err
	}
	out := &Outcome{Manifest: m, Aside: []string{}}
	if cfg.DataDir == "" {
		db, err := restoreDatabase(ctx, &cfg, m, "")
		if err != nil {
			return nil, err
		}
		out.add(db)
	} else if err := restoreBoth(ctx, &cfg, m, out); err != nil {
		return nil, err
	}
	if cfg.Database != nil {
		out.Rows = m.Rows()
	}
	out.Took = time.Since(began)
	return out, nil
}

// fits refuses a backup that cannot become what is asked for.
func fits(m *Manifest, cfg *RestoreConfig) error {
	if cfg.Database == nil && cfg.DataDir == "" {
		return errors.New("backup: nothing to restore to")
	}
	if cfg.DataDir != "" && m.Data == nil && (cfg.Database == nil || cfg.Database.Kind() != KindEmbedded) {
		return fmt.Errorf("%w: %s is of the database alone: restore only that", ErrIncomplete, m.Name)
	}
	if cfg.Database == nil {
		return nil
	}
	if kind := cfg.Database.Kind(); kind != m.Store {
		return fmt.Errorf("backup: %s is of the store %s, and cannot be restored into %s", m.Name, m.Store, kind)
	}
	if cfg.Database.Kind() == KindEmbedded && cfg.DataDir == "" {
		return errors.New("backup: the embedded store is part of a data directory")
	}
	dialect := migrate.Postgres
	if m.Store == KindEmbedded {
		dialect = migrate.SQLite
	}
	latest, err := migrate.Latest(dialect)
	if err != nil {
		return err
	}
	if m.Schema != latest {
		return fmt.Errorf("%w: the backup has version %d and this program %d: restore it with the program that made it (%s), and migrate then",
			store.ErrSchema, m.Schema, latest, m.Program)
	}
	return nil
}

func (o *Outcome) add(db Restored) {
	if aside := db.Aside(); aside != "" {
		o.Aside = append(o.Aside, aside)
	}
}

// restoreBoth fills a staging folder within the data directory and the database, and
// then puts the staged files in their places.
func restoreBoth(ctx context.Context, cfg *RestoreConfig, m *Manifest, out *Outcome) error {
	places := placesOf(cfg.DataDir, m, cfg.Database)
	swap, err := newSwap(cfg.DataDir, places, cfg.Clean, cfg.Now())
	if err != nil {
		return err
	}
	var db Restored
	if err := func() (err error) {
		if m.Data != nil {
			if err := extract(ctx, cfg.Dir, m, swap.staging, cfg.tell("journal and snapshots")); err != nil {
				return err
			}
		}
		if cfg.Database != nil {
			if db, err = restoreDatabase(ctx, cfg, m, swap.staging); err != nil {
				return err
			}
		}
		return swap.do(m)
	}(); err != nil {
		return errors.Join(err, undo(ctx, db), swap.abandon())
	}
	if db != nil {
		out.add(db)
	}
	if swap.moved {
		out.Aside = append(out.Aside, swap.aside)
	}
	return nil
}

// undoTimeout bounds how long taking a database's content back may take.
const undoTimeout = 5 * time.Minute

func undo(ctx context.Context, db Restored) error {
	if db == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	return db.Undo(ctx)
}

// restoreDatabase restores the dump and compares the sums.
func restoreDatabase(ctx context.Context, cfg *RestoreConfig, m *Manifest, staging string) (Restored, error) {
	want, err := m.digest()
	if err != nil {
		return nil, err
	}
	dump, err := open(filepath.Join(cfg.Dir, m.Dump.Name), m.Dump.SHA256, cfg.tell("database"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = dump.Close() }() // only read
	db, err := cfg.Database.Restore(ctx, dump, staging, cfg.Clean)
	if err != nil {
		err = fmt.Errorf("restore of the database: %w", err)
		if damage := dump.drain(); ctx.Err() == nil && errors.Is(damage, ErrDamaged) {
			err = errors.Join(damage, err) // the one is why the other happened
		}
		return nil, err
	}
	err = dump.drain() // a reader may stop where the text ends
	var got State
	if err == nil {
		cfg.tell("comparing the content")
		got, err = db.State(ctx)
	}
	if tables := want.Diff(got.Digest); err == nil && len(tables) > 0 {
		err = fmt.Errorf("%w: in %v", ErrDiffers, tables)
	}
	if err != nil {
		return nil, errors.Join(err, undo(ctx, db))
	}
	return db, nil
}

// syncFile makes a file survive a power cut.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return errors.Join(f.Sync(), f.Close())
}
