package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"qcat/persist/migrate"
	"qcat/persist/sqlite"
)

// KindEmbedded is the Kind of the embedded store.
const KindEmbedded = "sqlite"

// embeddedFile is the embedded store's place in a data directory.
const embeddedFile = "qcat.db"

// Embedded is the embedded store of a data directory.
type Embedded struct {
	DataDir string
}

var _ Database = Embedded{}

// Kind implements Database.
func (Embedded) Kind() string { return KindEmbedded }

// Dump implements Database. It only reads the file, which a server may have open.
func (e Embedded) Dump(ctx context.Context, w io.Writer) (State, error) {
	db, err := sqlite.OpenReader(ctx, filepath.Join(e.DataDir, embeddedFile))
	if err != nil {
		return State{}, err
	}
	c, err := sqlite.Dump(ctx, db, w)
	return stateOf(c), errors.Join(err, db.Close())
}

func stateOf(c sqlite.Content) State {
	return State{Server: "SQLite " + c.SQLite, Schema: c.Schema, Digest: c.Digest, Positions: c.Positions}
}

// Restore implements Database: it makes a new file in staging, which takes the old
// one's place together with the rest of the data directory.
func (Embedded) Restore(ctx context.Context, dump io.Reader, staging string, _ bool) (Restored, error) {
	path := filepath.Join(staging, embeddedFile)
	db, err := sqlite.OpenDB(ctx, path)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(sqlite.Restore(ctx, db, dump), db.Close()); err != nil {
		return nil, err
	}
	return embeddedRestored(path), syncFile(path)
}

// embeddedRestored is the path of a restored file.
type embeddedRestored string

// State implements Restored.
func (path embeddedRestored) State(ctx context.Context) (State, error) {
	db, err := sqlite.OpenReader(ctx, string(path))
	if err != nil {
		return State{}, err
	}
	defer func() { _ = db.Close() }() // only read
	if err := migrate.Check(ctx, migrate.SQLite, db); err != nil {
		return State{}, fmt.Errorf("sqlite: %w", err)
	}
	c, err := sqlite.Inspect(ctx, db)
	return stateOf(c), err
}

// Aside implements Restored; what was in the data directory is moved with it.
func (embeddedRestored) Aside() string { return "" }

// Undo implements Restored: the staging folder is removed as a whole.
func (embeddedRestored) Undo(context.Context) error { return nil }
