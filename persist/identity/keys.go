package identity

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"qcat/core"
	"qcat/core/identity"
	"qcat/persist/seal"
)

// The tables with sealed columns, as secrets are bound to them. The row is the key's ID.
const (
	TableAPIKeys     = "api_keys"
	TableSigningKeys = "signing_keys"
)

// ErrStale is of a secret that was sealed under a key that is being replaced, stored by
// who has no Keys to wrap it anew.
var ErrStale = errors.New("the secret was sealed under a key that is not the present one")

// Keys are the key-encryption keys, opened, and with them the way to seal and open
// secrets. Any goroutine. See OpenKeys.
type Keys struct {
	store   *Store
	masters Masters

	mu      sync.RWMutex
	ring    map[uint32]*seal.KEK
	present uint32
}

// kekRow is a row of key_versions.
type kekRow struct {
	version uint32
	sealed  identity.Sealed
}

func (t *tx) keks() ([]kekRow, error) {
	return list(t, func(r *kekRow) ([]any, func() error) {
		return []any{&r.version, (*[]byte)(&r.sealed)}, nil
	}, "SELECT version, sealed FROM key_versions ORDER BY version")
}

// HasKeys reports whether there is a key-encryption key: then the master key that it is
// sealed under must be found, and none be made.
func (s *Store) HasKeys(ctx context.Context) (has bool, err error) {
	err = s.view(ctx, "has keys", func(t *tx) error {
		n, err := t.count("SELECT count(*) FROM key_versions")
		has = n > 0
		return err
	})
	return has, err
}

// OpenKeys reads the key-encryption keys, and makes the first where there is none. From
// then on s wraps what is to be stored and was sealed under one before.
//
// Errors: seal.ErrMaster when the present one is sealed under none of the master keys,
// seal.ErrOpen and ErrFormat when its row was changed; those of masters and the database.
func OpenKeys(ctx context.Context, s *Store, masters Masters) (*Keys, error) {
	k := &Keys{store: s, masters: masters, ring: map[uint32]*seal.KEK{}}
	has, err := s.HasKeys(ctx)
	if err != nil {
		return nil, err
	}
	if !has {
		if err := k.makeFirst(ctx); err != nil {
			return nil, err
		}
	}
	if err := k.reload(ctx); err != nil {
		return nil, err
	}
	s.keys.Store(k)
	return k, nil
}

// makeFirst adds the first version, unless another process was faster.
func (k *Keys) makeFirst(ctx context.Context) error {
	masters, err := k.ask(ctx)
	if err != nil {
		return err
	}
	return k.store.change(ctx, "make the first key", func(t *tx) error {
		n, err := t.count("SELECT count(*) FROM key_versions")
		if err != nil {
			return err
		}
		if n > 0 {
			return errUnchanged
		}
		return t.addKEK(masters[0], 1)
	})
}

// addKEK makes a key-encryption key.
func (t *tx) addKEK(m *seal.Master, version uint32) error {
	_, err := t.exec("INSERT INTO key_versions (version, sealed, created) VALUES ($1, $2, $3)",
		int64(version), m.SealKEK(seal.NewKEK(version)), t.s.clock.Now())
	return err
}

// ask returns the master keys, at least one.
func (k *Keys) ask(ctx context.Context) ([]*seal.Master, error) {
	masters, err := k.masters(ctx)
	if err == nil && len(masters) == 0 {
		err = seal.ErrNoMaster
	}
	return masters, err
}

// reload opens the versions that are not in the ring yet. Those that are deleted stay in
// it: somebody may hold a secret that was read before.
func (k *Keys) reload(ctx context.Context) error {
	var rows []kekRow
	if err := k.store.view(ctx, "keys", func(t *tx) (err error) {
		rows, err = t.keks()
		return err
	}); err != nil {
		return err
	}
	return k.learn(ctx, rows)
}

// learn opens rows. What can be opened is learnt, whatever became of the others.
func (k *Keys) learn(ctx context.Context, rows []kekRow) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var masters []*seal.Master
	var errs []error
	for _, r := range rows {
		if k.ring[r.version] == nil {
			if masters == nil {
				var err error
				if masters, err = k.ask(ctx); err != nil {
					return err
				}
			}
			kek, _, err := openKEK(masters, r)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			k.ring[r.version] = kek
		}
		k.present = max(k.present, r.version)
	}
	return errors.Join(errs...)
}

// openKEK tries the master keys in turn, and says which it was. An error is the first
// that is not about another master key.
func openKEK(masters []*seal.Master, r kekRow) (kek *seal.KEK, by *seal.Master, err error) {
	for _, m := range masters {
		kek, e := m.OpenKEK(r.version, r.sealed)
		if e == nil {
			return kek, m, nil
		}
		if err == nil || errors.Is(err, seal.ErrMaster) {
			err = e
		}
	}
	return nil, nil, err
}

// key is a version, read from the database when it is new. Errors: seal.ErrVersion when
// it is not there; those of reload.
func (k *Keys) key(ctx context.Context, version uint32) (*seal.KEK, error) {
	if kek := k.known(version); kek != nil {
		return kek, nil
	}
	err := k.reload(ctx)
	if kek := k.known(version); kek != nil {
		return kek, nil
	}
	if err == nil {
		err = fmt.Errorf("identity: %w: %d, which is not there", seal.ErrVersion, version)
	}
	return nil, err
}

func (k *Keys) known(version uint32) *seal.KEK {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.ring[version]
}

// Seal encrypts a secret for a row under the newest key that is known here, without
// asking the database. Errors: seal.ErrSize.
func (k *Keys) Seal(_ context.Context, table, row string, secret []byte) (identity.Sealed, error) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.ring[k.present].Seal(table, row, secret)
}

// Open decrypts the secret of a row, whichever version it is under. Errors: those of
// seal's Open, also seal.ErrMaster; those of the database when the version is not known.
func (k *Keys) Open(ctx context.Context, table, row string, sealed identity.Sealed) ([]byte, error) {
	version, err := seal.Version(sealed)
	if err != nil {
		return nil, fmt.Errorf("identity: %s %q: %w", table, row, err)
	}
	kek, err := k.key(ctx, version)
	if err != nil {
		return nil, err
	}
	return kek.Open(table, row, sealed)
}

// present returns sealed as it may be stored: under the newest version there is. t holds
// the row of identity_version, so that no newer one comes before it is committed.
func (t *tx) present(table, row string, sealed identity.Sealed) (identity.Sealed, error) {
	have, err := seal.Version(sealed)
	if err != nil {
		return nil, err
	}
	var newest uint32
	if err := t.get([]any{&newest}, "SELECT coalesce(max(version), 0) FROM key_versions"); err != nil || have == newest {
		return sealed, err
	}
	k := t.s.keys.Load()
	if k == nil {
		return nil, ErrStale
	}
	rows, err := t.keks()
	if err != nil {
		return nil, err
	}
	if err := k.learn(t.ctx, rows); err != nil {
		return nil, err
	}
	from, to := k.known(have), k.known(newest)
	if from == nil || to == nil {
		return nil, ErrStale
	}
	return to.Rewrap(from, table, row, sealed)
}

// now is the store's clock.
func (k *Keys) now() core.Nanos { return k.store.clock.Now() }
