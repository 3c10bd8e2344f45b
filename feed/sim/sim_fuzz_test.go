package sim

import (
	"testing"

	"qcat/core"
)

// FuzzMarket looks for a listing that is accepted and whose market then breaks a
// promise.
func FuzzMarket(f *testing.F) {
	f.Add(uint64(1), int64(6_000_000), int64(4_000), 40, 220, int64(10), int64(1))
	f.Add(uint64(2), int64(64), int64(16), 4, MaxVolatility, int64(1), int64(1))
	f.Fuzz(func(t *testing.T, seed uint64, fair, level int64, depth, volatility int, tick, step int64) {
		l := Listings(1)[0]
		l.Instrument.ID = 1
		l.Instrument.TickSize, l.Instrument.StepSize = core.Price(tick), core.Qty(step)
		l.FairPrice, l.LevelQty = core.Price(fair), core.Qty(level)
		l.Depth, l.Volatility = depth, volatility
		if depth > 64 {
			return // a step costs as much as the book is deep: keep the search fast
		}
		m, err := NewMarket(seed, l)
		if err != nil {
			return
		}
		follow := newFollower(t, l)
		now := start
		for _, msg := range m.Snapshot(now) {
			follow.apply(&msg)
		}
		for range 300 {
			now++
			msgs := m.Step(now)
			for i := range msgs {
				follow.apply(&msgs[i])
			}
		}
	})
}
