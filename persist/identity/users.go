package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"qcat/core/identity"
)

const userColumns = "id, name, role, scope, disabled, password, epoch, failures, locked_to, last_login, created, changed, hands, unlocked"

// userFields are the places of userColumns.
func userFields(u *identity.User) ([]any, func() error) {
	var scope, hands []byte
	return []any{&u.ID, &u.Name, &u.Role, &scope, &u.Disabled, &u.Password, &u.Epoch, &u.Failures, &u.LockedTo, &u.LastLogin, &u.Created, &u.Changed, &hands, &u.Unlocked},
		func() error { return errors.Join(fromJSON(scope, &u.Scope), handsFrom(hands, &u.Hands)) }
}

func (t *tx) users(rest string, args ...any) ([]identity.User, error) {
	return list(t, userFields, "SELECT "+userColumns+" FROM users "+rest, args...)
}

func (t *tx) user(name string) (identity.User, error) {
	return one(t.users("WHERE name_key = $1", nameKey(name)))
}

// nameKey is what two users must not share. Names are ASCII.
func nameKey(name string) string { return strings.ToLower(name) }

// CreateUser implements identity.Store. Created and Changed are set where they are 0.
// Errors: identity.ErrName and ErrRole as well.
func (s *Store) CreateUser(ctx context.Context, u *identity.User) error {
	return s.createUser(ctx, "create user", u, func(*tx) error { return nil })
}

// CreateFirst implements identity.Store. Errors: those of CreateUser.
func (s *Store) CreateFirst(ctx context.Context, u *identity.User) error {
	return s.createUser(ctx, "create the first user", u, func(t *tx) error {
		n, err := t.count("SELECT count(*) FROM users")
		if err == nil && n > 0 {
			return fmt.Errorf("one %w", identity.ErrExists)
		}
		return err
	})
}

// createUser creates a user if may, which is asked in the same transaction, allows it.
func (s *Store) createUser(ctx context.Context, what string, u *identity.User, may func(*tx) error) error {
	if err := errors.Join(identity.CheckName(u.Name), checkRole(u.Role)); err != nil {
		return fmt.Errorf("identity: %s: %w", what, err)
	}
	made := *u
	if made.Created == 0 {
		made.Created = s.clock.Now()
	}
	if made.Changed == 0 {
		made.Changed = made.Created
	}
	err := s.change(ctx, what, func(t *tx) error {
		if err := may(t); err != nil {
			return err
		}
		scope, err := toJSON(made.Scope)
		if err != nil {
			return err
		}
		hands, err := handsJSON(made.Hands)
		if err != nil {
			return err
		}
		if err := t.get([]any{&made.ID}, "UPDATE identity_version SET last_user = last_user + 1 WHERE one = 1 RETURNING last_user"); err != nil {
			return err
		}
		n, err := t.exec("INSERT INTO users (name_key, "+userColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"+
			" ON CONFLICT DO NOTHING", nameKey(made.Name), made.ID, made.Name, made.Role, scope, made.Disabled, made.Password, made.Epoch,
			made.Failures, made.LockedTo, made.LastLogin, made.Created, made.Changed, hands, made.Unlocked)
		if err == nil && n == 0 {
			return fmt.Errorf("%q %w", made.Name, identity.ErrExists)
		}
		return err
	})
	if err == nil {
		*u = made
	}
	return err
}

func checkRole(r identity.Role) error {
	if r.Permissions() == 0 {
		return fmt.Errorf("%w %v", identity.ErrRole, r)
	}
	return nil
}

// User implements identity.Store.
func (s *Store) User(ctx context.Context, name string) (u identity.User, err error) {
	err = s.view(ctx, "user", func(t *tx) (err error) {
		u, err = t.user(name)
		return err
	})
	return u, err
}

// Users implements identity.Store: in the order in which they were made.
func (s *Store) Users(ctx context.Context) (all []identity.User, err error) {
	err = s.view(ctx, "users", func(t *tx) (err error) {
		all, err = t.users("ORDER BY id")
		return err
	})
	return all, err
}

// errMoved says that a user was changed since it was read.
var errMoved = errors.New("somebody else changed the user")

