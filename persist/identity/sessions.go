package identity

import (
	"context"
	"crypto/subtle"
	"fmt"
	"time"

	"qcat/core"
	"qcat/core/identity"
)

// keepSessions is how long a session that is over is kept, so that a refresh token of
// it is still told from one that never was.
const keepSessions = core.Nanos(24 * time.Hour)

const sessionColumns = "id, user_id, epoch, refresh, address, created, used, expires, ended"

// sessionFields are the places of sessionColumns.
func sessionFields(x *identity.Session) ([]any, func() error) {
	return []any{&x.ID, &x.User, &x.Epoch, &x.Refresh, &x.Address, &x.Created, &x.Used, &x.Expires, &x.Ended}, nil
}

func (t *tx) sessions(rest string, args ...any) ([]identity.Session, error) {
	return list(t, sessionFields, "SELECT "+sessionColumns+" FROM sessions "+rest, args...)
}

// CreateSession implements identity.Store. Sessions that have long been over are deleted.
// Errors: identity.ErrNotFound when the user is not there, disabled, or not of the
// session's epoch any more; ErrExists.
func (s *Store) CreateSession(ctx context.Context, x *identity.Session) error {
	return s.change(ctx, "create session", func(t *tx) error {
		old := s.clock.Now() - keepSessions
		if _, err := t.exec("DELETE FROM sessions WHERE expires < $1 OR (ended > 0 AND ended < $1)", old); err != nil {
			return err
		}
		good, err := t.count("SELECT count(*) FROM users WHERE id = $1 AND epoch = $2 AND disabled = 0", x.User, x.Epoch)
		if err != nil {
			return err
		}
		if good == 0 {
			return fmt.Errorf("the user as of the login is %w", identity.ErrNotFound)
		}
		n, err := t.exec("INSERT INTO sessions ("+sessionColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
			x.ID, x.User, x.Epoch, x.Refresh, x.Address, x.Created, x.Used, x.Expires, x.Ended)
		if err == nil && n == 0 {
			return fmt.Errorf("the session %w", identity.ErrExists)
		}
		return err
	})
}

// Rotate implements identity.Store. A session whose user is not as at the login is not
// found.
func (s *Store) Rotate(ctx context.Context, session string, old, next []byte, now, expires int64) (x identity.Session, err error) {
	reused := false
	err = s.change(ctx, "rotate", func(t *tx) (err error) {
		x, err = one(t.sessions("WHERE id = $1 AND ended = 0 AND expires > $2 AND epoch ="+
			" (SELECT epoch FROM users WHERE users.id = user_id AND disabled = 0)", session, now))
		if err != nil {
			return err
		}
		if reused = subtle.ConstantTimeCompare(x.Refresh, old) != 1; reused {
			x.Ended = core.Nanos(now)
			return t.endSessions(now, "id = $2", session)
		}
		x.Refresh, x.Used, x.Expires = next, core.Nanos(now), core.Nanos(expires)
		_, err = t.exec("UPDATE sessions SET refresh = $1, used = $2, expires = $3 WHERE id = $4", next, now, expires, session)
		return err
	})
	switch {
	case err != nil:
		return identity.Session{}, err
	case reused:
		return x, fmt.Errorf("identity: rotate: %w", identity.ErrRefreshReused)
	}
	return x, nil
}

func (t *tx) endSessions(now int64, which string, args ...any) error {
	_, err := t.exec("UPDATE sessions SET ended = $1 WHERE ended = 0 AND "+which, append([]any{now}, args...)...)
	return err
}

// EndSession implements identity.Store. One that has ended stays as it is. Errors:
// identity.ErrNotFound.
func (s *Store) EndSession(ctx context.Context, id string, now int64) error {
	return s.change(ctx, "end session", func(t *tx) error {
		x, err := one(t.sessions("WHERE id = $1", id))
		if err != nil {
			return err
		}
		if x.Ended != 0 {
			return errUnchanged
		}
		return t.endSessions(now, "id = $2", id)
	})
}

// EndSessions implements identity.Store. Errors: identity.ErrNotFound.
func (s *Store) EndSessions(ctx context.Context, user identity.UserID, now int64) error {
	return s.change(ctx, "end sessions", func(t *tx) error {
		n, err := t.exec("UPDATE users SET epoch = epoch + 1, changed = $2 WHERE CAST($1 AS bigint) = 0 OR id = $1", user, now)
		if err != nil {
			return err
		}
		if n == 0 && user != 0 {
			return identity.ErrNotFound
		}
		return t.endSessions(now, "(CAST($2 AS bigint) = 0 OR user_id = $2)", user)
	})
}
