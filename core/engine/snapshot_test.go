package engine

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

// duplicatesSeed is the seed of the workloads that set limits on identical orders.
const duplicatesSeed = 3

// workloadRecords are the records of a workload of so many steps, with three
// restarts in between: after a full recovery, and after a restore of a snapshot
// and a recovery of the rest.
func workloadRecords(t *testing.T, seed uint64, steps int) (*workload, [][]byte) {
	t.Helper()
	w := newWorkload(newHarness(t, smallTables), seed)
	w.duplicates = seed == duplicatesSeed
	w.steps(steps / 3)
	w.restartWith(func(h *harness, e *Engine) error { return e.Recover(h.journal.Records(), nil) })
	w.steps(steps / 3)
	w.restartWith(func(h *harness, e *Engine) error {
		records := collect(h.journal.Records())
		at := w.rng.IntN(len(records))
		if err := e.Restore(snapshotAt(t, h.cfg, records, at), nil); err != nil {
			return err
		}
		return e.Recover(slices.Values(records[at:]), nil)
	})
	w.steps(steps / 3)
	w.checkReplay()
	return w, collect(w.journal.Records())
}

// snapshotAt is the snapshot after the first n records.
func snapshotAt(t testing.TB, cfg Config, records [][]byte, n int) []byte {
	t.Helper()
	payload, _, seq, err := Shadow(cfg, nil, withoutErrors(records[:n]))
	if err != nil || seq != uint64(n) {
		t.Fatalf("the first %d records: %v after %d", n, err, seq)
	}
	return payload
}

func withoutErrors(records [][]byte) func(func([]byte, error) bool) {
	return func(yield func([]byte, error) bool) {
		for _, rec := range records {
			if !yield(rec, nil) {
				return
			}
		}
	}
}

// folded is an engine that takes records one at a time, and the events of each.
type folded struct {
	*Engine
	events []Event
}

func newFolded(cfg Config) *folded { return &folded{Engine: New(cfg.shadow())} }

func (f *folded) take(rec []byte) error {
	f.events = f.events[:0]
	return f.RecoverLog(withoutErrors([][]byte{rec}), Recovery{Observe: func(ev *Event) { f.events = append(f.events, *ev) }})
}

// After every record of a random workload: what a snapshot restores is the state,
// bit for bit. An engine that is restored after each of them comes to the same
// records, events and states as one that never was, so that nothing which matters
// later is left out of a snapshot; and some of the restored ones are followed to
// the end.
func TestRestoreAfterEveryRecord(t *testing.T) {
	met := coverage{}
	for seed, steps := range map[uint64]int{1: 800, 2: 700, duplicatesSeed: 90} {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			w, records := workloadRecords(t, seed, steps)
			rng := rand.New(rand.NewPCG(seed, 3))
			plain, again := newFolded(w.cfg), newFolded(w.cfg)
			var followed []*folded
			for i, rec := range records {
				if err := plain.take(rec); err != nil {
					t.Fatal(err)
				}
				snapshot := plain.AppendSnapshot(nil)
				for _, other := range append(followed[:len(followed):len(followed)], again) {
					if err := other.take(rec); err != nil {
						t.Fatalf("record %d: %v", i+1, err)
					}
					checkSame(t, i+1, plain, other, snapshot)
				}
				again = restored(t, w.cfg, snapshot)
				if len(followed) < 4 && rng.IntN(len(records)/4) == 0 {
					followed = append(followed, restored(t, w.cfg, snapshot))
				}
			}
			met.add(t, records, plain.m)
		})
	}
	met.check(t)
}

func restored(t *testing.T, cfg Config, snapshot []byte) *folded {
	t.Helper()
	f := newFolded(cfg)
	if err := f.Restore(snapshot, nil); err != nil {
		t.Fatal(err)
	}
	return f
}

func checkSame(t *testing.T, seq int, plain, other *folded, snapshot []byte) {
	t.Helper()
	if !slices.Equal(plain.events, other.events) {
		t.Fatalf("record %d: events %+v, restored %+v", seq, plain.events, other.events)
	}
	if b := other.AppendSnapshot(nil); !bytes.Equal(b, snapshot) {
		t.Fatalf("record %d: the states differ", seq)
	}
	if plain.Unknown() != other.Unknown() {
		t.Fatalf("record %d: %d orders unknown, restored %d", seq, plain.Unknown(), other.Unknown())
	}
	checkInvariants(t, other.m)
}

