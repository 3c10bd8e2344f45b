package ws_test

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"qcat/api/client"
	"qcat/api/hub"
	"qcat/api/spec/spectest"
	"qcat/api/ws"
	"qcat/core"
	"qcat/core/book"
	"qcat/core/engine"
	"qcat/core/market"
	"qcat/ringbuf"
	"qcat/risk"
)

// lane is a feed of one instrument that behaves: it publishes runs, keeps the
// true book, and answers requests for a snapshot.
type lane struct {
	mu    sync.Mutex
	ring  *ringbuf.Broadcast[core.Event]
	in    core.InstrumentID
	truth *book.Book
	seq   uint64
	trade uint64
	asked chan struct{} // a snapshot is wanted
}

func newLane(in core.InstrumentID, capacity int) *lane {
	return &lane{ring: ringbuf.NewBroadcast[core.Event](capacity), in: in, truth: book.New(16), asked: make(chan struct{}, 1)}
}

func (l *lane) source() market.Source {
	return market.Source{Ring: l.ring, RequestSnapshot: func(core.InstrumentID) {
		select {
		case l.asked <- struct{}{}:
		default:
		}
	}}
}

// duty answers requests until ctx ends, a little later, as a lane does.
func (l *lane) duty(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.asked:
			time.Sleep(time.Millisecond)
			l.snapshot()
		}
	}
}

func (l *lane) event(k core.EventKind) core.Event {
	now := core.SystemClock().Now()
	return core.Event{Kind: k, Instrument: l.in, Seq: l.seq, ExchangeTime: now, ReceiveTime: now}
}

// depth publishes one run that sets the levels.
func (l *lane) depth(bids, asks []core.Level) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	l.run(bids, asks, 0)
}

// snapshot publishes the whole book.
func (l *lane) snapshot() {
	l.mu.Lock()
	defer l.mu.Unlock()
	bids, asks := l.truth.Levels(core.Buy, nil, -1), l.truth.Levels(core.Sell, nil, -1)
	if len(bids)+len(asks) == 0 {
		ev := l.event(core.EventLevel)
		ev.Flags = core.FlagFirst | core.FlagLast | core.FlagSnapshot
		l.ring.Publish(&ev)
		return
	}
	l.run(bids, asks, core.FlagSnapshot)
}

func (l *lane) run(bids, asks []core.Level, flags core.EventFlags) {
	n := len(bids) + len(asks)
	for i := range n {
		ev := l.event(core.EventLevel)
		ev.Flags = flags
		lv := core.Level{}
		if i < len(bids) {
			ev.Side, lv = core.Buy, bids[i]
		} else {
			ev.Side, lv = core.Sell, asks[i-len(bids)]
		}
		ev.Price, ev.Qty = lv.Price, lv.Qty
		if i == 0 {
			ev.Flags |= core.FlagFirst
		}
		if i == n-1 {
			ev.Flags |= core.FlagLast
		}
		if flags == 0 {
			l.truth.Set(ev.Side, ev.Price, ev.Qty)
		}
		l.ring.Publish(&ev)
	}
}

func (l *lane) quote(bid, ask core.Price) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ev := l.event(core.EventQuote)
	ev.Price, ev.Qty, ev.AskPrice, ev.AskQty = bid, 1, ask, 1
	l.ring.Publish(&ev)
}

func (l *lane) print(p core.Price) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trade++
	ev := l.event(core.EventTrade)
	ev.Seq, ev.Price, ev.Qty, ev.Side = l.trade, p, 1, core.Buy
	l.ring.Publish(&ev)
}

// holds reports whether b is the true book.
func (l *lane) holds(b *client.Book) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, side := range []core.Side{core.Buy, core.Sell} {
		if !slices.Equal(b.Book().Levels(side, nil, -1), l.truth.Levels(side, nil, -1)) {
			return false
		}
	}
	return true
}

// fakeEngine answers orders, publishes their events and remembers them: engine
// and view in one.
type fakeEngine struct {
	mu     sync.Mutex
	sinks  map[engine.ReplyTo]engine.ReplySink
	next   engine.ReplyTo
	events *ringbuf.Broadcast[engine.Event]
	seq    uint64
	orders []core.Order
	full   bool // Submit refuses
	hold   bool // Submit accepts and does not answer until release
	held   []engine.Command
	kills  []engine.Command // of whole scopes and sessions, as they came
	shy    int              // how many kills are refused before one is taken
}

