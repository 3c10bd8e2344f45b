package seal

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"

	"qcat/core/identity"
)

// kekSize is the length of a sealed KEK in bytes.
const (
	masterIDAt = versionAt + 4
	kekAt      = masterIDAt + masterIDSize
	kekSize    = kekAt + keySize + gcmOverhead
)

// KEK is a key-encryption key of one version. See NewKEK.
type KEK struct {
	version uint32
	key     [keySize]byte
	aead    cipher.AEAD
}

// NewKEK makes a random one.
func NewKEK(version uint32) *KEK {
	k := &KEK{version: version}
	_, _ = rand.Read(k.key[:]) // it never fails
	k.aead = newAEAD(k.key[:])
	return k
}

// Version is the one that secrets name it by.
func (k *KEK) Version() uint32 { return k.version }

// Format implements fmt.Formatter: whatever the verb, it tells the version alone.
func (k KEK) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "key-encryption key %d", k.version) }

// SealKEK encrypts a KEK under the master key.
func (m *Master) SealKEK(k *KEK) identity.Sealed {
	out := make([]byte, 0, kekSize)
	out = append(out, formatKEK)
	out = binary.BigEndian.AppendUint32(out, k.version)
	out = append(out, m.id[:]...)
	return m.aead.Seal(out, nil, k.key[:], bound(partKEK, k.version, string(m.id[:]))) //nolint:gosec // it makes its nonce
}

// OpenKEK decrypts what SealKEK made of the KEK of that version. Errors: ErrFormat,
// ErrVersion, ErrMaster, ErrOpen.
func (m *Master) OpenKEK(version uint32, sealed identity.Sealed) (*KEK, error) {
	if len(sealed) != kekSize || sealed[0] != formatKEK {
		return nil, fmt.Errorf("seal: key-encryption key %d: %w", version, ErrFormat)
	}
	if got := binary.BigEndian.Uint32(sealed[versionAt:]); got != version {
		return nil, fmt.Errorf("seal: key-encryption key %d: %w: %d", version, ErrVersion, got)
	}
	if id := masterID(sealed[masterIDAt:kekAt]); id != m.id {
		return nil, fmt.Errorf("seal: key-encryption key %d: %w: by %v, and this is %v", version, ErrMaster, id, m.id)
	}
	key, err := m.aead.Open(nil, nil, sealed[kekAt:], bound(partKEK, version, string(m.id[:])))
	if err != nil {
		return nil, fmt.Errorf("seal: key-encryption key %d: %w", version, ErrOpen)
	}
	defer clear(key)
	k := &KEK{version: version, key: [keySize]byte(key)}
	k.aead = newAEAD(k.key[:])
	return k, nil
}

// Format implements fmt.Formatter: whatever the verb, it tells the id alone.
func (m Master) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "master key "+m.id.String()) }
