package sim

import (
	"context"
	"errors"
	"testing"
	"time"

	"qcat/core"
	"qcat/feed"
)

const start = core.Nanos(1_700_000_000_000_000_000)

// pinned is the hash of the messages of TestSameSeedSameStream. It changes only
// with the model, on purpose.
const pinned = uint64(0xe7a943fd3408f596)

func stream(t *testing.T, seed uint64, pieces ...core.Nanos) (uint64, int) {
	t.Helper()
	e := newExchange(t, Settings{Seed: seed, Rate: 500, Start: start}, 5)
	d := newDigest()
	now := start
	for _, p := range pieces {
		now += p
		e.Advance(now, d.add)
	}
	return d.h.Sum64(), d.n
}

func TestSameSeedSameStream(t *testing.T) {
	whole, n := stream(t, 7, 10e9)
	if whole != pinned {
		t.Errorf("hash of %d messages is %#x, pinned is %#x", n, whole, pinned)
	}
	if n < 10*500*5 {
		t.Errorf("%d messages in 10 s at 500/s of 5 instruments", n)
	}
	var pieces []core.Nanos
	for left := core.Nanos(10e9); left > 0; {
		p := min(left, core.Nanos(len(pieces)%97)*317_003)
		pieces = append(pieces, p)
		left -= p
	}
	if got, _ := stream(t, 7, pieces...); got != whole {
		t.Errorf("cut into %d pieces the stream differs", len(pieces))
	}
	if got, _ := stream(t, 8, 10e9); got == whole {
		t.Error("another seed gives the same stream")
	}
}

func TestMarketDoesNotDependOnItsNeighbours(t *testing.T) {
	l := listed(t, 4)
	tradesOf := func(ls []Listing) []feed.Message {
		e, err := NewExchange(Settings{Seed: 3, Rate: 1000, Start: start}, ls)
		if err != nil {
			t.Fatal(err)
		}
		var got []feed.Message
		for now := start; len(got) < 2000; now += 1e8 {
			e.Advance(now, func(m *feed.Message) {
				if m.Instrument == l[0].Instrument.ID && m.Kind == feed.MessageTrade {
					c := *m
					c.ExchangeTime = 0
					got = append(got, c)
				}
			})
		}
		return got[:2000]
	}
	alone, among := tradesOf(l[:1]), tradesOf(l)
	for i := range alone {
		if alone[i].Price != among[i].Price || alone[i].Qty != among[i].Qty || alone[i].Side != among[i].Side {
			t.Fatalf("trade %d is %+v alone and %+v among others", i, alone[i], among[i])
		}
	}
}

// TestMarketKeepsItsPromises follows every message of many steps with a naive
// book: continuity, grids, depth, no crossing, and trades that the depth shows.
func TestMarketKeepsItsPromises(t *testing.T) {
	for _, l := range listed(t, 6) {
		t.Run(l.Instrument.Symbol, func(t *testing.T) {
			m, err := NewMarket(11, l)
			if err != nil {
				t.Fatal(err)
			}
			f := newFollower(t, l)
			now := start
			lo, hi := l.FairPrice, l.FairPrice
			const steps = 12_000
			for i := range steps {
				now += 1e6
				var msgs []feed.Message
				if i%3_000 == 0 {
					msgs = m.Snapshot(now)
				} else {
					msgs = m.Step(now)
				}
				for j := range msgs {
					f.apply(&msgs[j])
				}
				lo, hi = min(lo, f.bestBid()), max(hi, f.bestAsk())
			}
			if f.trades < steps/40 {
				t.Errorf("%d trades in %d steps", f.trades, steps)
			}
			narrow := f.spreads[1] + f.spreads[2] + f.spreads[3]
			if narrow < steps*6/10 || f.spreads[1] == steps {
				t.Errorf("spreads in ticks: %v", f.spreads)
			}
			if hi-lo < 8*l.Instrument.TickSize {
				t.Errorf("the market moved from %d to %d only", lo, hi)
			}
		})
	}
}

