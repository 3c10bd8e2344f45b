package paper

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"qcat/core"
)

// scene drives a stage, the naive model and an audit with the same random
// market and commands. The market is not a sensible one: it crosses, goes stale,
// repeats itself and trades what it never showed, so that every path is met.
type scene struct {
	*stage
	rng    *rand.Rand
	naive  *naive
	audit  *audit
	mid    core.Price
	orders core.OrderID

	snapshotSeen map[naiveLevel]bool
}

func newScene(t *testing.T, seed uint64, settings Settings) *scene {
	s := &scene{stage: newStage(t, settings), rng: rand.New(rand.NewPCG(seed, 1)), mid: 1000}
	if settings.Fees.Base {
		s.defs[one].Kind = core.Spot
	}
	s.naive = newNaive(settings, s.defs[one])
	s.audit = newAudit(t, s)
	return s
}

func (s *scene) n(limit int) int { return s.rng.IntN(limit) }

// emit shows one event to all.
func (s *scene) emit(ev core.Event) {
	ev.Instrument = one
	ev.ExchangeTime = s.exchange
	ev.ReceiveTime = s.now
	s.audit.before(&ev)
	s.event(ev)
	s.naive.event(ev)
	s.audit.after(&ev)
}

func (s *scene) emitRun(flags core.EventFlags, levels []core.Event) {
	for i, ev := range levels {
		ev.Kind, ev.Flags = core.EventLevel, flags
		if i == 0 {
			ev.Flags |= core.FlagFirst
		}
		if i == len(levels)-1 {
			ev.Flags |= core.FlagLast
		}
		s.emit(ev)
		if s.n(8) == 0 { // the venue's goroutine looks in the middle of a run
			s.advance()
		}
	}
}

func (s *scene) advance() {
	s.matcher.Advance(s.now)
	s.naive.advance(s.now)
	s.audit.after(nil)
}

func (s *scene) submit(c core.VenueCommand) {
	c.Instrument = one
	s.audit.command(c)
	s.matcher.Submit(&c, s.now)
	s.naive.submit(c, s.now)
	s.advance()
}

// step does one thing at random.
func (s *scene) step() {
	s.now += core.Nanos(s.n(4))
	s.exchange = s.now - core.Nanos(s.n(6))
	switch s.n(16) {
	case 0:
		s.mid += core.Price(s.n(5) - 2)
	case 1, 2, 3, 4:
		s.emitRun(0, s.levels(1+s.n(3)))
	case 5, 6, 7:
		s.emit(core.Event{
			Kind: core.EventTrade, Side: core.Side(1 + s.n(2)),
			Price: s.mid + core.Price(s.n(9)-4), Qty: core.Qty(1 + s.n(12)),
		})
	case 8:
		if s.n(12) == 0 {
			s.emit(core.Event{Kind: core.EventStatus, Flags: core.FlagStale})
		}
		if s.n(4) == 0 {
			s.emitRun(core.FlagSnapshot, s.levels(12))
		}
	case 9, 10, 11, 12:
		s.submit(s.newOrder())
	case 13:
		s.submit(core.VenueCommand{Op: core.VenueCancel, Order: s.recent()})
	case 14:
		s.submit(core.VenueCommand{
			Op: core.VenueAmend, Order: s.recent(),
			Price: s.mid + core.Price(s.n(9)-4), Qty: core.Qty(s.n(20)),
		})
	case 15:
		if s.n(3) == 0 {
			s.submit(s.question())
		}
		s.advance()
	}
}

// question asks about an order that the venue has, had, or never had.
func (s *scene) question() core.VenueCommand {
	c := s.newOrder()
	if s.n(3) == 0 {
		c.Order = max(1, s.recent())
	}
	c.Op, c.Acked, c.Amending = core.VenueStatus, s.n(4) > 0, s.n(4) == 0
	if c.Acked && c.Qty > 0 {
		c.CumQty = core.Qty(s.n(int(c.Qty)))
	}
	if o := s.naive.find(c.Order); o != nil && s.n(2) == 0 {
		c.Price, c.Qty = o.Price, o.Qty
	}
	c.VenueExecID = s.naive.execs + uint64(s.n(3))
	return c
}

// levels makes bids below the mid and offers above it; now and then beyond it.
func (s *scene) levels(n int) []core.Event {
	out := make([]core.Event, n)
	for i := range out {
		away := core.Price(1 + s.n(5))
		if s.n(10) == 0 {
			away = -away / 2
		}
		ev := bid(s.mid-away, 0)
		if s.n(2) == 0 {
			ev = ask(s.mid+away, 0)
		}
		if s.n(3) > 0 {
			ev.Qty = core.Qty(1 + s.n(20))
		}
		out[i] = ev
	}
	return out
}

func (s *scene) recent() core.OrderID {
	return s.orders - min(s.orders, core.OrderID(s.n(12)))
}

func (s *scene) newOrder() core.VenueCommand {
	s.orders++
	if s.orders > 1 && s.n(40) == 0 {
		s.orders-- // the same number again
	}
	side := core.Side(1 + s.n(2))
	if s.n(4) == 0 {
		c := marketOrder(s.orders, side, core.Qty(1+s.n(25)))
		c.TIF = []core.TimeInForce{core.GTC, core.IOC, core.FOK}[s.n(3)]
		return c
	}
	c := limit(s.orders, side, core.TimeInForce(1+s.n(5)), s.mid+core.Price(s.n(9)-4), core.Qty(s.n(25)))
	c.ExpireTime = s.now + core.Nanos(s.n(100))
	return c
}

// TestAgainstNaive holds the matcher against the naive model, report by report,
// and both against the promises of the package documentation.
func TestAgainstNaive(t *testing.T) {
	for i, settings := range []Settings{
		{},
		{Fees: Fees{MakerPPM: -137, TakerPPM: 533}},
		{Fees: testFees, OrderLatency: 7, CancelLatency: 3},
		{Fees: Fees{MakerPPM: -5137, TakerPPM: 5533, Base: true}},
		{OrderLatency: 2, CancelLatency: 9 * time.Nanosecond},
	} {
		t.Run(fmt.Sprint(settings), func(t *testing.T) {
			for run := range 8 {
				seed := uint64(100*i + run)
				s := newScene(t, seed, settings)
				for step := range 2000 {
					s.step()
					s.compare(seed, step)
					if t.Failed() {
						return
					}
				}
				s.audit.finish(seed)
			}
		})
	}
}

// compare consumes the reports of both.
func (s *scene) compare(seed uint64, step int) {
	got, want := s.take(), s.naive.reports
	s.naive.reports, s.audit.seen = nil, 0
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			s.t.Errorf("seed %d, step %d, report %d:\n got %+v\nwant %+v", seed, step, i, got, want)
			return
		}
	}
	s.naive.orders = slices.DeleteFunc(s.naive.orders, func(o *naiveOrder) bool { return o.closed })
	if open := len(s.naive.orders); open != s.matcher.Open() {
		s.t.Errorf("seed %d, step %d: %d open orders, want %d", seed, step, s.matcher.Open(), open)
	}
}

// TestSameInputSameReports plays a scene twice.
func TestSameInputSameReports(t *testing.T) {
	play := func() []core.ExecReport {
		s := newScene(t, 99, Settings{Fees: testFees, OrderLatency: 3})
		for range 3000 {
			s.step()
		}
		return s.take()
	}
	a, b := play(), play()
	if len(a) < 1000 || len(a) != len(b) {
		t.Fatalf("%d and %d reports", len(a), len(b))
	}
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("report %d: %+v and %+v", i, a[i], b[i])
		}
	}
}
