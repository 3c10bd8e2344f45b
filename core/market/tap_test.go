package market

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"qcat/core"
	"qcat/core/book"
	"qcat/ringbuf"
)

// lane is the producing side of a Source as a feed lane is: it owns the books,
// publishes what changes, and publishes a book whole when it was asked to. Its
// owner is one goroutine; request may be called from any.
type lane struct {
	ring  *ringbuf.Broadcast[core.Event]
	rand  *rand.Rand
	books map[core.InstrumentID]*book.Naive
	seq   uint64

	mu       sync.Mutex
	asked    []core.InstrumentID
	requests atomic.Int64
}

func newLane(seed uint64, capacity int, ids ...core.InstrumentID) *lane {
	l := &lane{
		ring:  ringbuf.NewBroadcast[core.Event](capacity),
		rand:  rand.New(rand.NewPCG(seed, uint64(capacity))),
		books: map[core.InstrumentID]*book.Naive{},
	}
	for _, id := range ids {
		l.books[id] = book.NewNaive()
	}
	return l
}

func (l *lane) source() Source { return Source{Ring: l.ring, RequestSnapshot: l.request} }

func (l *lane) request(id core.InstrumentID) {
	l.requests.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.asked, id) {
		l.asked = append(l.asked, id)
	}
}

// duty publishes the snapshots that were asked for.
func (l *lane) duty() {
	l.mu.Lock()
	asked := l.asked
	l.asked = nil
	l.mu.Unlock()
	for _, id := range asked {
		l.snapshot(id)
	}
}

func (l *lane) snapshot(id core.InstrumentID) {
	b := l.books[id]
	if b == nil {
		return
	}
	l.seq++
	var run []core.Event
	for _, side := range []core.Side{core.Buy, core.Sell} {
		for _, lv := range b.Levels(side, nil, -1) {
			run = append(run, core.Event{Side: side, Price: lv.Price, Qty: lv.Qty, Flags: core.FlagSnapshot})
		}
	}
	if len(run) == 0 {
		run = []core.Event{{Flags: core.FlagSnapshot}}
	}
	l.publish(id, run)
}

// delta changes some random levels of id.
func (l *lane) delta(id core.InstrumentID) {
	l.seq++
	run := make([]core.Event, 1+l.rand.IntN(5))
	for i := range run {
		side := core.Buy + core.Side(l.rand.IntN(2))
		price := core.Price(1_000 - side.Sign()*int64(1+l.rand.IntN(20)))
		qty := core.Qty(l.rand.IntN(3))
		l.books[id].Set(side, price, qty)
		run[i] = core.Event{Side: side, Price: price, Qty: qty}
	}
	l.publish(id, run)
}

func (l *lane) publish(id core.InstrumentID, run []core.Event) {
	run[0].Flags |= core.FlagFirst
	run[len(run)-1].Flags |= core.FlagLast
	for i := range run {
		run[i].Kind, run[i].Instrument, run[i].Seq = core.EventLevel, id, l.seq
	}
	l.ring.PublishBatch(run)
}

func (l *lane) status(id core.InstrumentID) {
	l.ring.Publish(&core.Event{Kind: core.EventStatus, Flags: core.FlagStale, Instrument: id, Qty: published})
}

// published marks the statuses that a lane published: a Tap's own have no Qty.
const published = 1

func (l *lane) trade(id core.InstrumentID) {
	l.ring.Publish(&core.Event{Kind: core.EventTrade, Instrument: id, Price: 1, Qty: 1})
}

// seen records what a consumer is told.
type seen struct {
	events int                       // published events
	stale  int                       // stale statuses that the tap made
	perID  map[core.InstrumentID]int // the same by instrument
}

func (s *seen) take(ev *core.Event, b *book.Replica) {
	status := ev.Kind == core.EventStatus && ev.Flags.Has(core.FlagStale)
	if status && !b.Stale() {
		panic("a stale status with a replica that is not")
	}
	if !status || ev.Qty == published {
		s.events++
		return
	}
	if s.perID == nil {
		s.perID = map[core.InstrumentID]int{}
	}
	s.stale++
	s.perID[ev.Instrument]++
}

func drain(t *Tap, f func(*core.Event, *book.Replica)) {
	for t.Poll(f) > 0 {
	}
}

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

// TestTapStress runs two lanes and three consumers at once over rings that are
// too small on purpose, some consumers dawdling. Whatever was lost: when the
// lanes have become quiet and answered what was asked, every replica equals its
// producer's book, and no event is unaccounted for.
func TestTapStress(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	lanes := []*lane{newLane(seed, 128, 1, 2, 3), newLane(seed+1, 256, 4, 5)}
	var busy, consumers sync.WaitGroup
	var quiet, finished atomic.Bool
	taps := make([]*Tap, 3)
	results := make([]seen, len(taps))
	for i := range taps {
		w := ringbuf.NewWaiter(ringbuf.Park)
		taps[i] = NewTap([]Source{lanes[0].source(), lanes[1].source()}, w)
		for id := core.InstrumentID(1); id <= 5; id++ {
			taps[i].Request(id)
		}
		consumers.Go(func() {
			tap, s := taps[i], &results[i]
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			whole := func() bool {
				for id := core.InstrumentID(1); id <= 5; id++ {
					if !tap.Book(id).Consistent() {
						return false
					}
				}
				return tap.Lag() == 0
			}
			for !quiet.Load() || !whole() {
				if tap.Poll(s.take) == 0 {
					w.Wait(tap.Ready, time.Millisecond)
				}
				if i > 0 && !quiet.Load() && r.IntN(20) == 0 {
					time.Sleep(time.Duration(r.IntN(200)) * time.Microsecond) // dawdles: is to be lapped
				}
			}
		})
	}
	for _, l := range lanes {
		busy.Go(func() {
			ids := make([]core.InstrumentID, 0, len(l.books))
			for id := range l.books {
				ids = append(ids, id)
			}
			slices.Sort(ids)
			for range 20_000 {
				switch id := ids[l.rand.IntN(len(ids))]; l.rand.IntN(100) {
				case 0:
					l.status(id)
					l.snapshot(id)
				case 1, 2, 3:
					l.trade(id)
				default:
					l.delta(id)
				}
				l.duty()
				if l.rand.IntN(8) == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	busy.Wait()
	quiet.Store(true)
	var answering sync.WaitGroup
	for _, l := range lanes {
		answering.Go(func() {
			for !finished.Load() {
				l.duty()
				time.Sleep(time.Millisecond) // the lane's idle duty cycle
			}
		})
	}
	consumers.Wait()
	finished.Store(true)
	answering.Wait()
	for i, tap := range taps {
		drain(tap, results[i].take)
		var total uint64
		for _, l := range lanes {
			expectEqual(t, tap, l)
			total += l.ring.Published()
		}
		read := uint64(results[i].events)
		t.Logf("tap %d: %d of %d events read in %d overruns", i, read, total, tap.Overruns())
		if read+tap.Lost() != total {
			t.Errorf("tap %d: %d read and %d lost of %d", i, read, tap.Lost(), total)
		}
		tap.Close()
	}
	if taps[1].Overruns()+taps[2].Overruns() == 0 {
		t.Error("no consumer was lapped: the test shows nothing")
	}
}
