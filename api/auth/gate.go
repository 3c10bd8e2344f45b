package auth

import (
	"crypto/sha256"
	"errors"
	"net/netip"
	"time"

	"github.com/puzpuzpuz/xsync/v3"

	"qcat/api/auth/password"
	"qcat/api/auth/signature"
	"qcat/api/auth/token"
	"qcat/api/limit"
	"qcat/core"
	"qcat/core/identity"
)

// Config is what a Gate needs; a zero field with a default takes it.
type Config struct {
	Directory *Directory
	Auditor   identity.Auditor
	Hasher    *password.Hasher // default: 2 at work, 16 waiting

	Issuer   string        // of tokens; default "qcat"
	Audience string        // default "qcat-api"
	Access   time.Duration // life of an access token; default 15 min
	Refresh  time.Duration // of a refresh token, and so of a session that does nothing; default 12 h

	// Began is when this process began to take requests: those stamped before are refused.
	// Default: now, and the second that a client's clock may be ahead of ours.
	Began core.Nanos
}

// lockout is when failed logins lock a user and an address.
var lockout = limit.Policy{Free: 5, First: time.Second, Most: 15 * time.Minute, Forget: time.Hour}

// Gate tells who sends a request, and logs users in and out.
type Gate struct {
	dir      *Directory
	store    identity.Store
	auditor  identity.Auditor
	clock    core.Clock
	hasher   *password.Hasher
	issuer   *token.Issuer
	access   core.Nanos
	refresh  core.Nanos
	began    core.Nanos
	seen     *xsync.MapOf[[sha256.Size]byte, *seenToken]
	decoyMAC *keyEntry
	decoyEd  *keyEntry

	names     *limit.Backoff
	addresses *limit.Backoff
	familiar  *limit.Backoff // names at addresses that they have logged in from
}

// seenToken is an access token that was verified.
type seenToken struct {
	session    *sessionEntry
	expires    core.Nanos
	generation uint64 // of the ring that verified it
}

// maxSeen bounds the tokens that are remembered. When there are more all are forgotten: the
// next request with each is verified again.
const maxSeen = 1 << 15

