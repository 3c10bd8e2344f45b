package auth_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"qcat/api/auth"
	"qcat/api/auth/authtest"
	"qcat/core"
	"qcat/core/identity"
)

func TestFirstAdmin(t *testing.T) {
	t.Parallel()
	clock := core.NewManualClock(start)
	p := another(t, clock, authtest.NewStore(clock), authtest.NewLog(clock))
	must(t, p.svc.EnsureSigningKey(t.Context()))
	_, err := p.svc.FirstAdmin(t.Context(), root, "adam", "short")
	wants(t, "a short password", err, auth.ErrPassword)
	u, err := p.svc.FirstAdmin(t.Context(), root, "adam", pass)
	must(t, err)
	if u.ID == 0 || u.Role != identity.Admin || !u.Scope.All {
		t.Errorf("%+v", u)
	}
	if who := p.login("adam").Principal; !who.Can(identity.Administer) || !who.CanAll() {
		t.Error("the admin may not everything")
	}
	_, err = p.svc.FirstAdmin(t.Context(), root, "eve", pass)
	wants(t, "a second first", err, auth.ErrExists)
}

// TestWithoutADirectory is what a command does, beside a server or without one.
// TestFirstAdminsAtOnce: two that see no user yet make one between them.
func TestFirstAdminsAtOnce(t *testing.T) {
	t.Parallel()
	clock := core.NewManualClock(start)
	p := another(t, clock, authtest.NewStore(clock), authtest.NewLog(clock))
	names := []string{"adam", "eve"}
	errs := make([]error, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() { _, errs[i] = p.svc.FirstAdmin(t.Context(), root, name, pass) })
	}
	wg.Wait()
	if (errs[0] == nil) == (errs[1] == nil) {
		t.Fatalf("%v, %v: want one of them", errs[0], errs[1])
	}
	wants(t, "the other", errors.Join(errs...), auth.ErrExists)
}

func TestWithoutADirectory(t *testing.T) {
	t.Parallel()
	p := first(t)
	who := p.login("ann")
	cli := &auth.Service{Store: p.store, Auditor: p.log, Opener: authtest.Vault{}, Clock: p.clock, Hasher: hasher}
	id, _ := p.key(nil)
	disabled := true
	_, err := cli.ChangeUser(t.Context(), root, "ann", auth.UserChange{Disabled: &disabled})
	must(t, err)
	_, err = cli.RevokeKey(t.Context(), root, id)
	must(t, err)
	_, err = cli.RotateJWT(t.Context(), root, true)
	must(t, err)
	must(t, p.dir.Poll(t.Context()))
	wants(t, "a token", p.bearer(who.Access), auth.ErrToken)
	if !ended(who.Principal) {
		t.Error("a running server does not take it over")
	}
}

