package identity

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"qcat/core"
	"qcat/core/identity"
)

// ErrKeyParts is of an API key that has not exactly the one of Secret and Public that its
// kind needs.
var ErrKeyParts = errors.New("an HMAC key has a sealed secret, an Ed25519 key a public key, and neither has both")

const apiKeyColumns = "id, owner, name, kind, secret, public, permissions, scope, addresses, expires, revoked, last_used, created, hands" //nolint:gosec // names of columns

// apiKeyFields are the places of apiKeyColumns.
func apiKeyFields(k *identity.APIKey) ([]any, func() error) {
	var scope, addresses, hands []byte
	return []any{&k.ID, &k.Owner, &k.Name, &k.Kind, (*[]byte)(&k.Secret), &k.Public, &k.Permissions, &scope, &addresses, &k.Expires, &k.Revoked, &k.LastUsed, &k.Created, &hands},
		func() error {
			return errors.Join(fromJSON(scope, &k.Scope), fromJSON(addresses, &k.Addresses), handsFrom(hands, &k.Hands))
		}
}

func (t *tx) apiKeys(rest string, args ...any) ([]identity.APIKey, error) {
	return list(t, apiKeyFields, "SELECT "+apiKeyColumns+" FROM api_keys "+rest, args...)
}

// CreateKey implements identity.Store. A secret that was sealed under a key that a
// rotation is replacing is stored under the present one. Errors: identity.ErrNotFound
// when there is no such owner, ErrExists, ErrKeyParts; ErrStale.
func (s *Store) CreateKey(ctx context.Context, k *identity.APIKey) error {
	const what = "create key"
	hmac, ed := k.Kind == identity.HMACSHA256, k.Kind == identity.Ed25519
	if !hmac && !ed || hmac != (len(k.Secret) > 0) || ed != (len(k.Public) > 0) || k.ID == "" {
		return fmt.Errorf("identity: %s: %w", what, ErrKeyParts)
	}
	made := *k
	if made.Created == 0 {
		made.Created = s.clock.Now()
	}
	err := s.change(ctx, what, func(t *tx) error { return t.createKey(&made) })
	if err == nil {
		*k = made
	}
	return err
}

func (t *tx) createKey(k *identity.APIKey) error {
	scope, err := toJSON(k.Scope)
	if err != nil {
		return err
	}
	addresses, err := toJSON(append([]netip.Prefix{}, k.Addresses...)) // [] and not null
	if err != nil {
		return err
	}
	hands, err := handsJSON(k.Hands)
	if err != nil {
		return err
	}
	owners, err := t.count("SELECT count(*) FROM users WHERE id = $1", k.Owner)
	if err != nil {
		return err
	}
	if owners == 0 {
		return fmt.Errorf("the owner is %w", identity.ErrNotFound)
	}
	if len(k.Secret) > 0 {
		if k.Secret, err = t.present(TableAPIKeys, k.ID, k.Secret); err != nil {
			return err
		}
	}
	n, err := t.exec("INSERT INTO api_keys ("+apiKeyColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING",
		k.ID, k.Owner, k.Name, k.Kind, k.Secret, k.Public, k.Permissions, scope, addresses, k.Expires, k.Revoked, k.LastUsed, k.Created, hands)
	if err == nil && n == 0 {
		return fmt.Errorf("%q %w", k.ID, identity.ErrExists)
	}
	return err
}

// Keys implements identity.Store: the oldest first.
func (s *Store) Keys(ctx context.Context) (all []identity.APIKey, err error) {
	err = s.view(ctx, "keys", func(t *tx) (err error) {
		all, err = t.apiKeys("ORDER BY created, id")
		return err
	})
	return all, err
}

// RevokeKey implements identity.Store: for good, and what was sealed of it is deleted.
// One that is revoked already stays as it is. Errors: identity.ErrNotFound.
func (s *Store) RevokeKey(ctx context.Context, id string) (k identity.APIKey, err error) {
	err = s.change(ctx, "revoke key", func(t *tx) (err error) {
		if k, err = one(t.apiKeys("WHERE id = $1", id)); err != nil {
			return err
		}
		if k.Revoked != 0 {
			return errUnchanged
		}
		k.Revoked, k.Secret = s.clock.Now(), nil
		_, err = t.exec("UPDATE api_keys SET revoked = $1, secret = NULL WHERE id = $2", k.Revoked, id)
		return err
	})
	return k, err
}

// UseKeys implements identity.Store. A time never goes back; keys that are not there are
// passed over.
func (s *Store) UseKeys(ctx context.Context, used map[string]int64) error {
	if len(used) == 0 {
		return nil
	}
	return s.note(ctx, "use keys", func(t *tx) error {
		for _, id := range slices.Sorted(maps.Keys(used)) { // in one order, lest two wait for one another
			if _, err := t.exec("UPDATE api_keys SET last_used = $1 WHERE id = $2 AND last_used < $1", core.Nanos(used[id]), id); err != nil {
				return err
			}
		}
		return nil
	})
}
