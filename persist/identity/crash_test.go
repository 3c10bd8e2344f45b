package identity_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"qcat/core/identity"
	stored "qcat/persist/identity"
	"qcat/persist/seal"
)

var errKilled = errors.New("killed")

// fresh is a process that has just started; it shares b's connections.
func (b *bed) fresh() *bed {
	p := *b
	p.Store = stored.New(b.dialect, b.db, b.clock)
	return &p
}

// dying is a process that is killed before its n-th step with the database: neither
// that step nor any after it is done.
func (b *bed) dying(n int) *bed {
	p := b.fresh()
	p.Before(func(string) error {
		if n--; n < 0 {
			return errKilled
		}
		return nil
	})
	return p
}

// TestRotateKilledAnywhere kills a rotation before each of its steps, each time with a new
// master key as well. Whatever was done: all secrets open, a running server goes on and
// stores more, and running it again ends it.
func TestRotateKilledAnywhere(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		ctx := t.Context()
		u := b.user("ann", identity.Trader)
		old := newMaster(t)
		var file atomic.Pointer[seal.Master] // what the running server finds as its master key
		file.Store(old)
		server := b.process()
		running, err := stored.OpenKeys(ctx, server.Store, func(context.Context) ([]*seal.Master, error) { return []*seal.Master{file.Load()}, nil })
		b.must(err)
		b.apiKey(running, u.ID, "kept")
		b.sign(running, "kept")
		server.apiKey(running, u.ID, "n-1")
		const secrets = 3
		whole := func(when string, k *stored.Keys) {
			t.Helper()
			if got := b.opens(k); got != secrets || t.Failed() {
				t.Fatalf("%s: %d secrets open", when, got)
			}
		}
		for n, killed := 0, true; killed; n++ {
			when := fmt.Sprintf("killed at step %d", n)
			next := newMaster(t)
			_, err := rotate(ctx, b.dying(n), next, old)
			if killed = errors.Is(err, errKilled); !killed {
				b.must(err)
			}
			whole(when, b.fresh().keys(next, old))
			file.Store(next)
			// The server replaces a secret now, and seals it as it knows.
			_, err = server.RevokeKey(ctx, fmt.Sprint("n", n-1))
			b.must(err)
			server.apiKey(running, u.ID, fmt.Sprint("n", n))
			whole(when+", served on", running)

			when += ", run again"
			out, err := rotate(ctx, b.fresh(), next, old)
			if err != nil {
				t.Fatalf("%s: %v", when, err)
			}
			if got := b.under(); len(got) != 1 || got[out.Version] != secrets {
				t.Fatalf("%s: secrets by version %v, %+v", when, got, out)
			}
			whole(when, b.fresh().keys(next))
			whole(when+", served on", running)
			if _, err := stored.OpenKeys(ctx, b.fresh().Store, masters(old)); !errors.Is(err, seal.ErrMaster) {
				t.Fatalf("%s: the former master key opens something: %v", when, err)
			}
			old = next
			if !killed && n < 25 {
				t.Errorf("a rotation has %d steps only", n)
			}
		}
	})
}

// rotate runs a rotation as a command does.
func rotate(ctx context.Context, p *bed, list ...*seal.Master) (stored.Rotation, error) {
	k, err := stored.OpenKeys(ctx, p.Store, masters(list...))
	if err != nil {
		return stored.Rotation{}, err
	}
	return k.Rotate(ctx, nil)
}

// TestRotateCancelled cancels the context at each report of progress instead, with the
// statements that are under way.
func TestRotateCancelled(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		m := newMaster(t)
		k := b.keys(m)
		u := b.user("ann", identity.Trader)
		for i := range 3 {
			b.apiKey(k, u.ID, fmt.Sprint("k", i))
		}
		for stop, ended := 1, false; !ended; stop++ {
			ctx, cancel := context.WithCancel(t.Context())
			steps := 0
			_, err := b.fresh().keys(m).Rotate(ctx, func(stored.Progress) {
				if steps++; steps == stop {
					cancel()
				}
			})
			cancel()
			if ended = steps < stop; err != nil && !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			if got := b.opens(b.fresh().keys(m)); got != 3 {
				t.Fatalf("%d secrets", got)
			}
		}
		if _, err := b.fresh().keys(m).Rotate(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if got := b.under(); len(got) != 1 {
			t.Errorf("%v", got)
		}
	})
}

// TestRotateUnderLoad rotates again and again while servers store, replace, revoke and
// open secrets: none is ever lost.
func TestRotateUnderLoad(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		m := newMaster(t)
		keys := b.keys(m)
		u := b.user("ann", identity.Trader)
		b.sign(keys, "s0")
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		var wg sync.WaitGroup
		for i := range 2 {
			p := b.process()
			k := p.keys(m)
			wg.Go(func() {
				for n := 0; ctx.Err() == nil; n++ {
					id := fmt.Sprintf("p%d-%d", i, n)
					p.apiKey(k, u.ID, id)
					p.sign(k, id)
					if n%2 == 0 {
						if _, err := p.RevokeKey(t.Context(), id); err != nil {
							t.Error(err)
						}
					}
					p.opens(k)
				}
			})
		}
		for range 5 {
			if _, err := keys.Rotate(t.Context(), nil); err != nil {
				t.Error(err)
			}
		}
		stop()
		wg.Wait()
		out, err := keys.Rotate(t.Context(), nil)
		b.must(err)
		if got := b.under(); len(got) != 1 || got[out.Version] != out.Verified {
			t.Errorf("%v, %+v", got, out)
		}
		b.opens(b.fresh().keys(m))
	})
}