// TestWhoMay is every operation by everybody.
func TestWhoMay(t *testing.T) {
	t.Parallel()
	p := first(t)
	p.user("local", identity.Admin, "desk1")
	id, _ := p.key(nil)
	weak, secret := p.key(func(n *auth.NewKey) {
		n.Owner, n.Permissions, n.Scope = "adam", identity.Read|identity.Administer, scope(t, "*")
	})
	apiKey, err := p.gate.Signed(p.request(weak, secret), here)
	must(t, err)
	people := map[string]auth.Principal{
		"nobody": {}, "ann": p.login("ann").Principal, "rita": p.login("rita").Principal, "adam": p.login("adam").Principal,
		"local": p.login("local").Principal, "key": apiKey, "demo": auth.Demo(),
	}
	admin, risk, n := identity.Admin, identity.Risk, 0
	unique := func() string { n++; return fmt.Sprintf("u%d", n) }
	ctx := t.Context()
	const ok, required, forbidden, outside = "", "auth.required", "auth.forbidden", "auth.scope"
	for op, tt := range map[string]struct {
		do   func(by auth.Principal) error
		want map[string]string
	}{
		"create a viewer of desk1": {func(by auth.Principal) error {
			_, err := p.svc.CreateUser(ctx, by, auth.NewUser{Name: unique(), Role: identity.Viewer, Scope: scope(t, "desk1")})
			return err
		}, map[string]string{"nobody": required, "ann": forbidden, "rita": forbidden, "adam": ok, "local": ok, "key": ok, "demo": ok}},
		"create a viewer of all": {func(by auth.Principal) error {
			_, err := p.svc.CreateUser(ctx, by, auth.NewUser{Name: unique(), Role: identity.Viewer, Scope: scope(t, "*")})
			return err
		}, map[string]string{"nobody": required, "ann": forbidden, "rita": forbidden, "adam": ok, "local": outside, "key": ok, "demo": ok}},
		"create a trader": {func(by auth.Principal) error {
			_, err := p.svc.CreateUser(ctx, by, auth.NewUser{Name: unique(), Role: identity.Trader, Scope: scope(t, "desk1")})
			return err
		}, map[string]string{"nobody": required, "ann": forbidden, "rita": forbidden, "adam": ok, "local": ok, "key": forbidden, "demo": ok}},
		"make rita an admin": {func(by auth.Principal) error {
			_, err := p.svc.ChangeUser(ctx, by, "rita", auth.UserChange{Role: &admin})
			_, _ = p.svc.ChangeUser(ctx, root, "rita", auth.UserChange{Role: &risk})
			people["rita"] = p.login("rita").Principal
			return err
		}, map[string]string{"nobody": required, "ann": forbidden, "rita": forbidden, "adam": ok, "local": outside, "key": forbidden, "demo": ok}},
		"create a key for ann": {func(by auth.Principal) error {
			_, _, err := p.svc.CreateKey(ctx, by, auth.NewKey{Owner: "ann", Permissions: identity.Trade | identity.Read, Scope: scope(t, "desk1")})
			return err
		}, map[string]string{"nobody": required, "ann": forbidden, "rita": forbidden, "adam": ok, "local": ok, "key": forbidden, "demo": ok}},
		"revoke a key of ann's": {func(by auth.Principal) error {
			_, err := p.svc.RevokeKey(ctx, by, id)
			return err
		}, map[string]string{"nobody": required, "ann": forbidden, "rita": forbidden, "adam": ok, "local": ok, "key": ok, "demo": ok}},
		"rotate the signing key": {func(by auth.Principal) error {
			_, err := p.svc.RotateJWT(ctx, by, false)
			return err
		}, map[string]string{"nobody": required, "ann": forbidden, "rita": forbidden, "adam": ok, "local": outside, "key": ok, "demo": ok}},
		"read the audit log": {func(by auth.Principal) error {
			_, err := p.svc.Entries(ctx, by, identity.AuditQuery{Limit: 1})
			return err
		}, map[string]string{"nobody": required, "ann": forbidden, "rita": forbidden, "adam": ok, "local": outside, "key": ok, "demo": ok}},
		"log eve out": {func(by auth.Principal) error { return p.svc.LogoutAll(ctx, by, "eve") },
			map[string]string{"nobody": required, "ann": forbidden, "rita": forbidden, "adam": "auth.not_found", "local": "auth.not_found", "key": "auth.not_found", "demo": "auth.not_found"}},
		"change a password": {func(by auth.Principal) error { return p.svc.ChangePassword(ctx, by, "not the old one", pass) },
			map[string]string{"nobody": required, "ann": "auth.credentials", "rita": "auth.credentials", "adam": "auth.credentials", "local": "auth.credentials", "key": forbidden, "demo": forbidden}},
	} {
		for name, want := range tt.want {
			got, before := "", p.log.Count()
			if e := auth.Refusal(tt.do(people[name])); e != nil {
				got = e.Code
			}
			if got != want {
				t.Errorf("%s, by %s: %q, want %q", op, name, got, want)
			}
			if name != "nobody" && op != "read the audit log" && p.log.Count() == before {
				t.Errorf("%s, by %s: not in the audit log", op, name)
			}
		}
	}
}