// coverage counts what the runs of a workload have met.
type coverage map[string]int

func (counts coverage) add(t *testing.T, records [][]byte, m *machine) {
	t.Helper()
	var r record.Record
	for _, rec := range records {
		if err := record.Decode(rec, &r); err != nil {
			t.Fatal(err)
		}
		counts[r.Type.String()]++
		switch r.Type {
		case record.TypeNew:
			counts["duplicate"] += boolToInt(r.New.Duplicate)
			counts["accepted"] += boolToInt(r.New.Order != 0)
			counts["capacity"] += boolToInt(risk.Code(r.New.Reason.Code) == risk.Capacity)
		case record.TypeClock:
			counts["expired"] += int(r.Clock.Expired)
			counts["ended"] += len(r.Clock.Ended)
		case record.TypeReport:
			counts["filled"] += boolToInt(r.Report.ExecID != 0)
			counts["replaced"] += boolToInt(r.Report.Report.Type == core.ExecReplaced && r.Report.Disposition == record.Applied)
			counts["late"] += boolToInt(r.Report.Disposition == record.Late)
		}
	}
	counts["forgotten"] += int(m.lastOrder) - m.orders.open.len - m.orders.closed.len
}

// check fails when the runs together did not meet what they are for.
func (counts coverage) check(t *testing.T) {
	t.Helper()
	for _, what := range []string{"instrument", "limits", "rate", "mark", "cancel", "cancel_all", "amend", "state", "clock", "restart",
		"proposal", "decision", "countdown", "ended", "duplicate", "accepted", "expired", "filled", "replaced", "late", "forgotten"} {
		if counts[what] == 0 {
			t.Errorf("no %s in the workload: %v", what, map[string]int(counts))
		}
	}
}

// The events of a restore put a view where a recovery from the first record would
// have put it, but for executions, which a snapshot does not hold.
func TestRestoreTellsTheView(t *testing.T) {
	w, records := workloadRecords(t, 4, 600)
	at := len(records) * 2 / 3
	snapshot := snapshotAt(t, w.cfg, records, at)
	whole, part := New(w.cfg.shadow()), New(w.cfg.shadow())
	wholeView, partView := NewView(whole, ViewConfig{KeepOrders: workloadClosed}), NewView(part, ViewConfig{KeepOrders: workloadClosed})
	if err := whole.Recover(slices.Values(records), wholeView.Observe); err != nil {
		t.Fatal(err)
	}
	var told []Event
	if err := part.Restore(snapshot, func(ev *Event) { told = append(told, *ev); partView.Observe(ev) }); err != nil {
		t.Fatal(err)
	}
	checkTold(t, part.m, told)
	if err := part.Recover(slices.Values(records[at:]), partView.Observe); err != nil {
		t.Fatal(err)
	}
	if a, b := wholeView.Orders(OrderFilter{}), partView.Orders(OrderFilter{}); !slices.Equal(a, b) || len(a) == 0 {
		t.Errorf("%d orders, restored %d", len(a), len(b))
	}
	if a, b := wholeView.Positions(PositionFilter{}), partView.Positions(PositionFilter{}); !slices.Equal(a, b) || len(a) == 0 {
		t.Errorf("positions %+v, restored %+v", a, b)
	}
	a, b := wholeView.States(), partView.States()
	if !slices.Equal(a, b) || len(a) == 0 || !slices.ContainsFunc(b, func(s ScopeState) bool { return s.Note.String() != "" }) {
		t.Errorf("states %+v, restored %+v", a, b)
	}
	if !slices.Equal(a, whole.m.states.all) {
		t.Errorf("the view has %+v, the state %+v", a, whole.m.states.all)
	}
}

