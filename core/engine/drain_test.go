package engine

import (
	"errors"
	"strings"
	"testing"
	"time"

	"qcat/core"
	"qcat/risk"
)

// A run does not end well with something that only the engine's memory knows.
func TestDrainWaitsForWhatIsNotRecorded(t *testing.T) {
	for _, c := range []struct {
		name, want string
		leave      func(h *harness, id core.OrderID)
	}{
		{"a kill", "1 state changes", func(h *harness, _ core.OrderID) {
			h.journal.appendErr = ErrFull
			h.state(risk.FirmScope(), risk.StateHalted, false)
		}},
		{"a fill", "report: true", func(h *harness, id core.OrderID) {
			h.journal.appendErr = ErrFull
			h.fill(id, 1, 9990, 1)
		}},
		{"a withheld order", "1 orders withheld", func(h *harness, _ core.OrderID) {
			h.gateway.room = 0
			h.ask(h.limit(core.Buy, 9990, 1, ""))
			h.journal.appendErr = ErrFull
			h.state(risk.FirmScope(), risk.StateHalted, false)
			h.gateway.room = -1
			h.run()
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t, func(c *Config) { c.DrainTimeout = 5 * time.Millisecond })
			c.leave(h, h.order(core.Buy, 9990, 5))
			if err := h.e.drain(); !errors.Is(err, ErrDrain) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("with something left: %v", err)
			}
			h.journal.appendErr = nil
			if err := h.e.drain(); err != nil {
				t.Errorf("with nothing left: %v", err)
			}
			h.checkReplay()
		})
	}
}
