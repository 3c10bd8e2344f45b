package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"hash"
	"sync/atomic"
)

// MinSecret is the shortest HMAC secret that is taken, in bytes: 128 bits.
const MinSecret = 16

// hmacKey verifies HMAC-SHA256. The two blocks that depend on the secret alone are
// hashed once: a machine that was reset goes on from there. Machines that nobody uses
// wait in idle; when more goroutines verify by one key at once, they clone one.
type hmacKey struct {
	first *machine // never used itself, cloned
	idle  [4]atomic.Pointer[machine]
}

// machine is what one goroutine at a time verifies with.
type machine struct {
	mac  hash.Hash // reset
	head []byte    // signed bytes before the body
	sum  [sha256.Size]byte
	got  [sha256.Size]byte
}

// NewHMAC returns the verifier of a secret, which it does not keep. Errors: ErrKey.
func NewHMAC(secret []byte) (Verifier, error) {
	if len(secret) < MinSecret {
		return nil, ErrKey
	}
	mac := hmac.New(sha256.New, secret)
	mac.Reset() // keeps the state behind the secret
	k := &hmacKey{first: &machine{mac: mac}}
	if _, err := k.clone(); err != nil {
		return nil, err
	}
	return k, nil
}

func (k *hmacKey) Form() Form { return HexHMAC }

func (k *hmacKey) clone() (*machine, error) {
	cloner, ok := k.first.mac.(hash.Cloner)
	if !ok {
		return nil, fmt.Errorf("%w: its hash cannot be cloned", ErrKey)
	}
	mac, err := cloner.Clone()
	if err != nil {
		return nil, err
	}
	return &machine{mac: mac, head: make([]byte, 0, 512)}, nil
}

func (k *hmacKey) Verify(r *Request) bool {
	if len(r.Signature) != hexLen {
		return false
	}
	m := k.take()
	if m == nil {
		return false
	}
	m.head = r.appendHead(m.head[:0])
	_, _ = m.mac.Write(m.head)
	_, _ = m.mac.Write(r.Body)
	m.mac.Sum(m.sum[:0])
	ok := sameHex(r.Signature, m.sum[:], m.got[:])
	m.mac.Reset()
	k.give(m)
	return ok
}

// take returns a machine that nobody else has, nil if there cannot be one.
func (k *hmacKey) take() *machine {
	for i := range k.idle {
		if m := k.idle[i].Swap(nil); m != nil {
			return m
		}
	}
	m, err := k.clone()
	if err != nil {
		return nil
	}
	return m
}

func (k *hmacKey) give(m *machine) {
	for i := range k.idle {
		if k.idle[i].CompareAndSwap(nil, m) {
			return
		}
	}
}
