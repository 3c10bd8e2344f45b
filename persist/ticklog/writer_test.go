package ticklog

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"qcat/core"
	"qcat/core/record"
	"qcat/ringbuf"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const begin = core.Nanos(1_700_000_000_000_000_000)

// memory is a log in memory that is full, or fails for good, when told to, and
// that refuses what a journal would refuse.
type memory struct {
	mu      sync.Mutex
	records [][]byte
	before  uint64 // the sequence that the first record follows on
	last    core.Nanos
	full    bool
	err     error
	stall   chan struct{} // when not nil, Append waits until it is closed
}

func (m *memory) Append(rec []byte) (uint64, error) {
	m.mu.Lock()
	stall := m.stall
	m.mu.Unlock()
	if stall != nil {
		<-stall
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var r Record
	switch err := Decode(rec, &r); {
	case m.err != nil:
		return 0, m.err
	case m.full:
		return 0, fmt.Errorf("no room: %w", record.ErrFull)
	case err != nil:
		return 0, err
	case r.Seq != m.before+uint64(len(m.records))+1 || r.Time < m.last:
		return 0, fmt.Errorf("record %d at %d does not follow on %d at %d", r.Seq, r.Time, len(m.records), m.last)
	}
	m.last = r.Time
	m.records = append(m.records, append([]byte(nil), rec...))
	return r.Seq, nil
}

func (m *memory) Flush() error { return nil }

func (m *memory) Committed() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.before + uint64(len(m.records))
}

func (m *memory) First() uint64 { return m.before + 1 }

func (m *memory) Err() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.err
}

func (m *memory) Records(from, to uint64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for seq := from; seq <= to; seq++ {
			if !yield(m.records[seq-1-m.before], nil) {
				return
			}
		}
	}
}

func (m *memory) set(full bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.full, m.err = full, err
}

