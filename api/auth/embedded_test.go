package auth_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"qcat/api/auth"
	"qcat/api/auth/authtest"
	"qcat/core"
	"qcat/core/identity"
	kept "qcat/persist/identity"
	"qcat/persist/migrate"
	"qcat/persist/seal"
	"qcat/persist/sqlite"
)

// TestEmbeddedStore is the life of users, sessions and keys over a store on disk: what the store
// in memory promises to the other tests is what that one does.
func TestEmbeddedStore(t *testing.T) {
	t.Parallel()
	ctx, path, clock := t.Context(), filepath.Join(t.TempDir(), "qcat.db"), core.NewManualClock(start)
	made, err := sqlite.Open(ctx, sqlite.Config{Path: path, KeepTicks: -1})
	must(t, err)
	must(t, made.Close())
	db, err := sqlite.OpenDB(ctx, path)
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	store := kept.New(migrate.SQLite, db, clock)
	master, err := seal.NewMaster([]byte("0123456789abcdef0123456789abcdef"))
	must(t, err)
	vault, err := kept.OpenKeys(ctx, store, func(context.Context) ([]*seal.Master, error) { return []*seal.Master{master}, nil })
	must(t, err)
	log := authtest.NewLog(clock)
	open := func() (*auth.Gate, *auth.Service) {
		dir, err := auth.OpenDirectory(ctx, store, vault, clock, nil)
		must(t, err)
		gate, err := auth.NewGate(auth.Config{Directory: dir, Auditor: log, Hasher: hasher, Began: 1})
		must(t, err)
		svc := &auth.Service{Store: store, Auditor: log, Opener: vault, Clock: clock, Hasher: hasher, Directory: dir, Gate: gate}
		must(t, svc.EnsureSigningKey(ctx))
		return gate, svc
	}
	gate, svc := open()
	_, err = svc.FirstAdmin(ctx, root, "adam", pass)
	must(t, err)
	_, err = svc.CreateUser(ctx, root, auth.NewUser{Name: "ann", Role: identity.Trader, Scope: scope(t, "desk1"), Password: pass})
	must(t, err)
	got, err := gate.Login(ctx, auth.Credentials{Name: "Ann", Password: pass, Address: here})
	must(t, err)
	_, err = gate.Login(ctx, auth.Credentials{Name: "ann", Password: "wrong horse battery", Address: here})
	wants(t, "a wrong password", err, auth.ErrCredentials)
	k, secret, err := svc.CreateKey(ctx, root, auth.NewKey{Owner: "ann", Permissions: identity.Trade, Scope: scope(t, "desk1")})
	must(t, err)

	gate, svc = open() // a restart
	p := &process{t: t, clock: clock, gate: gate}
	wants(t, "a token of before", p.bearer(got.Access), nil)
	wants(t, "a signed request", p.signed(p.request(k.ID, secret)), nil)
	next, err := gate.Refresh(ctx, got.Refresh, here, "http")
	must(t, err)
	_, err = gate.Refresh(ctx, got.Refresh, here, "http")
	wants(t, "a refresh token again", err, auth.ErrReused)
	wants(t, "its family", p.bearer(next.Access), auth.ErrRevoked)
	_, err = svc.RevokeKey(ctx, root, k.ID)
	must(t, err)
	wants(t, "a revoked key", p.signed(p.request(k.ID, secret)), auth.ErrRevoked)
	got, err = gate.Login(ctx, auth.Credentials{Name: "ann", Password: pass, Address: here})
	must(t, err)
	viewer := identity.Viewer
	_, err = svc.ChangeUser(ctx, root, "ann", auth.UserChange{Role: &viewer})
	must(t, err)
	wants(t, "after a change of role", p.bearer(got.Access), auth.ErrRevoked)
	_, err = svc.RotateJWT(ctx, root, true)
	must(t, err)
	_, err = svc.ChangeUser(ctx, root, "adam", auth.UserChange{Role: &viewer})
	if !errors.Is(err, auth.ErrLastAdmin) {
		t.Errorf("the last admin: %v", err)
	}
}
