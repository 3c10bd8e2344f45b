package auth

import (
	"context"

	"go.uber.org/zap"

	"qcat/core"
	"qcat/core/identity"
)

// What this process changed itself takes effect here at once, whether or not the store
// can then be read.

// addUser makes a user known as it is now, and ends what an earlier epoch was given.
func (d *Directory) addUser(u *identity.User) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.setUser(u, d.clock.Now())
}

// setUser is addUser, under mu.
func (d *Directory) setUser(u *identity.User, now core.Nanos) {
	if old := d.users[u.ID]; old != nil && old.Epoch >= u.Epoch {
		return
	}
	c := *u
	d.users[u.ID] = &c
	d.keys.Range(func(_ keyID, e *keyEntry) bool {
		if e.key.Owner == u.ID {
			d.regrant(e)
		}
		return true
	})
	d.sessions.Range(func(_ string, e *sessionEntry) bool {
		if e.grant.user == u.ID {
			d.check(e, now)
		}
		return true
	})
}

// unlock makes an unlocking hold here.
func (d *Directory) unlock(u *identity.User) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.noteUnlocked(u)
}

// addSession makes a session known that was just stored, of a user as it was read for it.
func (d *Directory) addSession(s *identity.Session, u *identity.User) *grant {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.clock.Now()
	d.setUser(u, now)
	if e, ok := d.sessions.Load(s.ID); ok {
		return e.grant // a load was faster
	}
	return d.enter(s, d.loads, now).grant
}

// prolong moves the end of a session.
func (d *Directory) prolong(id string, expires core.Nanos) {
	if e, ok := d.sessions.Load(id); ok {
		e.expires.Store(int64(expires))
	}
}

// endSession ends one session.
func (d *Directory) endSession(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if e, ok := d.sessions.Load(id); ok {
		e.finish(ErrRevoked, d.clock.Now())
	}
}

// endUser ends everything that a user was given, or with 0 everybody. Keys are given
// anew by the next load.
func (d *Directory) endUser(id identity.UserID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.clock.Now()
	d.keys.Range(func(_ keyID, e *keyEntry) bool {
		if id == 0 || e.key.Owner == id {
			e.grant.Load().end(ErrRevoked)
		}
		return true
	})
	d.sessions.Range(func(_ string, e *sessionEntry) bool {
		if id == 0 || e.grant.user == id {
			e.finish(ErrRevoked, now)
		}
		return true
	})
}

// endKey ends a key for good.
func (d *Directory) endKey(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if k, ok := makeKeyID(id); ok {
		if e, ok := d.keys.Load(k); ok {
			e.finish(ErrRevoked, d.clock.Now())
		}
	}
}

// settle reads what a change made here left in the store. Its effects that must not
// wait have been applied: a store that cannot be read is the next Poll's matter.
func (d *Directory) settle(ctx context.Context) {
	if err := d.Refresh(ctx); err != nil {
		d.log.Warn("users and keys could not be read after a change", zap.Error(err))
	}
}

// sweep ends what has expired and forgets what ended long ago.
func (d *Directory) sweep(now core.Nanos) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.keys.Range(func(id keyID, e *keyEntry) bool {
		switch {
		case e.final != nil && now-e.end > keepEnded:
			d.keys.Delete(id)
		case e.key.Expires != 0 && e.key.Expires <= now:
			e.finish(ErrExpired, now)
		}
		return true
	})
	d.sessions.Range(func(id string, e *sessionEntry) bool {
		switch {
		case e.end != 0 && now-e.end > keepEnded:
			d.sessions.Delete(id)
		case core.Nanos(e.expires.Load()) <= now:
			e.finish(ErrExpired, now)
		}
		return true
	})
}
