package engine

import (
	"fmt"
	"testing"

	"qcat/core"
	"qcat/risk"
)

// Whatever a client repeats while there are no records, one cancel of an order
// waits for a gateway that takes none; one that was taken may be repeated.
func TestUnrecordedCancelsWaitOnce(t *testing.T) {
	for _, failure := range []error{fmt.Errorf("no space: %w", ErrFull), errBroken} {
		t.Run(failure.Error(), func(t *testing.T) {
			h := newHarness(t)
			id := h.order(core.Buy, 9990, 5)
			h.journal.appendErr = failure
			h.gateway.room = 0
			asked := 0
			for i := range 20_000 {
				c := Command{Kind: CmdCancel, Order: id}
				if i%100 == 99 {
					c = Command{Kind: CmdCancelAll, Scope: risk.FirmScope(), Reply: h.reply}
				}
				h.e.Submit(&c)
				h.run()
			}
			for _, r := range h.sink.replies {
				asked += r.Cancelled
			}
			if n := h.e.outboxes[0].queue.len() + h.e.m.out.venues.len(); n != 1 || asked != 0 {
				t.Errorf("%d cancels wait, want 1; %d asked for by the repetitions of all, want 0", n, asked)
			}
			h.gateway.room = -1
			h.run()
			h.cancel(id)
			if got := h.gateway.ops(core.VenueCancel); len(got) != 2 {
				t.Errorf("%d cancels sent, want the one that waited and its repetition", len(got))
			}
		})
	}
}
