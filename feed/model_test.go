package feed_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"qcat/core"
	"qcat/core/book"
	"qcat/core/market"
	"qcat/feed"
)

// world is a toy venue of several instruments, a disturbed line, a lane, and a
// consumer behind the lane's ring.
type world struct {
	t        *testing.T
	rng      *rand.Rand
	venues   map[core.InstrumentID]*toyVenue
	history  map[core.InstrumentID]map[uint64]uint64 // update id → hash of the venue's book
	lane     *feed.Lane
	quotes   *market.QuoteTable
	tap      *market.Tap
	asked    map[core.InstrumentID]int
	replies  []reply // snapshots on their way
	now      core.Nanos
	line     []string // frames on their way
	wasStale map[core.InstrumentID]bool
}

// reply is a snapshot that was asked for and arrives some steps later.
type reply struct {
	id    core.InstrumentID
	body  string
	delay int
}

func newWorld(t *testing.T, c feed.Continuity, rng *rand.Rand, ids ...core.InstrumentID) *world {
	w := &world{
		t: t, rng: rng,
		venues:   map[core.InstrumentID]*toyVenue{},
		history:  map[core.InstrumentID]map[uint64]uint64{},
		asked:    map[core.InstrumentID]int{},
		wasStale: map[core.InstrumentID]bool{},
		quotes:   market.NewQuoteTable(16),
	}
	for _, id := range ids {
		w.venues[id] = newToyVenue(c, id, rng)
		w.history[id] = map[uint64]uint64{}
	}
	lane, err := feed.NewLane(feed.LaneConfig{
		Name: "toy", Decoder: &toyDecoder{}, Continuity: c, Instruments: ids, Quotes: w.quotes,
		RingCapacity: 1 << 12, MaxInstruments: 16, BufferMessages: 40, BufferLevels: 100,
		RequestResync: func(id core.InstrumentID) { w.asked[id]++ },
		Applied: func(id core.InstrumentID, lastID uint64, b *book.Book) {
			if want, ok := w.history[id][lastID]; !ok || b.Hash() != want {
				t.Errorf("after depth message %d of instrument %d the book differs from the venue's", lastID, id)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.lane = lane
	w.tap = market.NewTap([]market.Source{lane.Source()}, nil)
	lane.Connected()
	return w
}

// step lets the venue say something, disturbs the line, delivers, and checks.
func (w *world) step(disturb bool) {
	w.now += core.Nanos(time.Millisecond)
	for id, v := range w.venues {
		switch w.rng.IntN(6) {
		case 0:
			w.line = append(w.line, v.tradeFrame())
		case 1:
			w.line = append(w.line, v.quote())
		default:
			w.line = append(w.line, v.depth())
			w.history[id][v.last] = v.book.Hash()
		}
	}
	if disturb {
		w.disturb()
	}
	for len(w.line) > 0 && (!disturb || w.rng.IntN(8) != 0) {
		frame := w.line[0]
		w.line = w.line[1:]
		_ = w.lane.Frame([]byte(frame), 0, w.now) // garbage is part of the plan
		w.check()
	}
	w.answer()
	w.poll()
}

// disturb drops, repeats or swaps frames on the line, or puts garbage on it.
func (w *world) disturb() {
	n := len(w.line)
	i := w.rng.IntN(n)
	switch w.rng.IntN(40) {
	case 0:
		w.line = append(w.line[:i], w.line[i+1:]...)
	case 1:
		w.line = append(w.line, w.line[i])
	case 2:
		j := w.rng.IntN(n)
		w.line[i], w.line[j] = w.line[j], w.line[i]
	case 3:
		w.line = append(w.line, "d 1 garbage")
	case 4:
		w.line = append(w.line, "d 99 1 2 0 b:1:1", "i", "")
	case 5:
		w.line = append(w.line, "d 1 9 3 0")
	}
}

// answer makes snapshots of what was asked for and delivers those that are due;
// some never come, which a Session would notice and ask again.
func (w *world) answer() {
	for id, n := range w.asked {
		if n > 0 {
			w.asked[id] = 0
			w.replies = append(w.replies, reply{id, w.venues[id].snapshot(), w.rng.IntN(25)})
		}
	}
	var left []reply
	for _, r := range w.replies {
		if r.delay--; r.delay > 0 {
			left = append(left, r)
			continue
		}
		if err := w.lane.Frame([]byte(r.body), r.id, w.now); err != nil {
			w.t.Fatal(err)
		}
		w.check()
	}
	w.replies = left
}

// check holds that the quote table says stale exactly when the lane does.
func (w *world) check() {
	for id := range w.venues {
		live := w.lane.Live(id)
		var q core.Quote
		if w.quotes.Load(id, &q) && q.Flags.Has(core.FlagStale) == live {
			w.t.Fatalf("instrument %d: live %v, but the quote's flags are %b", id, live, q.Flags)
		}
	}
}

// poll holds the invariant that a live book is the venue's as of its update id,
// and lets the consumer follow, whose replicas agree with the lane.
func (w *world) poll() {
	for w.tap.Poll(func(*core.Event, *book.Replica) {}) > 0 {
	}
	w.lane.Duty()
	for w.tap.Poll(func(*core.Event, *book.Replica) {}) > 0 {
	}
	for id := range w.venues {
		hash := w.lane.Book(id).Hash()
		last := w.lane.UpdateID(id)
		if want, ok := w.history[id][last]; w.lane.Live(id) && ok && want != hash {
			w.t.Fatalf("instrument %d is live at %d with a wrong book", id, last)
		}
		r := w.tap.Book(id)
		if r == nil {
			continue
		}
		if r.Stale() == w.lane.Live(id) {
			w.t.Fatalf("instrument %d: lane live %v, consumer stale %v", id, w.lane.Live(id), r.Stale())
		}
		if !r.Stale() && r.Book().Hash() != hash {
			w.t.Fatalf("instrument %d: the consumer's book differs from the lane's", id)
		}
	}
}

// TestLaneModel disturbs a random stream and holds the lane against the venue.
// Once the line is quiet again every book is live and equals the venue's.
func TestLaneModel(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var gaps, repeats, bad, unknown uint64
	for _, c := range []feed.Continuity{feed.ContinuityFirst, feed.ContinuityPrev} {
		for round := range 6 {
			rng := rand.New(rand.NewPCG(seed, uint64(round)))
			w := newWorld(t, c, rng, 1, 2, 7)
			for range 400 {
				w.step(true)
			}
			for range 80 {
				w.step(false)
			}
			for id, v := range w.venues {
				if !w.lane.Live(id) || w.lane.UpdateID(id) != v.last || w.lane.Book(id).Hash() != v.book.Hash() {
					t.Fatalf("continuity %d round %d: instrument %d did not recover: live %v at %d, venue at %d",
						c, round, id, w.lane.Live(id), w.lane.UpdateID(id), v.last)
				}
			}
			s := w.lane.Stats()
			if s.Stale != 0 {
				t.Fatalf("stats %+v", s)
			}
			gaps, repeats, bad, unknown = gaps+s.DepthGaps, repeats+s.DepthDuplicates, bad+s.Bad, unknown+s.Unknown
			if t.Failed() {
				t.FailNow()
			}
		}
	}
	if gaps == 0 || repeats == 0 || bad == 0 || unknown == 0 {
		t.Errorf("the disturbances left no trace: %d gaps, %d repeats, %d bad, %d unknown", gaps, repeats, bad, unknown)
	}
}
