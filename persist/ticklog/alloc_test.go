//go:build !race

package ticklog

import (
	"testing"
	"time"

	"qcat/core"
	"qcat/core/record"
)

// sink is a log that takes everything, or nothing, and keeps nothing.
type sink struct {
	*memory
	next uint64
	err  error
}

func (s *sink) Append([]byte) (uint64, error) {
	if s.err != nil {
		return 0, s.err
	}
	s.next++
	return s.next, nil
}

// Nothing is allocated per event (I1), whether it is recorded, sampled or dropped.
func TestTurnsDoNotAllocate(t *testing.T) {
	for name, err := range map[string]error{"recorded": nil, "full": record.ErrFull} {
		log := &sink{memory: &memory{}}
		b := newBench(t, 2, 1024, func(c *Config) { c.Log = log })
		id := uint64(0)
		turn := func() {
			for i := range 50 {
				id++
				b.trade(i%2, id)
				b.publish(i%2, core.Event{Kind: core.EventQuote, Instrument: core.InstrumentID(1 + i), Price: 1, AskPrice: 2})
				b.publish(i%2, core.Event{Kind: core.EventMark, Instrument: 3, Price: 1})
			}
			b.clock.Advance(30 * time.Millisecond)
			b.drain()
		}
		for range 10 {
			turn()
		}
		log.err = err
		turn()
		if n := testing.AllocsPerRun(100, turn); n != 0 {
			t.Errorf("%s: %v allocations a turn", name, n)
		}
		if s := b.Stats(); s.Lost != 0 || (s.Dropped == 0) != (err == nil) {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func TestCodecDoesNotAllocate(t *testing.T) {
	buf := make([]byte, 0, 256)
	var back Record
	rec := Record{Header: Header{Type: TypeQuote, Seq: 1, Time: 2}, Quote: Quote{Instrument: 3, BidPrice: 4}}
	if n := testing.AllocsPerRun(100, func() {
		buf = rec.Append(buf[:0])
		if Decode(buf, &back) != nil {
			t.Fatal("refused")
		}
	}); n != 0 || back != rec {
		t.Errorf("%v allocations", n)
	}
}
