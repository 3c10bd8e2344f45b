package auth

import (
	"context"
	"slices"

	"go.uber.org/zap"

	"qcat/api/auth/signature"
	"qcat/api/auth/token"
	"qcat/api/limit"
	"qcat/core"
	"qcat/core/identity"
)

// keepEnded is for how long a key or session that ended is remembered, so that it is
// told so.
const keepEnded = core.Nanos(3600e9)

// opened is what a load brought that was not known, in the clear.
type opened struct {
	keys    map[string]signature.Verifier
	signing map[string][]byte
	failed  bool // something could not be opened
}

// open opens the secrets that are not known yet. It holds no lock while the opener works.
func (d *Directory) open(ctx context.Context, all *identity.Everything) opened {
	o := opened{keys: map[string]signature.Verifier{}, signing: map[string][]byte{}}
	for i := range all.Keys {
		k := &all.Keys[i]
		id, ok := makeKeyID(k.ID)
		if _, known := d.keys.Load(id); known || !ok {
			continue
		}
		v, err := d.verifier(ctx, k)
		if err != nil {
			o.failed = true
			d.log.Error("an API key cannot be used", zap.String("key", k.ID), zap.Error(err))
			continue
		}
		o.keys[k.ID] = v
	}
	for i := range all.Signing {
		k := &all.Signing[i]
		d.mu.Lock()
		secret, known := d.signing[k.ID]
		d.mu.Unlock()
		if !known {
			var err error
			if secret, err = d.opener.Open(ctx, SigningTable, k.ID, k.Secret); err != nil {
				o.failed = true
				d.log.Error("a signing key cannot be used", zap.String("kid", k.ID), zap.Error(err))
				continue
			}
		}
		o.signing[k.ID] = secret
	}
	return o
}

func (d *Directory) verifier(ctx context.Context, k *identity.APIKey) (signature.Verifier, error) {
	switch k.Kind {
	case identity.Ed25519:
		return signature.NewEd25519(k.Public)
	case identity.HMACSHA256:
		secret, err := d.opener.Open(ctx, KeyTable, k.ID, k.Secret)
		if err != nil {
			return nil, err
		}
		defer clear(secret)
		return signature.NewHMAC(secret)
	}
	return nil, signature.ErrKey
}

// apply makes the directory what a load found. load is its number: what was added here
// since it began is not in it, and stays.
func (d *Directory) apply(all *identity.Everything, o opened, load uint64, now core.Nanos) {
	d.mu.Lock()
	defer d.mu.Unlock()
	users := make(map[identity.UserID]*identity.User, len(all.Users))
	for i := range all.Users {
		u := &all.Users[i]
		if old := d.users[u.ID]; old != nil && old.Epoch > u.Epoch {
			u = old // it was changed here while the load ran
		}
		d.noteUnlocked(u)
		users[u.ID] = u
	}
	d.users = users
	d.applyKeys(all, o, now)
	d.applySessions(all, load, now)
	d.signing = o.signing
	ring := make([]token.Key, 0, len(all.Signing))
	for i := range all.Signing {
		k := &all.Signing[i]
		if secret := o.signing[k.ID]; secret != nil && (k.Expires == 0 || now < k.Expires) {
			ring = append(ring, token.Key{ID: k.ID, Secret: secret, Created: k.Created, Expires: k.Expires})
		}
	}
	d.ring.Set(ring)
}

// noteUnlocked notes when a user was unlocked, if it was later than what is known. Under mu.
func (d *Directory) noteUnlocked(u *identity.User) {
	if key := nameKey(u.Name); u.Unlocked > d.unlocked[key] {
		d.unlocked[key] = u.Unlocked
	}
}

