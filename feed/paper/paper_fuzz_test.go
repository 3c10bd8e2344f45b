package paper

import (
	"testing"
	"time"
)

// FuzzAgainstNaive looks for a random market, fees and latencies on which the
// matcher and the naive model differ or a promise breaks.
func FuzzAgainstNaive(f *testing.F) {
	f.Add(uint64(1), int16(0), int16(0), uint8(0), uint8(0))
	f.Add(uint64(2), int16(-500), int16(700), uint8(5), uint8(2))
	f.Fuzz(func(t *testing.T, seed uint64, maker, taker int16, order, cancel uint8) {
		s := newScene(t, seed, Settings{
			Fees:         Fees{MakerPPM: int64(maker), TakerPPM: int64(taker)},
			OrderLatency: time.Duration(order), CancelLatency: time.Duration(cancel),
		})
		for step := range 300 {
			s.step()
			s.compare(seed, step)
			if t.Failed() {
				return
			}
		}
	})
}
