package identity_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"qcat/core/identity"
	stored "qcat/persist/identity"
	"qcat/persist/migrate"
	"qcat/persist/seal"
)

// secret is what each key of these tests holds, by its id.
func secretOf(id string) string { return "the secret of " + id }

// apiKey stores a key whose secret k sealed.
func (b *bed) apiKey(k *stored.Keys, owner identity.UserID, id string) {
	b.t.Helper()
	sealed, err := k.Seal(b.t.Context(), stored.TableAPIKeys, id, []byte(secretOf(id)))
	b.must(err)
	b.must(b.CreateKey(b.t.Context(), &identity.APIKey{ID: id, Owner: owner, Kind: identity.HMACSHA256, Secret: sealed}))
}

// sign stores a signing key whose secret k sealed.
func (b *bed) sign(k *stored.Keys, id string) {
	b.t.Helper()
	sealed, err := k.Seal(b.t.Context(), stored.TableSigningKeys, id, []byte(secretOf(id)))
	b.must(err)
	b.must(b.Sign(b.t.Context(), &identity.SigningKey{ID: id, Secret: sealed}, int64(start)*2))
}

// opens requires every secret that a server has to open with k, and returns how many.
func (b *bed) opens(k *stored.Keys) (n int) {
	b.t.Helper()
	e, err := b.Load(b.t.Context())
	b.must(err)
	open := func(table, id string, sealed identity.Sealed) {
		b.t.Helper()
		got, err := k.Open(b.t.Context(), table, id, sealed)
		if err != nil || string(got) != secretOf(id) {
			b.t.Errorf("%s %s: %q (%v)", table, id, got, err)
		}
		n++
	}
	for _, x := range e.Keys {
		open(stored.TableAPIKeys, x.ID, x.Secret)
	}
	for _, x := range e.Signing {
		open(stored.TableSigningKeys, x.ID, x.Secret)
	}
	return n
}

// under counts secrets by the version that they are under, revoked keys' left out.
func (b *bed) under() map[uint32]int {
	b.t.Helper()
	e, err := b.Load(b.t.Context())
	b.must(err)
	n := map[uint32]int{}
	for _, x := range e.Keys {
		v, err := seal.Version(x.Secret)
		b.must(err)
		n[v]++
	}
	for _, x := range e.Signing {
		v, err := seal.Version(x.Secret)
		b.must(err)
		n[v]++
	}
	return n
}

func TestFirstKey(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		if has, err := b.HasKeys(t.Context()); has || err != nil {
			t.Fatalf("%v, %v", has, err)
		}
		_, err := stored.OpenKeys(t.Context(), b.Store, masters())
		b.refused(err, seal.ErrNoMaster)
		m := newMaster(t)
		all := make([]*stored.Keys, 4) // processes that start at once
		var wg sync.WaitGroup
		for i := range all {
			p := b.process()
			wg.Go(func() {
				k, err := stored.OpenKeys(t.Context(), p.Store, masters(m))
				if err != nil {
					t.Error(err)
				}
				all[i] = k
			})
		}
		wg.Wait()
		for i, k := range all {
			sealed, err := k.Seal(t.Context(), "t", "r", []byte("x"))
			b.must(err)
			for _, other := range all {
				if got, err := other.Open(t.Context(), "t", "r", sealed); string(got) != "x" || err != nil {
					t.Errorf("process %d: %q (%v)", i, got, err)
				}
			}
		}
		if has, err := b.HasKeys(t.Context()); !has || err != nil {
			t.Errorf("%v, %v", has, err)
		}
	})
}

func TestWrongMaster(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		ctx := t.Context()
		good, wrong := newMaster(t), newMaster(t)
		b.keys(good)
		_, err := stored.OpenKeys(ctx, b.Store, masters(wrong))
		b.refused(err, seal.ErrMaster)
		if !strings.Contains(err.Error(), good.ID()) || !strings.Contains(err.Error(), wrong.ID()) {
			t.Errorf("which master key is wanted is not said: %v", err)
		}
		_, err = b.keys(wrong, good).Rotate(ctx, nil)
		b.must(err)
		_, err = b.keys(wrong).Rotate(ctx, nil)
		b.must(err)
		lost := errors.New("the file is gone")
		_, err = stored.OpenKeys(ctx, b.Store, func(context.Context) ([]*seal.Master, error) { return nil, lost })
		b.refused(err, lost)
	})
}

// TestStale: what was sealed before a rotation and is stored after it is stored under the
// new key, or, by who has no keys, not at all.
func TestStale(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		m := newMaster(t)
		server, command := b.keys(m), b.process()
		u := b.user("ann", identity.Trader)
		b.apiKey(server, u.ID, "before")
		_, err := command.keys(m).Rotate(t.Context(), nil)
		b.must(err)
		sealed, err := server.Seal(t.Context(), stored.TableAPIKeys, "bare", []byte("x")) // still under the first
		b.must(err)
		bare := b.process()
		b.refused(bare.CreateKey(t.Context(), &identity.APIKey{ID: "bare", Owner: u.ID, Kind: identity.HMACSHA256, Secret: sealed}), stored.ErrStale)
		b.apiKey(server, u.ID, "after")
		b.sign(server, "after")
		if got := b.under(); len(got) != 1 || got[2] != 3 {
			t.Errorf("secrets by version: %v", got)
		}
		b.opens(server)
		b.opens(command.keys(m))
	})
}

