package rest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"qcat/api/calls"
	"qcat/api/hub"
	"qcat/api/metrics"
	"qcat/api/rest"
	"qcat/api/spec/spectest"
	"qcat/api/wire"
	"qcat/core"
	"qcat/core/engine"
	"qcat/core/market"
	"qcat/risk"
)

// TestMain also looks for goroutines that were left; fasthttp has some that sleep
// for ten seconds at a time before they see that their owner has gone.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*HostClient).connsCleaner"))
}

const start = core.Nanos(1_700_000_000_000_000_000)

// venue is a gateway that acknowledges at once, fills market orders at their
// quote, and keeps limit orders.
type venue struct {
	submit func(*engine.Command) bool
	execs  uint64
}

func (v *venue) Ready() bool { return true }

func (v *venue) Submit(c *core.VenueCommand) bool {
	r := core.ExecReport{Order: c.Order, Instrument: c.Instrument, Time: c.Time}
	switch c.Op {
	case core.VenueNew:
		r.Type = core.ExecNew
		if c.Type == core.Market {
			v.execs++
			r.Type, r.VenueExecID, r.LastPx, r.LastQty, r.Fee, r.Liquidity = core.ExecTrade, v.execs, 10_002, c.Qty, 5, core.Taker
		}
	case core.VenueCancel:
		r.Type = core.ExecCancelled
	case core.VenueAmend:
		r.Type, r.Price, r.Qty = core.ExecReplaced, c.Price, c.Qty
	}
	return v.submit(&engine.Command{Kind: engine.CmdReport, Report: r})
}

// lane is the engine as the server sees it, with faults that tests ask for.
type lane struct {
	*engine.Engine
	full       atomic.Bool // Execute refuses
	lose       atomic.Bool // Execute takes and forgets: no answer comes
	noSinks    atomic.Bool
	panics     atomic.Bool
	registered atomic.Int64
}

func (l *lane) Execute(c *engine.Command) bool {
	switch {
	case l.panics.Load():
		panic("a mistake")
	case l.full.Load():
		return false
	case l.lose.Load():
		return true
	}
	return l.Engine.Execute(c)
}

func (l *lane) RegisterSink(s engine.ReplySink) (engine.ReplyTo, bool) {
	if l.noSinks.Load() {
		return 0, false
	}
	to, ok := l.Engine.RegisterSink(s)
	if ok {
		l.registered.Add(1)
	}
	return to, ok
}

func (l *lane) UnregisterSink(to engine.ReplyTo) {
	l.Engine.UnregisterSink(to)
	l.registered.Add(-1)
}

// disk is a journal that is full when a test says so.
type disk struct {
	*engine.MemoryJournal
	full atomic.Bool
}

func (d *disk) Append(rec []byte) (uint64, error) {
	if d.full.Load() {
		return 0, engine.ErrFull
	}
	return d.MemoryJournal.Append(rec)
}

// stall is a market that answers from what it was given, or never.
type stall struct {
	mu    sync.Mutex
	err   error
	stuck bool

	waiting atomic.Int64 // questions that are stuck
}

func (m *stall) set(err error, stuck bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err, m.stuck = err, stuck
}

func (m *stall) ask(ctx context.Context) error {
	m.mu.Lock()
	err, stuck := m.err, m.stuck
	m.mu.Unlock()
	if stuck {
		m.waiting.Add(1)
		<-ctx.Done()
		return context.Cause(ctx)
	}
	return err
}

func (m *stall) Book(ctx context.Context, _ core.InstrumentID, n int) (wire.BookSnapshot, error) {
	levels := []core.Level{{Price: 10_000, Qty: 5}, {Price: 9_999, Qty: 7}}
	return wire.BookSnapshot{Bids: levels[:min(n, 2)], Asks: []core.Level{{Price: 10_002, Qty: 1}}, Seq: 9}, m.ask(ctx)
}

func (m *stall) Trades(ctx context.Context, _ core.InstrumentID, n int) ([]wire.Trade, error) {
	trades := make([]wire.Trade, min(n, 3))
	for i := range trades {
		trades[i] = wire.Trade{ID: uint64(100 + i), Side: core.Buy, ExchangeTime: start + 3600e9, ReceiveTime: start + 3600e9}
	}
	return trades, m.ask(ctx)
}

func (m *stall) Candles(ctx context.Context, _ core.InstrumentID, n int) ([]core.Candle, error) {
	return make([]core.Candle, min(n, 3)), m.ask(ctx)
}

var _ rest.Market = (*hub.Hub)(nil)

