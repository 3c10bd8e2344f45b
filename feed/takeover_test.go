package feed

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"qcat/core"
)

// countingDecoder takes frames that begin with a number, and remembers the order.
type countingDecoder struct{ seen []uint64 }

// Decode implements Decoder.
func (d *countingDecoder) Decode(frame []byte, _ core.InstrumentID, m *Message) error {
	d.seen = append(d.seen, binary.LittleEndian.Uint64(frame))
	*m = Message{}
	return nil
}

// noVenue is a venue that is never asked.
type noVenue struct{}

func (noVenue) StreamURL() string    { return "" }
func (noVenue) Subscribe() [][]byte  { return nil }
func (noVenue) Auxiliary() []Streams { return nil }
func (noVenue) Policy() ConnPolicy   { return ConnPolicy{} }
func (noVenue) FetchSnapshot(context.Context, core.InstrumentID) ([]byte, error) {
	return nil, errors.New("never asked")
}

// TestTakeOverWhenFull: a replacement that has no more room for parked frames
// takes over by itself, and no frame of its is lost or out of order.
func TestTakeOverWhenFull(t *testing.T) {
	d := &countingDecoder{}
	s, err := NewSession(SessionConfig{Venue: noVenue{}, Lane: LaneConfig{Decoder: d}})
	if err != nil {
		t.Fatal(err)
	}
	old, next := &connection{}, &connection{}
	s.main.connected(old)
	frame := make([]byte, maxParked/8)
	send := func(c *connection, n uint64) {
		binary.LittleEndian.PutUint64(frame, n)
		s.main.deliver(c, frame, core.Nanos(n))
	}
	send(old, 100)
	for n := range uint64(8) {
		send(next, n)
	}
	if len(d.seen) != 1 || next.role != roleParked {
		t.Fatalf("parked frames were applied: %v", d.seen)
	}
	send(old, 101)
	send(next, 8) // does not fit
	send(old, 102)
	send(next, 9)
	want := []uint64{100, 101, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	if len(d.seen) != len(want) {
		t.Fatalf("applied %v", d.seen)
	}
	for i := range want {
		if d.seen[i] != want[i] {
			t.Fatalf("applied %v, want %v", d.seen, want)
		}
	}
	if old.role != roleRetired || s.main.active != next || next.parked.bytes != nil {
		t.Error("the replacement did not take over")
	}
}

// TestTakeOverThenFail: a replacement that took over by itself and then failed
// leaves nothing whose frames are applied, so that the link has to start anew; one
// that failed before changes nothing.
func TestTakeOverThenFail(t *testing.T) {
	failed := errors.New("subscribe failed")
	for _, tookOver := range []bool{true, false} {
		s, err := NewSession(SessionConfig{Venue: noVenue{}, DutyEvery: time.Hour, Lane: LaneConfig{Decoder: &countingDecoder{}}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		old, next := &connection{done: make(chan struct{})}, &connection{}
		s.main.connected(old)
		if tookOver {
			s.mu.Lock()
			s.main.takeOver(next)
			s.mu.Unlock()
		}
		opening := make(chan opened)
		v := &supervisor{l: s.main, current: old, opening: opening, cancel: func() {}}
		go func() {
			opening <- opened{err: failed}
			if !tookOver {
				old.err = errors.New("old one ended")
				close(old.done)
			}
		}()
		if err := v.run(ctx); errors.Is(err, failed) != tookOver || ctx.Err() != nil {
			t.Errorf("took over %v: %v", tookOver, err)
		}
		cancel()
	}
}

// TestResyncerTurns follows the line of instruments by a clock that is set.
func TestResyncerTurns(t *testing.T) {
	clock := core.NewManualClock(0)
	r := &resyncer{
		clock: clock, signal: make(chan struct{}, 1), wanted: map[core.InstrumentID]*resyncState{},
		spacing: time.Second,
		backoff: Backoff{Base: 2 * time.Second, Cap: time.Minute, Rand: func(n int64) int64 { return n - 1 }},
	}
	turn := func(wantID core.InstrumentID, wantDue time.Duration) {
		t.Helper()
		id, due, ok := r.next()
		if ok != (wantID != 0) || id != wantID || due != core.Nanos(wantDue) {
			t.Errorf("next is %d at %v, %v; want %d at %v", id, time.Duration(due), ok, wantID, wantDue)
		}
	}
	r.ask(1)
	turn(0, 0) // not connected
	r.open(500 * time.Millisecond)
	r.ask(2)
	r.ask(1)
	r.ask(1)
	turn(1, 500*time.Millisecond)
	epoch, ok := r.take(1)
	if _, twice := r.take(1); !ok || twice || !r.current(epoch) {
		t.Error("one instrument twice in flight, or not of this epoch")
	}
	turn(2, 500*time.Millisecond)
	r.ask(1) // while in flight: again afterwards
	r.take(2)
	turn(0, 0)
	clock.Set(core.Nanos(time.Second))
	r.done(1, epoch, true, false)
	turn(1, 2*time.Second) // spacing
	r.done(2, epoch, false, true)
	turn(1, 2*time.Second)
	r.take(1)
	turn(2, time.Second+4*time.Second-1) // base and a full jitter
	clock.Set(core.Nanos(5 * time.Second))
	r.take(2)
	r.done(2, epoch, false, false)
	turn(2, 5*time.Second+6*time.Second-1) // doubled
	r.shut()
	turn(0, 0)
	r.done(1, epoch, false, true)
	turn(0, 0) // a failure while disconnected is not tried again
	r.open(0)
	r.ask(1)
	if id, _, ok := r.next(); !ok || id != 1 {
		t.Error("not asked again after reconnecting")
	}
	if r.current(epoch) {
		t.Error("what was asked for before the break is still taken")
	}
	r.take(1)
	r.done(1, epoch, false, false)
	turn(1, 9*time.Second-1) // refused for its epoch: no later than it was
	if r.failures() != 2 {
		t.Errorf("%d failures", r.failures())
	}
}
