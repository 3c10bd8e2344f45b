package identity

import (
	"context"
	"errors"
)

// Errors of a Store.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("is there already")
	// ErrLastAdmin refuses what would leave nobody who may administer.
	ErrLastAdmin = errors.New("it is the last admin who is not disabled")
	// ErrRefreshReused is a refresh token that was used before: somebody has a copy. The
	// session has been ended.
	ErrRefreshReused = errors.New("the refresh token was used before")
)

// Everything is what a server decides by, as of one version.
type Everything struct {
	// Version rises with each change of what is in here, LastUsed, Failures and the
	// like excepted.
	Version  int64
	Users    []User
	Keys     []APIKey // not revoked, not expired
	Signing  []SigningKey
	Sessions []Session // not ended, not expired
}

// Store keeps identities. Any goroutine; each method is one transaction, and several
// processes may use one database at once.
type Store interface {
	// Version is cheap: a server asks for it several times a second.
	Version(ctx context.Context) (int64, error)
	Load(ctx context.Context) (*Everything, error)

	// CreateUser sets u.ID. Errors: ErrExists.
	CreateUser(ctx context.Context, u *User) error
	// CreateFirst is CreateUser while there is no user at all: of several at once one
	// succeeds. Errors: ErrExists.
	CreateFirst(ctx context.Context, u *User) error
	// User is found by its name in any case. Errors: ErrNotFound.
	User(ctx context.Context, name string) (User, error)
	Users(ctx context.Context) ([]User, error)
	// ChangeUser changes role, scope, password with Hands, disabled and epoch, which it raises
	// if any of the others changed. change may be called more than once. Errors:
	// ErrNotFound, ErrLastAdmin, those of change.
	ChangeUser(ctx context.Context, name string, change func(*User) error) (before, after User, err error)
	// UnlockUser forgets the failed logins, and sets Unlocked. Errors: ErrNotFound.
	UnlockUser(ctx context.Context, name string) (before, after User, err error)
	// NoteLogin writes Failures, LockedTo and LastLogin alone, of the former two nothing
	// when the user was unlocked since u was read.
	NoteLogin(ctx context.Context, u *User) error

	CreateKey(ctx context.Context, k *APIKey) error
	Keys(ctx context.Context) ([]APIKey, error) // all of them, revoked ones too
	RevokeKey(ctx context.Context, id string) (APIKey, error)
	// UseKeys writes LastUsed of many keys at once.
	UseKeys(ctx context.Context, used map[string]int64) error

	CreateSession(ctx context.Context, s *Session) error
	// Rotate replaces the good refresh token of an open session, once. Errors:
	// ErrNotFound, ErrRefreshReused.
	Rotate(ctx context.Context, session string, old, next []byte, now, expires int64) (Session, error)
	EndSession(ctx context.Context, id string, now int64) error
	// EndSessions ends all of a user's, or everybody's when user is 0, and raises the
	// epochs with them.
	EndSessions(ctx context.Context, user UserID, now int64) error

	// Sign adds a signing key; those before it expire at retire at the latest.
	Sign(ctx context.Context, k *SigningKey, retire int64) error
}

// Auditor keeps the audit log. Any goroutine; several processes may append at once.
type Auditor interface {
	// Audit appends an entry to the chain and sets its N and, where it is 0, its Time.
	// When it returns nil the entry will survive. Errors: those of the database; the entry is
	// not there then, unless the answer to its COMMIT was lost and the error says so.
	Audit(ctx context.Context, e *AuditEntry) error
	// Entries are those that the query selects, the newest first.
	Entries(ctx context.Context, q AuditQuery) ([]AuditEntry, error)
}

// Recorder appends entries to the audit log without making anybody wait: for what must not be
// held up by a database, and for what others can make happen at any rate. Any goroutine.
type Recorder interface {
	// Record reports whether the entry will be written as soon as that is possible; false:
	// there was no room for it.
	Record(e AuditEntry) bool
}