// all decodes what the log holds from the record after skip.
func (m *memory) all(t testing.TB, skip int) (out []Record) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, b := range m.records[skip:] {
		var r Record
		if err := Decode(b, &r); err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// bench is a Writer that tests turn by hand.
type bench struct {
	*Writer
	t     testing.TB
	log   *memory
	clock *core.ManualClock
	rings []*ringbuf.Broadcast[core.Event]
}

func newBench(t testing.TB, rings, capacity int, tune ...func(*Config)) *bench {
	t.Helper()
	b := &bench{t: t, log: &memory{}, clock: core.NewManualClock(begin)}
	cfg := Config{Log: b.log, Clock: b.clock}
	for range rings {
		ring := ringbuf.NewBroadcast[core.Event](capacity)
		b.rings = append(b.rings, ring)
		cfg.Sources = append(cfg.Sources, Source{Ring: ring})
	}
	for _, f := range tune {
		f(&cfg)
	}
	w, err := NewWriter(cfg)
	if err != nil {
		t.Fatal(err)
	}
	b.Writer = w
	return b
}

func (b *bench) publish(ring int, ev core.Event) {
	ev.ReceiveTime = b.clock.Now()
	b.rings[ring].Publish(&ev)
}

func (b *bench) trade(ring int, id uint64) {
	b.publish(ring, core.Event{Kind: core.EventTrade, Instrument: 1, Side: core.Buy, Seq: id, Price: 100, Qty: 2, ExchangeTime: begin - 5})
}

// drain turns until the rings are empty.
func (b *bench) drain() {
	for b.turn() > 0 {
	}
}

// gaps are the gap records, in the order in which they stand.
func gapsOf(all []Record) (out []Gap) {
	for _, r := range all {
		if r.Type == TypeGap {
			out = append(out, r.Gap)
		}
	}
	return out
}

// Every trade and mark is recorded as it was published, lane by lane in order;
// levels and status events are not.
func TestTradesAndMarks(t *testing.T) {
	b := newBench(t, 2, 64)
	b.trade(0, 7)
	b.publish(0, core.Event{Kind: core.EventLevel, Instrument: 1, Price: 9, Qty: 9})
	b.publish(0, core.Event{Kind: core.EventStatus, Instrument: 1, Flags: core.FlagStale})
	b.clock.Advance(time.Millisecond)
	b.publish(1, core.Event{Kind: core.EventMark, Instrument: 2, Price: 55, ExchangeTime: begin})
	b.drain()
	all := b.log.all(t, 0)
	if len(all) != 2 {
		t.Fatalf("%d records: %+v", len(all), all)
	}
	now := begin + 1e6
	trade := Record{Header: Header{TypeTrade, 1, now}, Trade: Trade{1, core.Buy, 100, 2, 7, begin - 5, begin}}
	mark := Record{Header: Header{TypeMark, 2, now}, Mark: Mark{2, 55, begin, now}}
	if all[0] != trade || all[1].Header != mark.Header || all[1].Mark != mark.Mark {
		t.Errorf("recorded\n%+v\n%+v", all[0], all[1])
	}
	if s := b.Stats(); s.Trades != 1 || s.Marks != 1 || s.Events != 4 || s.Lost+s.Dropped+s.Gaps != 0 {
		t.Errorf("stats %+v", s)
	}
}

// naiveSample is what quotes of one instrument are to be recorded, from when each
// was read and what the clock said at each turn.
type naiveSample struct {
	waiting bool
	due     core.Nanos
	last    uint64
}

// Quotes are sampled: at most one record an instrument and interval, the last
// value of it, and the last value of all is never left out. Held against a model
// that walks all instruments at every turn.
func TestQuotesAreSampled(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 3))
		const instruments = 90
		b := newBench(t, 1, 1024)
		var model [instruments + 1]naiveSample
		want := map[core.InstrumentID][]uint64{}
		published := uint64(0)
		settle := func(now core.Nanos) {
			for id := range model {
				if m := &model[id]; m.waiting && m.due <= now {
					want[core.InstrumentID(id)] = append(want[core.InstrumentID(id)], m.last)
					m.waiting = false
				}
			}
		}
		for range 300 {
			b.clock.Advance(time.Duration(rng.IntN(40)) * time.Millisecond)
			for range rng.IntN(20) {
				published++
				id := core.InstrumentID(1 + rng.IntN(1+rng.IntN(instruments)))
				b.publish(0, core.Event{Kind: core.EventQuote, Instrument: id, Seq: published,
					Price: 10, AskPrice: 11, Flags: core.EventFlags(rng.IntN(32))})
				m := &model[id]
				if m.last = published; !m.waiting {
					m.waiting, m.due = true, b.clock.Now()+100e6
				}
			}
			b.drain()
			settle(b.clock.Now())
		}
		b.finish()
		settle(maxTime)
		got := map[core.InstrumentID][]uint64{}
		last := map[core.InstrumentID]core.Nanos{}
		for _, r := range b.log.all(t, 0) {
			id := r.Quote.Instrument
			if at, ok := last[id]; ok && r.Quote.ReceiveTime-at < 0 {
				t.Fatalf("seed %d: instrument %d goes back", seed, id)
			}
			last[id] = r.Quote.ReceiveTime
			got[id] = append(got[id], r.Quote.UpdateID)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("seed %d: recorded\n%v\nwant\n%v", seed, got, want)
		}
		if s := b.Stats(); s.Quotes+s.QuotesConflated != published {
			t.Fatalf("seed %d: %d recorded and %d replaced of %d", seed, s.Quotes, s.QuotesConflated, published)
		}
	}
}

