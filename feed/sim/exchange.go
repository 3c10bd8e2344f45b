package sim

import (
	"errors"
	"fmt"

	"qcat/core"
	"qcat/feed"
)

// ErrSettings is wrapped by refusals of Settings.
var ErrSettings = errors.New("sim: invalid settings")

// MaxRate is the largest rate: beyond it use Unpaced.
const MaxRate = 1_000_000

// Unpaced as a Rate means as fast as possible.
const Unpaced = 0

// unpacedBatch is how many steps Advance does at once when unpaced.
const unpacedBatch = 256

// Settings of an Exchange.
type Settings struct {
	// Seed of everything random.
	Seed uint64
	// Rate is the mean number of steps a second and instrument; Unpaced for as
	// many as possible. A step is one depth message and, now and then, trades.
	Rate int
	// Start is when the schedule begins; 0 takes the time of the first Advance.
	Start core.Nanos
}

// Exchange runs the markets of several instruments on one schedule: a Poisson
// stream of steps, each of a market chosen at random. It belongs to one
// goroutine and does not allocate in Advance.
type Exchange struct {
	markets []*Market
	byID    map[core.InstrumentID]int32
	due     []int32 // markets that owe a snapshot
	owes    []bool  // by market

	rng     random
	mean    uint64 // ns between two steps of any market; 0: unpaced
	next    core.Nanos
	now     core.Nanos // of the last step, never goes back
	started bool
}

// NewExchange returns an exchange of the listings, each of which owes its
// snapshot.
//
// Errors: ErrSettings, ErrListing, core.ErrInstrument.
func NewExchange(s Settings, listings []Listing) (*Exchange, error) {
	if len(listings) == 0 {
		return nil, fmt.Errorf("%w: no listings", ErrSettings)
	}
	if s.Rate < 0 || s.Rate > MaxRate {
		return nil, fmt.Errorf("%w: rate must be 0 (unpaced) to %d", ErrSettings, MaxRate)
	}
	e := &Exchange{
		byID: make(map[core.InstrumentID]int32, len(listings)),
		owes: make([]bool, len(listings)),
		due:  make([]int32, 0, len(listings)),
		rng:  random{state: seedFor(s.Seed, "schedule")},
		next: s.Start,
	}
	if s.Rate != Unpaced {
		e.mean = max(uint64(1e9)/(uint64(s.Rate)*uint64(len(listings))), 1)
	}
	for i, l := range listings {
		m, err := NewMarket(s.Seed, l)
		if err != nil {
			return nil, err
		}
		if _, twice := e.byID[m.id]; twice {
			return nil, fmt.Errorf("%w: instrument %d is listed twice", ErrSettings, m.id)
		}
		e.byID[m.id] = int32(i)
		e.markets = append(e.markets, m)
		e.owe(int32(i))
	}
	return e, nil
}

// Instruments returns the ids of the listed instruments, in their order.
func (e *Exchange) Instruments() []core.InstrumentID {
	ids := make([]core.InstrumentID, len(e.markets))
	for i, m := range e.markets {
		ids[i] = m.id
	}
	return ids
}

// RequestSnapshot makes the next Advance begin with the instrument's snapshot;
// an instrument that is not listed is ignored. It is what feed.LaneConfig calls
// RequestResync: to be called on the goroutine that owns the exchange, also from
// within Advance's callback.
func (e *Exchange) RequestSnapshot(id core.InstrumentID) {
	if i, ok := e.byID[id]; ok {
		e.owe(i)
	}
}

func (e *Exchange) owe(i int32) {
	if !e.owes[i] {
		e.owes[i] = true
		e.due = append(e.due, i)
	}
}

// Next returns when the next step is due: the last known time when something is
// due at once.
func (e *Exchange) Next() core.Nanos {
	if len(e.due) > 0 || e.mean == 0 {
		return e.now
	}
	return e.next
}

// Skip leaves out what was due before now: the schedule goes on from there.
func (e *Exchange) Skip(now core.Nanos) { e.next = max(e.next, now) }

// Advance does what is due until now and calls f with each message, in order. It
// returns the number of messages. f must not retain the message. Steps carry the
// time at which they were due, and at least a nanosecond more than the step
// before; unpaced ones follow one another within now.
func (e *Exchange) Advance(now core.Nanos, f func(*feed.Message)) int {
	if !e.started {
		e.start(now)
	}
	n := e.snapshots(f)
	if e.mean == 0 {
		return n + e.unpaced(now, f)
	}
	for e.next <= now {
		e.now = max(e.next, e.now+1)
		n += e.step(f)
		e.next += core.Nanos(e.rng.exponential(e.mean)) + 1
	}
	return n
}

// start sets the schedule's first moment.
func (e *Exchange) start(now core.Nanos) {
	e.started = true
	if e.next == 0 {
		e.next = now
	}
	e.now = e.next
	e.next += core.Nanos(e.rng.exponential(e.mean)) + 1
}

// snapshots pays what is owed. f may ask for another one, which is left for the
// next Advance.
func (e *Exchange) snapshots(f func(*feed.Message)) int {
	n, owed := 0, len(e.due)
	for _, i := range e.due[:owed] {
		e.owes[i] = false
		n += emit(e.markets[i].Snapshot(e.now), f)
	}
	e.due = e.due[:copy(e.due, e.due[owed:])]
	return n
}

func (e *Exchange) unpaced(now core.Nanos, f func(*feed.Message)) int {
	n := 0
	for range unpacedBatch {
		e.now = max(now, e.now+1)
		n += e.step(f)
	}
	return n
}

// step lets one market, chosen at random, act at e.now.
func (e *Exchange) step(f func(*feed.Message)) int {
	m := e.markets[e.rng.below(uint64(len(e.markets)))]
	return emit(m.Step(e.now), f)
}

func emit(ms []feed.Message, f func(*feed.Message)) int {
	for i := range ms {
		f(&ms[i])
	}
	return len(ms)
}
