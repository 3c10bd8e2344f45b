package engine

import (
	"runtime"
	"testing"

	"qcat/risk"
)

// slowSteps lets so much time pass between steps that prices are looked at.
func (w *workload) slowSteps(n int) {
	for range n {
		w.clock.Advance(DefaultMarkEvery)
		w.step()
	}
}

// A run with prices, breaches, kills, limit changes, transfers, funding and time
// passing replays to the same state with another GOMAXPROCS, and through a snapshot
// taken anywhere in between (I3).
func TestBreachesReplay(t *testing.T) {
	breaches, flattened := 0, 0
	for seed := range uint64(30) {
		w := newWorkload(newHarness(t, smallTables), seed+90)
		w.slowSteps(150)
		w.e.stop()
		snapshot, at := w.e.AppendSnapshot(nil), w.e.m.seq
		w.e.running = true
		w.slowSteps(int(100 + 20*seed))
		want := w.stateHash()
		for _, n := range []int{1, 4} {
			before := runtime.GOMAXPROCS(n)
			hash, seq, err := replay(w.cfg, w.journal.Records())
			runtime.GOMAXPROCS(before)
			if err != nil || hash != want || seq != w.e.m.seq {
				t.Fatalf("seed %d, %d processors: %v at %d of %d", seed, n, err, seq, w.e.m.seq)
			}
		}
		_, hash, _, err := Shadow(w.cfg, snapshot, func(yield func([]byte, error) bool) {
			for i, rec := range collect(w.journal.Records()) {
				if uint64(i) >= at && !yield(rec, nil) {
					return
				}
			}
		})
		if err != nil || hash != want {
			t.Fatalf("seed %d, from the snapshot at %d: %v", seed, at, err)
		}
		for _, ev := range w.drainEvents() {
			if ev.Kind == EventBreach {
				breaches++
				flattened += boolToInt(ev.Breach.Action == risk.ActionFlatten)
			}
		}
	}
	if breaches < 25 || flattened == 0 {
		t.Errorf("%d breaches, %d of them flattened: the runs show nothing", breaches, flattened)
	}
}