// checkTold requires the order that Restore promises.
func checkTold(t *testing.T, m *machine, told []Event) {
	t.Helper()
	rank := func(ev *Event) int {
		switch {
		case ev.Kind == EventDefinition:
			return 0
		case ev.Kind == EventState:
			return 1
		case ev.Kind == EventOrder && !ev.Order.Status.Open():
			return 2
		case ev.Kind == EventOrder:
			return 3
		}
		return 4
	}
	counts := [5]int{}
	for i := range told {
		ev := &told[i]
		counts[rank(ev)]++
		if i > 0 && rank(ev) < rank(&told[i-1]) {
			t.Errorf("event %d, %+v, after %+v", i, ev, told[i-1])
		}
		if !ev.Restored || ev.Last != (i == len(told)-1) || ev.Index != uint32(i) {
			t.Errorf("event %d: %+v", i, ev)
		}
	}
	want := [5]int{len(m.instruments) - 1 + m.accounts + len(m.strategies) - 1, len(m.states.all),
		m.orders.closed.len, m.orders.open.len, len(m.positions.all)}
	if counts != want || min(want[0], want[1], want[2], want[3], want[4]) == 0 {
		t.Errorf("told of %v, want %v", counts, want)
	}
}

// A client order id of a closed order is known after a restore: sent again, it
// gets the first order's answer and nothing goes out.
func TestClosedOrdersAreRememberedAfterARestore(t *testing.T) {
	h := newHarness(t)
	c := h.limit(core.Buy, 9990, 5, "once")
	id := h.ask(c).Order.ID
	h.fill(id, 1, 9990, 5)
	h.state(risk.FirmScope(), risk.StateReducing, false)
	h = h.restart()
	records := collect(h.journal.Records())
	snapshot := snapshotAt(t, h.cfg, records, len(records))
	h.cfg.Directory = core.NewDirectory()
	h.e = New(h.cfg)
	h.reply, _ = h.e.RegisterSink(h.sink)
	if err := h.e.Restore(snapshot, nil); err != nil {
		t.Fatal(err)
	}
	h.begin()
	r := h.ask(c)
	if !r.Duplicate || r.Order.ID != id || r.Order.Status != core.StatusFilled || len(h.gateway.ops(core.VenueNew)) != 0 {
		t.Errorf("sent again: %+v, %d at the venue", r, len(h.gateway.sent))
	}
	if s := h.e.m.states.all; len(s) != 1 || s[0].Note.String() != "test" || s[0].State != risk.StateReducing {
		t.Errorf("states: %+v", s)
	}
	h.checkReplay()
}

