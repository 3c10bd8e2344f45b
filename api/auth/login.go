package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"time"

	"qcat/api/auth/token"
	"qcat/api/limit"
	"qcat/core"
	"qcat/core/identity"
)

// Credentials are what somebody logs in with.
type Credentials struct {
	Name, Password string
	Address        netip.Addr
	Via            string
}

// Tokens are what a login or a refresh gives.
type Tokens struct {
	Access, Refresh string
	AccessExpires   core.Nanos
	RefreshExpires  core.Nanos
	Principal       Principal
}

// Login begins a session. Whether a name is unknown, disabled or the password wrong, the
// answer and the work are the same. An attempt counts as failed from its beginning, here
// and in the store, until it has succeeded: guesses at once are no more than guesses one by
// one, and a crash forgets none. Errors: ErrCredentials, ErrLocked, ErrBusy, ErrUnavailable.
func (g *Gate) Login(ctx context.Context, c Credentials) (Tokens, error) {
	if g.dir.Silent() > MaxSilence {
		return Tokens{}, ErrUnavailable
	}
	a := g.attempt(c)
	if err := a.begin(ctx); err != nil {
		return Tokens{}, err
	}
	ok, err := a.verify(ctx)
	if err != nil {
		a.undo(ctx)
		return Tokens{}, refused(err)
	}
	if !ok {
		return Tokens{}, a.fail(ctx)
	}
	return a.succeed(ctx)
}

// attempt is one login. A user who has logged in from an address before is counted apart
// there, in a table that nobody else gets into: whoever fails elsewhere in a user's name
// locks the name, and not the user out of where they work.
type attempt struct {
	gate     *Gate
	who      Credentials
	now      core.Nanos
	familiar bool           // the user has logged in from the address before
	spared   bool           // the lock of an address does not hold for the name
	names    *limit.Backoff // by which it is counted
	name     limit.Key      // of the name, or of name and address when familiar
	address  limit.Key
	user     identity.User // ID 0: there is none
	counted  limit.Attempts
	locked   limit.Attempts // of the address
	noted    bool           // the store may know of it
}

func (g *Gate) attempt(c Credentials) *attempt {
	name := nameKey(c.Name)
	unlocked := g.dir.unlockedAt(name)
	a := &attempt{gate: g, who: c, now: g.clock.Now(), names: g.names, name: countedBy(name, unlocked), address: limit.Address(c.Address)}
	if pair := pairKey(name, a.address); g.dir.knows(pair) {
		a.familiar, a.names, a.name = true, g.familiar, countedBy(pair, unlocked)
	}
	a.spared = a.familiar || (unlocked != 0 && a.now < unlocked+core.Nanos(lockout.Most))
	return a
}

// begin counts the attempt, if neither the name nor the address is locked.
func (a *attempt) begin(ctx context.Context) (err error) {
	g := a.gate
	if wait := a.wait(); wait > 0 {
		return ErrLocked.After(wait)
	}
	if identity.CheckName(a.who.Name) == nil {
		if a.user, err = g.store.User(ctx, a.who.Name); err != nil && !errors.Is(err, identity.ErrNotFound) {
			return ErrUnavailable
		}
	}
	counted, wait := a.names.Begin(a.name, a.stored(), a.now)
	if wait > 0 {
		return ErrLocked.After(wait)
	}
	a.counted = counted
	if a.spared {
		return nil
	}
	if a.locked, wait = g.addresses.Begin(a.address, limit.Attempts{}, a.now); wait > 0 {
		a.names.Undo(a.name, counted, a.now)
		return ErrLocked.After(wait)
	}
	return nil
}

// wait is how long the attempt is locked out.
func (a *attempt) wait() time.Duration {
	wait := a.names.Wait(a.name, a.now)
	if !a.spared {
		wait = max(wait, a.gate.addresses.Wait(a.address, a.now))
	}
	return wait
}