// NewGate returns a Gate over a directory.
func NewGate(c Config) (*Gate, error) {
	d := c.Directory
	mac, ed, err := signature.Decoys()
	if err != nil {
		return nil, err
	}
	if c.Hasher == nil {
		c.Hasher = password.NewHasher(2, 16)
	}
	if c.Began == 0 {
		c.Began = d.clock.Now() + signature.Future
	}
	g := &Gate{
		dir: d, store: d.store, auditor: c.Auditor, clock: d.clock, hasher: c.Hasher,
		issuer: token.New(&d.ring, d.clock, or(c.Issuer, "qcat"), or(c.Audience, "qcat-api")),
		access: core.Nanos(or(c.Access, 15*time.Minute)), refresh: core.Nanos(or(c.Refresh, 12*time.Hour)), began: c.Began,
		seen:  xsync.NewMapOf[[sha256.Size]byte, *seenToken](),
		names: limit.NewBackoff(lockout), addresses: limit.NewBackoff(lockout), familiar: limit.NewBackoff(lockout),
	}
	g.decoyMAC, g.decoyEd = &keyEntry{verifier: mac}, &keyEntry{verifier: ed}
	return g, nil
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// Required is the refusal of whoever sends neither token nor signature: ErrRequired, and where
// there is no user yet how to make the first.
func (g *Gate) Required() error {
	if g.dir.Empty() {
		return ErrRequired.Saying("there are no users yet: qcat create-user NAME --admin makes the first, on the server's machine")
	}
	return ErrRequired
}

// Bearer returns the principal of an access token. One that was seen before costs a hash
// and a look-up and allocates nothing. Errors: ErrRequired, ErrToken, ErrExpired, ErrRevoked.
func (g *Gate) Bearer(text []byte, from netip.Addr) (Principal, error) {
	if len(text) == 0 {
		return Principal{}, ErrRequired
	}
	sum, now := sha256.Sum256(text), g.clock.Now()
	t, known := g.seen.Load(sum)
	if !known || t.generation != g.dir.ring.Generation() {
		var err error
		if t, err = g.verify(string(text)); err != nil {
			return Principal{}, err
		}
		if g.seen.Size() >= maxSeen {
			g.seen.Clear()
		}
		g.seen.Store(sum, t)
	}
	if now >= t.expires {
		g.seen.Delete(sum)
		return Principal{}, ErrExpired
	}
	return t.session.principal(from, now)
}

// principal is who acts in a session. Errors: ErrExpired, why it ended.
func (e *sessionEntry) principal(from netip.Addr, now core.Nanos) (Principal, error) {
	if why := e.grant.ended.Load(); why != nil {
		return Principal{}, why
	}
	if now >= core.Nanos(e.expires.Load()) {
		return Principal{}, ErrExpired
	}
	return Principal{g: e.grant, Address: from}, nil
}

// verify does what a token costs that was not seen before.
func (g *Gate) verify(text string) (*seenToken, error) {
	generation := g.dir.ring.Generation() // before the keys are read: never newer than they
	c, err := g.issuer.Verify(text, token.Access)
	if err != nil {
		return nil, refused(err)
	}
	e, err := g.dir.session(&c)
	if err != nil {
		return nil, err
	}
	return &seenToken{session: e, expires: c.Expires, generation: generation}, nil
}

// session is the one a token belongs to. A token of another user or epoch than the
// session's was not made by us. Errors: ErrRevoked.
func (d *Directory) session(c *token.Claims) (*sessionEntry, error) {
	e, ok := d.sessions.Load(c.Session)
	if !ok || int64(e.grant.user) != c.User || e.grant.epoch != c.Epoch {
		return nil, ErrRevoked
	}
	return e, nil
}

// Signed returns the principal of a signed request and takes its nonce. A request whose key is
// unknown costs what any other does that is refused. Errors: ErrRequired, ErrMalformed,
// ErrTimestamp, ErrStarting, ErrSignature, ErrRevoked, ErrExpired, ErrAddress,
// ErrReplayed, ErrNonces.
func (g *Gate) Signed(r *signature.Request, from netip.Addr) (Principal, error) {
	if len(r.Key) == 0 {
		return Principal{}, ErrRequired
	}
	stamp, err := r.Stamp()
	if err != nil {
		return Principal{}, ErrMalformed
	}
	now := g.clock.Now()
	if stamp.Check(now) != nil {
		return Principal{}, ErrTimestamp
	}
	e, known := g.key(r)
	if !e.verifier.Verify(r) || !known {
		return Principal{}, ErrSignature
	}
	grant := e.grant.Load()
	switch why := grant.ended.Load(); {
	case why != nil:
		return Principal{}, why
	case e.key.Expires != 0 && e.key.Expires <= now:
		return Principal{}, ErrExpired
	case !e.allows(from):
		return Principal{}, ErrAddress
	case stamp.Time < g.began:
		return Principal{}, ErrStarting
	}
	if err := e.nonces.Take(r.Nonce, now, stamp.Last()); err != nil {
		return Principal{}, nonceRefusal(err)
	}
	e.used.Store(int64(now))
	return Principal{g: grant, Address: from}, nil
}

// key returns the entry to verify a request by: the key's, if it takes signatures of that form,
// and otherwise a decoy that does.
func (g *Gate) key(r *signature.Request) (e *keyEntry, known bool) {
	form := signature.FormOf(r.Signature)
	if id, ok := makeKeyID(r.Key); ok {
		if e, known = g.dir.keys.Load(id); known && e.verifier.Form() == form {
			return e, true
		}
	}
	if form == signature.Base64Ed25519 {
		return g.decoyEd, false
	}
	return g.decoyMAC, false
}

func nonceRefusal(err error) *Error {
	switch {
	case errors.Is(err, signature.ErrReplayed):
		return ErrReplayed
	case errors.Is(err, signature.ErrFull):
		return ErrNonces
	}
	return ErrTimestamp
}
