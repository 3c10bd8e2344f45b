package auth

import (
	"context"
	"encoding/json"
	"errors"

	"qcat/api/auth/password"
	"qcat/core"
	"qcat/core/identity"
)

// Service is what administrators do to users, keys and sessions, and users to themselves. Each
// operation takes who does it, refuses what that may not, and writes the audit log, of
// refusals too. It works with a running server's Directory and, in a command, without one.
//
// Nobody gives what they do not have: an administrator whose scope or key is narrower creates and changes
// users and keys within it alone.
//
// Errors of every operation: ErrRequired or why the principal ended, ErrForbidden,
// ErrUnavailable, and ErrUnaudited when it was done and the log could not be written.
type Service struct {
	Store   identity.Store
	Auditor identity.Auditor
	Opener  Opener
	Clock   core.Clock
	Hasher  *password.Hasher
	// Directory is that of the server this is; nil in a command.
	Directory *Directory
	// Gate, when there is one, counts wrong old passwords as failed logins.
	Gate *Gate
}

// administer says whether a principal may administer what has that scope.
func administer(by Principal, scopes ...*identity.Scope) error {
	if err := by.Require(identity.Administer); err != nil {
		return err
	}
	for _, s := range scopes {
		if !by.Covers(s) {
			return ErrScope
		}
	}
	return nil
}

// record writes down what a principal did, or was refused. before and after are shown as
// JSON; nil is nothing. It returns err, or ErrUnaudited.
func (s *Service) record(ctx context.Context, by Principal, action, target string, before, after any, err error) error {
	refusal := Refusal(err)
	if by.g == nil {
		return refused(err) // nobody: that is always refused, and whoever wants to can ask
	}
	e := by.Entry(action, target)
	if refusal != nil {
		e.Outcome = refusal.Code
	} else {
		e.Before, e.After = asJSON(before), asJSON(after)
	}
	// What was done is written down even if whoever asked has gone.
	if failed := s.Auditor.Audit(context.WithoutCancel(ctx), e); failed != nil && refusal == nil {
		c := *ErrUnaudited
		c.cause = failed
		return &c
	}
	return refused(err)
}

func asJSON(v any) string {
	if v == nil {
		return ""
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// userView is what the audit log is shown of a user.
type userView struct {
	Name     string `json:"name"`
	Role     string `json:"role"`
	Scope    string `json:"scope"`
	Disabled bool   `json:"disabled"`
	Epoch    int64  `json:"epoch"`
}

func viewUser(u *identity.User) userView {
	return userView{u.Name, u.Role.String(), u.Scope.String(), u.Disabled, u.Epoch}
}

// lockView is what the audit log is shown of a lock.
type lockView struct {
	Failures int        `json:"failures"`
	LockedTo core.Nanos `json:"locked_to"`
}

func viewLock(u *identity.User) lockView { return lockView{u.Failures, u.LockedTo} }

// keyView is what the audit log is shown of an API key.
type keyView struct {
	Owner       identity.UserID `json:"owner"`
	Name        string          `json:"name"`
	Kind        string          `json:"kind"`
	Permissions string          `json:"permissions"`
	Scope       string          `json:"scope"`
	Addresses   []string        `json:"addresses,omitempty"`
	Expires     core.Nanos      `json:"expires,omitempty"`
	Revoked     core.Nanos      `json:"revoked,omitempty"`
}

func viewKey(k *identity.APIKey) keyView {
	v := keyView{
		Owner: k.Owner, Name: k.Name, Kind: k.Kind.String(), Permissions: k.Permissions.String(), Scope: k.Scope.String(),
		Expires: k.Expires, Revoked: k.Revoked,
	}
	for _, a := range k.Addresses {
		v.Addresses = append(v.Addresses, a.String())
	}
	return v
}

// Entries reads the audit log.
func (s *Service) Entries(ctx context.Context, by Principal, q identity.AuditQuery) ([]identity.AuditEntry, error) {
	if err := administer(by, &everywhere); err != nil {
		return nil, s.record(ctx, by, "audit.read", "", nil, nil, err)
	}
	entries, err := s.Auditor.Entries(ctx, q)
	return entries, refused(err)
}

// everywhere is the scope that what concerns all of the firm needs.
var everywhere = identity.Scope{All: true}

// errNotGiven refuses to give what the giver does not have.
var errNotGiven = ErrForbidden.Saying("nobody can give a permission they do not have")

// isNotFound reports whether there was nothing to change.
func isNotFound(err error) bool { return errors.Is(err, identity.ErrNotFound) }
