package auth

import (
	"context"
	"time"

	"qcat/api/auth/password"
	"qcat/api/limit"
	"qcat/core/identity"
)

// NewUser is a user to be. Without a password there is no login by one.
type NewUser struct {
	Name     string
	Role     identity.Role
	Scope    identity.Scope
	Password string
}

// CreateUser creates a user. Errors: ErrExists, ErrValue, ErrPassword, ErrScope.
func (s *Service) CreateUser(ctx context.Context, by Principal, n NewUser) (identity.User, error) {
	return s.addUser(ctx, by, n, s.Store.CreateUser)
}

// addUser creates a user by one of the store's methods.
func (s *Service) addUser(ctx context.Context, by Principal, n NewUser, create func(context.Context, *identity.User) error) (identity.User, error) {
	u, err := s.createUser(ctx, by, n, create)
	if err == nil && s.Directory != nil {
		s.Directory.addUser(&u)
		s.Directory.settle(ctx)
	}
	return u, s.record(ctx, by, "user.create", n.Name, nil, viewUser(&u), err)
}

func (s *Service) createUser(ctx context.Context, by Principal, n NewUser, create func(context.Context, *identity.User) error) (u identity.User, err error) {
	if err = mayGive(by, n.Role, &n.Scope); err != nil {
		return u, err
	}
	if err = identity.CheckName(n.Name); err != nil {
		return u, err
	}
	now := s.Clock.Now()
	u = identity.User{Name: n.Name, Role: n.Role, Scope: n.Scope, Hands: by.hands(), Created: now, Changed: now}
	if n.Password != "" {
		if u.Password, err = s.hash(ctx, n.Name, n.Password); err != nil {
			return identity.User{}, err
		}
	}
	return u, create(ctx, &u)
}

// mayGive says whether a principal may make somebody that role and scope.
func mayGive(by Principal, r identity.Role, scope *identity.Scope) error {
	if err := administer(by, scope); err != nil {
		return err
	}
	if r.Permissions() == 0 {
		return identity.ErrRole
	}
	if !by.Can(r.Permissions()) {
		return errNotGiven
	}
	return nil
}

func (s *Service) hash(ctx context.Context, name, clear string) (string, error) {
	if err := password.Check(name, clear); err != nil {
		return "", err
	}
	return s.Hasher.Hash(ctx, clear)
}

// FirstAdmin creates an administrator of everything where there is no user at all: of
// several at once, under whatever names, one succeeds.
// Errors: as CreateUser; ErrExists if there is a user.
func (s *Service) FirstAdmin(ctx context.Context, by Principal, name, clear string) (identity.User, error) {
	all, err := s.Store.Users(ctx)
	if err == nil && len(all) > 0 {
		err = ErrExists.Saying("there are users already")
	}
	if err != nil {
		return identity.User{}, s.record(ctx, by, "user.create", name, nil, nil, err)
	}
	return s.addUser(ctx, by, NewUser{Name: name, Role: identity.Admin, Scope: everywhere, Password: clear}, s.Store.CreateFirst)
}

// UserChange is what is to become of a user; nil leaves what is.
type UserChange struct {
	Role     *identity.Role
	Scope    *identity.Scope
	Disabled *bool
	Password *string // in the clear
}

// ChangeUser changes a user. Every change ends the user's sessions and open sockets; keys
// go on with the new rights, or while the user is disabled not at all. Errors: ErrNotFound,
// ErrLastAdmin, ErrValue, ErrPassword, ErrScope.
func (s *Service) ChangeUser(ctx context.Context, by Principal, name string, c UserChange) (identity.User, error) {
	before, after, err := s.changeUser(ctx, by, name, c)
	return after, s.record(ctx, by, changeAction(&c), name, viewUser(&before), viewUser(&after), err)
}

// changeAction names what the audit log is to find by name.
func changeAction(c *UserChange) string {
	switch {
	case c.Disabled != nil && *c.Disabled:
		return "user.disable"
	case c.Disabled != nil:
		return "user.enable"
	case c.Password != nil && c.Role == nil && c.Scope == nil:
		return "user.password"
	}
	return "user.change"
}

func (s *Service) changeUser(ctx context.Context, by Principal, name string, c UserChange) (before, after identity.User, err error) {
	if err = administer(by); err != nil {
		return before, after, err
	}
	var hash string
	if c.Password != nil {
		if hash, err = s.hash(ctx, name, *c.Password); err != nil {
			return before, after, err
		}
	}
	return s.apply(ctx, name, func(u *identity.User) error {
		if err := mayGive(by, u.Role, &u.Scope); err != nil {
			return err // the user has more than who wants to change it
		}
		if c.Role != nil {
			u.Role = *c.Role
		}
		if c.Scope != nil {
			u.Scope = *c.Scope
		}
		if c.Disabled != nil {
			u.Disabled = *c.Disabled
		}
		if c.Password != nil {
			u.Password, u.Hands = hash, by.hands()
		}
		return mayGive(by, u.Role, &u.Scope)
	})
}

