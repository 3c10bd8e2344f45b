package auth_test

import (
	"errors"
	"net/netip"
	"sync"
	"testing"
	"time"

	"qcat/api/auth"
	"qcat/api/auth/password"
	"qcat/core"
	"qcat/core/identity"
)

func TestLogin(t *testing.T) {
	t.Parallel()
	p := first(t)
	got := p.login("Ann")
	who, err := p.gate.Bearer([]byte(got.Access), here)
	must(t, err)
	if who.Name() != "ann" || who.Role() != identity.Trader || who.Session() == "" || who.Key() != "" || who.Address != here {
		t.Errorf("%+v", who)
	}
	if !who.Can(identity.Trade) || who.Can(identity.Control) || !who.CanAccount("desk1") || who.CanAccount("desk2") || who.CanAll() {
		t.Error("the rights are not a trader's of desk1")
	}
	if e := p.log.Last(); e.Action != "login" || e.Outcome != "ok" || e.Actor != "ann" || e.Role != "trader" || e.Address != "192.0.2.1" || e.Via != "http" {
		t.Errorf("%+v", e)
	}
	if got.AccessExpires != start+core.Nanos(15*time.Minute) || got.RefreshExpires != start+core.Nanos(12*time.Hour) {
		t.Errorf("%+v", got)
	}
}

// TestLoginAnswersTheSame: nobody learns whether a user is there.
func TestLoginAnswersTheSame(t *testing.T) {
	t.Parallel()
	p := first(t)
	disabled := true
	_, err := p.svc.ChangeUser(t.Context(), root, "rita", auth.UserChange{Disabled: &disabled})
	must(t, err)
	for _, tt := range []struct{ name, password string }{
		{"ann", "wrong horse battery"}, {"nobody", pass}, {"rita", pass}, {"", pass}, {"' OR 1=1 --", pass}, {"ann", ""},
	} {
		_, err := p.try(tt.name, tt.password)
		if e := auth.Refusal(err); e == nil || e.Code != "auth.credentials" || e.Wait != 0 {
			t.Errorf("%q: %v", tt.name, err)
		}
		if e := p.log.Last(); e.Outcome != "auth.credentials" || e.Role != "" {
			t.Errorf("%q: %+v", tt.name, e)
		}
		p.advance(time.Hour) // the address is not to be locked
		must(t, p.dir.Poll(t.Context()))
	}
	if u, _ := p.store.User(t.Context(), "rita"); u.Failures != 1 || u.LastLogin != 0 {
		t.Errorf("a disabled user's right password counts as a login: %+v", u)
	}
}

func TestLockout(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"ann", "nobody"} {
		p := first(t)
		for i := range 5 {
			if _, err := p.try(name, "wrong horse battery"); !errors.Is(err, auth.ErrCredentials) {
				t.Fatalf("%s, %d: %v", name, i, err)
			}
		}
		if e := p.log.Last(); e.Detail != "locked: user" {
			t.Errorf("%s: %+v", name, e)
		}
		count := p.log.Count()
		_, err := p.try(name, pass)
		if e := auth.Refusal(err); e.Code != "auth.locked" || e.Wait != time.Second {
			t.Errorf("%s, locked, with the right password: %v, %v", name, err, e.Wait)
		}
		if p.log.Count() != count {
			t.Error("what a lock refuses fills the audit log")
		}
		p.advance(time.Second)
		if _, err = p.try(name, "wrong horse battery"); !errors.Is(err, auth.ErrCredentials) {
			t.Errorf("%s, after the lock: %v", name, err)
		}
		if _, err = p.try(name, pass); auth.Refusal(err).Wait != 2*time.Second {
			t.Errorf("%s, the next lock: %v", name, auth.Refusal(err).Wait)
		}
	}
}

func TestLockSurvivesARestart(t *testing.T) {
	t.Parallel()
	p := first(t)
	for range 5 {
		_, _ = p.try("ann", "wrong horse battery")
	}
	q := p.second()
	if _, err := q.try("ann", pass); auth.Refusal(err).Code != "auth.locked" {
		t.Fatalf("after a restart: %v", err)
	}
	p.advance(time.Second)
	q.login("ann")
	if u, _ := p.store.User(t.Context(), "ann"); u.Failures != 0 || u.LockedTo != 0 || u.LastLogin != p.clock.Now() {
		t.Errorf("%+v", u)
	}
}

func TestAddressLock(t *testing.T) {
	t.Parallel()
	p := first(t)
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		_, err := p.try(name, pass)
		wants(t, name, err, auth.ErrCredentials)
	}
	_, err := p.try("ann", pass)
	wants(t, "one who guesses names", err, auth.ErrLocked)
	_, err = p.gate.Login(t.Context(), auth.Credentials{Name: "ann", Password: pass, Address: netip.MustParseAddr("192.0.2.2")})
	wants(t, "from elsewhere", err, nil)
}

