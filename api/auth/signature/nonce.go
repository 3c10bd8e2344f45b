package signature

import (
	"errors"
	"hash/maphash"
	"math"
	"sync"

	"qcat/core"
)

// Errors of Nonces.
var (
	ErrReplayed = errors.New("the nonce was used before")
	// ErrFull refuses a nonce that could not be remembered.
	ErrFull = errors.New("too many requests within the window")
)

const (
	minNonces = 64      // slots of the first table
	maxNonces = 1 << 16 // slots of the largest, 1 MiB
)

// Nonces are those of one key that must not come again. A nonce is kept as a hash of
// 64 bits under a secret of the process: equal nonces are always found, and one in 10^14
// new ones is refused for looking like another. The zero value is ready. Any goroutine.
//
// It grows to 49152 nonces (three quarters of 1 MiB): 800 requests a second with a window of
// 60 s, 9800 with 5 s. It never forgets one early: more are refused.
type Nonces struct {
	mu    sync.Mutex
	slots []nonce // open addressing, a power of two
	used  int     // slots that are not empty, expired ones too
	now   core.Nanos
	sweep core.Nanos // a table that cannot grow is not looked through again before
}

// nonce is a slot; last 0 is an empty one.
type nonce struct {
	hash uint64
	last core.Nanos
}

var nonceSeed = maphash.MakeSeed()

// Take notes a nonce until its request is no longer in time, which is after last.
// Of several goroutines that bring the same one, one alone succeeds. It allocates when
// the table is made anew only. Errors: ErrReplayed, ErrFull, ErrTime for who read the
// clock and then waited so long that the nonce may be forgotten by now.
func (n *Nonces) Take(text []byte, now, last core.Nanos) error {
	h := maphash.Bytes(nonceSeed, text)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.now = max(n.now, now)
	if now = n.now; last < now {
		return ErrTime
	}
	if n.slots == nil {
		n.slots = make([]nonce, minNonces)
	}
	s := n.find(h)
	if s.last >= now && s.last != 0 {
		return ErrReplayed
	}
	if s.last == 0 {
		if 4*(n.used+1) > 3*len(n.slots) {
			if !n.makeRoom(now) {
				return ErrFull
			}
			s = n.find(h)
		}
		n.used++
	}
	*s = nonce{h, last}
	return nil
}

// find returns the slot that has h, or the empty one where it belongs.
func (n *Nonces) find(h uint64) *nonce {
	mask := uint64(len(n.slots) - 1) //nolint:gosec // there is a slot
	for i := h & mask; ; i = (i + 1) & mask {
		if s := &n.slots[i]; s.last == 0 || s.hash == h {
			return s
		}
	}
}

// sweepPause is between two looks through a table that was full.
const sweepPause = core.Nanos(50e6)

// makeRoom drops what has expired and, if more than half of the slots are taken then,
// doubles their number. A full table of the largest size costs a refusal, not a sweep: it is
// looked through when one has expired, and seldom.
func (n *Nonces) makeRoom(now core.Nanos) bool {
	if now <= n.sweep && len(n.slots) == maxNonces {
		return false
	}
	live, first := 0, core.Nanos(math.MaxInt64)
	for _, s := range n.slots {
		if s.last >= now && s.last != 0 {
			live++
			first = min(first, s.last)
		}
	}
	size := len(n.slots)
	if 2*live > size && size < maxNonces {
		size *= 2
	}
	n.sweep = max(first, now+sweepPause)
	if 4*(live+1) > 3*size {
		return false
	}
	old := n.slots
	n.slots, n.used = make([]nonce, size), live
	for _, s := range old {
		if s.last >= now && s.last != 0 {
			*n.find(s.hash) = s
		}
	}
	return true
}
