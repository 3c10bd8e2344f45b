package engine

import (
	"errors"
	"iter"
	"slices"
	"sync/atomic"
	"testing"

	"qcat/core"
	"qcat/ringbuf"
	"qcat/risk"
)

// testQuotes is a quote table that the test writes between duty cycles.
type testQuotes map[core.InstrumentID]core.Quote

func (q testQuotes) Load(id core.InstrumentID, out *core.Quote) bool {
	v, ok := q[id]
	if ok {
		*out = v
	}
	return ok
}

// testGateway keeps what was sent; room bounds it, -1 for no bound.
type testGateway struct {
	sent  []core.VenueCommand
	room  int
	ready bool
}

func (g *testGateway) Ready() bool { return g.ready }

func (g *testGateway) Submit(c *core.VenueCommand) bool {
	if g.room == 0 {
		return false
	}
	g.room--
	g.sent = append(g.sent, *c)
	return true
}

// ops is what was sent of one kind.
func (g *testGateway) ops(op core.VenueOp) (ids []core.OrderID) {
	for _, c := range g.sent {
		if c.Op == op {
			ids = append(ids, c.Order)
		}
	}
	return ids
}

// testSink keeps replies.
type testSink struct{ replies []Reply }

func (s *testSink) Deliver(r *Reply) { s.replies = append(s.replies, *r) }

// heldJournal is a memory journal that commits and fails when the test says so.
type heldJournal struct {
	*MemoryJournal
	hold      bool
	committed atomic.Uint64
	appendErr error
	refuse    func(rec []byte) bool // records that it has no room for
	broken    error
	tell      func()
}

func (j *heldJournal) Append(rec []byte) (uint64, error) {
	if j.appendErr != nil {
		return 0, j.appendErr
	}
	if j.refuse != nil && j.refuse(rec) {
		return 0, ErrFull
	}
	return j.MemoryJournal.Append(rec)
}

func (j *heldJournal) Flush() error {
	if !j.hold {
		j.committed.Store(j.MemoryJournal.Committed())
	}
	return nil
}

func (j *heldJournal) Publish() error { return j.Flush() }

func (j *heldJournal) Committed() uint64 { return j.committed.Load() }
func (j *heldJournal) Err() error        { return j.broken }
func (j *heldJournal) Notify(f func())   { j.tell = f }

// commit makes everything appended durable.
func (j *heldJournal) commit() { j.committed.Store(j.MemoryJournal.Committed()) }

var errBroken = errors.New("input/output error")

// harness is an engine that the test drives one duty cycle at a time.
type harness struct {
	t       testing.TB
	e       *Engine
	cfg     Config
	clock   *core.ManualClock
	quotes  testQuotes
	gateway *testGateway
	journal *heldJournal
	sink    *testSink
	reply   ReplyTo
	events  *ringbuf.Reader[Event]
	token   uint64

	account  *core.Account
	strategy *core.Strategy
	btc      *core.Instrument
}

func testInstrument(venue, symbol string) core.Instrument {
	return core.Instrument{Venue: venue, Symbol: symbol, Base: "BTC", Quote: "USDT", Settle: "USDT", Kind: core.Linear,
		PriceScale: 2, QtyScale: 3, SettleScale: 8, ContractSize: 1, TickSize: 1, StepSize: 1, MinQty: 1}
}

const testStart = core.Nanos(1_700_000_000_000_000_000)

func newHarness(t testing.TB, change ...func(*Config)) *harness {
	t.Helper()
	h := &harness{t: t, clock: core.NewManualClock(testStart), quotes: testQuotes{}, sink: &testSink{},
		gateway: &testGateway{ready: true, room: -1}, journal: &heldJournal{MemoryJournal: NewMemoryJournal(0)}}
	h.cfg = Config{Clock: h.clock, Quotes: h.quotes, Journal: h.journal, Directory: core.NewDirectory(),
		Gateways: map[string]Gateway{"sim": h.gateway}, MaxOpenOrders: 4096, KeepClosedOrders: 4096,
		CommandRing: 4096, EventRing: 1 << 13, MaxSinks: 64}
	for _, f := range change {
		f(&h.cfg)
	}
	h.e = New(h.cfg)
	h.reply, _ = h.e.RegisterSink(h.sink)
	h.events = h.e.Events().NewReader()
	var err error
	if h.btc, err = h.e.DefineInstrument(testInstrument("sim", "BTCUSDT")); err != nil {
		t.Fatal(err)
	}
	if h.account, err = h.e.DefineAccount("demo"); err != nil {
		t.Fatal(err)
	}
	h.strategy = h.e.Directory().StrategyNamed(h.account.ID, core.DefaultStrategy)
	h.quote(h.btc.ID, 10000, 10002)
	if err := h.e.start(); err != nil {
		t.Fatal(err)
	}
	h.run()
	return h
}

func (h *harness) quote(id core.InstrumentID, bid, ask core.Price) {
	now := h.clock.Now()
	h.quotes[id] = core.Quote{BidPrice: bid, AskPrice: ask, BidQty: 1000, AskQty: 1000, LastPrice: bid,
		ReceiveTime: now, LastTime: now, Seq: uint64(now)}
}

