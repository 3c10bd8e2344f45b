package journal

import (
	"math/bits"
	"sync/atomic"

	"qcat/core"
)

// ring is the buffer between Append and the committer: frames one behind the
// other in a circle of bytes. Positions only grow; buf is indexed by their
// remainder. A frame never wraps: what is left over at the end of buf is skipped,
// so that a record is one copy and its checksum one pass.
//
//	  0  at, freed, spent, granted, seq, time   appending goroutine
//	128  published, last                        appending goroutine, read by the committer and by Gauges
//	256  taken, grant                           committer, read by Append when its own copies do not suffice
//
// A record costs its bytes in the ring, and disk room: its frame and, because it
// may become a batch of its own, a batch header. Append spends no more than the
// committer has granted, which it does for room that is on the disk already. So
// what was appended will fit, however full the disk gets.
type ring struct {
	at      uint64 // where the next frame goes
	freed   uint64 // taken, when it was last looked at
	spent   uint64 // disk room of everything appended
	granted uint64 // grant, when it was last looked at
	seq     uint64 // of the last record appended
	time    core.Nanos
	_       [128 - 48]byte

	published atomic.Uint64
	last      uint64 // sequence of the last record published
	_         [128 - 16]byte

	taken atomic.Uint64
	grant atomic.Uint64
	_     [128 - 16]byte

	buf  []byte
	mask uint64
}

// skipped stands where a length would, in front of bytes that are skipped.
const skipped = ^uint32(0)

func newRing(size int) *ring {
	n := uint64(1) << bits.Len64(uint64(size-1))
	return &ring{buf: make([]byte, n), mask: n - 1}
}

// largest is the largest record for which there is room in an empty ring, wherever
// its frame would begin.
func (r *ring) largest() int { return len(r.buf)/2 - frameHeader }

// roomCost is the disk room of a frame of n bytes.
func roomCost(n int) uint64 { return uint64(n) + batchHeader }

// put copies rec as the next frame and returns false when there is no room.
// Appending goroutine.
func (r *ring) put(rec []byte) bool {
	n := frameHeader + len(rec)
	i, pad := r.at&r.mask, uint64(0)
	if left := uint64(len(r.buf)) - i; left < uint64(n) {
		pad = left
	}
	after := r.at + pad + uint64(n)
	if after-r.freed > uint64(len(r.buf)) || r.spent+roomCost(n) > r.granted {
		if !r.lookAgain(after, n) {
			return false
		}
	}
	if pad > 0 {
		if pad >= 4 {
			le.PutUint32(r.buf[i:], skipped)
		}
		i = 0
	}
	frame := r.buf[i : i+uint64(n)]
	le.PutUint32(frame, uint32(len(rec)))
	copy(frame[frameHeader:], rec)
	r.at, r.spent = after, r.spent+roomCost(n)
	return true
}

// lookAgain takes new copies of what the committer has freed and granted.
func (r *ring) lookAgain(after uint64, n int) bool {
	r.freed, r.granted = r.taken.Load(), r.grant.Load()
	return after-r.freed <= uint64(len(r.buf)) && r.spent+roomCost(n) <= r.granted
}

// bufferFull reports which of the two was missing.
func (r *ring) bufferFull(rec []byte) bool {
	return r.at+2*uint64(frameHeader+len(rec))-r.taken.Load() > uint64(len(r.buf))
}

// publish lets the committer have what was put. Appending goroutine.
func (r *ring) publish() {
	set(&r.last, r.seq)
	r.published.Store(r.at)
}

// publishedSeq is the sequence of the last record published, or of one before it at the
// same moment. Any goroutine.
func (r *ring) publishedSeq() uint64 { return atomic.LoadUint64(&r.last) }

// waiting reports whether there is something for the committer.
func (r *ring) waiting() bool { return r.published.Load() != r.taken.Load() }

// frame returns the frame at pos, and where it lies when something was skipped in
// front of it. There must be one. Committer.
func (r *ring) frame(pos uint64) (frame []byte, at uint64) {
	i := pos & r.mask
	left := uint64(len(r.buf)) - i
	if left < 4 || le.Uint32(r.buf[i:]) == skipped {
		pos += left
		i = 0
	}
	n := uint64(frameHeader) + uint64(le.Uint32(r.buf[i:]))
	return r.buf[i : i+n], pos
}