func TestRotate(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		ctx := t.Context()
		m := newMaster(t)
		k := b.keys(m)
		u := b.user("ann", identity.Trader)
		const n = 150 // more than are read at a time, twice
		for i := range n {
			b.apiKey(k, u.ID, fmt.Sprintf("k%03d", i))
		}
		b.sign(k, "s1")
		_, err := b.RevokeKey(ctx, "k007")
		b.must(err)
		steps := map[string]int{}
		var out stored.Rotation
		b.rises(true, func() {
			out, err = k.Rotate(ctx, func(p stored.Progress) { steps[p.Step] = p.Done })
			b.must(err)
		})
		if out.Version != 2 || out.Resumed || out.Resealed != 0 || out.Rewrapped != n || out.Verified != n || out.Deleted != 1 {
			t.Errorf("%+v", out)
		}
		if steps[stored.StepNew] != 1 || steps[stored.StepRewrap] != n || steps[stored.StepVerify] != n || steps[stored.StepDelete] != 1 {
			t.Errorf("%v", steps)
		}
		if got := b.under(); got[2] != n || len(got) != 1 {
			t.Errorf("%v", got)
		}
		if got := b.opens(b.process().keys(m)); got != n {
			t.Errorf("%d secrets open", got)
		}
	})
}

// TestRotateExcludes: while one rotates, another does not, and the one is not disturbed.
func TestRotateExcludes(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		m := newMaster(t)
		k, other := b.keys(m), b.process().keys(m)
		b.sign(k, "s1")
		asked := 0
		_, err := k.Rotate(t.Context(), func(stored.Progress) {
			asked++
			_, err := other.Rotate(t.Context(), nil)
			b.refused(err, stored.ErrRotating)
		})
		b.must(err)
		if asked < 4 {
			t.Errorf("%d steps", asked)
		}
		_, err = other.Rotate(t.Context(), nil)
		b.must(err)
	})
}

// TestRotateMeetsDamage: nothing is deleted while a secret does not open; a key that
// cannot be saved can be revoked.
func TestRotateMeetsDamage(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		ctx := t.Context()
		m := newMaster(t)
		k := b.keys(m)
		u := b.user("ann", identity.Trader)
		for _, id := range []string{"a", "bad", "short", "moved", "z"} {
			b.apiKey(k, u.ID, id)
		}
		for _, sql := range []string{"UPDATE api_keys SET secret = (SELECT secret FROM api_keys WHERE id = 'a') WHERE id = 'bad'",
			"UPDATE api_keys SET secret = substr(secret, 1, 3) WHERE id = 'short'"} {
			_, err := b.db.ExecContext(ctx, sql)
			b.must(err)
		}
		for range 2 {
			out, err := k.Rotate(ctx, nil)
			b.refused(err, seal.ErrOpen)
			b.refused(err, seal.ErrFormat)
			if err == nil || !strings.Contains(err.Error(), `"bad"`) || !strings.Contains(err.Error(), `"short"`) || strings.Contains(err.Error(), `"z"`) || out.Version != 2 {
				t.Errorf("%v", err)
			}
		}
		var versions int
		b.must(b.db.QueryRowContext(ctx, "SELECT count(*) FROM key_versions").Scan(&versions))
		if versions != 2 {
			t.Errorf("there are %d keys", versions)
		}
		for _, id := range []string{"bad", "short"} {
			_, err := b.RevokeKey(ctx, id)
			b.must(err)
		}
		out, err := k.Rotate(ctx, nil)
		b.must(err)
		if !out.Resumed || out.Version != 2 || out.Deleted != 1 || b.opens(k) != 3 {
			t.Errorf("%+v", out)
		}
	})
}

// TestNewMaster: with a new master key, what there is of keys is sealed under it first, so
// that from then on it is enough.
func TestNewMaster(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		old, next := newMaster(t), newMaster(t)
		u := b.user("ann", identity.Trader)
		b.apiKey(b.keys(old), u.ID, "k1")
		var steps []string
		k, err := stored.OpenKeys(t.Context(), b.Store, masters(next, old))
		b.must(err)
		out, err := k.Rotate(t.Context(), func(p stored.Progress) {
			steps = append(steps, p.Step)
			if got := b.opens(b.keys(next)); got != 1 {
				t.Errorf("%s: %d secrets open with the new master key alone", p.Step, got)
			}
		})
		b.must(err)
		if out.Resealed != 1 || len(steps) != 5 || steps[0] != stored.StepMaster {
			t.Errorf("%+v, %v", out, steps)
		}
	})
}

// TestRotateDeletesLast: what comes under the old key past every check, as by a program
// that knows nothing of rotations, keeps that key.
func TestRotateDeletesLast(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		ctx := t.Context()
		m := newMaster(t)
		k := b.keys(m)
		u := b.user("ann", identity.Trader)
		b.apiKey(k, u.ID, "k1")
		sealed, err := k.Seal(t.Context(), stored.TableAPIKeys, "k1", []byte(secretOf("k1")))
		b.must(err)
		update := "UPDATE api_keys SET secret = ? WHERE id = 'k1'"
		if b.dialect == migrate.Postgres {
			update = strings.Replace(update, "?", "$1", 1)
		}
		out, err := k.Rotate(ctx, func(p stored.Progress) {
			if p.Step == stored.StepVerify {
				_, err := b.db.ExecContext(ctx, update, []byte(sealed))
				b.must(err)
			}
		})
		if err == nil || !strings.Contains(err.Error(), "run it again") || out.Deleted != 0 {
			t.Errorf("%+v, %v", out, err)
		}
		if b.opens(b.fresh().keys(m)) != 1 {
			t.Error("the secret is lost")
		}
		if out, err = k.Rotate(ctx, nil); err != nil || !out.Resumed || out.Rewrapped != 1 || out.Deleted != 1 {
			t.Errorf("%+v, %v", out, err)
		}
	})
}