func TestLists(t *testing.T) {
	t.Parallel()
	p := first(t)
	p.key(nil)
	p.key(func(n *auth.NewKey) { n.Owner, n.Permissions = "rita", identity.Control })
	for name, want := range map[string][2]int{"ann": {1, 1}, "rita": {1, 1}, "adam": {3, 2}} {
		by := p.login(name).Principal
		users, err := p.svc.Users(t.Context(), by)
		must(t, err)
		keys, err := p.svc.Keys(t.Context(), by)
		must(t, err)
		if len(users) != want[0] || len(keys) != want[1] {
			t.Errorf("%s sees %d users and %d keys", name, len(users), len(keys))
		}
		for _, u := range users {
			if u.Password != "" {
				t.Error("a list shows a hash")
			}
		}
	}
	_, err := p.svc.Users(t.Context(), auth.Principal{})
	wants(t, "nobody", err, auth.ErrRequired)
	_, err = p.svc.Keys(t.Context(), auth.Principal{})
	wants(t, "nobody", err, auth.ErrRequired)
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	p := first(t)
	const next = "another horse battery"
	a, b := p.login("ann"), p.login("ann")
	wants(t, "a short one", p.svc.ChangePassword(t.Context(), a.Principal, pass, "short"), auth.ErrPassword)
	must(t, p.svc.ChangePassword(t.Context(), a.Principal, pass, next))
	if e := p.log.Last(); e.Action != "user.password" || e.Actor != "ann" || strings.Contains(e.Before+e.After+e.Detail, "argon2") {
		t.Errorf("%+v", e)
	}
	if !ended(a.Principal) || !ended(b.Principal) {
		t.Error("sessions that the old password began go on")
	}
	_, err := p.try("ann", pass)
	wants(t, "the old password", err, auth.ErrCredentials)
	got, err := p.try("ann", next)
	must(t, err)
	for range 5 {
		err = p.svc.ChangePassword(t.Context(), got.Principal, "it might be this", pass)
		wants(t, "a guess", err, auth.ErrCredentials)
	}
	wants(t, "one guess more", p.svc.ChangePassword(t.Context(), got.Principal, next, pass), auth.ErrLocked)
}

func TestValues(t *testing.T) {
	t.Parallel()
	p := first(t)
	for what, n := range map[string]auth.NewUser{
		"no name": {Role: identity.Viewer}, "a bad name": {Name: "a b", Role: identity.Viewer}, "no role": {Name: "eve"}, "an unknown role": {Name: "eve", Role: 9},
	} {
		_, err := p.svc.CreateUser(t.Context(), root, n)
		wants(t, what, err, auth.ErrValue)
	}
	_, err := p.svc.CreateUser(t.Context(), root, auth.NewUser{Name: "ANN", Role: identity.Viewer})
	wants(t, "a name in another case", err, auth.ErrExists)
	viewer, yes := identity.Viewer, true
	_, err = p.svc.ChangeUser(t.Context(), root, "adam", auth.UserChange{Role: &viewer})
	wants(t, "the last admin's role", err, auth.ErrLastAdmin)
	_, err = p.svc.ChangeUser(t.Context(), root, "adam", auth.UserChange{Disabled: &yes})
	wants(t, "the last admin", err, auth.ErrLastAdmin)
	_, err = p.svc.ChangeUser(t.Context(), root, "eve", auth.UserChange{Disabled: &yes})
	wants(t, "an unknown user", err, auth.ErrNotFound)
	_, err = p.svc.RevokeKey(t.Context(), root, "k")
	wants(t, "an unknown key", err, auth.ErrNotFound)
	for what, tt := range map[string]struct {
		n    auth.NewKey
		want error
	}{
		"an unknown owner":    {auth.NewKey{Owner: "eve"}, auth.ErrNotFound},
		"more than the owner": {auth.NewKey{Owner: "ann", Permissions: identity.Control}, auth.ErrForbidden},
		"a wider scope":       {auth.NewKey{Owner: "ann", Scope: scope(t, "desk2")}, auth.ErrScope},
		"a long name":         {auth.NewKey{Owner: "ann", Name: strings.Repeat("n", 65)}, auth.ErrValue},
		"a short public key":  {auth.NewKey{Owner: "ann", Public: make([]byte, 31)}, auth.ErrValue},
		"expired":             {auth.NewKey{Owner: "ann", Expires: start}, auth.ErrValue},
		"no address":          {auth.NewKey{Owner: "ann", Addresses: make([]netip.Prefix, 1)}, auth.ErrValue},
	} {
		_, _, err := p.svc.CreateKey(t.Context(), root, tt.n)
		wants(t, what, err, tt.want)
	}
}

