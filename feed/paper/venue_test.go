package paper

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"qcat/core"
	"qcat/core/market"
	"qcat/feed"
	"qcat/feed/sim"
	"qcat/ringbuf"
)

// testFees are those of a large venue's lowest tier: 0.02 % and 0.05 %.
var testFees = Fees{MakerPPM: 200, TakerPPM: 500}

// world is a simulated market, its lane, and a paper venue that follows it.
type world struct {
	directory *core.Directory
	ids       []core.InstrumentID
	lane      *feed.Lane
	runner    *sim.Runner
	clock     *core.ManualClock
	config    Config
}

func newWorld(t testing.TB, instruments int) *world {
	t.Helper()
	w := &world{
		directory: core.NewDirectory(),
		clock:     core.NewManualClock(1_700_000_000_000_000_000),
	}
	listings := sim.Listings(instruments)
	for i := range listings {
		in, err := w.directory.AddInstrument(listings[i].Instrument)
		if err != nil {
			t.Fatal(err)
		}
		listings[i].Instrument = *in
		w.ids = append(w.ids, in.ID)
	}
	exchange, err := sim.NewExchange(sim.Settings{Seed: 1, Rate: 500}, listings)
	if err != nil {
		t.Fatal(err)
	}
	w.lane, err = feed.NewLane(feed.LaneConfig{
		Name: "sim", Continuity: feed.ContinuityPrev,
		Instruments: w.ids, RequestResync: exchange.RequestSnapshot,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.runner = sim.NewRunner(exchange, w.lane, w.clock)
	w.config = Config{
		Settings:  Settings{Fees: testFees},
		Directory: w.directory, Instruments: w.ids, Clock: w.clock,
		Sources: []market.Source{w.lane.Source()},
	}
	return w
}

// tick lets d of market pass.
func (w *world) tick(d time.Duration) core.Nanos {
	w.clock.Advance(d)
	now := w.clock.Now()
	w.runner.Duty(now)
	return now
}

func (w *world) order(id core.OrderID, side core.Side, q core.Qty) *core.VenueCommand {
	c := marketOrder(id, side, q)
	c.Instrument = w.ids[0]
	return &c
}

func TestVenueFollowsTheMarket(t *testing.T) {
	w := newWorld(t, 3)
	var got []core.ExecReport
	w.config.Settings.OrderLatency = 3 * time.Millisecond
	w.config.Deliver = func(r *core.ExecReport) bool {
		got = append(got, *r)
		return true
	}
	v, err := New(w.config)
	if err != nil {
		t.Fatal(err)
	}
	if v.Ready() {
		t.Error("ready before it runs")
	}
	if !v.Submit(w.order(1, core.Buy, 5_000)) {
		t.Fatal("not taken")
	}
	v.Duty(w.clock.Now())
	for range 4 {
		v.Duty(w.tick(time.Millisecond))
	}
	// By now the lane's first snapshot has been published and the order has arrived.
	var filled core.Qty
	for _, r := range got {
		if r.Type == core.ExecTrade {
			filled += r.LastQty
			notional, _ := w.directory.Instrument(r.Instrument).Notional(r.LastPx, r.LastQty, core.RoundUp)
			want, _ := core.MulDiv(int64(notional), testFees.TakerPPM, core.PPM, core.RoundUp)
			if int64(r.Fee) != want || r.Liquidity != core.Taker {
				t.Errorf("%+v, want fee %d", r, want)
			}
		}
	}
	if filled != 5_000 || got[0].Type != core.ExecNew {
		t.Fatalf("filled %d: %+v", filled, got)
	}

	// A bid at the touch rests, and the market fills it sooner or later.
	best, _ := w.lane.Book(w.ids[0]).BestBid()
	rest := limit(2, core.Buy, core.PostOnly, best.Price, 10)
	rest.Instrument = w.ids[0]
	v.Submit(&rest)
	got = nil
	for range 20_000 {
		v.Duty(w.tick(time.Millisecond))
		if v.matcher.Open() == 0 && len(got) > 0 {
			break
		}
	}
	last := got[len(got)-1]
	if last.Type == core.ExecTrade && (last.Liquidity != core.Maker || last.LastPx != best.Price) {
		t.Errorf("resting order: %+v", last)
	}
	if last.Type != core.ExecTrade && last.Type != core.ExecRejected {
		t.Errorf("resting order: %+v", last)
	}
}

// TestRunNeverDropsAReport runs the venue's goroutine against a live market and
// an engine that is often full.
func TestRunNeverDropsAReport(t *testing.T) {
	w := newWorld(t, 2)
	reports := ringbuf.NewSPSC[core.ExecReport](2)
	w.config.Deliver = reports.Push
	w.config.CommandCapacity = 8
	v, err := New(w.config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { v.Run(ctx) })
	running.Go(func() {
		for ctx.Err() == nil {
			w.tick(time.Millisecond)
			runtime.Gosched()
		}
	})

	const orders = 1000
	ended, sent := 0, core.OrderID(0)
	filled := map[core.OrderID]core.Qty{}
	lastExec := uint64(w.config.Clock.Now())
	deadline := time.Now().Add(20 * time.Second)
	for ended < orders && time.Now().Before(deadline) {
		if sent < orders && v.Submit(w.order(sent+1, core.Side(1+sent%2), 20)) {
			sent++
		}
		var r core.ExecReport
		if !reports.Pop(&r) {
			continue
		}
		if r.VenueExecID != lastExec+1 {
			t.Fatalf("report %d after %d", r.VenueExecID, lastExec)
		}
		lastExec = r.VenueExecID
		filled[r.Order] += r.LastQty
		switch {
		case r.Type == core.ExecCancelled, r.Type == core.ExecRejected, r.Type == core.ExecTrade && filled[r.Order] == 20:
			ended++
		}
	}
	cancel()
	running.Wait()
	if ended < orders || v.undelivered.Load() != 0 || v.Ready() || v.Submit(w.order(1, core.Buy, 1)) {
		t.Errorf("%d of %d orders ended, %d reports undelivered", ended, orders, v.undelivered.Load())
	}
}

// TestABusyMarketKeepsTheVenueAwake: while much of the market waits, or a command, it
// does not doze, orders or none: it would be lapped, and its books stale.
func TestABusyMarketKeepsTheVenueAwake(t *testing.T) {
	w := newWorld(t, 1)
	w.config.Deliver = func(*core.ExecReport) bool { return true }
	v, err := New(w.config)
	if err != nil {
		t.Fatal(err)
	}
	defer v.tap.Close()
	for v.tap.Lag() < behind {
		if v.pressed() {
			t.Fatalf("pressed by %d events", v.tap.Lag())
		}
		w.tick(time.Millisecond)
	}
	if !v.pressed() {
		t.Errorf("not pressed by %d events", v.tap.Lag())
	}
	for v.Duty(w.clock.Now()) > 0 {
	}
	if v.pressed() {
		t.Error("pressed by nothing")
	}
	if v.Submit(w.order(1, core.Buy, 1)); !v.pressed() {
		t.Error("a command waits")
	}
}

// TestRunEndsWithoutAnEngine: reports that nobody takes do not keep the venue
// from stopping, and are counted.
func TestRunEndsWithoutAnEngine(t *testing.T) {
	w := newWorld(t, 1)
	asked := make(chan struct{})
	var once sync.Once
	w.config.Deliver = func(*core.ExecReport) bool {
		once.Do(func() { close(asked) })
		return false
	}
	v, err := New(w.config)
	if err != nil {
		t.Fatal(err)
	}
	for id := range core.OrderID(50) {
		v.Submit(w.order(id+1, core.Buy, 1))
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { v.Run(ctx) })
	<-asked
	cancel()
	running.Wait()
	if v.undelivered.Load() != 50 { // there was no book: each was refused
		t.Errorf("%d reports undelivered", v.undelivered.Load())
	}
}

func TestConfigIsChecked(t *testing.T) {
	w := newWorld(t, 1)
	w.config.Deliver = func(*core.ExecReport) bool { return true }
	for name, change := range map[string]func(*Config){
		"deliver":   func(c *Config) { c.Deliver = nil },
		"clock":     func(c *Config) { c.Clock = nil },
		"directory": func(c *Config) { c.Directory = nil },
		"capacity":  func(c *Config) { c.CommandCapacity = -1 },
		"maker":     func(c *Config) { c.Settings.Fees.MakerPPM = -MaxFeePPM - 1 },
		"taker":     func(c *Config) { c.Settings.Fees.TakerPPM = MaxFeePPM + 1 },
		"latency":   func(c *Config) { c.Settings.OrderLatency = -1 },
		"cancel":    func(c *Config) { c.Settings.CancelLatency = MaxLatency + 1 },
		"orders":    func(c *Config) { c.Settings.MaxOrders = -1 },
		"in flight": func(c *Config) { c.Settings.MaxInFlight = maxTable + 1 },
	} {
		c := w.config
		change(&c)
		if _, err := New(c); !errors.Is(err, ErrSettings) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
