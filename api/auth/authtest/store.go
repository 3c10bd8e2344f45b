package authtest

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"

	"qcat/core"
	"qcat/core/identity"
)

// Store is an identity.Store in memory.
type Store struct {
	clock core.Clock

	mu       sync.Mutex
	fail     error
	onLoad   func()
	loads    int
	version  int64
	lastUser identity.UserID
	users    []identity.User
	keys     []identity.APIKey
	sessions []identity.Session
	signing  []identity.SigningKey
}

var _ identity.Store = (*Store)(nil)

// NewStore returns an empty store.
func NewStore(clock core.Clock) *Store { return &Store{clock: clock} }

// Fail makes every method return err from now on; nil ends it.
func (s *Store) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

// OnLoad has f called by each Load between reading and returning, without a lock: for what is to
// happen meanwhile.
func (s *Store) OnLoad(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onLoad = f
}

// Loads is how often everything was loaded.
func (s *Store) Loads() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.loads
}

// lock begins a transaction.
func (s *Store) lock(ctx context.Context) (unlock func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	if s.fail != nil {
		defer s.mu.Unlock()
		return nil, s.fail
	}
	return s.mu.Unlock, nil
}

// Version implements identity.Store.
func (s *Store) Version(ctx context.Context) (int64, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock()
	return s.version, nil
}

// Load implements identity.Store.
func (s *Store) Load(ctx context.Context) (*identity.Everything, error) {
	e, onLoad, err := s.load(ctx)
	if err == nil && onLoad != nil {
		onLoad()
	}
	return e, err
}

func (s *Store) load(ctx context.Context) (*identity.Everything, func(), error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer unlock()
	s.loads++
	now := s.clock.Now()
	e := &identity.Everything{Version: s.version, Users: slices.Clone(s.users)}
	for _, k := range s.keys {
		if k.Revoked == 0 && (k.Expires == 0 || now < k.Expires) {
			e.Keys = append(e.Keys, k)
		}
	}
	for _, k := range s.signing {
		if k.Expires == 0 || now < k.Expires {
			e.Signing = append(e.Signing, k)
		}
	}
	for _, v := range s.sessions {
		if v.Ended == 0 && now < v.Expires {
			e.Sessions = append(e.Sessions, v)
		}
	}
	return e, s.onLoad, nil
}

// find returns the index of a user, -1 if there is none of that name.
func (s *Store) find(name string) int {
	return slices.IndexFunc(s.users, func(u identity.User) bool { return strings.EqualFold(u.Name, name) })
}

// CreateUser implements identity.Store.
func (s *Store) CreateUser(ctx context.Context, u *identity.User) error {
	return s.createUser(ctx, u, func() bool { return s.find(u.Name) < 0 })
}

// CreateFirst implements identity.Store.
func (s *Store) CreateFirst(ctx context.Context, u *identity.User) error {
	return s.createUser(ctx, u, func() bool { return len(s.users) == 0 })
}

// createUser creates a user if may, which is asked under the lock, allows it.
func (s *Store) createUser(ctx context.Context, u *identity.User, may func() bool) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if !may() {
		return identity.ErrExists
	}
	s.lastUser++
	u.ID = s.lastUser
	s.users = append(s.users, *u)
	s.version++
	return nil
}

// User implements identity.Store.
func (s *Store) User(ctx context.Context, name string) (identity.User, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return identity.User{}, err
	}
	defer unlock()
	if i := s.find(name); i >= 0 {
		return s.users[i], nil
	}
	return identity.User{}, identity.ErrNotFound
}

// Users implements identity.Store.
func (s *Store) Users(ctx context.Context) ([]identity.User, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	return slices.Clone(s.users), nil
}

// ChangeUser implements identity.Store.
func (s *Store) ChangeUser(ctx context.Context, name string, change func(*identity.User) error) (before, after identity.User, err error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return before, after, err
	}
	defer unlock()
	i := s.find(name)
	if i < 0 {
		return before, after, identity.ErrNotFound
	}
	before = s.users[i]
	asked := before
	if err := change(&asked); err != nil {
		return before, before, err
	}
	after = before
	after.Role, after.Scope, after.Password, after.Disabled = asked.Role, asked.Scope, asked.Password, asked.Disabled
	after.Epoch = max(before.Epoch, asked.Epoch)
	if after.Role != before.Role || after.Scope.String() != before.Scope.String() || after.Password != before.Password || after.Disabled != before.Disabled {
		after.Epoch = max(after.Epoch, before.Epoch+1)
	}
	if after.Password != before.Password {
		after.Hands = slices.Clone(asked.Hands)
	}
	if administers(&before) && !administers(&after) && !slices.ContainsFunc(s.users, func(u identity.User) bool { return u.ID != after.ID && administers(&u) }) {
		return before, before, identity.ErrLastAdmin
	}
	after.Changed = s.clock.Now()
	s.users[i] = after
	s.version++
	return before, after, nil
}

func administers(u *identity.User) bool { return u.Role == identity.Admin && !u.Disabled }