// TestExtremeListings runs the corners of what a listing may say.
func TestExtremeListings(t *testing.T) {
	base := listed(t, 1)[0]
	for name, change := range map[string]func(*Listing){
		"wild":    func(l *Listing) { l.Volatility = MaxVolatility },
		"still":   func(l *Listing) { l.Volatility = 0 },
		"shallow": func(l *Listing) { l.Depth = 4 },
		"deep":    func(l *Listing) { l.Depth = 200 },
		"cheap": func(l *Listing) {
			l.FairPrice = 16 * DefaultDepth * l.Instrument.TickSize
			l.Volatility = MaxVolatility
		},
		"thin":       func(l *Listing) { l.LevelQty = 16 },
		"large step": func(l *Listing) { l.Instrument.StepSize = 100; l.LevelQty = 1600 },
		"large":      func(l *Listing) { l.LevelQty = 1 << 48; l.FairPrice = 1<<52 - (1<<52)%10 },
	} {
		t.Run(name, func(t *testing.T) {
			l := base
			change(&l)
			m, err := NewMarket(5, l)
			if err != nil {
				t.Fatal(err)
			}
			f := newFollower(t, l)
			now := start
			for _, msg := range m.Snapshot(now) {
				f.apply(&msg)
			}
			for range 4_000 {
				now++
				msgs := m.Step(now)
				if len(msgs) > maxStep {
					t.Fatalf("%d messages in a step", len(msgs))
				}
				for j := range msgs {
					f.apply(&msgs[j])
				}
			}
		})
	}
}

func TestListings(t *testing.T) {
	ls := listed(t, 2000)
	for i, want := range map[int]string{
		0: "sim:BTCUSDT", 1: "sim:ETHUSDT", 2: "sim:SOLUSDT", 3: "sim:SYM0001", 1999: "sim:SYM1997",
	} {
		if got := ls[i].Instrument.Name(); got != want {
			t.Errorf("listing %d is %s, want %s", i, got, want)
		}
	}
	for i := range ls {
		in := &ls[i].Instrument
		if err := ls[i].validate(); err != nil {
			t.Error(err)
		}
		if in.Kind != core.Linear || in.SettleScale != 8 || in.Settle != "USDT" {
			t.Errorf("%s is no USDT perpetual", in.Name())
		}
		value, ok := in.Notional(ls[i].FairPrice, ls[i].LevelQty, core.RoundDown)
		if !ok || value < 10_000_00000000 || value > 300_000_00000000 {
			t.Errorf("%s: a level is worth %s", in.Name(), core.FormatDecimal(int64(value), in.SettleScale))
		}
	}
	if got := len(Listings(0)) + len(Listings(-1)); got != 0 {
		t.Errorf("%d listings out of none", got)
	}
}

func TestRefusals(t *testing.T) {
	good := listed(t, 1)
	if _, err := NewExchange(Settings{}, nil); !errors.Is(err, ErrSettings) {
		t.Errorf("no listings: %v", err)
	}
	for _, rate := range []int{-1, MaxRate + 1} {
		if _, err := NewExchange(Settings{Rate: rate}, good); !errors.Is(err, ErrSettings) {
			t.Errorf("rate %d: %v", rate, err)
		}
	}
	if _, err := NewExchange(Settings{}, append(good, good...)); !errors.Is(err, ErrSettings) {
		t.Errorf("listed twice: %v", err)
	}
	for name, change := range map[string]func(*Listing){
		"no id":       func(l *Listing) { l.Instrument.ID = 0 },
		"depth":       func(l *Listing) { l.Depth = 3 },
		"fair low":    func(l *Listing) { l.FairPrice = 16*DefaultDepth*l.Instrument.TickSize - l.Instrument.TickSize },
		"fair grid":   func(l *Listing) { l.FairPrice++ },
		"level":       func(l *Listing) { l.LevelQty = 15 },
		"volatility":  func(l *Listing) { l.Volatility = MaxVolatility + 1 },
		"tick":        func(l *Listing) { l.Instrument.TickSize = 1 << 60; l.FairPrice = 0 },
		"step":        func(l *Listing) { l.Instrument.StepSize = 1 << 60; l.LevelQty = 0 },
		"-volatility": func(l *Listing) { l.Volatility = -1 },
	} {
		l := good[0]
		change(&l)
		if _, err := NewMarket(1, l); !errors.Is(err, ErrListing) {
			t.Errorf("%s: %v", name, err)
		}
	}
	l := good[0]
	l.Instrument.TickSize = 0
	if _, err := NewMarket(1, l); !errors.Is(err, core.ErrInstrument) {
		t.Errorf("tick: %v", err)
	}
}