func newFakeEngine() *fakeEngine {
	return &fakeEngine{sinks: map[engine.ReplyTo]engine.ReplySink{}, events: ringbuf.NewBroadcast[engine.Event](1 << 10)}
}

func (e *fakeEngine) RegisterSink(s engine.ReplySink) (engine.ReplyTo, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.next++
	e.sinks[e.next] = s
	return e.next, true
}

func (e *fakeEngine) UnregisterSink(to engine.ReplyTo) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.sinks, to)
}

func (e *fakeEngine) Serve() {}

func (e *fakeEngine) Submit(c *engine.Command) bool { return e.Put(c) }

func (e *fakeEngine) Put(c *engine.Command) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	kill := c.Kind == engine.CmdCancelAll || c.Kind == engine.CmdState
	switch {
	case kill && e.shy > 0:
		e.shy--
		return false
	case kill:
		e.kills = append(e.kills, *c) // it passes all others by
	case e.full:
		return false
	case e.hold:
		e.held = append(e.held, *c)
		return true
	}
	e.run(c)
	return true
}

func (e *fakeEngine) release() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.hold = false
	for i := range e.held {
		e.run(&e.held[i])
	}
	e.held = nil
}

func (e *fakeEngine) run(c *engine.Command) {
	r := engine.Reply{Kind: c.Kind, Token: c.Token}
	switch c.Kind {
	case engine.CmdNew:
		if c.Qty > 1_000_000 {
			r.Reason = risk.Reason{Code: risk.MaxQty, Unit: risk.UnitQty, Limit: 1_000_000, Value: int64(c.Qty)}
			r.Order.Instrument = c.Instrument
			break
		}
		o := core.Order{ID: core.OrderID(len(e.orders) + 1), Account: c.Account, Strategy: c.Strategy, Instrument: c.Instrument,
			Side: c.Side, Type: c.Type, TIF: c.TIF, Status: core.StatusNew, Price: c.Price, Qty: c.Qty, ClOrdID: c.ClOrdID,
			Leg: c.Leg, Session: c.Session, CancelOnDrop: c.CancelOnDrop}
		e.orders = append(e.orders, o)
		r.Order = o
		e.emit(engine.Event{Kind: engine.EventOrder, Order: o})
	case engine.CmdCancelAll, engine.CmdState:
		for i := range e.orders {
			if o := &e.orders[i]; o.Status.Open() && (c.Session == 0 || o.Session == c.Session && o.CancelOnDrop) {
				o.Status = core.StatusCancelled
				r.Cancelled++
				e.emit(engine.Event{Kind: engine.EventOrder, Order: *o})
			}
		}
	case engine.CmdCountdown:
		if c.Timeout > 0 {
			r.Deadline = 1_000 + c.Timeout
		}
	default:
		for _, o := range e.orders {
			if c.Order == 0 && o.ClOrdID == c.ClOrdID {
				c.Order = o.ID
			}
		}
		if int(c.Order) == 0 || int(c.Order) > len(e.orders) {
			r.Reason = risk.Reason{Code: risk.UnknownOrder}
			break
		}
		o := &e.orders[c.Order-1]
		if c.Kind == engine.CmdCancel {
			o.Status = core.StatusCancelled
		} else {
			o.Price = c.Price
		}
		r.Order = *o
		e.emit(engine.Event{Kind: engine.EventOrder, Order: *o})
	}
	r.Seq = e.seq
	if s := e.sinks[c.Reply]; s != nil {
		s.Deliver(&r)
	}
}

func (e *fakeEngine) emit(ev engine.Event) {
	e.seq++
	ev.Seq, ev.Time, ev.Last = e.seq, core.Nanos(e.seq), true
	e.events.Publish(&ev)
}

// open is how many orders are open.
func (e *fakeEngine) open() int {
	return len(e.Orders(engine.OrderFilter{OpenOnly: true}))
}