// run makes duty cycles until there is nothing to do.
func (h *harness) run() {
	for h.e.duty() > 0 {
	}
}

func (h *harness) submit(c Command) {
	h.t.Helper()
	h.token++
	c.Reply, c.Token = h.reply, h.token
	if !h.e.Submit(&c) {
		h.t.Fatalf("command %d was shed", c.Kind)
	}
}

// ask submits c, runs, and returns its reply.
func (h *harness) ask(c Command) Reply {
	h.t.Helper()
	h.submit(c)
	token := h.token
	h.run()
	i := slices.IndexFunc(h.sink.replies, func(r Reply) bool { return r.Token == token })
	if i < 0 {
		h.t.Fatalf("command %d got no reply", c.Kind)
	}
	return h.sink.replies[i]
}

func (h *harness) limit(side core.Side, px core.Price, qty core.Qty, id string) Command {
	clOrdID, ok := core.MakeClOrdID(id)
	if !ok {
		h.t.Fatalf("client order id %q", id)
	}
	return Command{Kind: CmdNew, Account: h.account.ID, Strategy: h.strategy.ID, Instrument: h.btc.ID,
		Side: side, Type: core.Limit, TIF: core.GTC, Price: px, Qty: qty, ClOrdID: clOrdID}
}

// order enters a limit order that must be accepted and acknowledges it.
func (h *harness) order(side core.Side, px core.Price, qty core.Qty) core.OrderID {
	h.t.Helper()
	r := h.ask(h.limit(side, px, qty, ""))
	if !r.Reason.OK() {
		h.t.Fatalf("refused: %s", r.Reason.Code)
	}
	h.report(core.ExecReport{Type: core.ExecNew, Order: r.Order.ID})
	return r.Order.ID
}

func (h *harness) report(r core.ExecReport) {
	h.t.Helper()
	if r.Instrument == 0 {
		r.Instrument = h.btc.ID
	}
	h.submit(Command{Kind: CmdReport, Report: r})
	h.run()
}

func (h *harness) fill(id core.OrderID, exec uint64, px core.Price, qty core.Qty) {
	h.t.Helper()
	h.report(core.ExecReport{Type: core.ExecTrade, Order: id, VenueExecID: exec, LastPx: px, LastQty: qty, Fee: 1, Liquidity: core.Taker})
}

func (h *harness) cancel(id core.OrderID) Reply {
	h.t.Helper()
	return h.ask(Command{Kind: CmdCancel, Account: h.account.ID, Order: id})
}

func (h *harness) state(s risk.Scope, st risk.TradingState, cancelOpen bool) Reply {
	h.t.Helper()
	return h.ask(Command{Kind: CmdState, Scope: s, State: st, CancelOpen: cancelOpen, Note: MakeNote("test")})
}

// stored is the order as the state has it.
func (h *harness) stored(id core.OrderID) core.Order {
	h.t.Helper()
	e := h.e.m.orders.find(id)
	if e == nil {
		h.t.Fatalf("order %d is not kept", id)
	}
	return e.order
}

func (h *harness) position() core.Position {
	if p := h.e.m.positions.find(h.strategy.ID, h.btc.ID, core.LegNet); p != nil {
		return p.Position
	}
	return core.Position{}
}

// drainEvents returns the events since the last call.
func (h *harness) drainEvents() []Event {
	h.t.Helper()
	var out []Event
	buf := make([]Event, 64)
	for {
		n, lost := h.events.Read(buf)
		if lost > 0 {
			h.t.Fatalf("%d events lost", lost)
		}
		if n == 0 {
			return out
		}
		out = append(out, buf[:n]...)
	}
}

func (h *harness) wantCode(r Reply, want risk.Code) {
	h.t.Helper()
	if r.Reason.Code != want {
		h.t.Errorf("refused with %q, want %q", r.Reason.Code, want)
	}
}

// checkReplay replays the journal and requires the same state.
func (h *harness) checkReplay() {
	h.t.Helper()
	hash, seq, err := replay(h.cfg, h.journal.Records())
	want := h.stateHash()
	if err != nil || seq != h.e.m.seq || hash != want {
		h.t.Errorf("replay: %v; sequence %d of %d; hash equal: %v", err, seq, h.e.m.seq, hash == want)
	}
}

// stateHash is StateHash while the test's goroutine is the engine's.
func (h *harness) stateHash() [32]byte {
	h.e.stop()
	hash := h.e.StateHash()
	h.e.running = true
	return hash
}

func collect(records iter.Seq[[]byte]) [][]byte { return slices.Collect(records) }

// replay folds records into a new engine without venues and returns its state
// hash and last sequence. The sizes of cfg that bound the state, MaxOpenOrders,
// KeepClosedOrders and Risk, must be those the records were written with.
func replay(cfg Config, records iter.Seq[[]byte]) (hash [32]byte, seq uint64, err error) {
	cfg.Directory, cfg.Journal, cfg.Gateways = nil, nil, nil
	e := New(cfg)
	if err := e.Recover(records, nil); err != nil {
		return hash, e.m.seq, err
	}
	return e.StateHash(), e.m.seq, nil
}
