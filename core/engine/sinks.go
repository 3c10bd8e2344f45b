package engine

import (
	"sync"
	"sync/atomic"
)

// sinkTable holds the registered reply sinks. A ReplyTo is an index and the
// generation of its use, so that an answer to a sink that has gone does not reach
// the one that took its place.
type sinkTable struct {
	slots []atomic.Pointer[sinkSlot]

	mu          sync.Mutex
	free        []uint16
	generations []uint16
}

type sinkSlot struct {
	to   ReplyTo
	sink ReplySink
}

func newSinkTable(n int) *sinkTable {
	n = min(n, 1<<16)
	t := &sinkTable{slots: make([]atomic.Pointer[sinkSlot], n), generations: make([]uint16, n)}
	for i := n - 1; i >= 0; i-- {
		t.free = append(t.free, uint16(i))
	}
	return t
}

func (t *sinkTable) register(s ReplySink) (ReplyTo, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.free) == 0 {
		return 0, false
	}
	i := t.free[len(t.free)-1]
	t.free = t.free[:len(t.free)-1]
	if t.generations[i]++; t.generations[i] == 0 {
		t.generations[i] = 1 // a ReplyTo is never zero
	}
	to := ReplyTo(t.generations[i])<<16 | ReplyTo(i)
	t.slots[i].Store(&sinkSlot{to, s})
	return to, true
}

func (t *sinkTable) unregister(to ReplyTo) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := int(to & 0xFFFF)
	if i >= len(t.slots) {
		return
	}
	if s := t.slots[i].Load(); s != nil && s.to == to {
		t.slots[i].Store(nil)
		t.free = append(t.free, uint16(i))
	}
}

func (t *sinkTable) deliver(to ReplyTo, r *Reply) {
	if i := int(to & 0xFFFF); i < len(t.slots) {
		if s := t.slots[i].Load(); s != nil && s.to == to {
			s.sink.Deliver(r)
		}
	}
}
