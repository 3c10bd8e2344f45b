package identity

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"qcat/persist/migrate"
	"qcat/persist/vfs"
)

// ErrRotating says that another process rotates the keys just now.
var ErrRotating = errors.New("another process rotates the keys")

// lockID is the advisory lock of rotations in a Postgres database: "qcak" in ASCII.
const lockID = 0x7163616b

// lock keeps rotations of other processes out, until unlock or this process's end: an
// advisory lock of the session in Postgres, flock on <file>.keys.lock beside SQLite's.
// Errors: ErrRotating; those of the database and the file system.
func (s *Store) lock(ctx context.Context) (unlock func(), err error) {
	if s.dialect == migrate.SQLite {
		return s.lockBeside(ctx)
	}
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("identity: lock: %w", err)
	}
	var got bool
	if err := conn.QueryRowContext(ctx, "SELECT pg_try_advisory_lock($1)", int64(lockID)).Scan(&got); err != nil {
		return nil, errors.Join(fmt.Errorf("identity: lock: %w", err), conn.Close())
	}
	if !got {
		return nil, errors.Join(ErrRotating, conn.Close())
	}
	return func() { release(ctx, conn) }, nil
}

// unlockTimeout bounds giving the lock back to a server that may be gone.
const unlockTimeout = 5 * time.Second

// release gives the lock back, and ends the session, which would do it as well but later.
func release(ctx context.Context, conn *sql.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unlockTimeout)
	defer cancel()
	_, _ = conn.ExecContext(ctx, "SELECT pg_advisory_unlock($1)", int64(lockID))
	_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // the pool closes such a one
	_ = conn.Close()
}

func (s *Store) lockBeside(ctx context.Context) (unlock func(), err error) {
	var file string
	if err := s.db.QueryRowContext(ctx, "SELECT file FROM pragma_database_list WHERE name = 'main'").Scan(&file); err != nil {
		return nil, fmt.Errorf("identity: lock: %w", err)
	}
	if file == "" {
		return func() {}, nil // in memory: nobody else has it
	}
	l, err := vfs.TryLock(file+".keys.lock", 0o600)
	if errors.Is(err, vfs.ErrHeld) {
		return nil, ErrRotating
	}
	if err != nil {
		return nil, fmt.Errorf("identity: lock: %w", err)
	}
	return func() { _ = l.Unlock() }, nil
}
