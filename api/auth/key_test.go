package auth_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"qcat/api/auth"
	"qcat/api/auth/authtest"
	"qcat/api/auth/signature"
	"qcat/api/auth/signing"
	"qcat/core"
	"qcat/core/identity"
)

func TestSigned(t *testing.T) {
	t.Parallel()
	p := first(t)
	for name, change := range map[string]func(*auth.NewKey){
		"hmac":    nil,
		"ed25519": func(n *auth.NewKey) { n.Public = private.Public().(ed25519.PublicKey) },
	} {
		id, secret := p.key(change)
		if (secret == "") != (name == "ed25519") || (secret != "" && len(secret) != 43) {
			t.Fatalf("%s: a secret of %d characters", name, len(secret))
		}
		r := p.request(id, secret)
		who, err := p.gate.Signed(r, here)
		must(t, err)
		if who.Name() != "ann" || who.Key() != id || who.Session() != "" || who.Permissions() != identity.Read|identity.Trade {
			t.Errorf("%s: %+v", name, who)
		}
		if who.CanAccount("desk1") || !who.CanStrategy("desk1", "alpha") || who.CanStrategy("desk1", "beta") || !who.Touches("desk1") || who.Touches("desk2") {
			t.Errorf("%s: the scope is not the key's", name)
		}
		wants(t, name+", replayed", p.signed(r), auth.ErrReplayed)
		p.advance(time.Duration(signature.DefaultWindow))
		wants(t, name+", replayed at the end of its window", p.signed(r), auth.ErrReplayed)
		p.advance(time.Millisecond)
		wants(t, name+", replayed after it", p.signed(r), auth.ErrTimestamp)
	}
}

func TestSignedRefusals(t *testing.T) {
	t.Parallel()
	p := first(t)
	id, secret := p.key(func(n *auth.NewKey) {
		n.Addresses = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/28"), netip.MustParsePrefix("::ffff:198.51.100.0/120"), netip.MustParsePrefix("2001:db8::/32")}
		n.Expires = start + core.Nanos(time.Hour)
	})
	for what, tt := range map[string]struct {
		change func(*signature.Request)
		want   error
	}{
		"nothing":             {func(*signature.Request) {}, nil},
		"no key":              {func(r *signature.Request) { r.Key = nil }, auth.ErrRequired},
		"unknown key":         {func(r *signature.Request) { r.Key = []byte("unknown") }, auth.ErrSignature},
		"long key":            {func(r *signature.Request) { r.Key = bytes.Repeat([]byte("k"), 300) }, auth.ErrSignature},
		"key and zero byte":   {func(r *signature.Request) { r.Key = append(bytes.Clone(r.Key), 0) }, auth.ErrSignature},
		"no signature":        {func(r *signature.Request) { r.Signature = nil }, auth.ErrSignature},
		"truncated":           {func(r *signature.Request) { r.Signature = r.Signature[:63] }, auth.ErrSignature},
		"extended":            {func(r *signature.Request) { r.Signature = append(bytes.Clone(r.Signature), '0') }, auth.ErrSignature},
		"the other form":      {func(r *signature.Request) { r.Signature = signing.Ed25519(private, r.Append(nil)) }, auth.ErrSignature},
		"another secret":      {func(r *signature.Request) { p.sign(r, strings.Repeat("s", 43)) }, auth.ErrSignature},
		"another body":        {func(r *signature.Request) { r.Body = []byte("{}") }, auth.ErrSignature},
		"another target":      {func(r *signature.Request) { r.Target = []byte("/api/v1/orders?") }, auth.ErrSignature},
		"no nonce":            {func(r *signature.Request) { r.Nonce = nil; p.sign(r, secret) }, auth.ErrMalformed},
		"a window of an hour": {func(r *signature.Request) { r.Window = []byte("3600000"); p.sign(r, secret) }, auth.ErrMalformed},
		"clock an hour ahead": {func(r *signature.Request) { r.Timestamp = stamp(p, time.Hour); p.sign(r, secret) }, auth.ErrTimestamp},
		"clock a second ahead": {func(r *signature.Request) {
			r.Timestamp = stamp(p, time.Second)
			p.sign(r, secret)
		}, auth.ErrTimestamp},
		"clock nearly a second ahead": {func(r *signature.Request) { r.Timestamp = stamp(p, 999*time.Millisecond); p.sign(r, secret) }, nil},
		"clock an hour behind":        {func(r *signature.Request) { r.Timestamp = stamp(p, -time.Hour); p.sign(r, secret) }, auth.ErrTimestamp},
		"clock 5 s behind":            {func(r *signature.Request) { r.Timestamp = stamp(p, -5*time.Second); p.sign(r, secret) }, nil},
		"as a socket's":               {func(r *signature.Request) { r.Method = signature.SocketMethod; p.sign(r, secret) }, auth.ErrMalformed},
	} {
		r := p.request(id, secret)
		tt.change(r)
		wants(t, what, p.signed(r), tt.want)
	}
	for from, want := range map[string]error{
		"192.0.2.15": nil, "::ffff:192.0.2.15": nil, "192.0.2.16": auth.ErrAddress, "198.51.100.7": nil, "2001:db8:1::1": nil,
		"2001:db9::1": auth.ErrAddress, "::ffff:203.0.113.1": auth.ErrAddress,
	} {
		_, err := p.gate.Signed(p.request(id, secret), netip.MustParseAddr(from))
		wants(t, from, err, want)
	}
	_, err := p.gate.Signed(p.request(id, secret), netip.Addr{})
	wants(t, "from nowhere", err, auth.ErrAddress)
	p.advance(time.Hour)
	wants(t, "an expired key", p.signed(p.request(id, secret)), auth.ErrExpired)
	must(t, p.dir.Poll(t.Context()))
	wants(t, "an expired key, later", p.signed(p.request(id, secret)), auth.ErrExpired)
}

