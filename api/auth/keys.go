package auth

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/netip"
	"slices"

	"qcat/api/auth/signature"
	"qcat/core"
	"qcat/core/identity"
)

// NewKey is an API key to be.
type NewKey struct {
	Owner       string // name of the user
	Name        string // what it is for
	Public      []byte // of an Ed25519 key; none: a secret is made
	Permissions identity.Permission
	Scope       identity.Scope
	Addresses   []netip.Prefix // none: from everywhere
	Expires     core.Nanos     // 0: never
}

const (
	maxKeyName      = 64 // bytes
	maxKeyAddresses = 64
	secretSize      = 32 // bytes
)

// CreateKey creates an API key. Without a public key it makes a secret of 256 random bits, which
// is returned as text and can never be read again: the bytes of that text are the key
// of the HMAC. Errors: ErrNotFound, ErrValue, ErrForbidden and ErrScope when the key
// would have more than its owner or its giver.
func (s *Service) CreateKey(ctx context.Context, by Principal, n NewKey) (k identity.APIKey, secret string, err error) {
	k, secret, err = s.createKey(ctx, by, &n)
	if err == nil && s.Directory != nil {
		s.Directory.settle(ctx)
	}
	target := n.Owner
	if k.ID != "" {
		target = k.ID
	}
	if err = s.record(ctx, by, "key.create", target, nil, viewKey(&k), err); err != nil {
		return identity.APIKey{}, "", err
	}
	return k, secret, nil
}

func (s *Service) createKey(ctx context.Context, by Principal, n *NewKey) (k identity.APIKey, secret string, err error) {
	if err = administer(by, &n.Scope); err != nil {
		return k, "", err
	}
	owner, err := s.Store.User(ctx, n.Owner)
	if err != nil {
		return k, "", err
	}
	now := s.Clock.Now()
	switch {
	case !by.Can(n.Permissions):
		return k, "", errNotGiven
	case !owner.Role.Permissions().Has(n.Permissions):
		return k, "", ErrForbidden.Saying("the owner does not have that permission")
	case !n.Scope.Within(&owner.Scope):
		return k, "", ErrScope.Saying("the owner does not have that scope")
	}
	if err = n.check(now); err != nil {
		return k, "", err
	}
	k = identity.APIKey{
		ID: randomID()[:26], Owner: owner.ID, Name: n.Name, Kind: identity.HMACSHA256, Permissions: n.Permissions | identity.Read, Scope: n.Scope,
		Addresses: plainPrefixes(n.Addresses), Expires: n.Expires, Created: now, Hands: by.hands(),
	}
	if n.Public != nil {
		k.Kind, k.Public = identity.Ed25519, slices.Clone(n.Public)
	} else {
		secret = newSecret()
		if k.Secret, err = s.Opener.Seal(ctx, KeyTable, k.ID, []byte(secret)); err != nil {
			return identity.APIKey{}, "", err
		}
	}
	if err = s.Store.CreateKey(ctx, &k); err != nil {
		return identity.APIKey{}, "", err
	}
	return k, secret, nil
}

// check says what is wrong with a key to be. Errors: ErrValue.
func (n *NewKey) check(now core.Nanos) error {
	switch {
	case len(n.Name) > maxKeyName:
		return ErrValue.Saying("the name of a key has 64 bytes at most")
	case len(n.Addresses) > maxKeyAddresses:
		return ErrValue.Saying("a key has 64 addresses at most")
	case slices.ContainsFunc(n.Addresses, func(p netip.Prefix) bool { return !p.IsValid() }):
		return ErrValue.Saying("an address is not one")
	case n.Expires != 0 && n.Expires <= now:
		return ErrValue.Saying("the key would have expired already")
	case n.Public != nil:
		if _, err := signature.NewEd25519(n.Public); err != nil {
			return ErrValue.Saying("an Ed25519 public key has 32 bytes, and is not of low order")
		}
	}
	return nil
}

// plainPrefixes writes prefixes as addresses are compared with them: an IPv4 network
// mapped into IPv6 is that network.
func plainPrefixes(in []netip.Prefix) (out []netip.Prefix) {
	for _, p := range in {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		out = append(out, p.Masked())
	}
	return out
}

func newSecret() string {
	b := make([]byte, secretSize)
	_, _ = rand.Read(b) // it never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// RevokeKey ends a key, for good and at once. Errors: ErrNotFound, ErrScope.
func (s *Service) RevokeKey(ctx context.Context, by Principal, id string) (identity.APIKey, error) {
	k, err := s.revokeKey(ctx, by, id)
	if err == nil && s.Directory != nil {
		s.Directory.endKey(id)
		s.Directory.settle(ctx)
	}
	before := k
	before.Revoked = 0
	return k, s.record(ctx, by, "key.revoke", id, viewKey(&before), viewKey(&k), err)
}

func (s *Service) revokeKey(ctx context.Context, by Principal, id string) (identity.APIKey, error) {
	if err := administer(by); err != nil {
		return identity.APIKey{}, err
	}
	all, err := s.Store.Keys(ctx)
	if err != nil {
		return identity.APIKey{}, err
	}
	at := slices.IndexFunc(all, func(k identity.APIKey) bool { return k.ID == id })
	if at < 0 {
		return identity.APIKey{}, identity.ErrNotFound
	}
	if err := administer(by, &all[at].Scope); err != nil {
		return identity.APIKey{}, err
	}
	return s.Store.RevokeKey(ctx, id)
}

// Keys lists the keys that the principal may administer and its own, revoked ones too,
// without their secrets.
func (s *Service) Keys(ctx context.Context, by Principal) ([]identity.APIKey, error) {
	if err := by.Ended(); err != nil {
		return nil, err
	}
	all, err := s.Store.Keys(ctx)
	if err != nil {
		return nil, refused(err)
	}
	seen := all[:0]
	for i := range all {
		own := by.User() != 0 && all[i].Owner == by.User()
		if k := &all[i]; own || administer(by, &k.Scope) == nil {
			k.Secret = nil
			seen = append(seen, *k)
		}
	}
	return seen, nil
}