// server is a REST server on an engine that really runs, over sockets in memory.
type server struct {
	t      testing.TB
	ln     *fasthttputil.InmemoryListener
	rest   *rest.Server
	engine *lane
	disk   *disk
	view   *engine.View
	market *stall
	dir    *core.Directory
	client *fasthttp.HostClient
	cfg    rest.Config
	part   atomic.Pointer[rest.Status] // what the component "part" says

	stopOnce sync.Once
	stopAll  func()
}

// serve starts a server; tune may change its settings.
func serve(t testing.TB, tune ...func(*rest.Config)) *server {
	t.Helper()
	s := &server{t: t, ln: fasthttputil.NewInmemoryListener(), market: &stall{}, dir: core.NewDirectory(),
		disk: &disk{MemoryJournal: engine.NewMemoryJournal(1 << 20)}}
	quotes := market.NewQuoteTable(8)
	v := &venue{}
	clock := core.NewManualClock(start)
	e := engine.New(engine.Config{Directory: s.dir, Clock: clock, Quotes: quotes, Gateways: map[string]engine.Gateway{"sim": v},
		Journal: s.disk, MaxOpenOrders: 1 << 14, KeepClosedOrders: 1 << 12})
	v.submit = e.Submit
	s.engine = &lane{Engine: e}
	s.define(e, quotes)
	s.view = engine.NewView(e, engine.ViewConfig{KeepOrders: 1 << 12})
	cfg := rest.Config{Directory: s.dir, Engine: s.engine, View: s.view, Quotes: quotes, Market: s.market,
		Socket:     func(c *fasthttp.RequestCtx) { c.SetStatusCode(fasthttp.StatusTeapot) },
		Components: []rest.Component{{Name: "part", Check: s.partHealth}},
		Metrics:    metrics.New(), Calls: calls.New(calls.Config{Log: zap.NewNop(), Lines: 1, Ring: 1 << 10}), Clock: clock, Log: zap.NewNop(), Origins: []string{"https://desk.example.com"}}
	for _, f := range tune {
		f(&cfg)
	}
	s.cfg = cfg
	s.rest = rest.New(cfg)
	s.client = &fasthttp.HostClient{Addr: "x", Dial: func(string) (net.Conn, error) { return s.ln.Dial() }, MaxConns: 1 << 10}
	s.run(e)
	return s
}

func (s *server) partHealth() (rest.Status, string) {
	if p := s.part.Load(); p != nil {
		return *p, "because"
	}
	return rest.OK, ""
}

// define makes two instruments, an account with limits, and a quote of each.
func (s *server) define(e *engine.Engine, quotes *market.QuoteTable) {
	s.t.Helper()
	for _, symbol := range []string{"BTCUSDT", "ETHUSDT"} {
		in, err := e.DefineInstrument(core.Instrument{Venue: "sim", Symbol: symbol, Base: symbol[:3], Quote: "USDT", Settle: "USDT",
			Kind: core.Linear, PriceScale: 2, QtyScale: 3, SettleScale: 8, ContractSize: 1, TickSize: 1, StepSize: 1, MinQty: 1})
		if err != nil {
			s.t.Fatal(err)
		}
		quotes.Store(in.ID, &core.Quote{BidPrice: 10_000, AskPrice: 10_002, BidQty: 1000, AskQty: 1000, LastPrice: 10_000,
			ReceiveTime: start, LastTime: start, Seq: 1})
	}
	a, err := e.DefineAccount("demo")
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := e.DefineStrategy(a.ID, "maker"); err != nil {
		s.t.Fatal(err)
	}
	if _, err := e.DefineAccount("other"); err != nil {
		s.t.Fatal(err)
	}
	var l risk.Limits
	l.Set(risk.LimitMaxOrderQty, 100_000)
	if _, err := e.DefineLimits(risk.InstrumentScope(a.ID, 0, 1), l); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) run(e *engine.Engine) {
	orders, stopOrders := context.WithCancel(context.Background())
	reader, stopReader := context.WithCancel(context.Background())
	var wg, viewing sync.WaitGroup
	viewing.Go(func() { s.view.Run(reader) })
	wg.Go(func() {
		if err := e.Run(orders); err != nil {
			s.t.Errorf("engine: %v", err)
		}
	})
	wg.Go(func() {
		if err := s.rest.Serve(s.ln); err != nil {
			s.t.Errorf("serve: %v", err)
		}
	})
	s.stopAll = func() {
		s.client.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.rest.Shutdown(ctx); err != nil {
			s.t.Errorf("shutdown: %v", err)
		}
		stopOrders()
		wg.Wait()
		stopReader()
		viewing.Wait()
		if n := s.engine.registered.Load(); n != 0 {
			s.t.Errorf("%d reply sinks are left in the engine", n)
		}
	}
	s.t.Cleanup(s.stop)
	s.eventually("the engine", func() bool { return e.Health() == engine.HealthRunning })
}

