package signature

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"slices"
	"sync"
)

// ErrKey is a key that nothing can be verified by.
var ErrKey = errors.New("the key has not the length that its kind has, or is of low order")

// Form is how a signature is written, which says what made it.
type Form uint8

const (
	NoForm        Form = iota // neither: it is wrong
	HexHMAC                   // 64 hexadecimal digits
	Base64Ed25519             // 88 characters of standard base64, two of them padding
)

const (
	hexLen    = 2 * sha256.Size
	base64Len = (ed25519.SignatureSize + 2) / 3 * 4
)

// FormOf looks at the length alone.
func FormOf(sig []byte) Form {
	switch len(sig) {
	case hexLen:
		return HexHMAC
	case base64Len:
		return Base64Ed25519
	}
	return NoForm
}

// Verifier tells whether a request was signed with one key. Any goroutine.
type Verifier interface {
	// Form is the only one that Verify takes.
	Form() Form
	// Verify compares in constant time. A signature of another form is wrong.
	Verify(r *Request) bool
}

// edKey verifies Ed25519.
type edKey struct{ public ed25519.PublicKey }

// lowOrder are the points of order 1, 2, 4 and 8 in every spelling, without the sign: as public
// keys they verify signatures that anybody can make.
var lowOrder = [...][ed25519.PublicKeySize]byte{
	point("0000000000000000000000000000000000000000000000000000000000000000"),
	point("0100000000000000000000000000000000000000000000000000000000000000"),
	point("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
	point("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
	point("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
	point("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
	point("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
}

func point(digits string) (p [ed25519.PublicKeySize]byte) {
	if n, err := hex.Decode(p[:], []byte(digits)); err != nil || n != len(p) {
		panic("signature: a point is mistyped")
	}
	return p
}

// weak reports whether a public key is of low order.
func weak(public []byte) bool {
	p := [ed25519.PublicKeySize]byte(public)
	p[len(p)-1] &= 0x7f // the sign
	return slices.Contains(lowOrder[:], p)
}

// NewEd25519 returns the verifier of a public key of 32 bytes. Errors: ErrKey, also of a key
// that nobody needs the private part of.
func NewEd25519(public []byte) (Verifier, error) {
	if len(public) != ed25519.PublicKeySize || weak(public) {
		return nil, ErrKey
	}
	return &edKey{public: append(ed25519.PublicKey(nil), public...)}, nil
}

func (k *edKey) Form() Form { return Base64Ed25519 }

// messages are buffers for signed bytes: Ed25519 wants them in one piece.
var messages = sync.Pool{New: func() any { return new(message) }}

type message struct {
	bytes []byte
	sig   [base64Len]byte // decoded in place
}

// keepMessage is the largest buffer that goes back to the pool.
const keepMessage = 128 << 10

func (k *edKey) Verify(r *Request) bool {
	if len(r.Signature) != base64Len {
		return false
	}
	m := messages.Get().(*message)
	n, err := strictBase64.Decode(m.sig[:], r.Signature)
	m.bytes = r.Append(m.bytes[:0])
	ok := err == nil && n == ed25519.SignatureSize && ed25519.Verify(k.public, m.bytes, m.sig[:n])
	if cap(m.bytes) <= keepMessage {
		messages.Put(m)
	}
	return ok
}

// strictBase64 refuses bits that nothing is made of.
var strictBase64 = base64.StdEncoding.Strict()

// Decoys returns verifiers of keys that nobody has: a request whose key is unknown is
// verified by the one of its signature's form, so that it costs what any other does.
func Decoys() (mac, ed Verifier, err error) {
	secret := make([]byte, sha256.Size)
	_, _ = rand.Read(secret) // it never fails
	public, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, nil, err
	}
	if mac, err = NewHMAC(secret); err != nil {
		return nil, nil, err
	}
	ed, err = NewEd25519(public)
	return mac, ed, err
}

// sameHex reports, in constant time, whether text is sum in hexadecimal; scratch has
// the length of sum.
func sameHex(text, sum, scratch []byte) bool {
	if _, err := hex.Decode(scratch, text); err != nil {
		return false
	}
	return subtle.ConstantTimeCompare(scratch, sum) == 1
}