// stored is what the store knew of the user's failures, which are elsewhere when the
// address is familiar.
func (a *attempt) stored() limit.Attempts {
	if a.familiar {
		return limit.Attempts{}
	}
	return limit.Attempts{Failures: a.user.Failures, LockedTo: a.user.LockedTo}
}

// undo takes back an attempt that was not tried, in the store too: otherwise a busy server
// would lock users out.
func (a *attempt) undo(ctx context.Context) {
	a.names.Undo(a.name, a.counted, a.now)
	if !a.spared {
		a.gate.addresses.Undo(a.address, a.locked, a.now)
	}
	if a.noted {
		_ = a.note(context.WithoutCancel(ctx), a.stored())
	}
}

// verify checks the password while the store notes the attempt, so that a name that is
// there takes no longer than one that is not. A busy server does neither.
func (a *attempt) verify(ctx context.Context) (bool, error) {
	stored := a.user.Password
	if a.user.Disabled {
		stored = ""
	}
	return a.gate.hasher.VerifyWhile(ctx, stored, a.who.Password, func() error {
		a.noted = true
		return a.note(ctx, a.counted)
	})
}

// note stores what is known of a user's failures. What is counted apart, is known here
// alone: the store keeps what it knew.
func (a *attempt) note(ctx context.Context, n limit.Attempts) error {
	if a.user.ID == 0 {
		return nil
	}
	u := a.user
	if !a.familiar {
		u.Failures, u.LockedTo = n.Failures, n.LockedTo
	}
	return a.gate.store.NoteLogin(ctx, &u)
}

func (a *attempt) fail(ctx context.Context) error {
	e := a.entry("login", ErrCredentials.Code)
	e.Role = "" // nobody has shown to be that user
	switch {
	case a.counted.LockedTo > a.now:
		e.Detail = "locked: user"
	case a.locked.LockedTo > a.now:
		e.Detail = "locked: address"
	}
	if err := a.gate.auditor.Audit(ctx, e); err != nil {
		return ErrUnavailable
	}
	return ErrCredentials
}

func (a *attempt) succeed(ctx context.Context) (Tokens, error) {
	g := a.gate
	a.names.Succeed(a.name, a.now)
	if !a.spared {
		g.addresses.Undo(a.address, a.locked, a.now)
	}
	a.user.LastLogin = a.now
	if err := a.note(ctx, limit.Attempts{}); err != nil {
		return Tokens{}, refused(err)
	}
	id := randomID()
	s := &identity.Session{
		ID: randomID(), User: a.user.ID, Epoch: a.user.Epoch, Refresh: sum(id), Address: text(a.who.Address),
		Created: a.now, Used: a.now, Expires: a.now + g.refresh,
	}
	switch err := g.store.CreateSession(ctx, s); {
	case isNotFound(err): // the user changed while the password was checked
		return Tokens{}, a.fail(ctx)
	case err != nil:
		return Tokens{}, refused(err)
	}
	e := a.entry("login", "ok")
	e.Target = s.ID
	if err := g.auditor.Audit(ctx, e); err != nil {
		_ = g.store.EndSession(ctx, s.ID, int64(a.now)) // nobody has its tokens
		return Tokens{}, ErrUnavailable
	}
	grant := g.dir.addSession(s, &a.user)
	return g.issue(grant, s, id, Principal{g: grant, Address: a.who.Address, Via: a.who.Via})
}

func (a *attempt) entry(action, outcome string) *identity.AuditEntry {
	e := &identity.AuditEntry{Via: a.who.Via, Address: text(a.who.Address), Action: action, Outcome: outcome}
	switch {
	case a.user.ID != 0:
		e.Actor, e.Role = a.user.Name, a.user.Role.String()
	case identity.CheckName(a.who.Name) == nil:
		e.Actor = a.who.Name
	}
	return e
}

