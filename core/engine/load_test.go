package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

// lockedQuotes is a quote table for several goroutines.
type lockedQuotes struct {
	mu sync.Mutex
	q  testQuotes
}

func (l *lockedQuotes) Load(id core.InstrumentID, q *core.Quote) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.q.Load(id, q)
}

// loadRun is what a run of the random load leaves.
type loadRun struct {
	cfg     Config
	engine  *Engine
	view    *View
	records [][]byte
	hash    [32]byte
}

// runLoad has 20 producers trade through a running engine against a random venue,
// under limits, with a kill and a resume in between. The clock is virtual: it
// moves by a random step a command. What is given as beside runs at the same time.
func runLoad(t *testing.T, seed uint64, perProducer int, beside ...func(Config, *MemoryJournal)) *loadRun {
	t.Helper()
	const producers = 20
	clock := core.NewManualClock(testStart)
	quotes := &lockedQuotes{q: testQuotes{}}
	venue := newRandomVenue(seed)
	journal := NewMemoryJournal(0)
	cfg := Config{Clock: clock, Quotes: quotes, Journal: journal, Directory: core.NewDirectory(),
		Gateways: map[string]Gateway{"sim": venue}, MaxOpenOrders: 512, KeepClosedOrders: 300, CommandRing: 256,
		ReportRing: 256, EventRing: 1024, MarkEvery: time.Millisecond}
	e := New(cfg)
	venue.e = e
	var ids []core.InstrumentID
	for _, s := range []string{"A", "B", "C"} {
		in, err := e.DefineInstrument(testInstrument("sim", s))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, in.ID)
	}
	for _, name := range []string{"x", "y", "z"} {
		a, err := e.DefineAccount(name)
		if err != nil {
			t.Fatal(err)
		}
		var l risk.Limits
		l.Set(risk.LimitMaxOpenOrders, 60)
		l.Set(risk.LimitMessageRate, 200)
		l.Set(risk.LimitMessageRatePer, int64(time.Millisecond))
		if _, err := e.DefineLimits(risk.AccountScope(a.ID), l); err != nil {
			t.Fatal(err)
		}
	}
	view := NewView(e, ViewConfig{KeepOrders: 300})
	ctx, cancel := context.WithCancel(context.Background())
	viewCtx, cancelView := context.WithCancel(context.Background())
	venueCtx, cancelVenue := context.WithCancel(context.Background())
	var running, working sync.WaitGroup
	running.Go(func() {
		if err := e.Run(ctx); err != nil {
			t.Errorf("run: %v", err)
		}
	})
	viewDone := make(chan struct{})
	go func() { defer close(viewDone); view.Run(viewCtx) }()
	venueDone := make(chan struct{})
	go func() { defer close(venueDone); venue.run(venueCtx) }()
	for p := range producers {
		working.Go(func() { produce(e, clock, quotes, ids, rand.New(rand.NewPCG(seed, uint64(p))), perProducer) })
	}
	for _, f := range beside {
		working.Go(func() { f(cfg, journal) })
	}
	working.Wait()
	cancel()
	running.Wait()
	cancelVenue()
	<-venueDone
	cancelView()
	<-viewDone
	return &loadRun{cfg, e, view, collect(journal.Records()), e.StateHash()}
}

