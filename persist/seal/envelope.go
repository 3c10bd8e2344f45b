package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"

	"qcat/core/identity"
)

// Errors. None of them says more of a secret than where it is stored.
var (
	// ErrFormat is of bytes that were never sealed here, or whose beginning or end is lost.
	ErrFormat = errors.New("not a sealed secret")
	// ErrOpen is of a secret that was changed, or that belongs to another row.
	ErrOpen = errors.New("the sealed secret was changed, or is another row's")
	// ErrVersion is of a secret under another version of the key-encryption key.
	ErrVersion = errors.New("sealed under another key version")
	// ErrMaster is of a key-encryption key under another master key.
	ErrMaster = errors.New("sealed under another master key")
	// ErrSize is of a secret that is longer than MaxSecret.
	ErrSize = errors.New("the secret is too long")
)

// MaxSecret is the longest secret in bytes.
const MaxSecret = 64 << 10

// Sizes in bytes.
const (
	keySize     = 32
	gcmOverhead = 12 + 16 // nonce and tag
	versionAt   = 1
	wrappedAt   = versionAt + 4
	secretAt    = wrappedAt + keySize + gcmOverhead
)

// The first byte of what is sealed.
const (
	formatSecret = 1
	formatKEK    = 2
)

// What the additional data begin with: which part is encrypted.
const (
	partDataKey = "qcat.seal.datakey"
	partSecret  = "qcat.seal.secret"
	partKEK     = "qcat.seal.kek"
)

// newAEAD is AES-256-GCM that puts a random nonce before what it seals.
func newAEAD(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("seal: " + err.Error()) // the key's length is wrong
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("seal: " + err.Error()) // AES has the block size that GCM wants
	}
	return aead
}

// bound is additional data: the part, and each text with its length before it, so
// that no two lists of texts are the same bytes.
func bound(part string, version uint32, texts ...string) []byte {
	b := append([]byte(part), 0)
	b = binary.BigEndian.AppendUint32(b, version)
	for _, t := range texts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(t))) //nolint:gosec // the name of a table, a row or a master key
		b = append(b, t...)
	}
	return b
}

// Version is the version of the KEK that a secret is under. Errors: ErrFormat.
func Version(sealed identity.Sealed) (uint32, error) {
	if len(sealed) < secretAt+gcmOverhead || sealed[0] != formatSecret {
		return 0, ErrFormat
	}
	return binary.BigEndian.Uint32(sealed[versionAt:]), nil
}

// Seal encrypts a secret for one row of one table. Errors: ErrSize.
func (k *KEK) Seal(table, row string, secret []byte) (identity.Sealed, error) {
	if len(secret) > MaxSecret {
		return nil, failed(table, row, fmt.Errorf("%w: %d bytes, at most %d", ErrSize, len(secret), MaxSecret))
	}
	var data [keySize]byte
	defer clear(data[:])
	_, _ = rand.Read(data[:]) // it never fails
	out := make([]byte, 0, secretAt+len(secret)+gcmOverhead)
	out = k.wrap(out, table, row, data[:])
	return newAEAD(data[:]).Seal(out, nil, secret, bound(partSecret, 0, table, row)), nil //nolint:gosec // it makes its nonce
}

// Open decrypts what Seal made for the same table and row. Errors: ErrFormat,
// ErrVersion, ErrOpen.
func (k *KEK) Open(table, row string, sealed identity.Sealed) ([]byte, error) {
	data, err := k.unwrap(table, row, sealed)
	if err != nil {
		return nil, failed(table, row, err)
	}
	defer clear(data)
	secret, err := newAEAD(data).Open(nil, nil, sealed[secretAt:], bound(partSecret, 0, table, row))
	if err != nil {
		return nil, failed(table, row, ErrOpen)
	}
	return secret, nil
}

// Rewrap is the secret that old sealed, under k: the data key is wrapped anew, and the
// secret must open. Errors: those of old.Open.
func (k *KEK) Rewrap(old *KEK, table, row string, sealed identity.Sealed) (identity.Sealed, error) {
	secret, err := old.Open(table, row, sealed) // else damage would get a new seal
	if err != nil {
		return nil, err
	}
	clear(secret)
	data, err := old.unwrap(table, row, sealed)
	if err != nil {
		return nil, failed(table, row, err)
	}
	defer clear(data)
	out := make([]byte, 0, len(sealed))
	return append(k.wrap(out, table, row, data), sealed[secretAt:]...), nil
}

// wrap appends the head of a sealed secret: format, version and wrapped data key.
func (k *KEK) wrap(dst []byte, table, row string, data []byte) []byte {
	dst = append(dst, formatSecret)
	dst = binary.BigEndian.AppendUint32(dst, k.version)
	return k.aead.Seal(dst, nil, data, bound(partDataKey, k.version, table, row)) //nolint:gosec // it makes its nonce
}

// unwrap returns the data key.
func (k *KEK) unwrap(table, row string, sealed identity.Sealed) ([]byte, error) {
	version, err := Version(sealed)
	if err != nil {
		return nil, err
	}
	if version != k.version {
		return nil, fmt.Errorf("%w: %d, not %d", ErrVersion, version, k.version)
	}
	data, err := k.aead.Open(nil, nil, sealed[wrappedAt:secretAt], bound(partDataKey, version, table, row))
	if err != nil {
		return nil, ErrOpen
	}
	return data, nil
}

// failed says whose secret it was.
func failed(table, row string, err error) error {
	return fmt.Errorf("seal: %s %q: %w", table, row, err)
}