// ChangeUser implements identity.Store. It ends the user's sessions together with the
// epoch. change runs without any lock, and again when somebody else was faster.
func (s *Store) ChangeUser(ctx context.Context, name string, change func(*identity.User) error) (before, after identity.User, err error) {
	for {
		if before, err = s.User(ctx, name); err != nil {
			return before, after, err
		}
		asked := before
		asked.Scope.Accounts, asked.Scope.Strategies = slices.Clone(before.Scope.Accounts), slices.Clone(before.Scope.Strategies)
		if err = change(&asked); err != nil {
			return before, before, err
		}
		if after = changed(&before, &asked); after.Epoch == before.Epoch {
			return before, before, nil
		}
		if err = checkRole(after.Role); err != nil {
			return before, before, fmt.Errorf("identity: change user: %w", err)
		}
		after.Changed = s.clock.Now()
		err = s.change(ctx, "change user", func(t *tx) error { return t.changeUser(&before, &after) })
		switch {
		case err == nil:
			return before, after, nil
		case !errors.Is(err, errMoved):
			return before, before, err
		}
	}
}

// changed is before with what may be changed as asked, and a higher epoch if any of it
// is other than before.
func changed(before, asked *identity.User) identity.User {
	after := *before
	after.Role, after.Scope, after.Password, after.Disabled = asked.Role, asked.Scope, asked.Password, asked.Disabled
	same := after.Role == before.Role && after.Password == before.Password && after.Disabled == before.Disabled &&
		after.Scope.All == before.Scope.All && slices.Equal(after.Scope.Accounts, before.Scope.Accounts) &&
		slices.Equal(after.Scope.Strategies, before.Scope.Strategies)
	if !same {
		after.Epoch++
	}
	if after.Password != before.Password {
		after.Hands = slices.Clone(asked.Hands)
	}
	after.Epoch = max(after.Epoch, asked.Epoch)
	return after
}

// changeUser writes after, if the user is as before: each change has another epoch.
func (t *tx) changeUser(before, after *identity.User) error {
	scope, err := toJSON(after.Scope)
	if err != nil {
		return err
	}
	hands, err := handsJSON(after.Hands)
	if err != nil {
		return err
	}
	n, err := t.exec("UPDATE users SET role = $1, scope = $2, password = $3, disabled = $4, epoch = $5, changed = $6, hands = $7 WHERE id = $8 AND epoch = $9",
		after.Role, scope, after.Password, after.Disabled, after.Epoch, after.Changed, hands, after.ID, before.Epoch)
	if err != nil {
		return err
	}
	if n == 0 {
		return errMoved
	}
	if administers(before) && !administers(after) {
		left, err := t.count("SELECT count(*) FROM users WHERE role = $1 AND disabled = 0", identity.Admin)
		if err != nil {
			return err
		}
		if left == 0 {
			return fmt.Errorf("%s: %w", before.Name, identity.ErrLastAdmin)
		}
	}
	_, err = t.exec("UPDATE sessions SET ended = $1 WHERE user_id = $2 AND ended = 0", after.Changed, after.ID)
	return err
}

func administers(u *identity.User) bool { return u.Role == identity.Admin && !u.Disabled }

// NoteLogin implements identity.Store. Errors: identity.ErrNotFound as well.
func (s *Store) NoteLogin(ctx context.Context, u *identity.User) error {
	return s.note(ctx, "note login", func(t *tx) error {
		n, err := t.exec("UPDATE users SET failures = CASE WHEN unlocked = $1 THEN $2 ELSE failures END,"+
			" locked_to = CASE WHEN unlocked = $1 THEN $3 ELSE locked_to END, last_login = $4 WHERE id = $5",
			u.Unlocked, u.Failures, u.LockedTo, u.LastLogin, u.ID)
		if err == nil && n == 0 {
			return identity.ErrNotFound
		}
		return err
	})
}

// UnlockUser implements identity.Store. Errors: identity.ErrNotFound.
func (s *Store) UnlockUser(ctx context.Context, name string) (before, after identity.User, err error) {
	err = s.change(ctx, "unlock user", func(t *tx) (err error) {
		if before, err = t.user(name); err != nil {
			return err
		}
		after = before
		after.Failures, after.LockedTo, after.Unlocked = 0, 0, max(s.clock.Now(), before.Unlocked+1)
		_, err = t.exec("UPDATE users SET failures = 0, locked_to = 0, unlocked = $1 WHERE id = $2", after.Unlocked, after.ID)
		return err
	})
	return before, after, err
}

// handsJSON is a list of names as it is stored: [] and not null.
func handsJSON(hands []string) (string, error) { return toJSON(append([]string{}, hands...)) }

// handsFrom is how handsJSON reads back: nobody is nil.
func handsFrom(text []byte, hands *[]string) error {
	if string(text) == "[]" {
		*hands = nil
		return nil
	}
	return fromJSON(text, hands)
}

func toJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

func fromJSON(text []byte, v any) error {
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("a column is not the JSON that it should be: %w", err)
	}
	return nil
}