// UnlockUser implements identity.Store.
func (s *Store) UnlockUser(ctx context.Context, name string) (before, after identity.User, err error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return before, after, err
	}
	defer unlock()
	i := s.find(name)
	if i < 0 {
		return before, after, identity.ErrNotFound
	}
	before = s.users[i]
	after = before
	after.Failures, after.LockedTo, after.Unlocked = 0, 0, max(s.clock.Now(), before.Unlocked+1)
	s.users[i] = after
	s.version++
	return before, after, nil
}

// NoteLogin implements identity.Store.
func (s *Store) NoteLogin(ctx context.Context, u *identity.User) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	for i := range s.users {
		if at := &s.users[i]; at.ID == u.ID {
			at.LastLogin = u.LastLogin
			if at.Unlocked == u.Unlocked {
				at.Failures, at.LockedTo = u.Failures, u.LockedTo
			}
			return nil
		}
	}
	return identity.ErrNotFound
}

// CreateKey implements identity.Store.
func (s *Store) CreateKey(ctx context.Context, k *identity.APIKey) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if slices.ContainsFunc(s.keys, func(at identity.APIKey) bool { return at.ID == k.ID }) {
		return identity.ErrExists
	}
	s.keys = append(s.keys, *k)
	s.version++
	return nil
}

// Keys implements identity.Store.
func (s *Store) Keys(ctx context.Context) ([]identity.APIKey, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	return slices.Clone(s.keys), nil
}

// RevokeKey implements identity.Store.
func (s *Store) RevokeKey(ctx context.Context, id string) (identity.APIKey, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return identity.APIKey{}, err
	}
	defer unlock()
	for i := range s.keys {
		if k := &s.keys[i]; k.ID == id {
			if k.Revoked == 0 {
				k.Revoked = s.clock.Now()
				s.version++
			}
			return *k, nil
		}
	}
	return identity.APIKey{}, identity.ErrNotFound
}

// UseKeys implements identity.Store.
func (s *Store) UseKeys(ctx context.Context, used map[string]int64) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	for i := range s.keys {
		if at, ok := used[s.keys[i].ID]; ok {
			s.keys[i].LastUsed = core.Nanos(at)
		}
	}
	return nil
}

// same reports whether the user of a session is as at the login.
func (s *Store) same(v *identity.Session) bool {
	return slices.ContainsFunc(s.users, func(u identity.User) bool { return u.ID == v.User && u.Epoch == v.Epoch && !u.Disabled })
}

// CreateSession implements identity.Store. Errors: ErrNotFound when the user is not as
// at the login any more.
func (s *Store) CreateSession(ctx context.Context, v *identity.Session) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if !s.same(v) {
		return identity.ErrNotFound
	}
	s.sessions = append(s.sessions, *v)
	s.version++
	return nil
}

// Rotate implements identity.Store.
func (s *Store) Rotate(ctx context.Context, session string, old, next []byte, now, expires int64) (identity.Session, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return identity.Session{}, err
	}
	defer unlock()
	for i := range s.sessions {
		v := &s.sessions[i]
		if v.ID != session || v.Ended != 0 || int64(v.Expires) <= now || !s.same(v) {
			continue
		}
		s.version++
		if !bytes.Equal(v.Refresh, old) {
			v.Ended = core.Nanos(now)
			return identity.Session{}, identity.ErrRefreshReused
		}
		v.Refresh, v.Used, v.Expires = slices.Clone(next), core.Nanos(now), core.Nanos(expires)
		return *v, nil
	}
	return identity.Session{}, identity.ErrNotFound
}

// EndSession implements identity.Store. Errors: ErrNotFound.
func (s *Store) EndSession(ctx context.Context, id string, now int64) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if !slices.ContainsFunc(s.sessions, func(v identity.Session) bool { return v.ID == id }) {
		return identity.ErrNotFound
	}
	s.end(func(v *identity.Session) bool { return v.ID == id }, now)
	return nil
}

// EndSessions implements identity.Store.
func (s *Store) EndSessions(ctx context.Context, user identity.UserID, now int64) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if user != 0 && !slices.ContainsFunc(s.users, func(u identity.User) bool { return u.ID == user }) {
		return identity.ErrNotFound
	}
	s.end(func(v *identity.Session) bool { return user == 0 || v.User == user }, now)
	for i := range s.users {
		if user == 0 || s.users[i].ID == user {
			s.users[i].Epoch++
		}
	}
	return nil
}

func (s *Store) end(which func(*identity.Session) bool, now int64) {
	for i := range s.sessions {
		if v := &s.sessions[i]; which(v) && v.Ended == 0 {
			v.Ended = core.Nanos(now)
		}
	}
	s.version++
}

// Sign implements identity.Store.
func (s *Store) Sign(ctx context.Context, k *identity.SigningKey, retire int64) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	for i := range s.signing {
		if at := &s.signing[i].Expires; *at == 0 || int64(*at) > retire {
			*at = core.Nanos(retire)
		}
	}
	s.signing = append(s.signing, *k)
	s.version++
	return nil
}
