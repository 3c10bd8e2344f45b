package auth_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"qcat/api/auth"
	"qcat/api/auth/authtest"
	"qcat/core/identity"
)

// TestRun: a running directory takes over what another process does, and stores at its
// end what keys were used.
func TestRun(t *testing.T) {
	t.Parallel()
	p := first(t)
	id, secret := p.key(nil)
	got := p.login("ann")
	q := p.second()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); p.dir.Run(ctx) }()
	must(t, q.svc.LogoutAll(t.Context(), root, "ann"))
	select {
	case <-got.Principal.Done():
	case <-time.After(10 * time.Second):
		t.Error("a logout elsewhere is not taken over")
	}
	must(t, p.signed(p.request(id, secret)))
	cancel()
	<-done
	if keys, _ := p.store.Keys(t.Context()); keys[0].LastUsed != p.clock.Now() {
		t.Error("the last use is lost at the end")
	}
}

// moody opens nothing while it is in a mood.
type moody struct {
	authtest.Vault
	off atomic.Bool
}

func (m *moody) Open(ctx context.Context, table, row string, s identity.Sealed) ([]byte, error) {
	if m.off.Load() {
		return nil, errors.New("no such key version")
	}
	return m.Vault.Open(ctx, table, row, s)
}

// TestSecretThatOpensLater: what could not be opened is tried again, though nothing changed.
func TestSecretThatOpensLater(t *testing.T) {
	t.Parallel()
	p := first(t)
	id, secret := p.key(nil)
	vault := &moody{}
	vault.off.Store(true)
	dir, err := auth.OpenDirectory(t.Context(), p.store, vault, p.clock, nil)
	must(t, err)
	gate, err := auth.NewGate(auth.Config{Directory: dir, Auditor: p.log, Hasher: hasher, Began: 1})
	must(t, err)
	vault.off.Store(false)
	must(t, dir.Poll(t.Context()))
	_, err = gate.Signed(p.request(id, secret), here)
	wants(t, "at once", err, auth.ErrSignature)
	p.advance(5 * time.Second)
	must(t, dir.Poll(t.Context()))
	_, err = gate.Signed(p.request(id, secret), here)
	wants(t, "a little later", err, nil)
}

// hanging is a store that does not answer while stuck, as one whose machine is gone.
type hanging struct {
	*authtest.Store
	stuck atomic.Bool
	asked chan context.Context
}

func (s *hanging) Version(ctx context.Context) (int64, error) {
	if s.stuck.Load() {
		select {
		case s.asked <- ctx:
		default:
		}
		<-ctx.Done()
		return 0, ctx.Err()
	}
	return s.Store.Version(ctx)
}

// TestStoreThatHangs: while the store does not answer, sessions that expire end all the same,
// and nobody waits for one answer for ever: what is revoked is seen once the store is back.
func TestStoreThatHangs(t *testing.T) {
	t.Parallel()
	p := first(t)
	store := &hanging{Store: p.store, asked: make(chan context.Context, 1)}
	dir, err := auth.OpenDirectory(t.Context(), store, authtest.Vault{}, p.clock, nil)
	must(t, err)
	gate, err := auth.NewGate(auth.Config{Directory: dir, Auditor: p.log, Hasher: hasher, Began: 1})
	must(t, err)
	got, err := gate.Login(t.Context(), auth.Credentials{Name: "ann", Password: pass, Address: here})
	must(t, err)
	store.stuck.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); dir.Run(ctx) }()
	defer func() { cancel(); <-done }()
	if _, ends := (<-store.asked).Deadline(); !ends {
		t.Error("it waits for ever")
	}
	p.advance(13 * time.Hour)
	select {
	case <-got.Principal.Done():
	case <-time.After(10 * time.Second):
		t.Error("a session that expired goes on")
	}
}
