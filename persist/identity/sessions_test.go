package identity_test

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"qcat/core"
	"qcat/core/identity"
	stored "qcat/persist/identity"
	"qcat/persist/seal"
)

func TestSessions(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		ctx := t.Context()
		u := b.user("ann", identity.Trader)
		var x identity.Session
		b.rises(true, func() { x = b.session("s1", &u) })
		b.refused(b.CreateSession(ctx, &x), identity.ErrExists)
		for _, bad := range []identity.Session{{ID: "s2", User: u.ID + 1}, {ID: "s3", User: u.ID, Epoch: u.Epoch + 1}} {
			bad.Refresh = []byte("r")
			b.refused(b.CreateSession(ctx, &bad), identity.ErrNotFound)
		}
		e, err := b.Load(ctx)
		b.must(err)
		if !reflect.DeepEqual(e.Sessions, []identity.Session{x}) {
			t.Errorf("%+v", e.Sessions)
		}
		b.rises(true, func() { b.must(b.EndSession(ctx, "s1", int64(start+3))) })
		b.rises(false, func() { b.must(b.EndSession(ctx, "s1", int64(start+4))) })
		b.refused(b.EndSession(ctx, "s9", 1), identity.ErrNotFound)
		_, err = b.Rotate(ctx, "s1", []byte("r0"), []byte("r1"), int64(start+5), int64(start+50))
		b.refused(err, identity.ErrNotFound)
		if e, err = b.Load(ctx); err != nil || len(e.Sessions) != 0 {
			t.Errorf("an ended session is open: %+v (%v)", e.Sessions, err)
		}
	})
}

func TestRotateSession(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		ctx := t.Context()
		u := b.user("ann", identity.Trader)
		want := b.session("s1", &u)
		now := start + 10
		want.Refresh, want.Used, want.Expires = []byte("r1"), now, now+1000
		b.rises(true, func() {
			got, err := b.Rotate(ctx, "s1", []byte("r0"), []byte("r1"), int64(now), int64(now+1000))
			b.must(err)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
		_, err := b.Rotate(ctx, "s9", []byte("r0"), []byte("r1"), int64(now), int64(now+1000))
		b.refused(err, identity.ErrNotFound)
		b.rises(true, func() {
			_, err := b.Rotate(ctx, "s1", []byte("r0"), []byte("r2"), int64(now), int64(now+1000))
			b.refused(err, identity.ErrRefreshReused)
		})
		_, err = b.Rotate(ctx, "s1", []byte("r1"), []byte("r2"), int64(now), int64(now+1000))
		b.refused(err, identity.ErrNotFound) // the thief's token and the owner's are both dead

		b.session("s2", &u)
		_, err = b.Rotate(ctx, "s2", []byte("r0"), []byte("r1"), int64(start+1000), int64(start+2000))
		b.refused(err, identity.ErrNotFound) // expired at that very moment
	})
}

// TestRefreshOnce: of two processes that use one refresh token at once, one gets the next,
// and the session has ended for both.
func TestRefreshOnce(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		ctx := t.Context()
		u := b.user("ann", identity.Trader)
		other := b.process()
		for round := range 6 {
			id := fmt.Sprint("s", round)
			b.session(id, &u)
			var good, reused atomic.Int32
			var wg sync.WaitGroup
			for i, p := range []*bed{b, other} {
				wg.Go(func() {
					_, err := p.Rotate(ctx, id, []byte("r0"), []byte{byte(i)}, int64(start+1), int64(start+1000))
					switch {
					case err == nil:
						good.Add(1)
					case errors.Is(err, identity.ErrRefreshReused):
						reused.Add(1)
					default:
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if good.Load() != 1 || reused.Load() != 1 {
				t.Fatalf("%d got the next token, %d were found out", good.Load(), reused.Load())
			}
		}
		if e, err := b.Load(ctx); err != nil || len(e.Sessions) != 0 {
			t.Errorf("%+v (%v)", e, err)
		}
	})
}

func TestEndSessions(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		ctx := t.Context()
		ann, bob := b.user("ann", identity.Trader), b.user("bob", identity.Viewer)
		b.session("a", &ann)
		b.session("b", &bob)
		b.rises(true, func() { b.must(b.EndSessions(ctx, ann.ID, int64(start+7))) })
		e, err := b.Load(ctx)
		b.must(err)
		if len(e.Sessions) != 1 || e.Sessions[0].ID != "b" || e.Users[0].Epoch != ann.Epoch+1 || e.Users[0].Changed != start+7 || e.Users[1].Epoch != bob.Epoch {
			t.Errorf("%+v", e)
		}
		b.refused(b.EndSessions(ctx, 99, 1), identity.ErrNotFound)
		b.must(b.EndSessions(ctx, 0, int64(start+8)))
		if e, err = b.Load(ctx); err != nil || len(e.Sessions) != 0 || e.Users[0].Epoch != ann.Epoch+2 || e.Users[1].Epoch != bob.Epoch+1 {
			t.Errorf("%+v (%v)", e, err)
		}
	})
}

// TestOldSessionsGo: what has been over for long is deleted, what is open stays.
func TestOldSessionsGo(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		u := b.user("ann", identity.Trader)
		b.session("old", &u)
		b.session("ended", &u)
		b.must(b.EndSession(t.Context(), "ended", int64(start)))
		const day = 24 * 3600 * 1_000_000_000
		b.clock.now.Add(day + 1)
		x := identity.Session{ID: "new", User: u.ID, Refresh: []byte("r"), Expires: b.clock.Now() + day}
		b.must(b.CreateSession(t.Context(), &x))
		b.refused(b.EndSession(t.Context(), "ended", 1), identity.ErrNotFound)
		b.must(b.EndSession(t.Context(), "old", 1)) // it expired a moment less than a day ago
	})
}

