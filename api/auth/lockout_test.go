package auth_test

import (
	"context"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"qcat/api/auth"
	"qcat/api/auth/authtest"
	"qcat/api/auth/password"
	"qcat/core/identity"
)

// tryFrom logs in from the n-th of other addresses.
func (p *process) tryFrom(n byte, name, clear string) error {
	_, err := p.gate.Login(p.t.Context(), auth.Credentials{Name: name, Password: clear, Address: netip.AddrFrom4([4]byte{198, 51, 100, n})})
	return err
}

// TestNobodyIsLockedOut: whoever fails in a user's name from elsewhere, as often as they like,
// does not keep the user out of where they have logged in before.
func TestNobodyIsLockedOut(t *testing.T) {
	t.Parallel()
	p := first(t)
	p.login("adam")
	for range 12 { // an hour of it
		for n := range byte(6) {
			_ = p.tryFrom(n, "ADAM", "wrong horse battery")
		}
		wants(t, "from elsewhere", p.tryFrom(9, "adam", pass), auth.ErrLocked)
		_, err := p.try("Adam", pass)
		wants(t, "from where he was", err, nil)
		_, err = p.second().try("adam", pass)
		wants(t, "after a restart", err, nil)
		p.advance(5 * time.Minute)
		must(t, p.dir.Poll(t.Context()))
	}
	for range 5 {
		_, err := p.try("adam", "wrong horse battery")
		wants(t, "a guess from where he was", err, auth.ErrCredentials)
	}
	_, err := p.try("adam", pass)
	wants(t, "and one too many", err, auth.ErrLocked)
}

// TestAddressLockSparesFamiliar: others who fail at an address do not keep those out who have
// logged in there.
func TestAddressLockSparesFamiliar(t *testing.T) {
	t.Parallel()
	p := first(t)
	p.login("adam")
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		_, _ = p.try(name, pass)
	}
	_, err := p.try("ann", pass)
	wants(t, "ann, who was never here", err, auth.ErrLocked)
	_, err = p.try("adam", pass)
	wants(t, "adam, who was", err, nil)
}

// noting counts what a store notes of logins.
type noting struct {
	*authtest.Store
	notes atomic.Int64
}

func (s *noting) NoteLogin(ctx context.Context, u *identity.User) error {
	s.notes.Add(1)
	return s.Store.NoteLogin(ctx, u)
}

// TestBusyTellsNoNames: a server that is busy asks its store no more for a name that is there
// than for one that is not: the time that takes would tell them apart.
func TestBusyTellsNoNames(t *testing.T) {
	t.Parallel()
	p := first(t)
	store := &noting{Store: p.store}
	dir, err := auth.OpenDirectory(t.Context(), store, authtest.Vault{}, p.clock, nil)
	must(t, err)
	busy, err := auth.NewGate(auth.Config{Directory: dir, Auditor: p.log, Hasher: password.NewHasher(0, 0)})
	must(t, err)
	_, err = busy.Login(t.Context(), auth.Credentials{Name: "ann", Password: pass, Address: here})
	wants(t, "a server that is busy", err, auth.ErrBusy)
	if n := store.notes.Load(); n != 0 {
		t.Errorf("%d writes", n)
	}
}

// TestBusyIsNoWrongPassword: an old password that was not checked counts as no failure.
func TestBusyIsNoWrongPassword(t *testing.T) {
	t.Parallel()
	p := first(t)
	ann := p.login("ann").Principal
	svc := *p.svc
	svc.Hasher = password.NewHasher(0, 0)
	for range 10 {
		wants(t, "a server that is busy", svc.ChangePassword(t.Context(), ann, pass, "another horse battery"), auth.ErrBusy)
	}
	if u, _ := p.store.User(t.Context(), "ann"); u.Failures != 0 || u.LockedTo != 0 {
		t.Errorf("%+v", u)
	}
	wants(t, "from elsewhere", p.tryFrom(1, "ann", pass), nil)
}

// TestUnlockUser: a user whom failed logins have locked out logs in again as soon as an
// administrator, here or in another process, has said so: from where they failed, which locked the
// address too, and from where they are known. Others there stay locked out, and so is
// the user after as many more.
func TestUnlockUser(t *testing.T) {
	t.Parallel()
	for _, known := range []bool{false, true} {
		for _, far := range []bool{false, true} {
			p := first(t)
			ctx := t.Context()
			if known {
				p.login("ann")
			}
			for range 5 {
				_, err := p.try("ann", "wrong horse battery")
				wants(t, "a guess", err, auth.ErrCredentials)
			}
			_, err := p.try("ann", pass)
			wants(t, "locked", err, auth.ErrLocked)
			by := p
			if far {
				by = p.second()
			}
			_, err = by.svc.UnlockUser(ctx, root, "ann")
			must(t, err)
			if e := p.log.Last(); e.Action != "user.unlock" || e.Target != "ann" || e.Outcome != "ok" ||
				(!known && e.Before == e.After) {
				t.Errorf("%+v", e)
			}
			must(t, p.dir.Poll(ctx))
			if !known {
				_, err = p.try("rita", pass)
				wants(t, "another at the address", err, auth.ErrLocked)
			}
			p.login("ann")
			for range 5 {
				_, _ = p.try("ann", "wrong horse battery")
			}
			_, err = p.try("ann", pass)
			wants(t, "locked again", err, auth.ErrLocked)
		}
	}
}

// TestWhoMayUnlock: administrators, of users within their own scope.
func TestWhoMayUnlock(t *testing.T) {
	t.Parallel()
	p := first(t)
	p.user("local", identity.Admin, "desk1")
	for name, want := range map[string]map[string]error{
		"ann": {"ann": auth.ErrForbidden, "rita": auth.ErrForbidden}, "rita": {"ann": auth.ErrForbidden},
		"local": {"ann": nil, "rita": auth.ErrScope}, "adam": {"rita": nil, "eve": auth.ErrNotFound},
	} {
		by := p.login(name).Principal
		for target, err := range want {
			_, got := p.svc.UnlockUser(t.Context(), by, target)
			wants(t, name+" unlocks "+target, got, err)
		}
	}
}