// eventually waits until what happens elsewhere has happened.
func (s *server) eventually(what string, happened func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !happened(); time.Sleep(100 * time.Microsecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("waited in vain: %s", what)
		}
	}
}

func (s *server) stop() { s.stopOnce.Do(s.stopAll) }

// reply is an answer, copied.
type reply struct {
	t      testing.TB
	status int
	header func(string) string
	body   string
}

// ask sends one request; header lines are "Name: value".
func (s *server) ask(method, path, body string, header ...string) reply {
	s.t.Helper()
	req, resp := fasthttp.AcquireRequest(), &fasthttp.Response{}
	defer fasthttp.ReleaseRequest(req)
	req.Header.SetMethod(method)
	req.SetRequestURI("http://localhost:8082" + path)
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Set(name, value)
		if name == "Host" {
			req.UseHostHeader = true
		}
	}
	if body != "" {
		req.SetBodyString(body)
	}
	resp.SkipBody = method == fasthttp.MethodHead
	if err := s.client.DoTimeout(req, resp, 10*time.Second); err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	r := reply{s.t, resp.StatusCode(), func(name string) string { return string(resp.Header.Peek(name)) }, string(resp.Body())}
	if r.status != fasthttp.StatusTeapot { // the fixture's own socket
		spectest.Check(s.t, &spectest.Exchange{Method: method, Target: path, Body: []byte(body), Status: r.status, Header: r.header, Answer: []byte(r.body)})
	}
	return r
}

// raw sends bytes as they are, and returns the first answer.
func (s *server) raw(text string) reply {
	s.t.Helper()
	c, err := s.ln.Dial()
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	wrote := make(chan struct{})
	go func() {
		defer close(wrote)
		_, _ = c.Write([]byte(text)) // the server may have hung up: its answer tells why
	}()
	resp := &fasthttp.Response{}
	if err := resp.Read(bufio.NewReader(c)); err != nil {
		s.t.Fatalf("%.80q: %v", text, err)
	}
	c.Close()
	<-wrote
	r := reply{s.t, resp.StatusCode(), func(name string) string { return string(resp.Header.Peek(name)) }, string(resp.Body())}
	if r.status >= fasthttp.StatusBadRequest {
		spectest.Check(s.t, &spectest.Exchange{Problem: true, Status: r.status, Header: r.header, Answer: []byte(r.body)})
	}
	return r
}

// into decodes the body, which must be JSON.
func (r reply) into(out any) {
	r.t.Helper()
	if err := json.Unmarshal([]byte(r.body), out); err != nil {
		r.t.Fatalf("status %d, %v: %s", r.status, err, r.body)
	}
}

// problem is a body of application/problem+json.
type problem struct {
	Type, Title, Code, Detail, Field string
	Status                           int
	Limit, Value, Unit               string
	Scope                            map[string]string
	Refusals                         []struct{ Code string }
}

// refused requires a problem with this status and code.
func (r reply) refused(status int, code string) problem {
	r.t.Helper()
	var p problem
	if r.header("Content-Type") != "application/problem+json" {
		r.t.Fatalf("status %d, content type %q: %s", r.status, r.header("Content-Type"), r.body)
	}
	r.into(&p)
	if r.status != status || p.Status != status || p.Code != code || p.Title == "" || p.Detail == "" || p.Type != "urn:qcat:problem:"+code {
		r.t.Errorf("answered %d, want %d %s: %s", r.status, status, code, r.body)
	}
	if retry := r.header("Retry-After"); (retry != "") != (status == fasthttp.StatusServiceUnavailable || status == fasthttp.StatusTooManyRequests) {
		r.t.Errorf("%d with Retry-After %q", status, retry)
	}
	return p
}

// order is an order as answers show it.
type order struct {
	OrderID       uint64 `json:"order_id"`
	ClientOrderID string `json:"client_order_id"`
	Account       string
	Strategy      string
	Instrument    string
	Side          string
	Type          string
	TimeInForce   string `json:"time_in_force"`
	Price         *string
	Qty           string
	CumQty        string `json:"cum_qty"`
	Status        string
}

// ordered requires an order with this status.
func (r reply) ordered(status int) (o order) {
	r.t.Helper()
	if r.status != status || r.header("Content-Type") != "application/json" {
		r.t.Fatalf("status %d, want %d: %s", r.status, status, r.body)
	}
	r.into(&o)
	return o
}

const (
	ordersPath = "/api/v1/orders"
	limitOrder = `{"account":"demo","instrument":"sim:BTCUSDT","side":"buy","type":"limit","price":"99.00","qty":"0.010"}`
)
