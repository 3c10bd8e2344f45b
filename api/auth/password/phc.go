package password

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// ErrHash is a stored hash that cannot be read.
var ErrHash = errors.New("the stored password hash is not an argon2id hash that is taken here")

// What new hashes are made with.
const (
	memory  = 19 << 10 // KiB
	passes  = 2
	threads = 1
	saltLen = 16
	sumLen  = 32
)

// Bounds of what is read: a hash from elsewhere must not stop the server.
const (
	maxMemory  = 256 << 10 // KiB
	maxPasses  = 16
	maxThreads = 16
)

// hash is a PHC string taken apart.
type hash struct {
	memory, passes uint32
	threads        uint8
	salt, sum      []byte
}

var phc64 = base64.RawStdEncoding.Strict()

// String writes the PHC form: $argon2id$v=19$m=19456,t=2,p=1$salt$sum.
func (h *hash) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.passes, h.threads,
		phc64.EncodeToString(h.salt), phc64.EncodeToString(h.sum))
}

// parse reads the PHC form as String writes it. Errors: ErrHash.
func parse(text string) (h hash, err error) {
	part := strings.Split(text, "$")
	if len(part) != 6 || part[0] != "" || part[1] != "argon2id" || part[2] != "v="+strconv.Itoa(argon2.Version) {
		return hash{}, ErrHash
	}
	var limits = [...]struct {
		name string
		most uint64
		n    uint64
	}{{"m=", maxMemory, 0}, {"t=", maxPasses, 0}, {"p=", maxThreads, 0}}
	params := strings.Split(part[3], ",")
	if len(params) != len(limits) {
		return hash{}, ErrHash
	}
	for i := range limits {
		digits, ok := strings.CutPrefix(params[i], limits[i].name)
		if limits[i].n, err = strconv.ParseUint(digits, 10, 32); !ok || err != nil || limits[i].n < 1 || limits[i].n > limits[i].most {
			return hash{}, ErrHash
		}
	}
	h = hash{memory: uint32(limits[0].n), passes: uint32(limits[1].n), threads: uint8(limits[2].n)} //nolint:gosec // each is at most its limit
	if h.salt, err = phc64.DecodeString(part[4]); err != nil || len(h.salt) < 8 || len(h.salt) > 64 {
		return hash{}, ErrHash
	}
	if h.sum, err = phc64.DecodeString(part[5]); err != nil || len(h.sum) < sumLen || len(h.sum) > 64 {
		return hash{}, ErrHash
	}
	return h, nil
}

// of is the sum of a password under h's parameters and salt.
func (h *hash) of(password string) []byte {
	return argon2.IDKey([]byte(password), h.salt, h.passes, h.memory, h.threads, uint32(len(h.sum))) //nolint:gosec // at most 64
}

// fresh has the present parameters and a new salt; the sum has its length only.
func fresh() hash {
	h := hash{memory: memory, passes: passes, threads: threads, salt: make([]byte, saltLen), sum: make([]byte, sumLen)}
	_, _ = rand.Read(h.salt) // it never fails
	return h
}