func TestAPIKeys(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		ctx := t.Context()
		keys := b.keys(newMaster(t))
		u := b.user("ann", identity.Trader)
		secret, err := keys.Seal(t.Context(), stored.TableAPIKeys, "k1", []byte("secret of k1"))
		b.must(err)
		k1 := identity.APIKey{ID: "k1", Owner: u.ID, Name: "'quoted', \"長\"", Kind: identity.HMACSHA256, Secret: secret, Permissions: identity.Read | identity.Trade,
			Scope: identity.Scope{Strategies: []string{"desk2/alpha"}}, Addresses: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")},
			Expires: start + 100, Created: start}
		k2 := identity.APIKey{ID: "k2", Owner: u.ID, Kind: identity.Ed25519, Public: []byte("public"), Permissions: identity.Read, Scope: identity.Scope{All: true}}
		b.rises(true, func() { b.must(b.CreateKey(ctx, &k1)) })
		b.must(b.CreateKey(ctx, &k2))
		k2.Addresses = []netip.Prefix{}
		for _, tt := range []struct {
			key  identity.APIKey
			want error
		}{
			{k1, identity.ErrExists},
			{identity.APIKey{ID: "k3", Owner: 99, Kind: identity.Ed25519, Public: []byte("p")}, identity.ErrNotFound},
			{identity.APIKey{ID: "k3", Owner: u.ID, Kind: identity.Ed25519}, stored.ErrKeyParts},
			{identity.APIKey{ID: "k3", Owner: u.ID, Kind: identity.HMACSHA256, Public: []byte("p")}, stored.ErrKeyParts},
			{identity.APIKey{ID: "k3", Owner: u.ID, Kind: identity.HMACSHA256, Secret: secret, Public: []byte("p")}, stored.ErrKeyParts},
			{identity.APIKey{ID: "k3", Owner: u.ID, Kind: identity.HMACSHA256, Secret: []byte("plain")}, seal.ErrFormat},
		} {
			b.rises(false, func() { b.refused(b.CreateKey(ctx, &tt.key), tt.want) })
		}
		got, err := b.Keys(ctx)
		b.must(err)
		if !reflect.DeepEqual(got, []identity.APIKey{k1, k2}) {
			t.Errorf("%+v, want %+v", got, []identity.APIKey{k1, k2})
		}
		b.rises(false, func() {
			b.must(b.UseKeys(ctx, map[string]int64{"k1": int64(start + 5), "k2": int64(start + 6), "k9": 1}))
			b.must(b.UseKeys(ctx, map[string]int64{"k1": int64(start + 4)}))
		})
		e, err := b.Load(ctx)
		b.must(err)
		if len(e.Keys) != 2 || e.Keys[0].LastUsed != start+5 || e.Keys[1].LastUsed != start+6 {
			t.Errorf("%+v", e.Keys)
		}
		b.clock.now.Add(100)
		if e, err = b.Load(ctx); err != nil || len(e.Keys) != 1 || e.Keys[0].ID != "k2" {
			t.Errorf("an expired key is good: %+v (%v)", e, err)
		}
		var revoked identity.APIKey
		b.rises(true, func() { revoked, err = b.RevokeKey(ctx, "k1"); b.must(err) })
		if revoked.Revoked != start+100 || revoked.Secret != nil {
			t.Errorf("%+v", revoked)
		}
		b.clock.now.Add(1)
		b.rises(false, func() {
			again, err := b.RevokeKey(ctx, "k1")
			if err != nil || !reflect.DeepEqual(again, revoked) {
				t.Errorf("%+v (%v)", again, err)
			}
			_, err = b.RevokeKey(ctx, "k9")
			b.refused(err, identity.ErrNotFound)
		})
		if got, err = b.Keys(ctx); err != nil || !slices.ContainsFunc(got, func(k identity.APIKey) bool { return k.Revoked != 0 }) {
			t.Errorf("%+v (%v)", got, err)
		}
	})
}

func TestSigningKeys(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		ctx := t.Context()
		keys := b.keys(newMaster(t))
		sign := func(id string, retire core.Nanos) error {
			secret, err := keys.Seal(t.Context(), stored.TableSigningKeys, id, []byte(id))
			b.must(err)
			b.clock.now.Add(1)
			return b.Sign(ctx, &identity.SigningKey{ID: id, Secret: secret}, int64(retire))
		}
		expect := func(want map[string]core.Nanos) {
			t.Helper()
			e, err := b.Load(ctx)
			b.must(err)
			got := map[string]core.Nanos{}
			for _, k := range e.Signing {
				got[k.ID] = k.Expires
				if secret, err := keys.Open(ctx, stored.TableSigningKeys, k.ID, k.Secret); string(secret) != k.ID || err != nil {
					t.Errorf("%s: %q (%v)", k.ID, secret, err)
				}
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%v, want %v", got, want)
			}
		}
		b.rises(true, func() { b.must(sign("a", 0)) })
		b.must(sign("b", start+100))
		expect(map[string]core.Nanos{"a": start + 100, "b": 0})
		b.must(sign("c", start+200)) // a keeps the earlier end
		expect(map[string]core.Nanos{"a": start + 100, "b": start + 200, "c": 0})
		b.rises(false, func() { b.refused(sign("c", start+300), identity.ErrExists) })
		expect(map[string]core.Nanos{"a": start + 100, "b": start + 200, "c": 0})
		b.clock.now.Store(int64(start + 150))
		expect(map[string]core.Nanos{"b": start + 200, "c": 0})
		b.must(sign("d", b.clock.Now())) // at once: all before it end
		expect(map[string]core.Nanos{"d": 0})
	})
}
