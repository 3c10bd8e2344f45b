package limit

import (
	"hash/maphash"
	"net/netip"
	"sync"
)

const (
	sets = 1 << 13
	ways = 8
)

// Key says who is counted. Make it once where that is possible.
type Key uint64

var seed = maphash.MakeSeed()

// Text is the key of a name or an id. kind keeps an API key apart from a user of the
// same name.
func Text[T string | []byte](kind byte, text T) Key {
	var h maphash.Hash
	h.SetSeed(seed)
	_ = h.WriteByte(kind)
	_, _ = h.WriteString(string(text))
	return Key(h.Sum64())
}

// Address is the key of an address: an IPv4 address, also one that is mapped into IPv6,
// is one client; of IPv6 the first 64 bits are, since whoever has one address has them all.
func Address(a netip.Addr) Key {
	b := a.Unmap().As16()
	if a = a.Unmap(); a.Is6() {
		clear(b[8:])
	}
	return Key(maphash.Bytes(seed, b[:]))
}

// slot is an entry of a table; key 0 is an empty one, which holds no information either.
type slot[V any] struct {
	key Key
	val V
}

// table finds the value of a key.
type table[V any] struct {
	sets []set[V]
	// spare reports whether a value holds no information.
	spare func(v *V, now int64) bool
}

type set[V any] struct {
	mu     sync.Mutex
	slots  [ways]slot[V]
	shared V
}

func newTable[V any](spare func(*V, int64) bool) table[V] {
	return table[V]{sets: make([]set[V], sets), spare: spare}
}

// of returns the locked set of a key and the value in it that counts for the key.
func (t *table[V]) of(k Key, now int64) (*set[V], *V) {
	if k == 0 {
		k = 1
	}
	s := &t.sets[uint64(k)>>32%sets]
	s.mu.Lock()
	free := -1
	for i := range s.slots {
		if s.slots[i].key == k {
			return s, &s.slots[i].val
		}
		if free < 0 && (s.slots[i].key == 0 || t.spare(&s.slots[i].val, now)) {
			free = i
		}
	}
	if free < 0 {
		return s, &s.shared
	}
	s.slots[free] = slot[V]{key: k}
	return s, &s.slots[free].val
}
