package feed

import (
	"testing"

	"qcat/core"
)

// depthIDs returns a depth message of these ids with one level.
func depthIDs(first, last, prev uint64) *Message {
	return &Message{
		Kind: MessageDepth, FirstID: first, LastID: last, PrevID: prev,
		Bids: []core.Level{{Price: core.Price(last), Qty: 1}},
	}
}

// TestSyncSequences runs scripts of depth messages and snapshots. The venue's
// rules for Binance spot and futures are the cases named "rule".
func TestSyncSequences(t *testing.T) {
	type step struct {
		first, last, prev uint64 // a depth message, or with first 0 a snapshot of id last
		want              any    // Verdict or SnapshotVerdict
		next              int    // how many messages the snapshot lets through
		live              bool
	}
	cases := []struct {
		name string
		c    Continuity
		run  []step
	}{
		{"spot rule: drop u <= id, straddle id+1", ContinuityFirst, []step{
			{8, 9, 0, VerdictBuffered, 0, false},
			{10, 12, 0, VerdictBuffered, 0, false},
			{13, 15, 0, VerdictBuffered, 0, false},
			{0, 12, 0, SnapshotApply, 1, true},
			{16, 16, 0, VerdictApply, 0, true},
		}},
		{"spot: the snapshot lies within a message", ContinuityFirst, []step{
			{10, 12, 0, VerdictBuffered, 0, false},
			{0, 11, 0, SnapshotApply, 1, true},
			{13, 13, 0, VerdictApply, 0, true},
		}},
		{"spot: too old by one", ContinuityFirst, []step{
			{10, 12, 0, VerdictBuffered, 0, false},
			{0, 8, 0, SnapshotTooOld, 0, false},
			{0, 9, 0, SnapshotApply, 1, true},
		}},
		{"spot: snapshot first, then an old message, then its successor", ContinuityFirst, []step{
			{0, 20, 0, SnapshotApply, 0, true},
			{18, 20, 0, VerdictDuplicate, 0, true},
			{21, 22, 0, VerdictApply, 0, true},
		}},
		{"spot: snapshot first, then a hole", ContinuityFirst, []step{
			{0, 20, 0, SnapshotApply, 0, true},
			{22, 23, 0, VerdictGap, 0, false},
			{0, 21, 0, SnapshotApply, 1, true},
		}},
		{"spot: reordered", ContinuityFirst, []step{
			{0, 20, 0, SnapshotApply, 0, true},
			{22, 22, 0, VerdictGap, 0, false},
			{21, 21, 0, VerdictDuplicate, 0, false},
			{23, 23, 0, VerdictBuffered, 0, false},
			{0, 22, 0, SnapshotApply, 1, true},
		}},
		{"spot: a hole among those that wait", ContinuityFirst, []step{
			{10, 10, 0, VerdictBuffered, 0, false},
			{12, 12, 0, VerdictBufferGap, 0, false},
			{0, 10, 0, SnapshotTooOld, 0, false},
			{0, 11, 0, SnapshotApply, 1, true},
		}},
		{"spot: repeated and overlapping", ContinuityFirst, []step{
			{0, 20, 0, SnapshotApply, 0, true},
			{21, 23, 0, VerdictApply, 0, true},
			{21, 23, 0, VerdictDuplicate, 0, true},
			{22, 25, 0, VerdictApply, 0, true},
			{26, 26, 0, VerdictApply, 0, true},
		}},
		{"futures rule: drop u < id, straddle id, then pu", ContinuityPrev, []step{
			{8, 9, 5, VerdictBuffered, 0, false},
			{11, 14, 9, VerdictBuffered, 0, false},
			{17, 19, 14, VerdictBuffered, 0, false},
			{0, 14, 0, SnapshotApply, 2, true},
			{25, 26, 19, VerdictApply, 0, true},
		}},
		{"futures: the snapshot falls between two messages", ContinuityPrev, []step{
			{11, 14, 9, VerdictBuffered, 0, false},
			{17, 19, 14, VerdictBuffered, 0, false},
			{0, 15, 0, SnapshotApply, 1, true},
		}},
		{"futures: too old", ContinuityPrev, []step{
			{11, 14, 9, VerdictBuffered, 0, false},
			{0, 8, 0, SnapshotTooOld, 0, false},
		}},
		{"futures: ids need not be consecutive, pu must be", ContinuityPrev, []step{
			{0, 20, 0, SnapshotApply, 0, true},
			{30, 33, 20, VerdictApply, 0, true},
			{40, 44, 33, VerdictApply, 0, true},
			{50, 55, 45, VerdictGap, 0, false},
		}},
		{"futures: without pu nothing follows", ContinuityPrev, []step{
			{0, 20, 0, SnapshotApply, 0, true},
			{21, 22, 0, VerdictGap, 0, false},
		}},
		{"a live book needs no snapshot", ContinuityFirst, []step{
			{0, 20, 0, SnapshotApply, 0, true},
			{0, 25, 0, SnapshotUnneeded, 0, true},
			{21, 21, 0, VerdictApply, 0, true},
		}},
		{"contradicting ids", ContinuityFirst, []step{
			{0, 20, 0, SnapshotApply, 0, true},
			{25, 21, 0, VerdictMalformed, 0, true},
			{21, 21, 30, VerdictMalformed, 0, true},
		}},
		{"without ids: nothing before the snapshot, everything after it", ContinuityNone, []step{
			{1, 1, 0, VerdictDuplicate, 0, false},
			{0, 0, 0, SnapshotApply, 0, true},
			{9, 9, 0, VerdictApply, 0, true},
			{9, 2, 0, VerdictApply, 0, true},
			{0, 0, 0, SnapshotApply, 0, true},
		}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			s := NewSync(tc.c, 8, 8)
			for i, st := range tc.run {
				var got any
				if st.first == 0 {
					got = s.Snapshot(st.last)
					n := 0
					for m := (Message{}); ; n++ {
						if _, ok := s.Next(&m); !ok {
							break
						}
					}
					if n != st.next {
						t.Errorf("step %d: %d messages follow the snapshot, want %d", i, n, st.next)
					}
				} else {
					got = s.Depth(depthIDs(st.first, st.last, st.prev), 0)
				}
				if got != st.want || s.Live() != st.live {
					t.Fatalf("step %d: %T %v, live %v; want %v, %v", i, got, got, s.Live(), st.want, st.live)
				}
			}
		})
	}
}