func produce(e *Engine, clock *core.ManualClock, quotes *lockedQuotes, ids []core.InstrumentID, rng *rand.Rand, n int) {
	for i := range n {
		clock.Advance(time.Duration(rng.IntN(5000)))
		id := ids[rng.IntN(len(ids))]
		quotes.mu.Lock()
		mid := core.Price(9900 + rng.IntN(200))
		quotes.q[id] = core.Quote{BidPrice: mid, AskPrice: mid + core.Price(rng.IntN(20)), LastPrice: mid, ReceiveTime: clock.Now(), LastTime: clock.Now()}
		quotes.mu.Unlock()
		a := core.AccountID(1 + rng.IntN(3))
		clOrdID, _ := core.MakeClOrdID([]byte{'c', byte('a' + rng.IntN(26)), byte('a' + rng.IntN(26)), byte('a' + rng.IntN(26))})
		c := Command{Account: a, Strategy: core.StrategyID(a), Instrument: id, ClOrdID: clOrdID,
			Order: core.OrderID(1 + rng.IntN(i*4+10)), Price: mid, Qty: core.Qty(1 + rng.IntN(50)),
			Side: core.Side(1 + rng.IntN(2)), Type: core.Limit, TIF: core.GTC, ReduceOnly: rng.IntN(30) == 0}
		switch k := rng.IntN(100); {
		case k < 60:
			c.Kind = CmdNew
			if c.Order = 0; k < 10 {
				c.TIF, c.ExpireTime = core.GTD, clock.Now()+core.Nanos(rng.IntN(3_000_000))
			}
		case k < 80:
			c.Kind, c.Account = CmdCancel, 0
		case k < 85:
			c.Kind, c.Order = CmdCancel, 0
		case k < 96:
			c.Kind, c.Account = CmdAmend, 0
		case k < 96 || rng.IntN(10) > 0:
			c.Kind, c.Account, c.Order = CmdCheck, a, 0
		case k < 97:
			c.Kind, c.Scope = CmdCancelAll, risk.InstrumentScope(0, 0, id)
		default:
			c.Kind, c.Scope, c.CancelOpen = CmdState, risk.StrategyScope(core.StrategyID(a)), true
			if c.State = risk.StateHalted; rng.IntN(5) > 0 {
				c.State = risk.StateActive
			}
		}
		for !e.Submit(&c) && rng.IntN(20) > 0 {
			time.Sleep(50 * time.Microsecond)
		}
		if rng.IntN(8) == 0 {
			time.Sleep(time.Microsecond)
		}
	}
}

// I3: the journal of a random run folds to the same state on a fresh engine, and
// to a different one, or to none, when any record is changed.
func TestReplayOfARandomRun(t *testing.T) {
	const seed = 20240808
	run := runLoad(t, seed, 400)
	s := run.engine.Stats()
	t.Logf("seed %d: %d records, %d executions, %d refused, %d repeated, %d withheld, %d shed", seed,
		len(run.records), s.Executions.Load(), s.Refused.Load(), s.Repeated.Load(), s.Withheld.Load(), s.Shed.Load())
	for _, line := range refusalCounts(run.records) {
		t.Log(line)
	}
	if s.Executions.Load() < 50 || s.Refused.Load() < 50 || s.Repeated.Load() == 0 {
		t.Error("the load did not reach what it is for")
	}
	hash, seq, err := replay(run.cfg, slices.Values(run.records))
	if err != nil || hash != run.hash || seq != uint64(len(run.records)) {
		t.Fatalf("replay: %v, %d of %d records, hash equal: %v", err, seq, len(run.records), hash == run.hash)
	}
	checkView(t, run)
	checkInvariants(t, run.engine.m)
	rng := rand.New(rand.NewPCG(seed, 5))
	for range 25 {
		checkTamper(t, run, rng)
	}
}

// refusalCounts lists how often each type of command was refused for what.
func refusalCounts(records [][]byte) (lines []string) {
	counts := map[string]int{}
	var r record.Record
	for _, b := range records {
		if record.Decode(b, &r) != nil {
			continue
		}
		code := map[record.Type]uint16{record.TypeNew: r.New.Reason.Code, record.TypeCancel: r.Cancel.Reason.Code,
			record.TypeAmend: r.Amend.Reason.Code}[r.Type]
		counts[r.Type.String()+" "+risk.Code(code).String()]++
	}
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		lines = append(lines, fmt.Sprintf("%6d %s", counts[k], k))
	}
	return lines
}

// checkTamper changes one record, decodable or not, and expects to be told.
func checkTamper(t *testing.T, run *loadRun, rng *rand.Rand) {
	t.Helper()
	at := rng.IntN(len(run.records))
	var r record.Record
	if err := record.Decode(run.records[at], &r); err != nil {
		t.Fatal(err)
	}
	changed := bytes.Clone(run.records[at])
	bit := rng.IntN(len(changed) * 8)
	changed[bit/8] ^= 1 << (bit % 8)
	tampered := slices.Clone(run.records)
	tampered[at] = changed
	hash, _, err := replay(run.cfg, slices.Values(tampered))
	if err == nil && hash == run.hash {
		t.Errorf("record %d (%s) with bit %d changed went unnoticed", at+1, r.Type, bit)
	}
}

