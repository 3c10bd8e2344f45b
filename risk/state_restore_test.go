package risk

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"qcat/core"
)

// state is everything of a world that is state: the tree's and every hold's.
func (w *world) state() []byte {
	b := w.tree.AppendState(nil)
	for _, h := range w.holds {
		b = h.AppendState(b)
	}
	return b
}

func (w *world) instrument(id core.InstrumentID) *core.Instrument {
	if id == 0 || int(id) >= len(w.naive.ins) {
		return nil
	}
	return &w.naive.ins[id]
}

// restore replaces the tree and the holds by what their states make.
func (w *world) restore(c Config) {
	w.t.Helper()
	state := w.state()
	tree := NewTree(c)
	rest, err := tree.RestoreState(state, w.instrument)
	holds := make([]*Hold, len(w.holds))
	for i := range holds {
		if err == nil {
			holds[i] = new(Hold)
			rest, err = tree.RestoreHold(rest, holds[i])
		}
	}
	if err != nil || len(rest) != 0 {
		w.fatalf("restore: %v, %d bytes left", err, len(rest))
	}
	for i := range holds {
		if *holds[i] != *w.holds[i] {
			w.fatalf("hold %d: %+v, want %+v", i, *holds[i], *w.holds[i])
		}
	}
	w.tree, w.holds = tree, holds
	if again := w.state(); !bytes.Equal(again, state) {
		w.fatalf("the restored state differs at byte %d of %d", firstByte(again, state), len(state))
	}
}

func firstByte(a, b []byte) int {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	return i
}

// A tree that is restored now and then decides as the naive tree does, and comes
// to the state of one that never was.
func TestRestoredTreeGoesOn(t *testing.T) {
	const runs, steps = 6, 250
	for run := range runs {
		seed := uint64(run) + 100
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			plain, restored := newWorld(t, rand.New(rand.NewPCG(seed, seed))), newWorld(t, rand.New(rand.NewPCG(seed, seed)))
			when := rand.New(rand.NewPCG(seed, 1))
			for range steps {
				plain.step()
				restored.step()
				if when.IntN(25) == 0 {
					restored.restore(Config{Accounts: when.IntN(50), Positions: when.IntN(50)})
				}
			}
			restored.restore(Config{})
			if a, b := plain.state(), restored.state(); !bytes.Equal(a, b) {
				t.Fatalf("seed %d: the states differ at byte %d of %d", seed, firstByte(a, b), len(a))
			}
			restored.flatten()
		})
	}
}

// richTree is a tree with something in every part of its state.
func richTree(t testing.TB) (*world, []byte) {
	t.Helper()
	w := newWorld(t, rand.New(rand.NewPCG(3, 3)))
	for range 60 {
		w.step()
	}
	w.now += 1e9
	var duplicates, rolls Limits
	duplicates.Set(LimitDuplicateWindow, int64(1e9))
	rolls.Set(LimitRollingUp, 1_000_000)
	rolls.Set(LimitRollingWindow, int64(1e9))
	for _, s := range naivePath(&Order{Account: 1, Strategy: 1, Instrument: 2}) {
		w.tree.SetState(s, StateActive)
		if reason := w.tree.SetLimits(s, Limits{}); !reason.OK() {
			t.Fatal(reason)
		}
	}
	w.tree.SetLimits(FirmScope(), duplicates)
	w.tree.SetLimits(InstrumentScope(0, 0, 2), rolls)
	w.tree.SetRate("EUR", 1_080_000)
	w.tree.SetState(AccountScope(2), StateHalted)
	ref := Reference{Mark: 10_000, MarkTime: w.now}
	for i := range 3 {
		o := Order{Account: 1, Strategy: 1, Instrument: 2, Side: core.Buy, Type: core.Limit, TIF: core.GTC, Price: 10_000, Qty: core.Qty(1 + i)}
		a, reason := w.tree.CheckNew(&o, &ref, w.now)
		if !reason.OK() {
			t.Fatal(reason)
		}
		var h Hold
		w.tree.Accept(&a, &h)
		w.holds = append(w.holds, &h)
	}
	return w, w.tree.AppendState(nil)
}

