package engine

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"qcat/core/record"
)

// checkState reads any bytes as a state, without the checksum that guards it: it
// is refused, or is exactly what is then held.
func checkState(t *testing.T, cfg Config, b []byte) (refused bool) {
	t.Helper()
	e := New(cfg.shadow())
	if err := e.m.restore(b, new(record.Record)); err != nil {
		return true
	}
	if s := e.AppendSnapshot(nil); !bytes.Equal(s[:len(s)-32], b) {
		t.Fatal("what was read is not what is held")
	}
	return false
}

// Fault: bit flip, and a checksum that hides it. Whatever bytes are read, nothing
// panics and nothing is made up.
func TestRestoreOfDamagedStates(t *testing.T) {
	w, records := workloadRecords(t, 8, 90)
	state := snapshotAt(t, w.cfg, records, len(records))
	state = state[:len(state)-32]
	if checkState(t, w.cfg, state) {
		t.Fatal("the state itself is refused")
	}
	rng := rand.New(rand.NewPCG(8, 8))
	for range 60 {
		if n := rng.IntN(len(state)); !checkState(t, w.cfg, state[:n]) {
			t.Fatalf("%d bytes of %d were enough", n, len(state))
		}
	}
	refused := 0
	for range 800 {
		b := bytes.Clone(state)
		bit := rng.IntN(8 * len(b))
		b[bit/8] ^= 1 << (bit % 8)
		refused += boolToInt(checkState(t, w.cfg, b))
	}
	t.Logf("%d of 800 bits refused by themselves", refused)
}

func FuzzRestore(f *testing.F) {
	h := newHarness(f, smallTables)
	id := h.order(1, 9990, 5)
	h.fill(id, 1, 9990, 5)
	h.order(1, 9990, 5)
	state := func(e *Engine) []byte {
		e.stop()
		s := e.AppendSnapshot(nil)
		return s[:len(s)-32]
	}
	f.Add(state(h.e))
	f.Add(state(New(h.cfg.shadow())))
	f.Fuzz(func(t *testing.T, b []byte) { checkState(t, h.cfg, b) })
}