// A writer that a lane has lapped says how much it lost, between which moments,
// before what follows: a slow disk of the tick log costs ticks, not the lane (I5).
func TestOverrunIsMarked(t *testing.T) {
	b := newBench(t, 1, 16)
	b.trade(0, 1)
	b.drain()
	for id := uint64(2); id <= 101; id++ {
		b.clock.Advance(time.Millisecond)
		b.trade(0, id)
	}
	b.drain()
	all := b.log.all(t, 0)
	s := b.Stats()
	if s.Lost == 0 || s.Lost+s.Trades != 101 || s.Overruns != 1 || s.Gaps != 1 {
		t.Fatalf("stats %+v", s)
	}
	if all[1].Type != TypeGap {
		t.Fatalf("a %s stands behind the first trade", all[1].Type)
	}
	first := all[2].Trade
	want := Gap{GapOverrun, s.Lost, begin, first.ReceiveTime}
	if all[1].Gap != want || first.ID != 2+s.Lost {
		t.Errorf("gap %+v before trade %d, want %+v", all[1].Gap, first.ID, want)
	}
}

// Disk full: what the log has no room for is counted, and marked as soon as there
// is room, without a restart.
func TestFullLogIsMarked(t *testing.T) {
	b := newBench(t, 1, 64)
	b.trade(0, 1)
	b.drain()
	b.log.set(true, nil)
	for id := uint64(2); id <= 6; id++ {
		b.clock.Advance(time.Second)
		b.trade(0, id)
	}
	b.drain()
	if err := b.Err(); !errors.Is(err, record.ErrFull) || b.Stats().Dropped != 5 {
		t.Fatalf("%v, %+v", err, b.Stats())
	}
	b.log.set(false, nil)
	b.clock.Advance(time.Second)
	b.trade(0, 7)
	b.drain()
	all := b.log.all(t, 0)
	if len(all) != 3 || all[2].Trade.ID != 7 {
		t.Fatalf("records %+v", all)
	}
	if want := (Gap{GapFull, 5, begin, begin + 6e9}); all[1].Gap != want || b.Err() != nil {
		t.Errorf("gap %+v, want %+v; %v", all[1].Gap, want, b.Err())
	}
}

// EIO on the tick log: nothing more goes to that log. A new one is opened, and
// says what is missing: what came meanwhile, and what the old one took and did
// not keep.
func TestFailedLogIsReplaced(t *testing.T) {
	eio := errors.New("input/output error")
	var successor *memory
	b := newBench(t, 1, 64, func(c *Config) {
		c.Reopen = func() (Log, error) {
			if successor == nil {
				return nil, eio
			}
			return successor, nil
		}
	})
	for id := uint64(1); id <= 4; id++ {
		b.trade(0, id)
	}
	b.drain()
	b.log.set(false, eio)
	b.clock.Advance(time.Second)
	b.trade(0, 5)
	b.drain()
	if err := b.Err(); !errors.Is(err, eio) || !errors.Is(err, ErrNoLog) {
		t.Fatalf("error %v", err)
	}
	b.log.set(false, nil) // a second sync would lie: the old log is not asked again
	b.clock.Advance(DefaultRetryEvery)
	b.trade(0, 6)
	b.drain()
	if n := b.log.Committed(); n != 4 {
		t.Fatalf("the failed log was given %d records", n-4)
	}
	successor = &memory{records: b.log.records[:3:3], last: begin}
	b.clock.Advance(DefaultRetryEvery)
	b.trade(0, 7)
	b.drain()
	all := successor.all(t, 3)
	if len(all) != 2 || all[1].Trade.ID != 7 || b.Err() != nil {
		t.Fatalf("records %+v, %v", all, b.Err())
	}
	if g := all[0].Gap; g.Reason != GapFailed || g.Lost != 3 || g.From > begin || g.To != b.clock.Now() {
		t.Errorf("gap %+v", g)
	}
	if s := b.Stats(); s.Dropped != 3 {
		t.Errorf("stats %+v", s)
	}
}

