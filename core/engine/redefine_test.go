package engine

import (
	"errors"
	"strings"
	"testing"

	"qcat/core"
	"qcat/risk"
)

// Fault: a venue changed the filters of an instrument while the server was down.
// The order that is open stays, the new filters count, and replay comes to the
// same state.
func TestFiltersChangeBetweenRuns(t *testing.T) {
	h := newHarness(t)
	id := h.order(core.Buy, 9990, 5)
	h = h.restart()
	def := testInstrument("sim", "BTCUSDT")
	def.TickSize, def.MinQty = 5, 3
	in, err := h.e.DefineInstrument(def)
	if err != nil || in.ID != h.btc.ID || in.TickSize != 5 {
		t.Fatalf("%+v, %v", in, err)
	}
	seq := h.e.m.seq
	if again, err := h.e.DefineInstrument(def); err != nil || again != in || h.e.m.seq != seq {
		t.Errorf("the same once more: %p, %v, %d records; want %p and none", again, err, h.e.m.seq-seq, in)
	}
	if h.e.Directory().Instrument(in.ID) != in || h.e.m.instrument(in.ID).TickSize != 5 {
		t.Error("a reader finds the old definition")
	}
	h.begin()
	h.quote(in.ID, 9990, 10000)
	if o := h.stored(id); !o.Status.Open() || o.Price != 9990 {
		t.Errorf("the open order: %+v", o)
	}
	h.wantCode(h.ask(h.limit(core.Buy, 9991, 3, "")), risk.PriceTick)
	h.wantCode(h.ask(h.limit(core.Buy, 9990, 2, "")), risk.MinQty)
	h.wantCode(h.ask(h.limit(core.Buy, 9985, 3, "")), risk.OK)
	h.wantCode(h.cancel(id), risk.OK)
	h.checkReplay()
}

// What an instrument is cannot change under its orders, nor its filters while
// orders are being checked against them; a journal that is full leaves the old
// ones.
func TestRedefinitionThatIsRefused(t *testing.T) {
	h := newHarness(t)
	h.order(core.Buy, 9990, 5)
	def := testInstrument("sim", "BTCUSDT")
	def.TickSize = 5
	if _, err := h.defineRunning(def); !errors.Is(err, core.ErrDirectory) {
		t.Errorf("while it runs: %v", err)
	}
	h = h.restart()
	before := h.e.StateHash()
	scaled := def
	scaled.QtyScale++
	if _, err := h.e.DefineInstrument(scaled); !errors.Is(err, core.ErrInstrument) ||
		!strings.Contains(err.Error(), "quantity 3") || !strings.Contains(err.Error(), "quantity 4") {
		t.Errorf("another scale: %v", err)
	}
	h.journal.appendErr = ErrFull
	if _, err := h.e.DefineInstrument(def); !errors.Is(err, ErrFull) {
		t.Errorf("a full journal: %v", err)
	}
	if h.e.StateHash() != before || h.e.Directory().Instrument(h.btc.ID).TickSize != 1 {
		t.Error("a refused definition left a trace")
	}
	h.journal.appendErr = nil
	if _, err := h.e.DefineInstrument(def); err != nil {
		t.Error(err)
	}
}

// defineRunning defines on the engine's own goroutine, as Run would.
func (h *harness) defineRunning(def core.Instrument) (in *core.Instrument, err error) {
	done := make(chan struct{})
	go func() {
		in, err = h.e.DefineInstrument(def)
		close(done)
	}()
	for {
		select {
		case <-done:
			return in, err
		default:
			h.e.duty()
		}
	}
}
