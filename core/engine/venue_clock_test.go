package engine

import (
	"testing"
	"time"

	"qcat/core"
	"qcat/risk"
)

// The venue's own time reaches the check with the quote.
func TestVenueClockReachesTheCheck(t *testing.T) {
	h := newHarness(t)
	var l risk.Limits
	l.Set(risk.LimitMaxClockOffset, int64(500*time.Millisecond))
	h.rest(func() error { _, err := h.e.DefineLimits(risk.FirmScope(), l); return err })
	for _, c := range []struct {
		off  time.Duration
		want risk.Code
	}{{500 * time.Millisecond, risk.OK}, {-500 * time.Millisecond, risk.OK},
		{501 * time.Millisecond, risk.VenueUnavailable}, {-501 * time.Millisecond, risk.VenueUnavailable}} {
		h.quote(h.btc.ID, 10000, 10002)
		q := h.quotes[h.btc.ID]
		q.ExchangeTime = q.ReceiveTime + core.Nanos(c.off)
		h.quotes[h.btc.ID] = q
		h.wantCode(h.ask(h.limit(core.Buy, 9990, 1, "")), c.want)
	}
	h.checkReplay()
}
