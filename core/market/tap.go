package market

import (
	"fmt"
	"slices"

	"qcat/core"
	"qcat/core/book"
	"qcat/ringbuf"
)

// MaxInstruments bounds the ids that a Tap accepts; ids are dense, so that a
// larger one is a programmer's error.
const MaxInstruments = 1 << 20

// tapBatch is how many events a Tap copies out of a ring at once: 16 KiB, which
// stays in the first-level cache while it is applied.
const tapBatch = 256

// tapDepth is the initial depth a side of a replica.
const tapDepth = 32

// Source is one lane of market data: the ring its owner publishes to and the
// way to ask it for a snapshot.
type Source struct {
	// Ring carries the events of all the lane's instruments.
	Ring *ringbuf.Broadcast[core.Event]
	// RequestSnapshot asks the lane to publish its book of one instrument as a
	// snapshot run. It may be called from any goroutine and does not wait. The
	// lane ignores an instrument that is not its own, and one whose book is stale:
	// that one is published anyway when it is whole again.
	RequestSnapshot func(core.InstrumentID)
}

// Tap follows all lanes for one consumer and keeps a replica of each
// instrument's book.
//
// It never holds a lane up: when the consumer falls a lap behind, events are
// lost, the loss is counted, every replica of that lane turns stale at once (I7)
// and a snapshot of each is requested. The consumer need not do anything but
// look at Replica.Stale.
//
// A Tap belongs to the consumer's goroutine, NewTap and Close included. Poll
// does not allocate, except when an instrument is seen for the first time or its
// book gets deeper than it ever was.
//
//	tap := market.NewTap(sources, waiter)
//	defer tap.Close()
//	for running {
//		if tap.Poll(handle) == 0 {
//			waiter.Wait(tap.Ready, 10*time.Millisecond)
//		}
//	}
type Tap struct {
	lanes  []tapLane
	slots  []tapSlot // by instrument id
	waiter *ringbuf.Waiter

	lost     uint64
	overruns uint64

	batch  [tapBatch]core.Event
	status core.Event // the synthesised one that f is looking at
}

// tapLane is one source as this consumer sees it.
type tapLane struct {
	source Source
	reader *ringbuf.Reader[core.Event]
	// members are the instruments whose events this lane carries.
	members []core.InstrumentID
}

// tapSlot is one instrument. A nil replica is an instrument never heard of.
type tapSlot struct {
	replica *book.Replica
	lane    int32 // index of its lane, noLane until its first event
	// due is set while the replica is stale and a snapshot is on its way: asked
	// for, or promised by the lane's own stale status.
	due bool
}

const noLane = -1

// NewTap returns a tap on sources that starts at the next event of each. w is
// the consumer's waiter, nudged when a source publishes; nil for a consumer that
// polls without waiting.
func NewTap(sources []Source, w *ringbuf.Waiter) *Tap {
	t := &Tap{waiter: w}
	for _, s := range sources {
		t.lanes = append(t.lanes, tapLane{source: s, reader: s.Ring.NewReader()})
		if w != nil {
			s.Ring.NotifyLazily(w)
		}
	}
	return t
}

// Close takes the tap off its sources. The replicas stay readable.
func (t *Tap) Close() {
	for i := range t.lanes {
		t.lanes[i].reader.Close()
		if t.waiter != nil {
			t.lanes[i].source.Ring.Unnotify(t.waiter)
		}
	}
	t.lanes = nil
}

// Request makes the tap keep a book of id from now on, without waiting for the
// instrument's next event, and asks for its snapshot. Instruments that are not
// requested are picked up at their first event.
func (t *Tap) Request(id core.InstrumentID) {
	s := t.slot(id)
	if s.replica.Stale() && !s.due {
		t.request(id, s)
	}
}

// request asks the instrument's lane, or every lane while it is not known.
func (t *Tap) request(id core.InstrumentID, s *tapSlot) {
	s.due = true
	for i := range t.lanes {
		if s.lane == noLane || int(s.lane) == i {
			t.lanes[i].source.RequestSnapshot(id)
		}
	}
}

// Poll takes one batch of events from each source. It applies each event to its
// instrument's replica and then calls f with both; after a loss f is called with
// an EventStatus, flagged stale, for each instrument of that source, known or
// requested. f must not retain ev, change b or call the tap. Poll returns how
// often it called f.
func (t *Tap) Poll(f func(ev *core.Event, b *book.Replica)) int {
	calls := 0
	for i := range t.lanes {
		n, lost := t.lanes[i].reader.Read(t.batch[:])
		if lost > 0 {
			calls += t.overrun(i, lost, f)
		}
		for j := range t.batch[:n] {
			ev := &t.batch[j]
			f(ev, t.apply(int32(i), ev))
		}
		calls += n
	}
	return calls
}

