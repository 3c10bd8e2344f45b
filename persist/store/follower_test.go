package store_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/store"
	"qcat/persist/store/storetest"
)

var ticksLog = store.LogID{9}

// directory has two instruments and an account.
func directory(t *testing.T) *core.Directory {
	t.Helper()
	dir := core.NewDirectory()
	for _, symbol := range []string{"A", "B"} {
		if _, err := dir.AddInstrument(core.Instrument{Venue: "sim", Symbol: symbol, Base: "B", Quote: "U", Settle: "U", Kind: core.Linear,
			PriceScale: 2, QtyScale: 3, SettleScale: 8, ContractSize: 1, TickSize: 1, StepSize: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := dir.AddAccount("demo"); err != nil {
		t.Fatal(err)
	}
	return dir
}

// quick are settings for a follower whose store is in memory.
func quick(s store.Stream, l store.Log, to store.Store) store.Config {
	return store.Config{Stream: s, Log: l, Store: to, Name: "test", BatchRows: 20, BatchInterval: time.Millisecond,
		RetryMin: time.Microsecond, RetryMax: time.Millisecond}
}

// following runs a follower until the test ends, or stop is called.
func following(t *testing.T, c store.Config) (f *store.Follower, stop func() error) {
	t.Helper()
	f = store.NewFollower(c)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	var err error
	stopped := false
	stop = func() error {
		if !stopped {
			cancel()
			err, stopped = <-done, true
		}
		return err
	}
	t.Cleanup(func() { _ = stop() })
	return f, stop
}

func waitFor(t *testing.T, f *store.Follower, seq uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := f.WaitFor(ctx, seq); err != nil {
		t.Fatalf("waiting for %d: %v; %+v", seq, err, f.Stats())
	}
}

// fails runs a follower that must stop for good with want and a message that names
// what.
func fails(t *testing.T, c store.Config, want error, what string) {
	t.Helper()
	f := store.NewFollower(c)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err := f.Run(ctx)
	if !errors.Is(err, want) || !strings.Contains(err.Error(), what) {
		t.Errorf("%v, want %v naming %q", err, want, what)
	}
	if s := f.Stats(); s.State != store.Stopped || !errors.Is(s.Err, want) || s.LastError == "" {
		t.Errorf("stats of a follower that stopped: %+v", s)
	}
	if err := f.WaitFor(ctx, 1<<40); !errors.Is(err, want) {
		t.Errorf("waiting for a follower that stopped: %v", err)
	}
}

func TestFollowerFollowsWhatIsAppended(t *testing.T) {
	dir := directory(t)
	records := storetest.Journal(dir, 1, 400)
	log, memory := storetest.NewLog(testLog, records[:100]...), storetest.NewMemory()
	f, stop := following(t, quick(store.Journal, log, memory))
	waitFor(t, f, 100)
	if s := f.Stats(); s.State != store.Following || s.CatchUpFrom != 0 || s.CatchUpTo != 100 || s.Behind != 0 || s.Lag != 0 {
		t.Errorf("caught up: %+v", s)
	}
	for n := 100; n < 400; n += 50 {
		log.Append(records[n : n+50]...)
		waitFor(t, f, uint64(n+50))
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	s := f.Stats()
	if s.Records != 400 || s.Position.Seq != 400 || s.Position.Log != testLog || s.Rows == 0 || s.Batches < 7 || s.Errors != 0 || s.State != store.Stopped {
		t.Errorf("at the end: %+v", s)
	}
	if log.Held("test") != 400 {
		t.Errorf("the log keeps what comes after %d", log.Held("test"))
	}
	if w := f.Writes().Snapshot(); w.Count != s.Batches {
		t.Errorf("%d batches timed of %d", w.Count, s.Batches)
	}
}

// gate is a store whose writes wait, and fail, as told.
type gate struct {
	store.Store
	broken atomic.Pointer[error]
	writes atomic.Int32
	most   atomic.Int64 // rows of the largest batch
}

func (g *gate) Write(ctx context.Context, b *store.Batch) error {
	g.writes.Add(1)
	g.most.Store(max(g.most.Load(), int64(b.Rows())))
	if err := g.broken.Load(); err != nil {
		return *err
	}
	return g.Store.Write(ctx, b)
}

// syncer is a store whose commits a power cut may take back.
type syncer struct {
	store.Store
	synced atomic.Uint64
}

func (s *syncer) Synced(store.Stream) uint64 { return s.synced.Load() }

// The log keeps what a power cut may take from a store, stored or not. (Fault table:
// power cut.)
func TestFollowerKeepsWhatIsNotSynced(t *testing.T) {
	dir := directory(t)
	records := storetest.Journal(dir, 7, 300)
	log, s := storetest.NewLog(testLog, records[:200]...), &syncer{Store: storetest.NewMemory()}
	f, stop := following(t, quick(store.Journal, log, s))
	waitFor(t, f, 200)
	if held := log.Held("test"); held != 0 {
		t.Errorf("records up to %d may be deleted, none is synced", held)
	}
	s.synced.Store(150)
	log.Append(records[200:]...)
	waitFor(t, f, 300)
	if held := log.Held("test"); held != 150 {
		t.Errorf("records up to %d may be deleted, 150 are synced", held)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// While a store is down its follower holds one batch, whatever the log grows by, and
// says what is wrong; afterwards it catches up by itself. It is the fault table's
// stopped Postgres as far as the follower goes: no row lost or doubled.
func TestFollowerOutlastsAnOutage(t *testing.T) {
	dir := directory(t)
	records := storetest.Journal(dir, 2, 3000)
	log := storetest.NewLog(testLog, records[:200]...)
	g := &gate{Store: storetest.NewMemory()}
	down := errors.New("connection refused")
	clock := core.NewManualClock(1 << 62)
	c := quick(store.Journal, log, g)
	c.Clock = clock
	f, stop := following(t, c)
	waitFor(t, f, 200)
	g.broken.Store(&down)
	at := g.writes.Load()
	log.Append(records[200:]...)
	for g.writes.Load() < at+5 {
		time.Sleep(time.Millisecond)
	}
	s := f.Stats()
	if s.State != store.Retrying || s.Errors < 4 || s.FailedInARow != s.Errors || s.LastError != down.Error() ||
		s.Behind != 2800 || s.Lag != time.Duration(clock.Now()-s.Position.Time) || s.LastErrorTime != clock.Now() {
		t.Errorf("during the outage: %+v", s)
	}
	if log.Held("test") != 200 {
		t.Errorf("what is not stored may be deleted: held %d", log.Held("test"))
	}
	g.broken.Store(nil)
	waitFor(t, f, 3000)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if s := f.Stats(); s.FailedInARow != 0 || s.Behind != 0 {
		t.Errorf("after the outage: %+v", s)
	}
	if most := g.most.Load(); most > 20+8 {
		t.Errorf("a batch of %d rows", most)
	}
	want := storetest.NewMemory()
	storetest.Fill(t, want, dir, storetest.NewLog(testLog, records...), storetest.NewLog(ticksLog))
	same(t, g.Store, want)
}

func same(t *testing.T, got, want store.Store) {
	t.Helper()
	a, err := got.Digest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := want.Digest(t.Context()); !a.Equal(b) {
		t.Errorf("other content in %v:\n got %v\nwant %v", b.Diff(a), a, b)
	}
}

// Whatever no retry can mend stops a follower at once, with words for whoever has to.
func TestFollowerStopsForGood(t *testing.T) {
	dir := directory(t)
	records := storetest.Journal(dir, 3, 300)
	filled := func() *storetest.Memory {
		m := storetest.NewMemory()
		storetest.Fill(t, m, dir, storetest.NewLog(testLog, records[:200]...), storetest.NewLog(ticksLog))
		return m
	}
	t.Run("another journal", func(t *testing.T) {
		fails(t, quick(store.Journal, storetest.NewLog(store.LogID{7}, records...), filled()), store.ErrForeign, "test holds journal 0102")
	})
	t.Run("a journal that ends before", func(t *testing.T) {
		fails(t, quick(store.Journal, storetest.NewLog(testLog, records[:150]...), filled()), store.ErrPosition, "ends at 150")
	})
	t.Run("a journal that was written anew", func(t *testing.T) {
		other := storetest.Journal(dir, 4, 300)
		fails(t, quick(store.Journal, storetest.NewLog(testLog, other...), filled()), store.ErrPosition, "record 200")
	})
	t.Run("a journal that begins behind the store", func(t *testing.T) {
		log := storetest.NewLog(testLog, records...)
		log.Delete(250)
		fails(t, quick(store.Journal, log, filled()), store.ErrGone, "needs record 201")
	})
	t.Run("a journal that begins where the store ends", func(t *testing.T) {
		log := storetest.NewLog(testLog, records...)
		log.Delete(201)
		f, stop := following(t, quick(store.Journal, log, filled()))
		waitFor(t, f, 300)
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	t.Run("a record that does not fit", func(t *testing.T) {
		fails(t, quick(store.Journal, storetest.NewLog(testLog, append(records[:10:10], records[11:]...)...), storetest.NewMemory()),
			store.ErrRecord, "record 12")
	})
	t.Run("somebody else writes", func(t *testing.T) {
		m := filled()
		g := &meddler{Store: m, dir: dir}
		fails(t, quick(store.Journal, storetest.NewLog(testLog, records...), g), store.ErrPosition, "somebody else writes")
	})
	t.Run("a newer schema", func(t *testing.T) {
		g := &gate{Store: storetest.NewMemory()}
		g.broken.Store(&store.ErrSchema)
		fails(t, quick(store.Journal, storetest.NewLog(testLog, records...), g), store.ErrSchema, "schema")
	})
}

// standby is a store in front of the one that is in charge.
type standby struct {
	store.Store
	inCharge atomic.Pointer[store.Store]
}

func (s *standby) Load(ctx context.Context, stream store.Stream) (*store.State, error) {
	return (*s.inCharge.Load()).Load(ctx, stream)
}

func (s *standby) Position(ctx context.Context, stream store.Stream) (store.Position, error) {
	return (*s.inCharge.Load()).Position(ctx, stream)
}

func (s *standby) Write(ctx context.Context, b *store.Batch) error {
	return (*s.inCharge.Load()).Write(ctx, b)
}

func (s *standby) Order(ctx context.Context, id core.OrderID) (history.Order, bool, error) {
	return (*s.inCharge.Load()).Order(ctx, id)
}

// Another server takes over that lacks the last transactions, or all of them: the
// followers fill it from where it stands, and stop only when the log does not reach
// back that far. No row is lost or doubled.
func TestFollowerGoesBackWithItsStore(t *testing.T) {
	dir := directory(t)
	records, ticks := storetest.Journal(dir, 6, 600), storetest.Ticks(dir, 6, 600)
	filled := func(n int) *storetest.Memory {
		m := storetest.NewMemory()
		storetest.Fill(t, m, dir, storetest.NewLog(testLog, records[:n]...), storetest.NewLog(ticksLog, ticks[:n]...))
		return m
	}
	inCharge := func(s *standby, m store.Store) { s.inCharge.Store(&m) }
	for _, behind := range []int{120, 0} {
		s, second := &standby{}, storetest.NewMemory()
		if behind > 0 {
			second = filled(behind)
		}
		inCharge(s, filled(300))
		logs := [...]*storetest.Log{storetest.NewLog(testLog, records[:400]...), storetest.NewLog(ticksLog, ticks[:400]...)}
		var followers [len(logs)]*store.Follower
		for i, log := range logs {
			c := quick(store.Stream(i), log, s)
			c.Directory = dir
			f, stop := following(t, c)
			defer func() {
				if err := stop(); err != nil {
					t.Error(err)
				}
			}()
			waitFor(t, f, 400)
			followers[i] = f
		}
		inCharge(s, second)
		logs[0].Append(records[400:]...)
		logs[1].Append(ticks[400:]...)
		for _, f := range followers {
			waitFor(t, f, 600)
			if p := f.Stats().Position; p.Seq != 600 {
				t.Errorf("stands at %+v", p)
			}
		}
		same(t, second, filled(600))
	}
	t.Run("further than the log", func(t *testing.T) {
		s, log := &standby{}, storetest.NewLog(testLog, records[:400]...)
		inCharge(s, filled(300))
		log.Delete(200)
		f, stop := following(t, quick(store.Journal, log, s))
		waitFor(t, f, 400)
		inCharge(s, filled(120))
		log.Append(records[400:]...)
		if err := f.WaitFor(t.Context(), 500); !errors.Is(err, store.ErrGone) {
			t.Errorf("WaitFor: %v", err)
		}
		if err := stop(); !errors.Is(err, store.ErrGone) || !strings.Contains(err.Error(), "needs record 121") {
			t.Errorf("Run: %v", err)
		}
	})
}

// meddler writes a batch of its own before the first it is given.
type meddler struct {
	store.Store
	dir  *core.Directory
	done bool
}

func (m *meddler) Write(ctx context.Context, b *store.Batch) error {
	if !m.done {
		m.done = true
		own := store.Batch{Stream: b.Stream, Log: b.Log, From: b.From, To: b.From, Time: b.Time}
		if err := m.Store.Write(ctx, &own); err != nil {
			return err
		}
	}
	return m.Store.Write(ctx, b)
}

// A tick log that has deleted what a store did not have yet leaves a gap, in the
// tables too, and its follower goes on.
func TestFollowerMarksDeletedTicks(t *testing.T) {
	dir := directory(t)
	records := storetest.Ticks(dir, 5, 400)
	log, memory := storetest.NewLog(ticksLog, records[:100]...), storetest.NewMemory()
	f, stop := following(t, quick(store.Ticks, log, memory))
	waitFor(t, f, 100)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	log.Append(records[100:]...)
	log.Delete(201)
	f, stop = following(t, quick(store.Ticks, log, memory))
	waitFor(t, f, 400)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	checkGap(t, memory, history.Gap{Tick: 101, Lost: 100, From: recordAt(records, 100), To: recordAt(records, 201), Reason: "retention"})
	checkTicks(t, memory, func(tick uint64) bool { return tick <= 100 || tick > 200 })
}

// A tick log that a power cut took the end of goes on at the same sequences: the
// store keeps what it has, marks a gap, and follows again behind its position.
func TestFollowerOutlastsATickLogThatLostItsEnd(t *testing.T) {
	dir := directory(t)
	records := storetest.Ticks(dir, 6, 300)
	for _, early := range []bool{true, false} { // follows while the log is still behind, or only later
		log, memory := storetest.NewLog(ticksLog, records[:100]...), storetest.NewMemory()
		f, stop := following(t, quick(store.Ticks, log, memory))
		waitFor(t, f, 100)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		log.Cut(80)
		anew := storetest.Renumber(records[200:], 81) // later ones at the sequences of those lost
		if early {
			f, stop = following(t, quick(store.Ticks, log, memory))
			log.Append(anew...)
		} else {
			log.Append(anew...)
			f, stop = following(t, quick(store.Ticks, log, memory))
		}
		waitFor(t, f, 180)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		checkGap(t, memory, history.Gap{Tick: 101, Lost: 1, From: recordAt(records, 100), To: recordAt(anew, 21), Reason: "retention"})
		checkTicks(t, memory, func(tick uint64) bool { return tick != 101 })
	}
}