// issue signs the two tokens of a session, whose good refresh token is id.
func (g *Gate) issue(grant *grant, s *identity.Session, id string, p Principal) (t Tokens, err error) {
	now := g.clock.Now()
	t = Tokens{AccessExpires: now + g.access, RefreshExpires: s.Expires, Principal: p}
	c := token.Claims{User: int64(grant.user), Session: s.ID, Epoch: grant.epoch, ID: randomID(), Type: token.Access, Issued: now, Expires: t.AccessExpires}
	if t.Access, err = g.issuer.Issue(&c); err != nil {
		return Tokens{}, refused(err)
	}
	c.ID, c.Type, c.Expires = id, token.Refresh, t.RefreshExpires
	if t.Refresh, err = g.issuer.Issue(&c); err != nil {
		return Tokens{}, refused(err)
	}
	return t, nil
}

// Refresh exchanges a refresh token, which is then used up. One that was used before ends
// its session: somebody has a copy, and who that is cannot be told. Errors: ErrToken,
// ErrExpired, ErrRevoked, ErrReused, ErrUnavailable.
func (g *Gate) Refresh(ctx context.Context, refresh string, from netip.Addr, via string) (Tokens, error) {
	c, err := g.issuer.Verify(refresh, token.Refresh)
	if err != nil {
		return Tokens{}, refused(err)
	}
	e, err := g.dir.session(&c)
	if err != nil {
		return Tokens{}, err
	}
	now := g.clock.Now()
	p, err := e.principal(from, now)
	if err != nil {
		return Tokens{}, err
	}
	p.Via = via
	next := randomID()
	s, err := g.store.Rotate(ctx, c.Session, sum(c.ID), sum(next), int64(now), int64(now+g.refresh))
	switch {
	case errors.Is(err, identity.ErrRefreshReused):
		g.dir.endSession(c.Session)
		entry := p.Entry("refresh", c.Session)
		entry.Outcome, entry.Detail = ErrReused.Code, "the session was ended"
		if err := g.auditor.Audit(ctx, entry); err != nil {
			return Tokens{}, ErrUnavailable
		}
		return Tokens{}, ErrReused
	case errors.Is(err, identity.ErrNotFound):
		g.dir.endSession(c.Session)
		return Tokens{}, ErrRevoked
	case err != nil:
		return Tokens{}, refused(err)
	}
	g.dir.prolong(s.ID, s.Expires)
	return g.issue(e.grant, &s, next, p)
}

// Entry is what the audit log is told of what a principal did, with the outcome "ok".
func (p Principal) Entry(action, target string) *identity.AuditEntry {
	e := &identity.AuditEntry{
		Actor: p.Name(), Via: p.Via, Key: p.Key(), Address: text(p.Address), Action: action, Target: target, Outcome: "ok",
	}
	if p.Role() != 0 {
		e.Role = p.Role().String()
	}
	return e
}

func text(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.Unmap().String()
}

var idDigits = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// randomID has 160 random bits.
func randomID() string {
	var b [20]byte
	_, _ = rand.Read(b[:]) // it never fails
	return idDigits.EncodeToString(b[:])
}

// sum is how the identifier of a refresh token is stored.
func sum(id string) []byte {
	s := sha256.Sum256([]byte(id))
	return s[:]
}

// nameKey is by what failures of a name are counted, in whatever case it is written.
func nameKey(name string) limit.Key { return limit.Text('n', strings.ToLower(name)) }

// countedBy is by what failures are counted since an administrator has unlocked a user: those
// before it are of another key, and forgotten in time.
func countedBy(key limit.Key, unlocked core.Nanos) limit.Key {
	if unlocked == 0 {
		return key
	}
	b := binary.LittleEndian.AppendUint64(make([]byte, 0, 16), uint64(key))
	return limit.Text('l', binary.LittleEndian.AppendUint64(b, uint64(unlocked))) //nolint:gosec // bits
}

// pairKey is by what those of a name from an address are that it has logged in from.
func pairKey(name, address limit.Key) limit.Key {
	b := binary.LittleEndian.AppendUint64(make([]byte, 0, 16), uint64(name))
	return limit.Text('f', binary.LittleEndian.AppendUint64(b, uint64(address)))
}
