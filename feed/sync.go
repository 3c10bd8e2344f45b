package feed

import "qcat/core"

// maxRepeats is how many depth messages in a row may be older than the book
// before the venue is taken to have restarted its numbering. The overlap of two
// connections repeats a few hundred at most.
const maxRepeats = 1 << 12

// Verdict is what a Sync says of a depth message.
type Verdict uint8

const (
	// VerdictApply: the message continues the book and is to be applied.
	VerdictApply Verdict = iota
	// VerdictBuffered: the message was copied and waits for a snapshot.
	VerdictBuffered
	// VerdictDuplicate: the book or the buffer already covers the message.
	VerdictDuplicate
	// VerdictGap: a message before this one is missing. The book is stale from now
	// on; this message was copied and waits for a snapshot.
	VerdictGap
	// VerdictBufferGap: as VerdictGap, but the book was stale already. What waited
	// is of no use without the missing message and was dropped.
	VerdictBufferGap
	// VerdictRestart: the venue has started its numbering anew. The book is stale
	// from now on and nothing waits.
	VerdictRestart
	// VerdictMalformed: the ids contradict each other; the message is dropped.
	VerdictMalformed
)

// SnapshotVerdict is what a Sync says of a snapshot.
type SnapshotVerdict uint8

const (
	// SnapshotApply: the snapshot replaces the book, the messages that Next then
	// returns follow it, and the book is live.
	SnapshotApply SnapshotVerdict = iota
	// SnapshotUnneeded: the book is live; the snapshot tells it nothing.
	SnapshotUnneeded
	// SnapshotTooOld: there is a hole between the snapshot and the first message
	// that waits. A newer one is needed.
	SnapshotTooOld
)

// Sync decides what follows what: the sequence of one instrument's depth
// messages, by the venue's Continuity. It is pure: it knows no book, no clock
// and no other instrument.
//
//	waiting ──Snapshot──► live ──Depth with a gap──► waiting
//
// A message covers the update ids (prev, LastID], where prev is PrevID or
// FirstID-1, and carries absolute quantities. So one that begins at or before
// the last id applied and ends after it continues the book; one that ends at or
// before it is a duplicate; one that begins later leaves a gap.
//
// With ContinuityNone, messages before the first snapshot are dropped as
// duplicates, every later one applies, and every snapshot replaces the book.
//
// It does not allocate while live.
type Sync struct {
	continuity Continuity
	live       bool
	fresh      bool   // nothing was applied since the snapshot
	last       uint64 // last update id applied, the snapshot's while fresh
	repeats    int
	overflowed uint64
	pending    pendingQueue
}

// NewSync returns a waiting Sync whose buffer holds at most the given numbers of
// messages and levels.
func NewSync(c Continuity, bufferMessages, bufferLevels int) Sync {
	return Sync{
		continuity: c,
		pending:    pendingQueue{maxMessages: bufferMessages, maxLevels: bufferLevels},
	}
}

// Live reports whether the book continues its snapshot without a hole.
func (s *Sync) Live() bool { return s.live }

// LastID returns the last update id applied; it means nothing before the first
// snapshot.
func (s *Sync) LastID() uint64 { return s.last }

// Overflowed returns how many messages were dropped because the buffer was full.
func (s *Sync) Overflowed() uint64 { return s.overflowed }

// Depth takes the next depth message in. The levels are copied if it must wait.
func (s *Sync) Depth(m *Message, rx core.Nanos) Verdict {
	if s.continuity == ContinuityNone {
		return s.unnumbered(m)
	}
	if m.FirstID > m.LastID || m.PrevID > m.LastID {
		return VerdictMalformed
	}
	if !s.live {
		return s.buffer(m, rx)
	}
	switch {
	case s.old(m, s.last, s.fresh):
		s.repeats++
		if s.repeats > maxRepeats {
			s.Lose()
			return VerdictRestart
		}
		return VerdictDuplicate
	case s.continues(m, s.last, s.fresh):
		s.last, s.fresh, s.repeats = m.LastID, false, 0
		return VerdictApply
	default:
		s.Lose()
		s.overflowed += uint64(s.pending.push(m, rx))
		return VerdictGap
	}
}

// unnumbered is Depth of a venue whose messages carry no usable ids.
func (s *Sync) unnumbered(m *Message) Verdict {
	if !s.live {
		return VerdictDuplicate
	}
	s.last = max(s.last+1, m.LastID)
	return VerdictApply
}

// buffer keeps m until a snapshot comes. What waits is always without a hole.
func (s *Sync) buffer(m *Message, rx core.Nanos) Verdict {
	verdict := VerdictBuffered
	if s.pending.len() > 0 {
		last := s.pending.back().lastID
		if s.old(m, last, false) {
			return VerdictDuplicate
		}
		if !s.continues(m, last, false) {
			s.pending.clear()
			verdict = VerdictBufferGap
		}
	}
	s.overflowed += uint64(s.pending.push(m, rx))
	return verdict
}

// Snapshot takes a snapshot of the given update id in. After SnapshotApply the
// caller replaces its book and applies what Next returns.
func (s *Sync) Snapshot(id uint64) SnapshotVerdict {
	if s.continuity == ContinuityNone {
		s.live, s.last = true, max(s.last+1, id)
		return SnapshotApply
	}
	if s.live {
		return SnapshotUnneeded
	}
	var m Message
	for s.pending.len() > 0 {
		p := s.pending.front()
		m.FirstID, m.LastID, m.PrevID = p.firstID, p.lastID, p.prevID
		if !s.old(&m, id, true) {
			break
		}
		s.pending.drop()
	}
	if s.pending.len() > 0 && !s.continues(&m, id, true) {
		return SnapshotTooOld
	}
	s.live, s.fresh, s.last, s.repeats = true, true, id, 0
	return SnapshotApply
}

// Next moves the oldest message that waited for the snapshot into m, in sequence,
// and returns its receive time. It returns false when there is none, or when it
// still waits. The levels of m are valid until the next call of Depth. Instrument
// is left as it was.
func (s *Sync) Next(m *Message) (rx core.Nanos, ok bool) {
	if !s.live || s.pending.len() == 0 {
		return 0, false
	}
	rx = s.pending.pop(m)
	s.last, s.fresh = m.LastID, false
	return rx, true
}

// Lose makes the Sync wait for a snapshot with an empty buffer: after a gap, or
// when the connection is gone.
func (s *Sync) Lose() {
	s.live, s.fresh, s.repeats = false, false, 0
	s.pending.clear()
}

// old reports whether a book at id last already holds all of m. Right after a
// snapshot a futures message that ends at the snapshot's id is applied once more,
// as the venue's rule says; quantities being absolute, it changes nothing.
func (s *Sync) old(m *Message, last uint64, fresh bool) bool {
	if fresh && s.continuity == ContinuityPrev {
		return m.LastID < last
	}
	return m.LastID <= last
}

// continues reports whether nothing is missing between id last and m, which is
// not old. For a message right after the snapshot this is the venue's straddling
// rule; for futures it also takes a message whose PrevID is at or before the
// snapshot's id while FirstID is after it: there is no update between the two.
func (s *Sync) continues(m *Message, last uint64, fresh bool) bool {
	if s.continuity == ContinuityFirst {
		return m.FirstID <= last+1
	}
	return m.PrevID != 0 && m.PrevID <= last || fresh && m.FirstID <= last
}
