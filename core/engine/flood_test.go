package engine

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"qcat/core"
	"qcat/risk"
)

// flood is a running engine that many goroutines send orders, amends and cancels to.
type flood struct {
	t       *testing.T
	e       *Engine
	cfg     Config
	clock   *core.ManualClock
	journal *floodJournal
	venue   *floodVenue
	stop    []func()     // what to end, in this order
	pause   sync.RWMutex // held while nobody is to flood

	instruments []core.InstrumentID
	strategies  []core.Strategy
}

func newFlood(t *testing.T, rejects bool) *flood {
	f := &flood{t: t, clock: core.NewManualClock(testStart), venue: newFloodVenue(rejects),
		journal: &floodJournal{MemoryJournal: NewMemoryJournal(0)}}
	quotes := testQuotes{}
	f.cfg = Config{Clock: f.clock, Quotes: quotes, Journal: f.journal, Directory: core.NewDirectory(),
		Gateways: map[string]Gateway{"sim": f.venue}, MaxOpenOrders: 1 << 13, KeepClosedOrders: 1 << 14,
		CommandRing: 256, ReportRing: 1 << 10, EventRing: 1 << 10, MaxStaged: 1 << 10, MaxOutbox: 1 << 10}
	f.e = New(f.cfg)
	f.venue.e = f.e
	for _, symbol := range []string{"A", "B", "C"} {
		in, err := f.e.DefineInstrument(testInstrument("sim", symbol))
		if err != nil {
			t.Fatal(err)
		}
		f.instruments = append(f.instruments, in.ID)
		quotes[in.ID] = core.Quote{BidPrice: 10_000, AskPrice: 10_002, MarkPrice: 10_001, ReceiveTime: testStart, MarkTime: testStart}
	}
	for _, name := range []string{"x", "y"} {
		a, err := f.e.DefineAccount(name)
		if err == nil {
			_, err = f.e.DefineStrategy(a.ID, "second")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for id := core.StrategyID(1); id <= floodStrategies; id++ {
		f.strategies = append(f.strategies, *f.e.Directory().Strategy(id))
	}
	return f
}

// start runs the engine, the venue and the goroutines that flood it.
func (f *flood) start() {
	run := func(work func(ctx context.Context)) {
		ctx, cancel := context.WithCancel(context.Background())
		var done sync.WaitGroup
		done.Go(func() { work(ctx) })
		f.stop = append(f.stop, func() { cancel(); done.Wait() })
	}
	for i := range 4 {
		rng := rand.New(rand.NewPCG(uint64(i), 23))
		run(func(ctx context.Context) {
			for ctx.Err() == nil {
				f.pause.RLock()
				c := f.command(rng)
				shed := !f.e.Submit(&c)
				f.pause.RUnlock()
				if shed {
					runtime.Gosched()
				}
			}
		})
	}
	run(func(ctx context.Context) { _ = f.e.Run(ctx) }) // what is left when the journal broke is no matter
	run(f.venue.run)
}

func (f *flood) command(rng *rand.Rand) Command {
	s := f.strategies[rng.IntN(len(f.strategies))]
	whose := core.Qty(s.ID - 1)
	c := Command{Account: s.Account, Strategy: s.ID, Instrument: f.instruments[rng.IntN(3)], Side: core.Side(1 + rng.IntN(2)),
		Type: core.Limit, TIF: core.GTC, Price: core.Price(9_990 + rng.IntN(20)), Qty: whose + floodStrategies*core.Qty(1+rng.IntN(9))}
	id := core.OrderID(1 + rng.Uint64N(f.e.stats.Commands.Load()+1))
	switch k := rng.IntN(10); {
	case k < 6:
		c.Kind = CmdNew
	case k < 9: // of its own strategy's orders the quantity fits, and of no other's
		c = Command{Kind: CmdAmend, Order: id, Price: c.Price}
	default:
		c = Command{Kind: CmdCancel, Order: id}
	}
	return c
}

// taken waits until the engine has taken n more commands.
func (f *flood) taken(n uint64) {
	for until := f.e.stats.Commands.Load() + n; f.e.stats.Commands.Load() < until; runtime.Gosched() {
		if f.journal.mode.Load() == journalSlow {
			f.journal.commit()
		}
	}
}

// kill halts a scope and cancels what is open, and returns the answer. It meets orders
// and amends that were recorded and wait for the gateway, which goes on afterwards.
func (f *flood) kill(s risk.Scope) Reply {
	f.venue.stall(true)
	defer f.venue.stall(false)
	f.taken(300)
	sink := &killSink{venue: f.venue, scope: s, answered: make(chan Reply, 1)}
	to, ok := f.e.RegisterSink(sink)
	c := Command{Kind: CmdState, Scope: s, State: risk.StateHalted, CancelOpen: true, Reply: to, Note: MakeNote("drill")}
	if !ok || !f.e.Submit(&c) {
		f.t.Fatal("a kill was shed")
	}
	for {
		select {
		case r := <-sink.answered:
			return r
		default:
			f.taken(0)
			if f.journal.mode.Load() == journalSlow {
				f.journal.commit()
			}
			runtime.Gosched()
		}
	}
}

// ends lets the flood wait until neither the venue nor, where it can still be recorded, the engine
// has an open order of the scope.
func (f *flood) ends(s risk.Scope) {
	f.t.Helper()
	f.pause.Lock()
	defer f.pause.Unlock()
	recorded := f.journal.mode.Load() < journalFull
	for deadline := time.Now().Add(time.Minute); ; {
		f.clock.Advance(100 * time.Millisecond)
		if recorded {
			f.journal.commit()
		}
		open := 0
		f.e.onEngine(func() {
			f.e.m.orders.each(&f.e.m.orders.open, func(o *entry) { open += boolToInt(inScope(s, &o.order)) })
		})
		live := f.venue.lives(s)
		if live == 0 && (open == 0 || !recorded) {
			return
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("of %+v are open: %d orders, %d at the venue", s, open, live)
		}
	}
}

// end stops everything and checks what was sent.
func (f *flood) end() {
	f.t.Helper()
	for _, stop := range f.stop {
		stop()
	}
	f.venue.mu.Lock()
	defer f.venue.mu.Unlock()
	if len(f.venue.wrong) > 0 {
		f.t.Errorf("%d orders and amends were sent after the kill of their scope was answered: %+v", len(f.venue.wrong), f.venue.wrong[0])
	}
	f.t.Logf("%d commands, %d orders sent, %d withheld, %d refused, %d unrecorded", f.e.stats.Commands.Load(), f.venue.news,
		f.e.stats.Withheld.Load(), f.e.stats.Refused.Load(), f.e.stats.Unrecorded.Load())
}

// floodScopes are one of each kind, each within the next or beside it, the firm last.
func (f *flood) floodScopes() []risk.Scope {
	s := f.strategies
	return []risk.Scope{
		risk.InstrumentScope(s[0].Account, s[0].ID, f.instruments[0]),
		risk.InstrumentScope(s[2].Account, 0, f.instruments[1]),
		{Level: risk.LevelStrategy, Account: s[1].Account, Strategy: s[1].ID},
		risk.InstrumentScope(0, 0, f.instruments[2]),
		risk.AccountScope(s[2].Account),
		risk.FirmScope(),
	}
}

// Control 23: whatever is sent at the same time, after a kill was answered nothing of
// its scope is sent, and in the end nothing of it is open: at every kind of scope,
// with amends that wait for their venue and orders that wait for their commit or
// their gateway, and with a venue that rejects cancels.
func TestNothingPassesAKill(t *testing.T) {
	for _, c := range []struct {
		name    string
		mode    int32
		rejects bool
	}{
		{"journal good", journalGood, true},
		{"journal slow", journalSlow, true},
		{"journal full", journalFull, true},
		{"journal broken", journalBroken, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFlood(t, c.rejects)
			f.start()
			f.taken(2_000)
			for _, s := range f.floodScopes() {
				f.journal.mode.Store(c.mode)
				if c.mode >= journalFull {
					f.taken(500) // the engine has met it
				}
				r := f.kill(s)
				if !r.Reason.OK() || r.Unrecorded != (c.mode >= journalFull) {
					t.Errorf("kill of %+v: %+v", s, r.Reason)
				}
				f.taken(500)
				if c.mode == journalFull { // room again, and full again
					f.journal.mode.Store(journalGood)
				}
				f.taken(500)
				f.ends(s)
				if c.mode == journalBroken {
					break // for good
				}
			}
			if c.mode == journalBroken { // what no record can be made of is killed all the same
				scopes := f.floodScopes()
				f.kill(scopes[len(scopes)-1])
				f.ends(risk.FirmScope())
			}
			f.end()
			if f.venue.news < 20 {
				t.Error(errFlood)
			}
			if c.mode != journalBroken {
				f.same()
			}
		})
	}
}

// same requires that the journal folds to the state there is.
func (f *flood) same() {
	f.t.Helper()
	want, seq := f.e.StateHash(), f.e.Seq()
	hash, n, err := replay(f.cfg, slices.Values(collect(f.journal.Records())))
	if err != nil || hash != want || n != seq {
		f.t.Errorf("replay: %v, %d of %d records, hash equal: %v", err, n, seq, hash == want)
	}
}
