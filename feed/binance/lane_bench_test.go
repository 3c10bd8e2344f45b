package binance_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"qcat/core"
	"qcat/core/book"
	"qcat/core/market"
	"qcat/feed"
	"qcat/feed/binance"
)

// BenchmarkLaneFrames is the whole way of a frame through its lane: decoded, its
// sequence checked, ten levels set, levels and quote published. Frames of many
// instruments come in turn, so that each meets a book, and a listing, that nobody
// touched since the round before. One operation is one level, as a venue sends ten a
// frame; books have some hundred levels a side. The frames themselves come from a
// buffer that is in the cache, as they do behind a socket.
func BenchmarkLaneFrames(b *testing.B) {
	for _, n := range []int{10, 100, 1_000, 10_000} {
		b.Run(fmt.Sprintf("instruments=%d", n), func(b *testing.B) {
			x := newCrowd(b, n)
			for range 20_000 + 10*n {
				x.next(b)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for done := 0; done < b.N; done += crowdLevels {
				x.next(b)
			}
			b.StopTimer()
			x.check(b)
		})
	}
}

// crowd sends frames of n instruments in turn through one lane.
type crowd struct {
	lane   *feed.Lane
	frames []crowdFrame
	n      int
	at     int    // instrument of the next frame, from 0
	sent   int    // frames
	id     uint64 // that the round before ended with
}

// crowdFrame is a frame to fill in: the levels are of the shape, symbol and ids of the
// moment.
type crowdFrame struct {
	bytes        []byte
	bids, asks   []core.Level
	names        [2]int // where the symbol's digits are
	first        int    // where the ids are
	last, before int
}

const (
	crowdLevels = 10
	crowdBand   = 100 // ticks on each side
	crowdMid    = core.Price(1_000_000)
	crowdDigits = 5
)

func crowdSymbol(i int) string { return fmt.Sprintf("S%0*dUSDT", crowdDigits, i) }

func newCrowd(b *testing.B, n int) *crowd {
	b.Helper()
	x := &crowd{n: n, id: 1_000_000_000}
	listed := make([]*core.Instrument, n)
	ids := make([]core.InstrumentID, n)
	for i := range listed {
		ids[i] = core.InstrumentID(i + 1)
		listed[i] = &core.Instrument{ID: ids[i], Symbol: crowdSymbol(i), PriceScale: 2, QtyScale: 3}
	}
	decoder, err := binance.NewDecoder(binance.USDM, listed)
	if err != nil {
		b.Fatal(err)
	}
	x.lane, err = feed.NewLane(feed.LaneConfig{Decoder: decoder, Continuity: feed.ContinuityPrev, Instruments: ids,
		MaxInstruments: n + 1, Quotes: market.NewQuoteTable(n + 1), RingCapacity: 1 << 14})
	if err != nil {
		b.Fatal(err)
	}
	snapshot := crowdSnapshot(x.id)
	for _, id := range ids {
		snapshot.Instrument = id
		x.lane.Apply(snapshot, 1)
	}
	rng := rand.New(rand.NewPCG(5, 6))
	for range 61 { // no divisor of the numbers of instruments
		x.frames = append(x.frames, newCrowdFrame(rng))
	}
	return x
}

func crowdSnapshot(id uint64) *feed.Message {
	m := &feed.Message{Kind: feed.MessageSnapshot, LastID: id}
	for i := range core.Price(crowdBand) {
		m.Bids = append(m.Bids, core.Level{Price: crowdMid - 1 - i, Qty: 1})
		m.Asks = append(m.Asks, core.Level{Price: crowdMid + 1 + i, Qty: 1})
	}
	return m
}

func newCrowdFrame(rng *rand.Rand) (f crowdFrame) {
	f.bids, f.asks = crowdSide(rng, -1), crowdSide(rng, +1)
	text := func(s string) int {
		f.bytes = append(f.bytes, s...)
		return len(f.bytes)
	}
	const id = "0000000000"
	f.names[0] = text(`{"stream":"s`)
	f.names[1] = text(id[:crowdDigits] + `usdt@depth@0ms","data":{"e":"depthUpdate","E":1700000000001,"T":1700000000000,"s":"S`)
	f.first = text(id[:crowdDigits] + `USDT","U":`)
	f.last = text(id + `,"u":`)
	f.before = text(id + `,"pu":`)
	text(id + `,"b":[` + crowdText(f.bids) + `],"a":[` + crowdText(f.asks) + `]}}`)
	return f
}

// crowdSide is half of a frame's levels, in price order.
func crowdSide(rng *rand.Rand, sign core.Price) (levels []core.Level) {
	for range crowdLevels / 2 {
		levels = append(levels, core.Level{Price: crowdMid + sign*core.Price(1+rng.IntN(crowdBand)), Qty: core.Qty(rng.IntN(4)) * 1000})
	}
	slices.SortFunc(levels, func(a, b core.Level) int { return int(sign * (a.Price - b.Price)) })
	return levels
}

func crowdText(levels []core.Level) (s string) {
	for i, l := range levels {
		if i > 0 {
			s += ","
		}
		s += fmt.Sprintf(`["%d.%02d","%d.%03d"]`, l.Price/100, l.Price%100, l.Qty/1000, l.Qty%1000)
	}
	return s
}

// next sends the frame that is next.
func (x *crowd) next(b *testing.B) {
	f := &x.frames[x.sent%len(x.frames)]
	for _, at := range f.names {
		name := f.bytes[at : at+crowdDigits]
		for i, v := crowdDigits-1, x.at; i >= 0; i, v = i-1, v/10 {
			name[i] = byte('0' + v%10)
		}
	}
	strconv.AppendUint(f.bytes[:f.first], x.id+1, 10)
	strconv.AppendUint(f.bytes[:f.last], x.id+8, 10)
	strconv.AppendUint(f.bytes[:f.before], x.id, 10)
	if err := x.lane.Frame(f.bytes, 0, 1); err != nil {
		b.Fatal(err, string(f.bytes))
	}
	x.sent++
	if x.at++; x.at == x.n {
		x.at, x.id = 0, x.id+8
	}
}

// check holds the counters, and the books of some instruments, against what was sent.
func (x *crowd) check(b *testing.B) {
	b.Helper()
	x.lane.Duty()
	s := x.lane.Stats()
	if s.DepthApplied != uint64(x.sent) || s.DepthGaps != 0 || s.Stale != 0 || s.Crossed != 0 {
		b.Fatalf("%d frames: %+v", x.sent, s)
	}
	for _, i := range []int{0, x.n / 2, x.n - 1} {
		naive := book.NewNaive()
		m := crowdSnapshot(0)
		crowdApply(naive, m.Bids, m.Asks)
		for k := i; k < x.sent; k += x.n {
			f := &x.frames[k%len(x.frames)]
			crowdApply(naive, f.bids, f.asks)
		}
		if naive.Hash() != x.lane.Book(core.InstrumentID(i+1)).Hash() {
			b.Fatalf("the book of %s is not what was sent", crowdSymbol(i))
		}
	}
}

func crowdApply(naive *book.Naive, bids, asks []core.Level) {
	for _, l := range bids {
		naive.Set(core.Buy, l.Price, l.Qty)
	}
	for _, l := range asks {
		naive.Set(core.Sell, l.Price, l.Qty)
	}
}
