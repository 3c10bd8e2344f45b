package token

import (
	"crypto/rand"
	"errors"
	"slices"
	"sync/atomic"

	"qcat/core"
)

// Errors of this package. ErrInvalid is wrapped by what is wrong with a token.
var (
	ErrInvalid = errors.New("the token is not valid")
	ErrExpired = errors.New("the token has expired")
	// ErrNoKey is a ring in which no key signs.
	ErrNoKey = errors.New("there is no key to sign tokens with")
)

// SecretSize is that of a signing key, in bytes.
const SecretSize = 32

// Key is a signing key in the clear.
type Key struct {
	ID      string
	Secret  []byte
	Created core.Nanos
	Expires core.Nanos // 0: not before it is followed
}

// NewSecret returns a random secret.
func NewSecret() []byte {
	b := make([]byte, SecretSize)
	_, _ = rand.Read(b) // it never fails
	return b
}

// Ring is the keys that verify, of which the newest without an end signs. Any goroutine.
type Ring struct{ keys atomic.Pointer[keys] }

type keys struct {
	all        []Key
	signer     *Key
	generation uint64
}

// Set replaces the keys. A key with a short secret is left out: it neither signs nor verifies.
func (r *Ring) Set(all []Key) {
	next := &keys{all: slices.Clone(all), generation: r.Generation() + 1}
	next.all = slices.DeleteFunc(next.all, func(k Key) bool { return len(k.Secret) < SecretSize || k.ID == "" })
	for i := range next.all {
		k := &next.all[i]
		if k.Expires == 0 && (next.signer == nil || k.Created > next.signer.Created || (k.Created == next.signer.Created && k.ID > next.signer.ID)) {
			next.signer = k
		}
	}
	r.keys.Store(next)
}

// Generation rises with each Set: what was verified before one may no longer verify.
func (r *Ring) Generation() uint64 {
	if k := r.keys.Load(); k != nil {
		return k.generation
	}
	return 0
}

// Signs reports whether there is a key to sign with.
func (r *Ring) Signs() bool {
	k := r.keys.Load()
	return k != nil && k.signer != nil
}

// find returns the key of an id that has not expired.
func (k *keys) find(id string, now core.Nanos) *Key {
	for i := range k.all {
		if k.all[i].ID == id && (k.all[i].Expires == 0 || now < k.all[i].Expires) {
			return &k.all[i]
		}
	}
	return nil
}