func stamp(p *process, d time.Duration) []byte {
	return strconv.AppendInt(nil, int64(p.clock.Now()+core.Nanos(d))/1e6, 10)
}

// TestReplayRace: of many copies at once one is taken.
func TestReplayRace(t *testing.T) {
	t.Parallel()
	p := first(t)
	id, secret := p.key(nil)
	for range 50 {
		r := p.request(id, secret)
		var taken atomic.Int32
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if p.signed(r) == nil {
					taken.Add(1)
				}
			})
		}
		wg.Wait()
		if taken.Load() != 1 {
			t.Fatalf("taken %d times", taken.Load())
		}
	}
}

// TestReplayAcrossARestart: what the process before may have taken is refused.
func TestReplayAcrossARestart(t *testing.T) {
	t.Parallel()
	p := first(t)
	id, secret := p.key(nil)
	r := p.request(id, secret)
	must(t, p.signed(r))
	gate, err := auth.NewGate(auth.Config{Directory: p.second().dir, Auditor: p.log, Hasher: hasher})
	must(t, err)
	_, err = gate.Signed(r, here)
	wants(t, "a replay", err, auth.ErrStarting)
	p.advance(time.Duration(signature.Future))
	_, err = gate.Signed(r, here)
	wants(t, "a replay, a second later", err, auth.ErrStarting)
	_, err = gate.Signed(p.request(id, secret), here)
	wants(t, "a new request", err, nil)
}

func TestRevokeKey(t *testing.T) {
	t.Parallel()
	p := first(t)
	q := p.second()
	id, secret := p.key(nil)
	must(t, q.dir.Poll(t.Context()))
	who, err := p.gate.Signed(p.request(id, secret), here)
	must(t, err)
	there, err := q.gate.Signed(p.request(id, secret), here)
	must(t, err)
	_, err = p.svc.RevokeKey(t.Context(), root, id)
	must(t, err)
	if e := p.log.Last(); e.Action != "key.revoke" || e.Target != id || !strings.Contains(e.Before, "bot") || e.After == e.Before {
		t.Errorf("%+v", e)
	}
	wants(t, "here", p.signed(p.request(id, secret)), auth.ErrRevoked)
	if !ended(who) || who.Can(identity.Read) || who.CanStrategy("desk1", "alpha") {
		t.Error("the principal lives on")
	}
	if ended(there) {
		t.Error("another process knows before it has asked")
	}
	must(t, q.dir.Poll(t.Context()))
	wants(t, "there", q.signed(p.request(id, secret)), auth.ErrRevoked)
	if !ended(there) {
		t.Error("the principal lives on there")
	}
	p.advance(2 * time.Hour)
	must(t, p.dir.Poll(t.Context()))
	wants(t, "long after", p.signed(p.request(id, secret)), auth.ErrSignature)
}

// TestRevokeDuringALoad: a load that began before a revocation does not bring the key back, and one
// that began before a login does not end its session.
func TestRevokeDuringALoad(t *testing.T) {
	t.Parallel()
	p := first(t)
	id, secret := p.key(nil)
	var got auth.Tokens
	p.store.OnLoad(func() {
		p.store.OnLoad(nil)
		_, err := p.store.RevokeKey(t.Context(), id)
		must(t, err)
		got = p.login("ann")
	})
	must(t, p.dir.Refresh(t.Context()))
	wants(t, "the new session", p.bearer(got.Access), nil)
	must(t, p.dir.Poll(t.Context()))
	wants(t, "the key", p.signed(p.request(id, secret)), auth.ErrRevoked)
	wants(t, "the new session, after the poll", p.bearer(got.Access), nil)
}