// UnlockUser lets a user try again who is locked out by failed logins, also where those have
// locked an address. Sessions and keys go on. Errors: ErrNotFound, ErrScope.
func (s *Service) UnlockUser(ctx context.Context, by Principal, name string) (identity.User, error) {
	before, after, err := s.unlockUser(ctx, by, name)
	return after, s.record(ctx, by, "user.unlock", name, viewLock(&before), viewLock(&after), err)
}

func (s *Service) unlockUser(ctx context.Context, by Principal, name string) (before, after identity.User, err error) {
	if err = administer(by); err != nil {
		return before, after, err
	}
	u, err := s.Store.User(ctx, name)
	if err != nil {
		return before, after, err
	}
	if err = mayGive(by, u.Role, &u.Scope); err != nil {
		return before, after, err
	}
	if before, after, err = s.Store.UnlockUser(ctx, name); err == nil && s.Directory != nil {
		s.Directory.unlock(&after)
		s.Directory.settle(ctx)
	}
	return before, after, err
}

// apply changes a user in the store and makes it hold here.
func (s *Service) apply(ctx context.Context, name string, change func(*identity.User) error) (before, after identity.User, err error) {
	before, after, err = s.Store.ChangeUser(ctx, name, change)
	if err == nil && s.Directory != nil {
		s.Directory.addUser(&after)
		s.Directory.settle(ctx)
	}
	return before, after, err
}

// ChangePassword changes the principal's own password, which ends all its sessions, this one too.
// A wrong old one counts as a failed login. An API key cannot do it. Errors: ErrCredentials,
// ErrLocked, ErrPassword.
func (s *Service) ChangePassword(ctx context.Context, by Principal, old, next string) error {
	before, after, err := s.changePassword(ctx, by, old, next)
	return s.record(ctx, by, "user.password", by.Name(), viewUser(&before), viewUser(&after), err)
}

func (s *Service) changePassword(ctx context.Context, by Principal, old, next string) (before, after identity.User, err error) {
	if err = by.Ended(); err != nil {
		return before, after, err
	}
	if by.User() == 0 || by.Session() == "" {
		return before, after, ErrForbidden
	}
	u, err := s.Store.User(ctx, by.Name())
	if err != nil {
		return before, after, err
	}
	if err = s.proveOld(ctx, &u, old); err != nil {
		return before, after, err
	}
	hash, err := s.hash(ctx, u.Name, next)
	if err != nil {
		return before, after, err
	}
	return s.apply(ctx, u.Name, func(now *identity.User) error {
		if now.Epoch != u.Epoch || now.Password != u.Password {
			return ErrRevoked // somebody else was faster
		}
		now.Password = hash // Hands stay: who gave the old one may have chosen the new one, too
		return nil
	})
}

// proveOld checks an old password, with the same lock as a login.
func (s *Service) proveOld(ctx context.Context, u *identity.User, old string) error {
	var key limit.Key
	var counted limit.Attempts
	now := s.Clock.Now()
	if s.Gate != nil {
		var wait time.Duration
		key = countedBy(nameKey(u.Name), u.Unlocked)
		counted, wait = s.Gate.names.Begin(key, limit.Attempts{Failures: u.Failures, LockedTo: u.LockedTo}, now)
		if wait > 0 {
			return ErrLocked.After(wait)
		}
		noted := *u
		noted.Failures, noted.LockedTo = counted.Failures, counted.LockedTo
		if err := s.Store.NoteLogin(ctx, &noted); err != nil {
			return err
		}
	}
	ok, err := s.Hasher.Verify(ctx, u.Password, old)
	if err != nil {
		if s.Gate != nil { // it was not tried
			s.Gate.names.Undo(key, counted, now)
			_ = s.Store.NoteLogin(context.WithoutCancel(ctx), u)
		}
		return err
	}
	if !ok {
		return ErrCredentials
	}
	if s.Gate == nil {
		return nil
	}
	s.Gate.names.Succeed(key, now)
	proved := *u
	proved.Failures, proved.LockedTo = 0, 0
	return s.Store.NoteLogin(ctx, &proved)
}

// Users lists the users that the principal may administer; whoever may not, itself.
func (s *Service) Users(ctx context.Context, by Principal) ([]identity.User, error) {
	if err := by.Ended(); err != nil {
		return nil, err
	}
	all, err := s.Store.Users(ctx)
	if err != nil {
		return nil, refused(err)
	}
	seen := all[:0]
	for i := range all {
		if u := &all[i]; u.ID == by.User() || administer(by, &u.Scope) == nil {
			u.Password = "" // the hash is nobody's business
			seen = append(seen, *u)
		}
	}
	return seen, nil
}