// Fault: bit flip in a snapshot. It is refused, nothing has changed, and the same
// engine takes another one.
func TestRestoreOfADamagedSnapshot(t *testing.T) {
	w, records := workloadRecords(t, 5, 90)
	snapshot := snapshotAt(t, w.cfg, records, len(records))
	e := New(w.cfg.shadow())
	rng := rand.New(rand.NewPCG(5, 5))
	for range 200 {
		b := bytes.Clone(snapshot)
		bit := rng.IntN(8 * len(b))
		b[bit/8] ^= 1 << (bit % 8)
		if err := e.Restore(b, nil); !errors.Is(err, ErrSnapshot) || !errors.Is(err, ErrDiverged) {
			t.Fatalf("bit %d: %v", bit, err)
		}
	}
	for _, n := range []int{0, 1, 31, 32, 33, len(snapshot) / 2, len(snapshot) - 1} {
		if err := e.Restore(snapshot[:n], nil); !errors.Is(err, ErrSnapshot) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
	if err := e.Restore(snapshot, nil); err != nil {
		t.Fatal(err)
	}
	hash, _ := SnapshotHash(snapshot)
	if e.StateHash() != hash || e.StateHash() != w.stateHash() {
		t.Error("the hash is not that of the state")
	}
}

func TestRestoreNeedsANewEngine(t *testing.T) {
	w, records := workloadRecords(t, 6, 90)
	snapshot := snapshotAt(t, w.cfg, records, len(records))
	e := New(w.cfg.shadow())
	if err := e.Restore(snapshot, nil); err != nil {
		t.Fatal(err)
	}
	if err := e.Restore(snapshot, nil); !errors.Is(err, ErrNotNew) {
		t.Errorf("twice: %v", err)
	}
	if err := w.e.Restore(snapshot, nil); !errors.Is(err, ErrRunning) {
		t.Errorf("while it runs: %v", err)
	}
	used := w.cfg.shadow()
	used.Directory = core.NewDirectory()
	if _, err := used.Directory.AddAccount("somebody"); err != nil {
		t.Fatal(err)
	}
	if err := New(used).Restore(snapshot, nil); !errors.Is(err, ErrNotNew) {
		t.Errorf("into a directory that is used: %v", err)
	}
	for name, change := range map[string]func(*Config){
		"open orders":   func(c *Config) { c.MaxOpenOrders = 1 },
		"closed orders": func(c *Config) { c.KeepClosedOrders = 1 },
		"positions":     func(c *Config) { c.Risk.MaxPositions = 1 },
	} {
		cfg := w.cfg.shadow()
		change(&cfg)
		if err := New(cfg).Restore(snapshot, nil); !errors.Is(err, ErrSnapshot) {
			t.Errorf("without room for the %s: %v", name, err)
		}
	}
}

// An error of the log ends a fold, and so does a record that does not follow the
// snapshot.
func TestShadowRefusesWhatDoesNotFollow(t *testing.T) {
	w, records := workloadRecords(t, 7, 90)
	at := len(records) / 2
	snapshot := snapshotAt(t, w.cfg, records, at)
	payload, hash, seq, err := Shadow(w.cfg, snapshot, withoutErrors(records[at:]))
	if err != nil || seq != uint64(len(records)) || hash != w.stateHash() || !bytes.Equal(payload, snapshotAt(t, w.cfg, records, len(records))) {
		t.Fatalf("%v, %d of %d records", err, seq, len(records))
	}
	if _, _, _, err := Shadow(w.cfg, snapshot, withoutErrors(records[at+1:])); !errors.Is(err, ErrDiverged) {
		t.Errorf("a gap: %v", err)
	}
	if _, _, _, err := Shadow(w.cfg, snapshot, withoutErrors(records[at-1:])); !errors.Is(err, ErrDiverged) {
		t.Errorf("a record twice: %v", err)
	}
	broken := func(yield func([]byte, error) bool) {
		if yield(records[at], nil) {
			yield(nil, errBroken)
		}
	}
	if _, _, seq, err := Shadow(w.cfg, snapshot, broken); !errors.Is(err, errBroken) || seq != uint64(at+1) {
		t.Errorf("an error of the log: %v after %d", err, seq)
	}
}

// A shadow is taken beside a running engine, again and again, each from the one
// before: it shares nothing with it, and comes to its state.
func TestShadowOfARunningEngine(t *testing.T) {
	const seed = 77
	var snapshot []byte
	at := uint64(0)
	follow := func(cfg Config, journal *MemoryJournal) {
		records := collect(journal.Records())
		payload, _, seq, err := Shadow(cfg, snapshot, withoutErrors(records[at:]))
		if err != nil {
			t.Errorf("seed %d: %v after record %d", seed, err, seq)
			return
		}
		snapshot, at = payload, seq
	}
	run := runLoad(t, seed, 120, func(cfg Config, journal *MemoryJournal) {
		for range 5 {
			follow(cfg, journal)
		}
	})
	beside := at
	payload, hash, seq, err := Shadow(run.cfg, snapshot, withoutErrors(run.records[at:]))
	if err != nil || seq != uint64(len(run.records)) || hash != run.hash {
		t.Errorf("seed %d: %v, %d of %d records; hash equal: %v", seed, err, seq, len(run.records), hash == run.hash)
	}
	if sum, ok := SnapshotHash(payload); !ok || sum != hash {
		t.Error("the snapshot carries another hash")
	}
	t.Logf("seed %d: beside the engine up to record %d of %d", seed, beside, len(run.records))
}

// The progress of a recovery is told at regular sequences and at its end. The log
// is one of clock ticks at which nothing is due.
func TestRecoverTellsItsProgress(t *testing.T) {
	const last = 2*ProgressEvery + 100
	var r record.Record
	var b []byte
	ticks := func(yield func([]byte, error) bool) {
		for seq := uint64(1); seq <= last; seq++ {
			r.Header = record.Header{Type: record.TypeClock, Seq: seq, Time: testStart}
			if b = r.Append(b[:0]); !yield(b, nil) {
				return
			}
		}
	}
	var told []uint64
	e := New(Config{}.shadow())
	if err := e.RecoverLog(ticks, Recovery{Progress: func(seq uint64) { told = append(told, seq) }}); err != nil {
		t.Fatal(err)
	}
	if want := []uint64{ProgressEvery, 2 * ProgressEvery, last}; !slices.Equal(told, want) {
		t.Errorf("told of %d, want %d", told, want)
	}
}