// recorder is a lane that only looks.
type recorder struct {
	kinds  map[feed.MessageKind]int
	last   core.Nanos
	duties int
	hook   func(*feed.Message)
}

func (r *recorder) Apply(m *feed.Message, rx core.Nanos) {
	r.kinds[m.Kind]++
	r.last = rx
	if r.hook != nil {
		r.hook(m)
	}
}

func (r *recorder) Duty() time.Duration { r.duties++; return 0 }

func TestRunnerFollowsTheClock(t *testing.T) {
	e := newExchange(t, Settings{Seed: 1, Rate: 100}, 3)
	lane := &recorder{kinds: map[feed.MessageKind]int{}}
	r := NewRunner(e, lane, core.NewManualClock(start))
	if r.Duty(start); lane.kinds[feed.MessageSnapshot] != 3 {
		t.Fatalf("first duty: %v", lane.kinds)
	}
	now := start
	for now < start+10e9 {
		now += 2e6
		r.Duty(now)
	}
	if lane.last > now || lane.duties != 5001 {
		t.Errorf("last message at %d, %d duties", lane.last, lane.duties)
	}
	if n := lane.kinds[feed.MessageDepth]; n < 2700 || n > 3300 {
		t.Errorf("%d depth messages in 10 s at 100/s of 3 instruments", n)
	}
	if n := lane.kinds[feed.MessageMark]; n < 25 || n > 36 {
		t.Errorf("%d marks of 3 instruments in 10 s", n)
	}

	before := lane.kinds[feed.MessageDepth]
	r.Duty(now + 3600e9)
	if n := lane.kinds[feed.MessageDepth] - before; n > 10 {
		t.Errorf("%d depth messages made up for an hour's sleep", n)
	}

	lane.hook = func(m *feed.Message) { // a lane that cannot use its snapshots
		if m.Kind == feed.MessageSnapshot {
			e.RequestSnapshot(m.Instrument)
		}
	}
	e.RequestSnapshot(2)
	e.RequestSnapshot(2)
	e.RequestSnapshot(99)
	before = lane.kinds[feed.MessageSnapshot]
	r.Duty(now + 3600e9)
	r.Duty(now + 3600e9)
	if n := lane.kinds[feed.MessageSnapshot] - before; n != 2 {
		t.Errorf("%d snapshots, want one a duty", n)
	}
}

func TestRunStopsWithItsContext(t *testing.T) {
	for _, rate := range []int{Unpaced, 1000} {
		ctx, cancel := context.WithCancel(t.Context())
		e := newExchange(t, Settings{Seed: 1, Rate: rate}, 2)
		n := 0
		lane := &recorder{kinds: map[feed.MessageKind]int{}}
		lane.hook = func(*feed.Message) {
			if n++; n == 20 {
				cancel()
			}
		}
		NewRunner(e, lane, core.SystemClock()).Run(ctx)
		if n < 20 {
			t.Errorf("rate %d: stopped after %d messages", rate, n)
		}
	}
}

func TestExponential(t *testing.T) {
	r := random{state: 1}
	const n, mean = 200_000, 1_000_000
	var sum, above uint64
	for range n {
		v := r.exponential(mean)
		sum += v
		if v > mean {
			above++
		}
	}
	if got := sum / n; got < mean*98/100 || got > mean*102/100 {
		t.Errorf("mean %d, want about %d", got, mean)
	}
	if got := above * 1000 / n; got < 358 || got > 378 { // e^-1 = 0.368
		t.Errorf("%d of 1000 are above the mean", got)
	}
}
