package core_test

import (
	"math/rand/v2"
	"testing"

	"qcat/core"
)

const minute = core.CandleInterval

func TestCandleBuilderFoldsAndCloses(t *testing.T) {
	var b core.CandleBuilder
	base := 10 * minute
	for _, tr := range []struct {
		at core.Nanos
		p  core.Price
		q  core.Qty
	}{{base, 100, 1}, {base + 1, 120, 2}, {base + minute - 1, 90, 3}} {
		if _, closed := b.Trade(tr.at, tr.p, tr.q); closed {
			t.Fatalf("closed within its minute at %d", tr.at)
		}
	}
	got, ok := b.Trade(base+2*minute, 95, 5)
	want := core.Candle{Open: 100, High: 120, Low: 90, Close: 90, Volume: 6, Trades: 3, Closed: true, OpenTime: base}
	if !ok || got != want {
		t.Fatalf("closed %v %+v, want %+v", ok, got, want)
	}
	if cur, open := b.Current(); !open || cur.OpenTime != base+2*minute || cur.Open != 95 || cur.Trades != 1 {
		t.Fatalf("current %+v", cur)
	}
}

func TestCandleBuilderAdvanceClosesOnce(t *testing.T) {
	var b core.CandleBuilder
	b.Trade(minute, 7, 1)
	if _, ok := b.Advance(2*minute - 1); ok {
		t.Fatal("closed before its end")
	}
	if c, ok := b.Advance(2 * minute); !ok || !c.Closed || c.Close != 7 {
		t.Fatalf("not closed at its end: %+v", c)
	}
	if _, ok := b.Advance(3 * minute); ok {
		t.Fatal("closed twice")
	}
	if b.Trade(minute+5, 9, 1); b.Late() != 1 {
		t.Fatal("a trade of a closed candle must be counted as late")
	}
	if _, open := b.Current(); open {
		t.Fatal("a late trade opened a candle")
	}
}

func TestCandleOpenTimeNegative(t *testing.T) {
	if got := core.CandleOpenTime(-1, minute); got != -minute {
		t.Fatalf("open time of -1 ns is %d", got)
	}
	if got := core.CandleOpenTime(-1<<63+5, minute); got != -1<<63 {
		t.Fatalf("open time of the earliest interval is %d", got)
	}
}

// A builder that goes on after another's latest candle, open or closed, builds what
// that one would have built.
func TestResumedCandlesAreTheSame(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 0))
		interval := core.Nanos(1 + r.Int64N(1000))
		one, other := core.CandleBuilder{Interval: interval}, core.CandleBuilder{Interval: interval}
		at := core.Nanos(0)
		for i := range 2000 {
			at += core.Nanos(r.Int64N(int64(interval))) - interval/4
			p, q := core.Price(1+r.Int64N(1000)), core.Qty(1+r.Int64N(50))
			var a, b core.Candle
			if r.IntN(4) == 0 {
				a, _ = one.Advance(at)
				b, _ = other.Advance(at)
			} else {
				a, _ = one.Trade(at, p, q)
				b, _ = other.Trade(at, p, q)
			}
			last, _ := one.Current()
			if have, _ := other.Current(); a != b || last != have {
				t.Fatalf("seed %d, step %d: %+v and %+v, want %+v and %+v", seed, i, b, have, a, last)
			}
			if last.Trades > 0 {
				other = core.ResumeCandles(interval, last)
			}
		}
	}
}

// TestCandlesAgainstNaive holds the builder against grouping all trades by minute.
func TestCandlesAgainstNaive(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	var b core.CandleBuilder
	var got []core.Candle
	want := map[core.Nanos]*core.Candle{}
	var order []core.Nanos
	at := core.Nanos(0)
	for range 5000 {
		at += core.Nanos(r.Int64N(int64(minute) / 3))
		p, q := core.Price(1+r.Int64N(1000)), core.Qty(1+r.Int64N(50))
		open := at - at%minute
		w := want[open]
		if w == nil {
			w = &core.Candle{Open: p, High: p, Low: p, OpenTime: open, Closed: true}
			want[open] = w
			order = append(order, open)
		}
		w.High, w.Low, w.Close = max(w.High, p), min(w.Low, p), p
		w.Volume += q
		w.Trades++
		if c, ok := b.Trade(at, p, q); ok {
			got = append(got, c)
		}
	}
	c, _ := b.Advance(at + minute)
	got = append(got, c)
	if len(got) != len(order) {
		t.Fatalf("seed %d: %d candles, want %d", seed, len(got), len(order))
	}
	for i, open := range order {
		if got[i] != *want[open] {
			t.Fatalf("seed %d: candle %d is %+v, want %+v", seed, i, got[i], *want[open])
		}
	}
}