func TestKeysOfAUserWhoChanges(t *testing.T) {
	t.Parallel()
	p := first(t)
	id, secret := p.key(nil)
	who, err := p.gate.Signed(p.request(id, secret), here)
	must(t, err)
	session := p.login("ann").Principal
	viewer, narrow, yes, no := identity.Viewer, scope(t, "desk2"), true, false
	_, err = p.svc.ChangeUser(t.Context(), root, "ann", auth.UserChange{Role: &viewer})
	must(t, err)
	if !ended(who) || !ended(session) {
		t.Error("a role changes and sockets stay open")
	}
	who, err = p.gate.Signed(p.request(id, secret), here)
	must(t, err)
	if who.Can(identity.Trade) || !who.Can(identity.Read) {
		t.Error("the key may more than its owner")
	}
	_, err = p.svc.ChangeUser(t.Context(), root, "ann", auth.UserChange{Scope: &narrow})
	must(t, err)
	who, err = p.gate.Signed(p.request(id, secret), here)
	must(t, err)
	if who.CanStrategy("desk1", "alpha") || who.Touches("desk2") {
		t.Error("the key's scope is not within its owner's")
	}
	_, err = p.svc.ChangeUser(t.Context(), root, "ann", auth.UserChange{Disabled: &yes})
	must(t, err)
	wants(t, "of a disabled user", p.signed(p.request(id, secret)), auth.ErrRevoked)
	wants(t, "of a disabled user, after a restart", p.second().signed(p.request(id, secret)), auth.ErrRevoked)
	_, err = p.svc.ChangeUser(t.Context(), root, "ann", auth.UserChange{Disabled: &no})
	must(t, err)
	wants(t, "of one enabled again", p.signed(p.request(id, secret)), nil)
}

func TestPollKeepsWhatDidNotChange(t *testing.T) {
	t.Parallel()
	p := first(t)
	id, secret := p.key(nil)
	who, err := p.gate.Signed(p.request(id, secret), here)
	must(t, err)
	session := p.login("ann").Principal
	p.user("bob", identity.Viewer, "*")
	loads := p.store.Loads()
	must(t, p.dir.Poll(t.Context()))
	must(t, p.dir.Poll(t.Context()))
	if p.store.Loads() != loads {
		t.Error("nothing changed, and everything was loaded")
	}
	if ended(who) || ended(session) {
		t.Error("another's change ends principals")
	}
}

func TestLastUse(t *testing.T) {
	t.Parallel()
	p := first(t)
	id, secret := p.key(nil)
	must(t, p.signed(p.request(id, secret)))
	version, _ := p.store.Version(t.Context())
	must(t, p.dir.FlushUse(t.Context()))
	keys, _ := p.store.Keys(t.Context())
	if keys[0].LastUsed != p.clock.Now() {
		t.Errorf("used at %d", keys[0].LastUsed)
	}
	if v, _ := p.store.Version(t.Context()); v != version {
		t.Error("a use is a change")
	}
	p.store.Fail(errors.New("away"))
	wants(t, "nothing new to store", p.dir.FlushUse(t.Context()), nil)
	must(t, p.signed(p.request(id, secret)))
	wants(t, "the same moment", p.dir.FlushUse(t.Context()), nil)
	p.advance(time.Second)
	must(t, p.signed(p.request(id, secret)))
	if p.dir.FlushUse(t.Context()) == nil {
		t.Error("a use is lost")
	}
}

// TestSealedForAnother: a secret that was moved to another row is not opened.
func TestSealedForAnother(t *testing.T) {
	t.Parallel()
	p := first(t)
	id, secret := p.key(nil)
	keys, _ := p.store.Keys(t.Context())
	moved := keys[0]
	moved.ID = "moved"
	must(t, p.store.CreateKey(t.Context(), &moved))
	must(t, p.dir.Poll(t.Context()))
	wants(t, "the key itself", p.signed(p.request(id, secret)), nil)
	wants(t, "the copy", p.signed(p.request("moved", secret)), auth.ErrSignature)
	if _, err := (authtest.Vault{}).Open(t.Context(), auth.KeyTable, "moved", moved.Secret); !errors.Is(err, authtest.ErrWrongPlace) {
		t.Error(err)
	}
	listed, err := p.svc.Keys(t.Context(), root)
	must(t, err)
	if slices.ContainsFunc(listed, func(k identity.APIKey) bool { return k.Secret != nil }) {
		t.Error("a list shows sealed secrets")
	}
}