// TestSyncOverflow: what is oldest gives way, and the snapshot must be newer
// than what was lost.
func TestSyncOverflow(t *testing.T) {
	s := NewSync(ContinuityFirst, 4, 100)
	for id := uint64(1); id <= 10; id++ {
		if v := s.Depth(depthIDs(id, id, 0), core.Nanos(id)); v != VerdictBuffered {
			t.Fatalf("message %d: verdict %d", id, v)
		}
	}
	if s.Overflowed() != 6 {
		t.Errorf("overflowed %d, want 6", s.Overflowed())
	}
	if v := s.Snapshot(5); v != SnapshotTooOld {
		t.Errorf("a snapshot older than the loss: verdict %d", v)
	}
	if v := s.Snapshot(7); v != SnapshotApply {
		t.Fatalf("a snapshot newer than the loss: verdict %d", v)
	}
	m := Message{Instrument: 3}
	for id := uint64(8); id <= 10; id++ {
		rx, ok := s.Next(&m)
		if !ok || rx != core.Nanos(id) || m.LastID != id || m.Instrument != 3 || len(m.Bids) != 1 || m.Bids[0].Price != core.Price(id) {
			t.Fatalf("message %d came back as %+v at %d, %v", id, m, rx, ok)
		}
	}
	if s.LastID() != 10 {
		t.Errorf("last id %d", s.LastID())
	}
}

// TestSyncMessageBeyondBound: a message with more levels than the buffer may hold
// empties it, and does not stay in it.
func TestSyncMessageBeyondBound(t *testing.T) {
	s := NewSync(ContinuityFirst, 8, 4)
	s.Depth(depthIDs(1, 1, 0), 0)
	big := depthIDs(2, 2, 0)
	big.Asks = make([]core.Level, 4)
	if v := s.Depth(big, 0); v != VerdictBuffered || s.Overflowed() != 2 {
		t.Errorf("verdict %d, overflowed %d", v, s.Overflowed())
	}
	s.Depth(depthIDs(3, 3, 0), 0)
	if v := s.Snapshot(1); v != SnapshotTooOld {
		t.Errorf("the lost message was not missed: %d", v)
	}
}

// TestSyncRestart: a venue that starts its numbering anew must not leave a frozen
// book that looks live.
func TestSyncRestart(t *testing.T) {
	s := NewSync(ContinuityFirst, 8, 8)
	s.Snapshot(1_000_000)
	for i := range uint64(maxRepeats) {
		if v := s.Depth(depthIDs(i+1, i+1, 0), 0); v != VerdictDuplicate {
			t.Fatalf("message %d: verdict %d", i, v)
		}
	}
	if v := s.Depth(depthIDs(maxRepeats+1, maxRepeats+1, 0), 0); v != VerdictRestart || s.Live() {
		t.Errorf("verdict %d, live %v", v, s.Live())
	}
}

// TestPendingQueueMemory: a queue that runs full for long keeps its memory within
// twice its bounds.
func TestPendingQueueMemory(t *testing.T) {
	q := pendingQueue{maxMessages: 16, maxLevels: 64}
	m := depthIDs(1, 1, 0)
	for i := range 100_000 {
		m.Bids = m.Bids[:0]
		for j := range i % 9 {
			m.Bids = append(m.Bids, core.Level{Price: core.Price(i), Qty: core.Qty(j)})
		}
		q.push(m, 0)
	}
	if cap(q.messages) > 64 || cap(q.levels) > 256 {
		t.Errorf("capacity %d messages, %d levels", cap(q.messages), cap(q.levels))
	}
}