func TestGuessesAtOnce(t *testing.T) {
	t.Parallel()
	p := first(t)
	var wg sync.WaitGroup
	results := make([]error, 20)
	for i := range results {
		wg.Go(func() {
			from := netip.AddrFrom4([4]byte{192, 0, 2, byte(10 + i)})
			_, results[i] = p.gate.Login(t.Context(), auth.Credentials{Name: "ann", Password: "wrong horse battery", Address: from})
		})
	}
	wg.Wait()
	tried := 0
	for _, err := range results {
		if errors.Is(err, auth.ErrCredentials) {
			tried++
		}
	}
	if tried != 5 {
		t.Errorf("%d guesses of one password at once", tried)
	}
}

func TestLoginNeedsStoreAndLog(t *testing.T) {
	t.Parallel()
	p := first(t)
	bad := errors.New("connection to 10.1.2.3 refused")
	p.store.Fail(bad)
	_, err := p.try("ann", pass)
	wants(t, "without a store", err, auth.ErrUnavailable)
	p.store.Fail(nil)
	p.log.Fail(bad)
	_, err = p.try("ann", pass)
	wants(t, "without an audit log", err, auth.ErrUnavailable)
	all, _ := p.store.Load(t.Context())
	if len(all.Sessions) != 0 {
		t.Error("a session nobody was told of is open")
	}
	if auth.Refusal(bad).Error() != auth.ErrUnavailable.Error() || !errors.Is(auth.Refusal(bad), bad) {
		t.Error("a foreign error shows, or is lost")
	}
}

func TestSilence(t *testing.T) {
	t.Parallel()
	p := first(t)
	got := p.login("ann")
	id, secret := p.key(nil)
	p.store.Fail(errors.New("away"))
	p.advance(auth.MaxSilence + 1)
	if p.dir.Poll(t.Context()) == nil {
		t.Fatal("the store answers")
	}
	wants(t, "a token", p.bearer(got.Access), nil)
	wants(t, "a key", p.signed(p.request(id, secret)), nil)
	p.store.Fail(nil)
	_, err := p.try("ann", pass)
	wants(t, "a login before the next poll", err, auth.ErrUnavailable)
	must(t, p.dir.Poll(t.Context()))
	p.login("ann")
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	p := first(t)
	got := p.login("ann")
	p.advance(15*time.Minute - 1)
	wants(t, "in time", p.bearer(got.Access), nil)
	p.advance(1)
	wants(t, "an access token", p.bearer(got.Access), auth.ErrExpired)
	wants(t, "again", p.bearer(got.Access), auth.ErrExpired)
	p.advance(12 * time.Hour)
	_, err := p.gate.Refresh(t.Context(), got.Refresh, here, "http")
	wants(t, "a refresh token", err, auth.ErrExpired)
	must(t, p.dir.Poll(t.Context()))
	if !ended(got.Principal) || !errors.Is(got.Principal.Ended(), auth.ErrExpired) {
		t.Error("the sockets of an expired session stay open")
	}
}

func TestTokenTypes(t *testing.T) {
	t.Parallel()
	p := first(t)
	got := p.login("ann")
	wants(t, "a refresh token as access", p.bearer(got.Refresh), auth.ErrToken)
	_, err := p.gate.Refresh(t.Context(), got.Access, here, "http")
	wants(t, "an access token as refresh", err, auth.ErrToken)
	wants(t, "nothing", p.bearer(""), auth.ErrRequired)
	wants(t, "rubbish", p.bearer("x.y.z"), auth.ErrToken)
	wants(t, "one letter more", p.bearer(got.Access+"A"), auth.ErrToken)
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	p := first(t)
	got := p.login("ann")
	p.advance(time.Hour)
	next, err := p.gate.Refresh(t.Context(), got.Refresh, here, "http")
	must(t, err)
	wants(t, "the new access token", p.bearer(next.Access), nil)
	if next.RefreshExpires != p.clock.Now()+core.Nanos(12*time.Hour) || !got.Principal.Alive() {
		t.Errorf("%+v", next)
	}
	p.advance(11*time.Hour + 30*time.Minute)
	must(t, p.dir.Poll(t.Context()))
	if _, err = p.gate.Refresh(t.Context(), next.Refresh, here, "http"); err != nil {
		t.Errorf("a session that goes on: %v", err)
	}
}

