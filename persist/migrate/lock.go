package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/pressly/goose/v3/lock"

	"qcat/persist/vfs"
)

// lockID is the advisory lock of migrations in a Postgres database: "qcat" in
// ASCII. The store's own locks have other numbers.
const lockID = 0x71636174

// Waiting for another process's migrations ends after lockTries seconds, or with
// the context.
const lockTries = 600

// advisoryLock is a session's advisory lock, with a look at the schema's version
// once it is held: another process may have changed it while this one waited.
type advisoryLock struct{ lock.SessionLocker }

func newAdvisoryLock() (lock.SessionLocker, error) {
	l, err := lock.NewPostgresSessionLocker(lock.WithLockID(lockID), lock.WithLockTimeout(1, lockTries), lock.WithUnlockTimeout(1, 10))
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	return advisoryLock{l}, nil
}

// SessionLock waits for the lock. The connection's errors; store.ErrSchema.
func (l advisoryLock) SessionLock(ctx context.Context, conn *sql.Conn) error {
	if err := l.SessionLocker.SessionLock(ctx, conn); err != nil {
		return err
	}
	if err := notNewer(ctx, Postgres, conn); err != nil {
		return errors.Join(err, l.SessionUnlock(context.WithoutCancel(ctx), conn))
	}
	return nil
}

// lockBeside takes flock on a file beside the database's and returns what lets go
// of it. The file stays: removing it would let two processes hold "the" lock.
func lockBeside(ctx context.Context, db *sql.DB) (unlock func(), err error) {
	file, err := mainFile(ctx, db)
	if err != nil {
		return nil, err
	}
	if file == "" {
		return func() {}, nil
	}
	// A blocking lock could not be given up with the context.
	for {
		l, err := vfs.TryLock(file+".migrate.lock", 0o600)
		if err == nil {
			return func() { _ = l.Unlock() }, nil
		}
		if !errors.Is(err, vfs.ErrHeld) {
			return nil, fmt.Errorf("migrate: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("migrate: another process migrates: %w: %w", err, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// mainFile is the path of the SQLite database, "" for one in memory.
func mainFile(ctx context.Context, db *sql.DB) (string, error) {
	rows, err := db.QueryContext(ctx, "PRAGMA database_list")
	if err != nil {
		return "", fmt.Errorf("migrate sqlite: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err has it
	for rows.Next() {
		var seq int
		var name, file string
		if err := rows.Scan(&seq, &name, &file); err != nil {
			return "", fmt.Errorf("migrate sqlite: %w", err)
		}
		if name == "main" {
			return file, nil
		}
	}
	return "", rows.Err()
}
