package backup

import (
	"context"
	"io"

	"qcat/persist/store"
)

// State is what a database held at one moment.
type State struct {
	Server    string // what the database calls itself
	Schema    int64  // version of the migrations
	Digest    store.Digest
	Positions [store.NumStreams]store.Position
}

// Database is what is dumped and restored: Postgres, or the embedded store.
type Database interface {
	// Kind names the form of the dump. A dump is restored into its own kind only.
	Kind() string
	// Dump writes one state of the database to w as SQL text and returns what that
	// state is. Others may go on writing meanwhile.
	Dump(ctx context.Context, w io.Writer) (State, error)
	// Restore fills an empty database from a dump, in one transaction. What it finds
	// is moved aside when clean says so, and is ErrNotEmpty otherwise. staging is a
	// folder that becomes the data directory.
	//
	// An error leaves the database as it was. So does Restored.Undo.
	Restore(ctx context.Context, dump io.Reader, staging string, clean bool) (Restored, error)
}

// Restored is a database that a dump was just restored into.
type Restored interface {
	// State reads it back.
	State(ctx context.Context) (State, error)
	// Aside names where the former content is, "" when there was none.
	Aside() string
	// Undo brings back what was there before.
	Undo(ctx context.Context) error
}