// A writer that goes on with an old log marks the time in which nobody wrote, from
// its last record on; one that begins a log does not.
func TestRestartIsMarked(t *testing.T) {
	b := newBench(t, 1, 64)
	b.trade(0, 1)
	b.drain()
	next := newBench(t, 1, 64, func(c *Config) { c.Log = b.log })
	next.turn()
	if n := b.log.Committed(); n != 1 {
		t.Fatalf("%d records before the first event", n)
	}
	next.clock.Set(begin - 3600e9) // the machine's clock was set back an hour
	next.trade(0, 2)
	next.drain()
	next.clock.Set(begin + 9e9)
	next.trade(0, 3)
	next.drain()
	gaps := gapsOf(b.log.all(t, 0))
	if len(gaps) != 1 || gaps[0].Reason != GapRestart || gaps[0].From != begin || gaps[0].To < begin {
		t.Errorf("gaps %+v", gaps)
	}
	if b.log.Committed() != 4 {
		t.Errorf("%d records", b.log.Committed())
	}
}

// An empty log that begins behind what a store has goes on from there, and says
// that something is missing.
func TestBeginningBehindAStore(t *testing.T) {
	b := newBench(t, 1, 64, func(c *Config) { c.Log.(*memory).before = 7 })
	b.trade(0, 1)
	b.drain()
	all := b.log.all(t, 0)
	if len(all) != 2 || all[0].Type != TypeGap || all[0].Gap.Reason != GapRestart || all[0].Seq != 8 || all[1].Seq != 9 {
		t.Errorf("records %+v", all)
	}
}

// Losses of several reasons at once each get their record.
func TestGapsOfSeveralReasons(t *testing.T) {
	b := newBench(t, 1, 16)
	b.trade(0, 1)
	b.drain()
	b.log.set(true, nil)
	for id := uint64(2); id <= 60; id++ {
		b.trade(0, id)
	}
	b.drain()
	b.log.set(false, nil)
	b.trade(0, 61)
	b.drain()
	all := b.log.all(t, 0)
	gaps := gapsOf(all)
	if len(gaps) != 2 || gaps[0].Reason != GapOverrun || gaps[1].Reason != GapFull {
		t.Fatalf("gaps %+v", gaps)
	}
	if n := gaps[0].Lost + gaps[1].Lost; n != 59 || all[len(all)-1].Trade.ID != 61 {
		t.Errorf("%d lost of 59", n)
	}
}

// A last record that is no tick's is refused with its number: the directory holds
// something else.
func TestForeignLogIsRefused(t *testing.T) {
	r := record.Record{Header: record.Header{Type: record.TypeClock, Seq: 1}}
	log := &memory{records: [][]byte{r.Append(nil)}}
	if _, err := NewWriter(Config{Log: log}); !errors.Is(err, ErrType) && !errors.Is(err, ErrVersion) {
		t.Errorf("error %v", err)
	}
}

// A slow disk under the tick log does not slow the market-data lane: with a log
// that never answers the lane publishes its ring round and round (I5). At the end
// nothing is lost uncounted.
func TestStalledLogDoesNotHoldTheLane(t *testing.T) {
	stall := make(chan struct{})
	b := newBench(t, 1, 64)
	b.log.stall = stall
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		b.Run(ctx)
	}()
	const events = 10_000
	for id := uint64(1); id <= events; id++ { // would never end if the writer gated
		b.trade(0, id)
	}
	b.log.mu.Lock()
	b.log.stall = nil
	b.log.mu.Unlock()
	close(stall)
	stop()
	<-ran
	s := b.Stats()
	if s.Trades+s.Lost+s.Dropped != events || s.Lost == 0 {
		t.Errorf("of %d events: %+v", events, s)
	}
	all := b.log.all(t, 0)
	if id := all[len(all)-1].Trade.ID; id != events {
		t.Errorf("the last record is trade %d", id)
	}
}

// While a whole batch waits in any ring the Writer does not doze: at a batch a doze a busy
// lane would lap it.
func TestABusyLaneKeepsTheWriterAwake(t *testing.T) {
	b := newBench(t, 2, 1024)
	for id := uint64(1); id <= 2*batchLen; id++ {
		b.trade(1, id)
	}
	for _, pressed := range []bool{true, false, false} {
		b.turn()
		if b.pressed() != pressed {
			t.Errorf("%d events wait: pressed %v", b.lanes[1].reader.Lag(), !pressed)
		}
	}
}