// apply brings the event's replica up to date and asks for a snapshot when the
// replica is, or has just become, stale without one on its way.
func (t *Tap) apply(lane int32, ev *core.Event) *book.Replica {
	s := t.slot(ev.Instrument)
	if s.lane != lane {
		t.move(ev.Instrument, s, lane)
	}
	r := s.replica
	inRun := r.InRun()
	r.Apply(ev)
	switch {
	case !r.Stale():
		s.due = false
	case ev.Kind == core.EventStatus || r.InRun():
		s.due = true // the lane itself sends, or is sending, a snapshot
	case !s.due || inRun: // or the snapshot that was on its way is torn
		t.request(ev.Instrument, s)
	}
	return r
}

// move makes lane the instrument's source: at its first event, or when the
// instrument was handed from one connection to another.
func (t *Tap) move(id core.InstrumentID, s *tapSlot, lane int32) {
	if s.lane != noLane {
		old := &t.lanes[s.lane]
		for i, m := range old.members {
			if m == id {
				old.members[i] = old.members[len(old.members)-1]
				old.members = old.members[:len(old.members)-1]
				break
			}
		}
		s.replica.MarkStale()
		s.due = false
	}
	s.lane = lane
	t.lanes[lane].members = append(t.lanes[lane].members, id)
}

// overrun handles the loss of events of one lane: nothing that it carries can
// be trusted. Requested instruments whose lane is not known yet might have been
// in the lost part and are treated alike.
func (t *Tap) overrun(lane int, lost uint64, f func(*core.Event, *book.Replica)) int {
	t.overruns++
	t.lost += lost
	l := &t.lanes[lane]
	for _, id := range l.members {
		t.lose(id, f)
	}
	n := len(l.members)
	for id := range t.slots {
		if s := &t.slots[id]; s.replica != nil && s.lane == noLane {
			t.lose(core.InstrumentID(id), f)
			n++
		}
	}
	return n
}

// lose marks one instrument stale, asks for its snapshot and tells the consumer.
// The status carries the times of the last level known: the tap has no clock.
func (t *Tap) lose(id core.InstrumentID, f func(*core.Event, *book.Replica)) {
	s := &t.slots[id]
	r := s.replica
	r.MarkStale()
	t.request(id, s)
	t.status = core.Event{
		Kind:         core.EventStatus,
		Flags:        core.FlagStale,
		Instrument:   id,
		Seq:          r.Seq(),
		ExchangeTime: r.ExchangeTime(),
		ReceiveTime:  r.ReceiveTime(),
	}
	f(&t.status, r)
}

// slot returns the instrument's slot with its replica, made at first use.
func (t *Tap) slot(id core.InstrumentID) *tapSlot {
	if int(id) < len(t.slots) && t.slots[id].replica != nil {
		return &t.slots[id]
	}
	return t.newSlot(id)
}

func (t *Tap) newSlot(id core.InstrumentID) *tapSlot {
	if id >= MaxInstruments {
		panic(fmt.Sprintf("core/market: instrument id %d is beyond %d", id, MaxInstruments))
	}
	for int(id) >= len(t.slots) {
		t.slots = append(t.slots, tapSlot{lane: noLane})
	}
	s := &t.slots[id]
	s.replica = book.NewReplica(tapDepth)
	return s
}

// Ready reports whether a source has something to read. It is the condition
// that the consumer's Waiter is given.
func (t *Tap) Ready() bool {
	for i := range t.lanes {
		if t.lanes[i].reader.Ready() {
			return true
		}
	}
	return false
}

// Book returns the instrument's replica, or nil when the tap has neither seen
// nor requested it.
func (t *Tap) Book(id core.InstrumentID) *book.Replica {
	if int(id) >= len(t.slots) {
		return nil
	}
	return t.slots[id].replica
}

// Overruns returns how often a source lapped the consumer.
func (t *Tap) Overruns() uint64 { return t.overruns }

// Lost returns how many events were overwritten unread, all sources together.
func (t *Tap) Lost() uint64 { return t.lost }

// Backlog returns a function for any goroutine that tells how far the consumer is behind,
// as a part of a lap, 0 to 1, of the source where that is most. To be called before the
// consumer runs.
func (t *Tap) Backlog() func() float64 {
	lanes := slices.Clone(t.lanes)
	return func() (most float64) {
		for i := range lanes {
			most = max(most, float64(lanes[i].reader.Lag())/float64(lanes[i].source.Ring.Cap()))
		}
		return min(most, 1)
	}
}

// Lag returns how many events are published and not yet polled, all sources
// together.
func (t *Tap) Lag() uint64 {
	var n uint64
	for i := range t.lanes {
		n += t.lanes[i].reader.Lag()
	}
	return n
}
