// Package migrate brings a database's schema to the version that this program
// was built with, and back.
//
//	applied, err := migrate.Up(ctx, migrate.Postgres, db)
//
// The steps are those of package migrations. Each step runs in one transaction
// together with its line in the table goose_db_version, so that a step that failed
// or was interrupted did not happen.
//
// # Two processes at once
//
// Up, Down and DownTo hold a lock while they work: an advisory lock of the
// database in Postgres, flock on <file>.migrate.lock beside the file in SQLite. The
// second process waits, then finds that nothing is left to do. A SQLite database in
// memory belongs to one process and needs no lock.
//
// # A schema from the future
//
// A database whose version is newer than Latest was written by a newer program.
// Nothing here touches it: store.ErrSchema.
//
// # Imports
//
// migrations, persist/store (its errors). goose lives here only; the caller opens
// the *sql.DB.
package migrate
