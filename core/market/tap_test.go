package market

import (
	"testing"

	"qcat/core"
	"qcat/ringbuf"
)

func expectEqual(t *testing.T, tap *Tap, l *lane) {
	t.Helper()
	for id, want := range l.books {
		r := tap.Book(id)
		if r == nil || !r.Consistent() {
			t.Fatalf("instrument %d: replica %+v is not consistent", id, r)
		}
		if r.Book().Hash() != want.Hash() {
			t.Fatalf("instrument %d: the replica differs from the producer's book", id)
		}
	}
}

func TestTapFollows(t *testing.T) {
	l := newLane(1, 1024, 1, 2)
	tap := NewTap([]Source{l.source()}, nil)
	defer tap.Close()
	var s seen
	l.delta(1) // seen first in the middle: asks for a snapshot
	l.snapshot(2)
	drain(tap, s.take)
	if n := l.requests.Load(); n != 1 {
		t.Fatalf("%d snapshots asked for, want one: of the instrument that came without", n)
	}
	l.delta(1)
	drain(tap, s.take)
	if tap.Book(1).Consistent() || l.requests.Load() != 1 {
		t.Fatal("a replica that waits must stay stale and not ask again")
	}
	l.duty()
	for range 50 {
		l.delta(1)
		l.delta(2)
		l.trade(2)
	}
	drain(tap, s.take)
	expectEqual(t, tap, l)
	if uint64(s.events) != l.ring.Published() || s.stale != 0 || tap.Overruns() != 0 || tap.Lost() != 0 {
		t.Errorf("%d of %d events, %d stale, %d overruns, %d lost", s.events, l.ring.Published(),
			s.stale, tap.Overruns(), tap.Lost())
	}
	if tap.Book(3) != nil {
		t.Error("a replica of an instrument nobody mentioned")
	}
}

// TestTapStatus: when the lane itself says stale it will send a snapshot, and
// need not be asked.
func TestTapStatus(t *testing.T) {
	l := newLane(2, 1024, 1)
	tap := NewTap([]Source{l.source()}, nil)
	defer tap.Close()
	var s seen
	l.status(1)
	l.trade(1)
	drain(tap, s.take)
	l.snapshot(1)
	l.delta(1)
	l.status(1)
	l.delta(1)
	drain(tap, s.take)
	if n := l.requests.Load(); n != 0 || !tap.Book(1).Stale() {
		t.Fatalf("%d requests, stale %v; want none and stale", n, tap.Book(1).Stale())
	}
	l.snapshot(1)
	drain(tap, s.take)
	expectEqual(t, tap, l)
}

func TestTapRequest(t *testing.T) {
	a, b := newLane(3, 64, 1), newLane(4, 64, 2)
	tap := NewTap([]Source{a.source(), b.source()}, nil)
	defer tap.Close()
	tap.Request(2) // nobody knows whose it is: both are asked
	tap.Request(2)
	if a.requests.Load() != 1 || b.requests.Load() != 1 {
		t.Fatalf("%d and %d requests, want one each", a.requests.Load(), b.requests.Load())
	}
	a.duty()
	b.duty()
	var s seen
	drain(tap, s.take)
	expectEqual(t, tap, b)
	tap.Request(2)
	if b.requests.Load() != 1 {
		t.Error("a live book was asked for again")
	}
}

// TestTapOverrun counts exactly: what was read and what was lost is what was
// published, and only the lapped lane suffers.
func TestTapOverrun(t *testing.T) {
	const capacity = 64
	a, b := newLane(5, capacity, 1, 2), newLane(6, 1024, 3)
	tap := NewTap([]Source{a.source(), b.source()}, nil)
	defer tap.Close()
	tap.Request(9) // nobody's yet: may have been lost too
	var s seen
	for id := range core.InstrumentID(2) {
		a.snapshot(id + 1)
	}
	b.snapshot(3)
	drain(tap, s.take)
	asked := a.requests.Load()

	before := s.events
	for a.ring.Published() < 10*capacity {
		a.delta(1)
	}
	b.delta(3)
	drain(tap, s.take)

	total := a.ring.Published() + b.ring.Published()
	if got := uint64(s.events) + tap.Lost(); got != total {
		t.Errorf("%d read and %d lost of %d", s.events, tap.Lost(), total)
	}
	if tap.Overruns() != 1 || s.perID[1] != 1 || s.perID[2] != 1 || s.perID[9] != 1 || s.perID[3] != 0 {
		t.Errorf("%d overruns, statuses %v", tap.Overruns(), s.perID)
	}
	if s.events == before || !tap.Book(1).Stale() || !tap.Book(2).Stale() || !tap.Book(3).Consistent() {
		t.Error("the lapped lane's replicas must be stale, the other's live")
	}
	if n := a.requests.Load() - asked; n != 3 {
		t.Errorf("%d snapshots asked for, want 3: of 1, 2 and 9", n)
	}
	a.duty()
	a.delta(2)
	drain(tap, s.take)
	expectEqual(t, tap, a)
	expectEqual(t, tap, b)
}

// TestTapLostAnswer: the snapshot that was asked for is itself overwritten.
func TestTapLostAnswer(t *testing.T) {
	l := newLane(7, 64, 1)
	tap := NewTap([]Source{l.source()}, nil)
	defer tap.Close()
	var s seen
	tap.Request(1)
	l.duty()
	for l.ring.Published() < 300 {
		l.delta(1)
	}
	drain(tap, s.take)
	l.duty()
	drain(tap, s.take)
	expectEqual(t, tap, l)
}

// TestTapMoves: an instrument that another connection takes over is stale until
// that one sends it whole.
func TestTapMoves(t *testing.T) {
	a, b := newLane(8, 64, 1), newLane(9, 64, 1)
	tap := NewTap([]Source{a.source(), b.source()}, nil)
	defer tap.Close()
	var s seen
	a.snapshot(1)
	a.delta(1)
	drain(tap, s.take)
	b.delta(1)
	drain(tap, s.take)
	if !tap.Book(1).Stale() || b.requests.Load() != 1 {
		t.Fatal("the new lane's deltas do not follow the old one's book")
	}
	b.duty()
	drain(tap, s.take)
	expectEqual(t, tap, b)
}

func TestTapClosed(t *testing.T) {
	l := newLane(10, 64, 1)
	w := ringbuf.NewWaiter(ringbuf.Park)
	tap := NewTap([]Source{l.source()}, w)
	l.snapshot(1)
	if !tap.Ready() || tap.Lag() == 0 {
		t.Error("an event was published, but the tap is not ready")
	}
	var s seen
	drain(tap, s.take)
	tap.Close()
	l.delta(1)
	if tap.Ready() || tap.Poll(s.take) != 0 || !tap.Book(1).Consistent() {
		t.Error("a closed tap must be quiet and its books readable")
	}
}

// TestTapTorn: a lane that breaks off a snapshot is asked for another.
func TestTapTorn(t *testing.T) {
	l := newLane(13, 64, 1)
	tap := NewTap([]Source{l.source()}, nil)
	defer tap.Close()
	var s seen
	l.ring.Publish(&core.Event{Kind: core.EventLevel, Instrument: 1, Side: core.Buy, Price: 1, Qty: 1,
		Flags: core.FlagSnapshot | core.FlagFirst})
	l.delta(1)
	drain(tap, s.take)
	if n := l.requests.Load(); n != 1 || !tap.Book(1).Stale() {
		t.Fatalf("%d requests, stale %v; want one and stale", n, tap.Book(1).Stale())
	}
	l.duty()
	drain(tap, s.take)
	expectEqual(t, tap, l)
}