// TestStolenRefresh: the thief and the owner both bring the token. Whoever is second, the
// session ends, with what the first got.
func TestStolenRefresh(t *testing.T) {
	t.Parallel()
	p := first(t)
	got := p.login("ann")
	thief, err := p.gate.Refresh(t.Context(), got.Refresh, netip.MustParseAddr("203.0.113.9"), "http")
	must(t, err)
	_, err = p.gate.Refresh(t.Context(), got.Refresh, here, "http")
	wants(t, "the second", err, auth.ErrReused)
	if e := p.log.Last(); e.Action != "refresh" || e.Outcome != "auth.reused" || e.Actor != "ann" || e.Target != got.Principal.Session() {
		t.Errorf("%+v", e)
	}
	wants(t, "the thief's access token", p.bearer(thief.Access), auth.ErrRevoked)
	wants(t, "the owner's", p.bearer(got.Access), auth.ErrRevoked)
	_, err = p.gate.Refresh(t.Context(), thief.Refresh, here, "http")
	wants(t, "the thief's refresh token", err, auth.ErrRevoked)
	if !ended(got.Principal) || !ended(thief.Principal) {
		t.Error("sockets stay open")
	}
}

func TestRefreshRace(t *testing.T) {
	t.Parallel()
	p := first(t)
	got := p.login("ann")
	var wg sync.WaitGroup
	results := make([]error, 8)
	for i := range results {
		wg.Go(func() { _, results[i] = p.gate.Refresh(t.Context(), got.Refresh, here, "http") })
	}
	wg.Wait()
	good := 0
	for _, err := range results {
		if err == nil {
			good++
		}
	}
	if good > 1 || p.bearer(got.Access) == nil {
		t.Errorf("%d of one token were exchanged", good)
	}
}

func TestRotateJWT(t *testing.T) {
	t.Parallel()
	p := first(t)
	q := p.second()
	old := p.login("ann")
	wants(t, "elsewhere, before the poll", q.bearer(old.Access), auth.ErrRevoked)
	must(t, q.dir.Poll(t.Context()))
	kid, err := p.svc.RotateJWT(t.Context(), root, false)
	must(t, err)
	if e := p.log.Last(); e.Action != "jwt.rotate" || e.Target != kid || e.Actor != "root@test" || e.Role != "" || e.Via != "cli" {
		t.Errorf("%+v", e)
	}
	next := p.login("ann")
	must(t, q.dir.Poll(t.Context()))
	for _, at := range []*process{p, q} {
		wants(t, "an old token", at.bearer(old.Access), nil)
		wants(t, "a new token", at.bearer(next.Access), nil)
	}
	_, err = p.svc.RotateJWT(t.Context(), root, true)
	must(t, err)
	wants(t, "revoked", p.bearer(old.Access), auth.ErrToken)
	wants(t, "revoked", p.bearer(next.Access), auth.ErrToken)
	must(t, q.dir.Poll(t.Context()))
	wants(t, "revoked elsewhere", q.bearer(next.Access), auth.ErrToken)
	if !ended(old.Principal) || !ended(next.Principal) {
		t.Error("sockets stay open")
	}
	wants(t, "a login", p.bearer(p.login("ann").Access), nil)
}

func TestLogout(t *testing.T) {
	t.Parallel()
	p := first(t)
	a, b := p.login("ann"), p.login("ann")
	must(t, p.svc.Logout(t.Context(), a.Principal))
	wants(t, "after logout", p.bearer(a.Access), auth.ErrRevoked)
	wants(t, "the other session", p.bearer(b.Access), nil)
	_, err := p.gate.Refresh(t.Context(), a.Refresh, here, "http")
	wants(t, "refresh after logout", err, auth.ErrRevoked)
	wants(t, "logout of what has ended", p.svc.Logout(t.Context(), a.Principal), auth.ErrRevoked)
	wants(t, "logout of nobody", p.svc.Logout(t.Context(), auth.Principal{}), auth.ErrRequired)
	wants(t, "logout of a command", p.svc.Logout(t.Context(), root), auth.ErrForbidden)
	c := p.login("adam")
	wants(t, "another's", p.svc.LogoutAll(t.Context(), b.Principal, "adam"), auth.ErrForbidden)
	must(t, p.svc.LogoutAll(t.Context(), b.Principal, "ann"))
	if !ended(a.Principal) || !ended(b.Principal) || ended(c.Principal) {
		t.Error("logout everywhere ends ann's sessions alone")
	}
	must(t, p.svc.LogoutAll(t.Context(), root, ""))
	if !ended(c.Principal) {
		t.Error("everybody")
	}
}

// TestBusyLocksNobody: a login that was not tried is no failed one.
func TestBusyLocksNobody(t *testing.T) {
	t.Parallel()
	p := first(t)
	busy, err := auth.NewGate(auth.Config{Directory: p.dir, Auditor: p.log, Hasher: password.NewHasher(0, 0)})
	must(t, err)
	for range 10 {
		_, err = busy.Login(t.Context(), auth.Credentials{Name: "ann", Password: pass, Address: here})
		wants(t, "a server that is busy", err, auth.ErrBusy)
	}
	if u, _ := p.store.User(t.Context(), "ann"); u.Failures != 0 || u.LockedTo != 0 {
		t.Errorf("%+v", u)
	}
}