func (d *Directory) applyKeys(all *identity.Everything, o opened, now core.Nanos) {
	there := make(map[keyID]bool, len(all.Keys))
	for i := range all.Keys {
		k := &all.Keys[i]
		id, ok := makeKeyID(k.ID)
		if !ok {
			continue
		}
		there[id] = true
		e, known := d.keys.Load(id)
		if !known {
			v := o.keys[k.ID]
			if v == nil {
				continue // it cannot be opened
			}
			e = &keyEntry{key: *k, verifier: v}
			e.used.Store(int64(k.LastUsed))
			e.stored.Store(int64(k.LastUsed))
		}
		d.regrant(e)
		d.keys.Store(id, e)
	}
	d.keys.Range(func(id keyID, e *keyEntry) bool {
		if !there[id] && e.final == nil {
			why := ErrRevoked
			if e.key.Expires != 0 && e.key.Expires <= now {
				why = ErrExpired
			}
			e.finish(why, now)
		}
		return true
	})
}

// finish ends a key for good. Under mu.
func (e *keyEntry) finish(why *Error, now core.Nanos) {
	if e.final != nil {
		return
	}
	e.final, e.end = why, now
	if g := e.grant.Load(); g != nil {
		g.end(why)
	}
}

// regrant gives a key what its owner and it have now; if that is what it had, the
// principals of the key go on. Under mu.
func (d *Directory) regrant(e *keyEntry) {
	if e.final != nil {
		return
	}
	old, owner := e.grant.Load(), d.users[e.key.Owner]
	if owner == nil || owner.Disabled {
		if old == nil { // it must be there, to say why it does not hold
			old = e.granted(&identity.User{ID: e.key.Owner})
			e.grant.Store(old)
		}
		old.end(ErrRevoked)
		return
	}
	next := e.granted(owner)
	if old != nil && old.ended.Load() == nil && old.epoch == next.epoch && old.role == next.role && sameScope(&old.scope, &next.scope) {
		return
	}
	e.grant.Store(next)
	old.end(ErrRevoked)
}

// granted is what a key of that owner may.
func (e *keyEntry) granted(owner *identity.User) *grant {
	return &grant{
		user: owner.ID, name: owner.Name, role: owner.Role, epoch: owner.Epoch,
		permissions: owner.Role.Permissions() & e.key.Permissions, scope: owner.Scope, keyScope: &e.key.Scope,
		key: e.key.ID, hands: slices.Concat(owner.Hands, e.key.Hands), limit: limit.Text('k', e.key.ID), done: make(chan struct{}),
	}
}

func sameScope(a, b *identity.Scope) bool {
	return a.All == b.All && slices.Equal(a.Accounts, b.Accounts) && slices.Equal(a.Strategies, b.Strategies)
}

func (d *Directory) applySessions(all *identity.Everything, load uint64, now core.Nanos) {
	there := make(map[string]bool, len(all.Sessions))
	for i := range all.Sessions {
		s := &all.Sessions[i]
		there[s.ID] = true
		if e, ok := d.sessions.Load(s.ID); ok {
			e.expires.Store(max(e.expires.Load(), int64(s.Expires)))
			d.check(e, now)
			continue
		}
		d.enter(s, 0, now)
	}
	d.sessions.Range(func(id string, e *sessionEntry) bool {
		if !there[id] && e.born < load {
			e.finish(ErrRevoked, now)
		}
		return true
	})
}

// enter adds a session. Under mu.
func (d *Directory) enter(s *identity.Session, born uint64, now core.Nanos) *sessionEntry {
	g := &grant{user: s.User, session: s.ID, epoch: s.Epoch, done: make(chan struct{})}
	if u := d.users[s.User]; u != nil {
		g.name, g.role, g.permissions, g.scope = u.Name, u.Role, u.Role.Permissions(), u.Scope
		g.hands = u.Hands
		g.limit = limit.Text('u', u.Name)
		d.befriend(u.Name, s.Address)
	}
	e := &sessionEntry{grant: g, born: born}
	e.expires.Store(int64(s.Expires))
	d.check(e, now)
	d.sessions.Store(s.ID, e)
	return e
}

// check ends a session whose user is not who logged in any more. Under mu.
func (d *Directory) check(e *sessionEntry, now core.Nanos) {
	if u := d.users[e.grant.user]; u == nil || u.Disabled || u.Epoch != e.grant.epoch {
		e.finish(ErrRevoked, now)
	}
}

// finish ends a session. Under mu.
func (e *sessionEntry) finish(why *Error, now core.Nanos) {
	if e.end == 0 {
		e.end = now
		e.grant.end(why)
	}
}