// TestNotAudited: what could not be written down is reported, and yet done.
func TestNotAudited(t *testing.T) {
	t.Parallel()
	p := first(t)
	id, secret := p.key(nil)
	p.log.Fail(errors.New("disk full"))
	_, err := p.svc.RevokeKey(t.Context(), root, id)
	wants(t, "a revocation", err, auth.ErrUnaudited)
	wants(t, "the key", p.signed(p.request(id, secret)), auth.ErrRevoked)
	if _, secret, err := p.svc.CreateKey(t.Context(), root, auth.NewKey{Owner: "ann"}); secret != "" || !errors.Is(err, auth.ErrUnaudited) {
		t.Errorf("a key nobody wrote down is handed out: %v", err)
	}
	_, err = p.svc.CreateUser(t.Context(), auth.Principal{}, auth.NewUser{Name: "eve"})
	wants(t, "a refusal", err, auth.ErrRequired)
}

// TestAuditShowsNoSecret goes through everything that is written in a session of many operations.
func TestAuditShowsNoSecret(t *testing.T) {
	t.Parallel()
	p := first(t)
	got := p.login("ann")
	_, secret := p.key(nil)
	_, _ = p.svc.CreateUser(t.Context(), root, auth.NewUser{Name: "eve", Role: identity.Viewer, Password: pass})
	next := "another horse battery"
	_, err := p.svc.ChangeUser(t.Context(), root, "eve", auth.UserChange{Password: &next})
	must(t, err)
	_, _ = p.svc.RotateJWT(t.Context(), root, false)
	entries, err := p.svc.Entries(t.Context(), root, identity.AuditQuery{Limit: 100})
	must(t, err)
	all, _ := json.Marshal(entries)
	for _, bad := range []string{pass, next, secret, got.Access, got.Refresh, "argon2id"} {
		if strings.Contains(string(all), bad) {
			t.Errorf("the audit log shows %.10q…", bad)
		}
	}
	if len(entries) < 5 {
		t.Errorf("%d entries", len(entries))
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, e := range auth.Table() {
		prefix, _, dot := strings.Cut(e.Code, ".")
		if seen[e.Code] || !dot || (prefix != "auth" && prefix != "rate") || e.Status < 400 || e.Status > 503 || e.Text == "" {
			t.Errorf("%+v", e)
		}
		seen[e.Code] = true
	}
	if e := auth.ErrRate.After(time.Second); !errors.Is(e, auth.ErrRate) || errors.Is(e, auth.ErrLocked) || auth.ErrRate.Wait != 0 {
		t.Error("a wait changes what it is, or the table")
	}
	if auth.Refusal(nil) != nil {
		t.Error("no error is a refusal")
	}
}

func TestNobody(t *testing.T) {
	t.Parallel()
	var p auth.Principal
	if p.Alive() || p.Can(0) || p.Can(identity.Read) || p.CanAccount("") || p.CanStrategy("", "") || p.Touches("") || p.CanAll() || p.Covers(&identity.Scope{}) {
		t.Error("nobody may something")
	}
	if p.User() != 0 || p.Name()+p.Key()+p.Session() != "" || p.Role() != 0 || p.Permissions() != 0 || p.Limit() != 0 || p.Done() != nil {
		t.Error("nobody is somebody")
	}
	if d := auth.Demo(); !d.Can(identity.Read|identity.Trade|identity.Control|identity.Administer) || !d.CanAll() || !d.CanStrategy("any", "") {
		t.Error("the demonstration is not everybody")
	}
}
