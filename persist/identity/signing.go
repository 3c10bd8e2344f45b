package identity

import (
	"context"
	"fmt"

	"qcat/core"
	"qcat/core/identity"
)

const signingColumns = "id, secret, created, expires"

// signingFields are the places of signingColumns.
func signingFields(k *identity.SigningKey) ([]any, func() error) {
	return []any{&k.ID, (*[]byte)(&k.Secret), &k.Created, &k.Expires}, nil
}

func (t *tx) signingKeys(rest string, args ...any) ([]identity.SigningKey, error) {
	return list(t, signingFields, "SELECT "+signingColumns+" FROM signing_keys "+rest, args...)
}

// Sign implements identity.Store. Keys that have expired are deleted. A secret that was
// sealed under a key that a rotation is replacing is stored under the present one.
// Errors: identity.ErrExists; ErrStale.
func (s *Store) Sign(ctx context.Context, k *identity.SigningKey, retire int64) error {
	made, now := *k, s.clock.Now()
	if made.Created == 0 {
		made.Created = now
	}
	err := s.change(ctx, "sign", func(t *tx) (err error) {
		if made.Secret, err = t.present(TableSigningKeys, made.ID, made.Secret); err != nil {
			return err
		}
		if _, err = t.exec("UPDATE signing_keys SET expires = $1 WHERE expires = 0 OR expires > $1", core.Nanos(retire)); err != nil {
			return err
		}
		if _, err = t.exec("DELETE FROM signing_keys WHERE expires > 0 AND expires <= $1", now); err != nil {
			return err
		}
		n, err := t.exec("INSERT INTO signing_keys ("+signingColumns+") VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
			made.ID, made.Secret, made.Created, made.Expires)
		if err == nil && n == 0 {
			return fmt.Errorf("the signing key %w", identity.ErrExists)
		}
		return err
	})
	if err == nil {
		*k = made
	}
	return err
}