// checkInvariants is what must hold of the tables after anything.
func checkInvariants(t *testing.T, m *machine) {
	t.Helper()
	due := 0
	m.orders.each(&m.orders.open, func(e *entry) {
		if !e.order.Status.Open() || !e.hold.Open() {
			t.Errorf("order %d is %s in the open list, holding: %v", e.order.ID, e.order.Status, e.hold.Open())
		}
		if e.heapAt > 0 {
			due++
			if m.expiry.slots[e.heapAt-1] != e.slot {
				t.Errorf("order %d is not where it thinks it is in the expiry heap", e.order.ID)
			}
		}
	})
	m.orders.each(&m.orders.closed, func(e *entry) {
		if e.order.Status.Open() || e.hold.Open() || e.heapAt != 0 || e.order.PendingCxl {
			t.Errorf("order %d is %s in the closed list: %+v", e.order.ID, e.order.Status, e.order)
		}
	})
	if due != len(m.expiry.slots) {
		t.Errorf("%d orders to expire, %d in the heap", due, len(m.expiry.slots))
	}
	if v, _ := m.tree.View(risk.FirmScope()); v.OpenOrders != m.orders.open.len {
		t.Errorf("the limits count %d open orders of %d", v.OpenOrders, m.orders.open.len)
	}
}

// checkView compares the read model with the state.
func checkView(t *testing.T, run *loadRun) {
	t.Helper()
	m := run.engine.m
	if run.view.Applied() != m.seq {
		t.Errorf("view at %d, engine at %d", run.view.Applied(), m.seq)
	}
	n := 0
	for _, l := range []*list{&m.orders.open, &m.orders.closed} {
		m.orders.each(l, func(e *entry) {
			n++
			if o, ok := run.view.Order(e.order.ID); !ok || o != e.order {
				t.Errorf("order %d: view has %+v, state %+v", e.order.ID, o, e.order)
			}
		})
	}
	if got := len(run.view.Orders(OrderFilter{})); got != n {
		t.Errorf("view has %d orders, state %d", got, n)
	}
	if got := len(run.view.Orders(OrderFilter{OpenOnly: true})); got != m.orders.open.len {
		t.Errorf("view has %d open orders, state %d", got, m.orders.open.len)
	}
	positions := run.view.Positions(PositionFilter{})
	if len(positions) != len(m.positions.all) {
		t.Fatalf("view has %d positions, state %d", len(positions), len(m.positions.all))
	}
	for i, p := range positions {
		if p.PositionState != m.positions.all[i] {
			t.Errorf("position %d differs", i)
		}
	}
}

func TestReplayRefusesGapsAndOtherOutcomes(t *testing.T) {
	h := newHarness(t)
	for range 5 {
		h.order(core.Buy, 9990, 1)
	}
	records := collect(h.journal.Records())
	gap := slices.Delete(slices.Clone(records), 4, 5)
	if _, _, err := replay(h.cfg, slices.Values(gap)); !errors.Is(err, ErrDiverged) {
		t.Errorf("a gap: %v", err)
	}
	var r record.Record
	i := slices.IndexFunc(records, func(b []byte) bool { return record.Decode(b, &r) == nil && r.Type == record.TypeNew })
	_ = record.Decode(records[i], &r)
	r.New.Order += 3
	records[i] = r.Append(nil)
	if _, seq, err := replay(h.cfg, slices.Values(records)); !errors.Is(err, ErrDiverged) || seq != uint64(i) {
		t.Errorf("another outcome: %v after %d", err, seq)
	}
}

// A recovered engine goes on where the journal ended, and a view that observed
// the recovery shows the same.
func TestRecoverThenGoOn(t *testing.T) {
	h := newHarness(t)
	id := h.order(core.Buy, 9990, 10)
	h.fill(id, 1, 9990, 4)
	want := h.stateHash()
	cfg := h.cfg
	cfg.Directory = core.NewDirectory()
	cfg.Journal = h.journal
	e := New(cfg)
	view := NewView(e, ViewConfig{})
	if err := e.Recover(h.journal.Records(), view.Observe); err != nil {
		t.Fatal(err)
	}
	if e.StateHash() != want {
		t.Fatal("recovered another state")
	}
	if o, ok := view.Order(id); !ok || o.CumQty != 4 {
		t.Errorf("view after recovery: %+v", o)
	}
	if err := e.start(); err != nil {
		t.Fatal(err)
	}
	for e.duty() > 0 {
	}
	seq := e.m.seq
	e.Submit(&Command{Kind: CmdReport, Report: core.ExecReport{Type: core.ExecTrade, Instrument: 1, Order: id, VenueExecID: 2, LastPx: 9990, LastQty: 6}})
	for e.duty() > 0 {
	}
	if o := e.m.orders.find(id); o == nil || o.order.Status != core.StatusFilled || e.m.seq != seq+1 {
		t.Errorf("after going on: %+v", o)
	}
}
