package engine

import (
	"encoding/binary"
	"iter"
	"sync"
	"sync/atomic"
)

// MemoryJournal is a Journal in memory: a record is committed as soon as it is
// appended. It keeps the most recent records in a ring of bytes.
//
//	… | length u32 | record | length u32 | record | … (wrapping)
//
// Append belongs to the engine's goroutine; Records may be read by any other.
type MemoryJournal struct {
	mu    sync.Mutex // held by Append for a copy, and by readers
	buf   []byte
	head  uint64 // byte positions that only grow; buf is indexed by their remainder
	tail  uint64
	first uint64 // sequence of the record at head
	grows bool

	committed atomic.Uint64
}

// NewMemoryJournal returns a journal that keeps as many of the latest records as
// fit into retain bytes, or all of them when retain is 0.
func NewMemoryJournal(retain int) *MemoryJournal {
	size := uint64(1 << 12)
	for size < uint64(retain) {
		size <<= 1
	}
	return &MemoryJournal{buf: make([]byte, size), first: 1, grows: retain == 0}
}

const frameLen = 4

// Append copies rec. It fails only, with ErrFull, for a record larger than
// everything it keeps.
func (j *MemoryJournal) Append(rec []byte) (uint64, error) {
	need := uint64(len(rec) + frameLen)
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.tail-j.head+need > uint64(len(j.buf)) {
		switch {
		case j.grows:
			j.grow()
		case j.head == j.tail:
			return 0, ErrFull
		default:
			j.head += uint64(j.frameAt(j.head)) + frameLen
			j.first++
		}
	}
	var frame [frameLen]byte
	binary.LittleEndian.PutUint32(frame[:], uint32(len(rec)))
	j.put(frame[:])
	j.put(rec)
	seq := j.committed.Load() + 1
	j.committed.Store(seq)
	return seq, nil
}

func (j *MemoryJournal) put(b []byte) {
	at := j.tail % uint64(len(j.buf))
	n := copy(j.buf[at:], b)
	copy(j.buf, b[n:])
	j.tail += uint64(len(b))
}

func (j *MemoryJournal) get(at uint64, dst []byte) {
	at %= uint64(len(j.buf))
	n := copy(dst, j.buf[at:])
	copy(dst[n:], j.buf)
}

func (j *MemoryJournal) frameAt(at uint64) uint32 {
	var frame [frameLen]byte
	j.get(at, frame[:])
	return binary.LittleEndian.Uint32(frame[:])
}

func (j *MemoryJournal) grow() {
	next := make([]byte, 2*len(j.buf))
	n := j.tail - j.head
	j.get(j.head, next[:n])
	j.buf, j.head, j.tail = next, 0, n
}

// Flush does nothing: what is appended is committed.
func (j *MemoryJournal) Flush() error { return nil }

// Publish does nothing, as Flush.
func (j *MemoryJournal) Publish() error { return nil }

// Commit does nothing: what is appended is committed.
func (j *MemoryJournal) Commit() {}

// Committed is the sequence of the last record.
func (j *MemoryJournal) Committed() uint64 { return j.committed.Load() }

// Err is always nil.
func (j *MemoryJournal) Err() error { return nil }

// Notify does nothing: there is no commit later than its Append.
func (j *MemoryJournal) Notify(func()) {}

// First is the sequence of the oldest record kept; 1 when all are.
func (j *MemoryJournal) First() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.first
}

// Records yields copies of the records kept at the time of the call, oldest
// first. It copies them under the lock that Append takes: not while latency
// matters.
func (j *MemoryJournal) Records() iter.Seq[[]byte] {
	j.mu.Lock()
	defer j.mu.Unlock()
	var all [][]byte
	for at := j.head; at < j.tail; {
		rec := make([]byte, j.frameAt(at))
		j.get(at+frameLen, rec)
		all = append(all, rec)
		at += frameLen + uint64(len(rec))
	}
	return func(yield func([]byte) bool) {
		for _, rec := range all {
			if !yield(rec) {
				return
			}
		}
	}
}
