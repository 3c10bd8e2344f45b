package engine

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"qcat/core"
	"qcat/risk"
)

// While the journal has no room each switch fires when it is due, whatever fired
// before it, and is recorded as soon as there is room.
func TestCountdownsWithoutRoomFireEachInTime(t *testing.T) {
	h := newHarness(t)
	mine := h.order(core.Buy, 9990, 1)
	c := h.ofAnother()
	theirs := h.ask(c).Order.ID
	h.ask(Command{Kind: CmdCountdown, Scope: risk.AccountScope(h.account.ID), Timeout: core.Nanos(time.Second)})
	h.ask(Command{Kind: CmdCountdown, Scope: risk.AccountScope(c.Account), Timeout: core.Nanos(1500 * time.Millisecond)})
	h.journal.appendErr = fmt.Errorf("no space: %w", ErrFull)
	h.clock.Advance(time.Second)
	h.run()
	if got := h.gateway.ops(core.VenueCancel); !slices.Equal(got, []core.OrderID{mine}) {
		t.Errorf("cancels of %v, want %d's", got, mine)
	}
	h.clock.Advance(500 * time.Millisecond)
	h.run()
	if got := h.gateway.ops(core.VenueCancel); !slices.Equal(got, []core.OrderID{mine, theirs}) {
		t.Errorf("cancels of %v, want %d's and %d's, once each", got, mine, theirs)
	}
	h.journal.appendErr = nil
	h.clock.Advance(10 * time.Millisecond)
	h.run()
	if n := len(h.e.m.switches.all); n != 0 {
		t.Errorf("%d switches are armed although there is room again", n)
	}
	h.checkReplay()
}
