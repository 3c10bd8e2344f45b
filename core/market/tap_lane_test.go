package market

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"

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