// killed returns the kills that were taken.
func (e *fakeEngine) killed() []engine.Command {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.kills)
}

// enter makes an order without a client.
func (e *fakeEngine) enter() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.run(&engine.Command{Kind: engine.CmdNew, Account: 1, Strategy: 1, Instrument: 1, Side: core.Buy, Type: core.Limit, TIF: core.GTC, Price: 100, Qty: 1})
	return e.seq
}

func (e *fakeEngine) Applied() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.seq
}

func (e *fakeEngine) Answered() uint64 { return e.Applied() }

func (e *fakeEngine) WaitFor(context.Context, uint64) error { return nil }

func (e *fakeEngine) Orders(f engine.OrderFilter) (out []core.Order) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, o := range e.orders {
		if (!f.OpenOnly || o.Status.Open()) && (f.ClOrdID.Len() == 0 || o.ClOrdID == f.ClOrdID) {
			out = append(out, o)
		}
	}
	return out
}

func (e *fakeEngine) Order(id core.OrderID) (core.Order, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if id == 0 || int(id) > len(e.orders) {
		return core.Order{}, false
	}
	return e.orders[id-1], true
}

func (e *fakeEngine) Positions(engine.PositionFilter) []engine.PositionView { return nil }
func (e *fakeEngine) States() []engine.ScopeState                           { return nil }
func (e *fakeEngine) State(risk.Scope) risk.TradingState                    { return risk.StateReducing }

// server is everything in one process, over real sockets.
type server struct {
	addr   string
	hub    *hub.Hub
	lane   *lane
	engine *fakeEngine
	dir    *core.Directory
}

const (
	instrument = "sim:BTCUSDT"
	ringSize   = 1 << 14
)

// serve starts a server; tune may change its bounds.
func serve(t testing.TB, tune func(*hub.Config, *ws.Config)) *server {
	t.Helper()
	dir := core.NewDirectory()
	in, err := dir.AddInstrument(core.Instrument{Venue: "sim", Symbol: "BTCUSDT", Base: "BTC", Quote: "USDT", Settle: "USDT",
		Kind: core.Linear, PriceScale: 2, QtyScale: 3, SettleScale: 4, ContractSize: 1, TickSize: 1, StepSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dir.AddAccount("demo"); err != nil {
		t.Fatal(err)
	}
	s := &server{dir: dir, lane: newLane(in.ID, ringSize), engine: newFakeEngine()}
	hc := hub.Config{Directory: dir, Sources: []market.Source{s.lane.source()}, Events: s.engine.events, View: s.engine,
		Tick: 10 * time.Millisecond, CandleEvery: 10 * time.Millisecond, Linger: 200 * time.Millisecond}
	wc := ws.Config{Directory: dir, Engine: s.engine, Orders: s.engine}
	if tune != nil {
		tune(&hc, &wc)
	}
	s.hub = hub.New(hc)
	wc.Hub = s.hub
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = ln.Addr().String()
	http := &fasthttp.Server{Handler: ws.New(wc).Handle, KeepHijackedConns: true}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { s.hub.Run(ctx) })
	wg.Go(func() { s.lane.duty(ctx) })
	wg.Go(func() { _ = http.Serve(ln) })
	t.Cleanup(func() {
		cancel()
		_ = http.Shutdown()
		wg.Wait()
	})
	return s
}

func (s *server) dial(t testing.TB, opt client.Options) *client.Conn {
	t.Helper()
	if opt.Dial == nil {
		opt.Dial = watched(t)
	}
	c, err := client.Dial(t.Context(), s.addr, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// unwatched dials for a client that must be as quick as it can.
var unwatched = new(net.Dialer).DialContext

// watched dials, and holds what is said on the connection against the document of the
// interface. A benchmark measures without.
func watched(t testing.TB) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		nc, err := new(net.Dialer).DialContext(ctx, network, addr)
		if _, test := t.(*testing.T); err != nil || !test {
			return nc, err
		}
		return spectest.Watch(t, nc), nil
	}
}

// eventually waits for what other goroutines bring about.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// The real engine fits where the fake one is used.
var (
	_ ws.Engine = (*engine.Engine)(nil)
	_ ws.Orders = (*engine.View)(nil)
)
