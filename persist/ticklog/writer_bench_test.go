package ticklog

import (
	"testing"

	"qcat/core"
	"qcat/ringbuf"
)

// counter is a log that counts.
type counter struct {
	*memory
	n uint64
}

func (c *counter) Append(rec []byte) (uint64, error) {
	c.n++
	return c.n, nil
}

// BenchmarkWriter reads events of 16 instruments out of a ring, half of them
// levels, a quarter quotes and a quarter trades, and encodes what is recorded. One
// iteration is one event; the log only counts, and its count is checked.
func BenchmarkWriter(b *testing.B) {
	log := &counter{memory: &memory{}}
	ring := ringbuf.NewBroadcast[core.Event](1 << 12)
	clock := core.NewManualClock(begin)
	w, err := NewWriter(Config{Log: log, Clock: clock, Sources: []Source{{Ring: ring}}})
	if err != nil {
		b.Fatal(err)
	}
	kinds := [...]core.EventKind{core.EventLevel, core.EventTrade, core.EventLevel, core.EventQuote}
	run := make([]core.Event, batchLen)
	b.ReportAllocs()
	b.ResetTimer()
	for done := 0; done < b.N; {
		n := min(len(run), b.N-done)
		for i := range run[:n] {
			at := done + i
			run[i] = core.Event{Kind: kinds[at%4], Instrument: core.InstrumentID(1 + at/4%16), Seq: uint64(at), Price: 1, AskPrice: 2}
		}
		done += n
		ring.PublishBatch(run[:n])
		clock.Advance(1000)
		w.turn()
	}
	if s := w.Stats(); s.Events != uint64(b.N) || s.Trades+s.Quotes != log.n {
		b.Fatalf("%+v, %d appended", s, log.n)
	}
}
