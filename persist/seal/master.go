package seal

import (
	"bytes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
)

// ErrMasterKey is of a text that is no master key. It does not quote the text.
var ErrMasterKey = errors.New("not a master key: want 32 random bytes in base64, as of: openssl rand -base64 32")

// masterIDSize is in bytes.
const masterIDSize = 8

// masterID tells master keys apart, and tells nothing of them.
type masterID [masterIDSize]byte

func (id masterID) String() string { return hex.EncodeToString(id[:]) }

// Master is the key that everything else is sealed under. See ParseMaster, Source.
type Master struct {
	id   masterID
	aead cipher.AEAD
	root [sha256.Size]byte // of what Derive makes
}

// NewMaster takes 32 bytes, which stay the caller's. Errors: ErrMasterKey, also of a
// key whose bytes are all the same: a placeholder.
func NewMaster(key []byte) (*Master, error) {
	if len(key) != keySize || bytes.Count(key, key[:1]) == len(key) {
		return nil, ErrMasterKey
	}
	m := &Master{aead: newAEAD(key)}
	m.id = masterID(tagged(key, "qcat.seal.master.id")[:masterIDSize])
	m.root = [sha256.Size]byte(tagged(key, "qcat.seal.master.derive"))
	return m, nil
}

// tagged is HMAC-SHA256 of a text.
func tagged(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// Derive is a key of 32 bytes for another purpose, which says nothing of the master key or
// of other purposes' keys. It is as secret as the master key, and another master key has others.
func (m *Master) Derive(purpose string) []byte { return tagged(m.root[:], purpose) }

// ParseMaster reads a key in base64, with space around it. Errors: ErrMasterKey.
func ParseMaster(text []byte) (*Master, error) {
	text = bytes.TrimRight(bytes.TrimSpace(text), "=")
	key := make([]byte, base64.RawStdEncoding.DecodedLen(len(text)))
	defer clear(key)
	n, err := base64.RawStdEncoding.Strict().Decode(key, text)
	if err != nil {
		return nil, ErrMasterKey
	}
	return NewMaster(key[:n])
}

// ID tells master keys apart: 16 hexadecimal digits that say nothing of the key.
func (m *Master) ID() string { return m.id.String() }

// newMasterText is a random key as ParseMaster reads it, with a line's end.
func newMasterText() []byte {
	var key [keySize]byte
	defer clear(key[:])
	_, _ = rand.Read(key[:]) // it never fails
	return append(base64.StdEncoding.AppendEncode(nil, key[:]), '\n')
}