// Of a damaged state either an error comes out or exactly what was read: nothing
// panics, and nothing is made up.
func TestRestoreStateOfDamagedBytes(t *testing.T) {
	w, state := richTree(t)
	for n := 0; n < len(state); n += 41 {
		if _, err := NewTree(Config{}).RestoreState(state[:n], w.instrument); err == nil {
			t.Fatalf("the first %d bytes of %d were enough", n, len(state))
		}
	}
	refused := 0
	const every = 211 // bits: no divisor of a field's length
	for bit := 0; bit < 8*len(state); bit += every {
		b := bytes.Clone(state)
		b[bit/8] ^= 1 << (bit % 8)
		if checkRestored(t, b, w.instrument) {
			refused++
		}
	}
	t.Logf("%d of %d bits refused by themselves", refused, 8*len(state)/every)
}

// checkRestored reports whether b was refused; if not, it must come out again.
func checkRestored(t *testing.T, b []byte, instrument func(core.InstrumentID) *core.Instrument) (refused bool) {
	t.Helper()
	tree := NewTree(Config{})
	rest, err := tree.RestoreState(b, instrument)
	if err != nil {
		return true
	}
	if read := b[:len(b)-len(rest)]; !bytes.Equal(tree.AppendState(nil), read) {
		t.Fatalf("read %x, holds %x", read, tree.AppendState(nil))
	}
	var h Hold
	if after, err := tree.RestoreHold(rest, &h); err == nil {
		if read := rest[:len(rest)-len(after)]; !bytes.Equal(h.AppendState(nil), read) {
			t.Fatalf("read a hold %x, holds %x", read, h.AppendState(nil))
		}
	}
	return false
}

func TestRestoreStateNeedsItsSurroundings(t *testing.T) {
	w, state := richTree(t)
	if _, err := w.tree.RestoreState(state, w.instrument); err == nil {
		t.Error("into a tree that is not new")
	}
	if _, err := NewTree(Config{MaxPositions: 2}).RestoreState(state, w.instrument); err == nil {
		t.Error("more pairs than there may be")
	}
	none := func(core.InstrumentID) *core.Instrument { return nil }
	if _, err := NewTree(Config{}).RestoreState(state, none); err == nil {
		t.Error("without definitions")
	}
	moved := func(id core.InstrumentID) *core.Instrument {
		in := *w.instrument(id)
		in.Venue = "elsewhere"
		return &in
	}
	if _, err := NewTree(Config{}).RestoreState(state, moved); err == nil {
		t.Error("with an instrument of another venue")
	}
	tree := NewTree(Config{})
	if _, err := tree.RestoreState(state, w.instrument); err != nil {
		t.Fatal(err)
	}
	held := w.holds[len(w.holds)-1]
	stray, wild, sideless := *held, *held, *held
	stray.order.Strategy, stray.order.Instrument = 4, 3
	wild.order.Strategy |= 1 << 31
	sideless.order.Side = 0
	for name, h := range map[string]*Hold{"of somebody else's pair": &stray, "of a strategy beyond all ids": &wild, "without a side": &sideless} {
		if _, err := tree.RestoreHold(h.AppendState(nil), new(Hold)); err == nil {
			t.Errorf("a hold %s", name)
		}
	}
	for name, h := range map[string]*Hold{"that holds nothing": {}, "of an order": held} {
		if _, err := tree.RestoreHold(h.AppendState(nil), new(Hold)); err != nil {
			t.Errorf("a hold %s: %v", name, err)
		}
	}
}

// FuzzRestoreState reads any bytes as a state and a hold behind it.
func FuzzRestoreState(f *testing.F) {
	w, state := richTree(f)
	f.Add(state)
	f.Add(w.holds[len(w.holds)-1].AppendState(bytes.Clone(state)))
	f.Add(NewTree(Config{}).AppendState(nil))
	f.Fuzz(func(t *testing.T, b []byte) { checkRestored(t, b, w.instrument) })
}
