package auth_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"qcat/api/auth"
	"qcat/api/auth/authtest"
	"qcat/api/auth/password"
	"qcat/api/auth/signature"
	"qcat/api/auth/signing"
	"qcat/core"
	"qcat/core/identity"
)

const (
	start = core.Nanos(1_700_000_000e9)
	pass  = "correct horse battery"
)

var (
	here    = netip.MustParseAddr("192.0.2.1")
	root    = auth.System("root@test", "cli")
	hasher  = password.NewHasher(4, 64)
	private = ed25519.NewKeyFromSeed([]byte("0123456789abcdef0123456789abcdef"))
)

// process is one server over a store.
type process struct {
	t     testing.TB
	clock *core.ManualClock
	store *authtest.Store
	log   *authtest.Log
	dir   *auth.Directory
	gate  *auth.Gate
	svc   *auth.Service
	nonce int
}

// first is a server over a new store, with users ann (trader of desk1), rita (risk, everywhere)
// and adam (admin, everywhere).
func first(t testing.TB) *process {
	t.Helper()
	clock := core.NewManualClock(start)
	p := another(t, clock, authtest.NewStore(clock), authtest.NewLog(clock))
	must(t, p.svc.EnsureSigningKey(t.Context()))
	p.user("adam", identity.Admin, "*")
	p.user("ann", identity.Trader, "desk1")
	p.user("rita", identity.Risk, "*")
	return p
}

// another is one more server over the same store.
func another(t testing.TB, clock *core.ManualClock, store *authtest.Store, log *authtest.Log) *process {
	t.Helper()
	dir, err := auth.OpenDirectory(t.Context(), store, authtest.Vault{}, clock, nil)
	must(t, err)
	gate, err := auth.NewGate(auth.Config{Directory: dir, Auditor: log, Hasher: hasher, Began: 1})
	must(t, err)
	return &process{t: t, clock: clock, store: store, log: log, dir: dir, gate: gate, svc: &auth.Service{
		Store: store, Auditor: log, Opener: authtest.Vault{}, Clock: clock, Hasher: hasher, Directory: dir, Gate: gate,
	}}
}

// second is another server over the same store.
func (p *process) second() *process { return another(p.t, p.clock, p.store, p.log) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wants(t testing.TB, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) || (want == nil && got != nil) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func scope(t testing.TB, list string) identity.Scope {
	t.Helper()
	s, err := identity.ParseScope(list)
	must(t, err)
	return s
}

// hashes of pass, so that not each user costs one.
var stored = func() string {
	h, err := hasher.Hash(context.Background(), pass)
	if err != nil {
		panic(err)
	}
	return h
}()

func (p *process) user(name string, r identity.Role, list string) {
	p.t.Helper()
	must(p.t, p.store.CreateUser(p.t.Context(), &identity.User{Name: name, Role: r, Scope: scope(p.t, list), Password: stored}))
	must(p.t, p.dir.Refresh(p.t.Context()))
}

func (p *process) try(name, clear string) (auth.Tokens, error) {
	return p.gate.Login(p.t.Context(), auth.Credentials{Name: name, Password: clear, Address: here, Via: "http"})
}

func (p *process) login(name string) auth.Tokens {
	p.t.Helper()
	got, err := p.try(name, pass)
	must(p.t, err)
	return got
}

func (p *process) bearer(text string) error {
	_, err := p.gate.Bearer([]byte(text), here)
	return err
}

// key creates an API key of ann's; Ed25519 when public.
func (p *process) key(change func(*auth.NewKey)) (id, secret string) {
	p.t.Helper()
	n := auth.NewKey{Owner: "ann", Name: "bot", Permissions: identity.Read | identity.Trade, Scope: scope(p.t, "desk1/alpha")}
	if change != nil {
		change(&n)
	}
	k, secret, err := p.svc.CreateKey(p.t.Context(), root, n)
	must(p.t, err)
	return k.ID, secret
}

// request is a signed order of the present moment.
func (p *process) request(id, secret string) *signature.Request {
	p.nonce++
	r := &signature.Request{
		Key: []byte(id), Timestamp: strconv.AppendInt(nil, int64(p.clock.Now()/1e6), 10), Nonce: strconv.AppendInt(nil, int64(p.nonce), 10),
		Method: []byte("POST"), Target: []byte("/api/v1/orders"), Body: []byte(strings.Repeat("x", 200)),
	}
	p.sign(r, secret)
	return r
}

func (p *process) sign(r *signature.Request, secret string) {
	if secret == "" {
		r.Signature = signing.Ed25519(private, r.Append(nil))
		return
	}
	r.Signature = signing.HMAC([]byte(secret), r.Append(nil))
}

func (p *process) signed(r *signature.Request) error {
	_, err := p.gate.Signed(r, here)
	return err
}

func ended(p auth.Principal) bool {
	select {
	case <-p.Done():
		return !p.Alive()
	default:
		return false
	}
}

func (p *process) advance(d time.Duration) { p.clock.Advance(d) }
