package main

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"

	"qcat/api/client"
	"qcat/core"
	"qcat/core/engine"
	"qcat/persist/journal"
	"qcat/persist/vfs"
	"qcat/risk"
)

// tradingTime is how long the clients of TestClientsTradeOnPaper trade at least.
const tradingTime = 3 * time.Second

// venueAccounts is what they trade on: wide limits, so that most orders pass, and
// one that does not.
const venueAccounts = `
accounts:
  - name: a
    limits: {price_collar_buy_up: 5%, price_collar_sell_down: 5%, max_open_orders: 400}
    strategies: [{name: s0}, {name: s1}, {name: s2}]
  - name: b
    limits: {market_slippage: 2%}
    strategies: [{name: s0}, {name: s1}, {name: s2}]
  - name: tight
    limits: {max_exposure_gross: 20000, message_rate: 200/1s}
    strategies: [{name: s0}]
`

// inProcessServer runs the whole server in this process on a free port.
func inProcessServer(t *testing.T, args ...string) (s *server, addr string, stop func()) {
	t.Helper()
	s, addr, end := inProcessOn(t, vfs.OS{}, args...)
	return s, addr, sync.OnceFunc(func() {
		if err := end(); err != nil {
			t.Errorf("the server ended with: %v", err)
		}
	})
}

// inProcessOn is inProcessServer with journal and snapshots on a disk; stop returns
// what the server ended with.
func inProcessOn(t *testing.T, disk vfs.FS, args ...string) (s *server, addr string, stop func() error) {
	t.Helper()
	c, e := mustParse(t, append([]string{"serve", "--demo"}, args...)...)
	c.Serve.DatabaseURL, c.Serve.RedisURL = "", "" // those of the tests are not its own
	if len(c.Serve.Feed) == 0 {
		c.Serve.Feed = []string{defaultFeed}
	}
	if c.Serve.DataDir == defaultDataDir {
		c.Serve.DataDir = t.TempDir()
	}
	s = c.Serve.newServer(zap.NewNop())
	s.disk = disk
	who := e.file.sections
	if len(who.Accounts) == 0 {
		who = demoSections()
	}
	if err := s.build(t.Context(), who); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.run(ctx, ln) }()
	return s, ln.Addr().String(), sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
}

// replayAll folds the whole journal of a server that has stopped.
func replayAll(t *testing.T, s *server) (hash [32]byte, seq uint64, err error) {
	t.Helper()
	log, err := journal.OpenReadOnly(journalDir(s.cfg.DataDir), journalName, vfs.OS{})
	if err != nil {
		t.Fatal(err)
	}
	_, hash, seq, err = engine.Shadow(stateConfig(), nil, log.Records(1, log.Last()))
	return hash, seq, err
}

// venueOrders is how a trading client reaches the server: one of client.Conn and
// client.HTTP.
type venueOrders struct {
	enter  func(client.Order) (client.OrderState, error)
	cancel func(id uint64) error
	amend  func(id uint64, price, qty string) error
}

func overHTTP(h *client.HTTP) venueOrders {
	return venueOrders{
		enter:  h.Order,
		cancel: func(id uint64) error { _, err := h.Cancel(id); return err },
		amend: func(id uint64, price, qty string) error {
			_, err := h.Amend(client.Target{OrderID: id}, price, qty)
			return err
		},
	}
}

func overSocket(ctx context.Context, c *client.Conn) venueOrders {
	return venueOrders{
		enter:  func(o client.Order) (client.OrderState, error) { return c.Order(ctx, o) },
		cancel: func(id uint64) error { _, err := c.Cancel(ctx, client.Target{OrderID: id}); return err },
		amend: func(id uint64, price, qty string) error {
			_, err := c.Amend(ctx, client.Target{OrderID: id}, price, qty)
			return err
		},
	}
}

// resting is an order that may be open.
type resting struct {
	id uint64
	in *core.Instrument
}

// trader is one client that trades at random.
type trader struct {
	t        *testing.T
	s        *server
	rng      *rand.Rand
	account  string
	strategy string
	to       venueOrders
	open     []resting
	n        int

	*tally
}

// tally counts what became of the clients' requests, all together.
type tally struct {
	entered, done, refused atomic.Int64

	mu    sync.Mutex
	codes map[string]int // refusals by code
}

func (c *tally) refusal(code string) {
	c.refused.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.codes[code]++
}

// trade goes on until done.
func (x *trader) trade(done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		default:
		}
		switch at := x.rng.IntN(10); {
		case at < 5 || len(x.open) == 0:
			x.enter()
		case at < 8:
			i := x.rng.IntN(len(x.open))
			x.count(x.to.cancel(x.open[i].id))
			x.open[i] = x.open[len(x.open)-1]
			x.open = x.open[:len(x.open)-1]
		default:
			o := x.open[x.rng.IntN(len(x.open))]
			price, qty := x.terms(o.in)
			x.count(x.to.amend(o.id, price, qty))
		}
	}
}

// terms are a price near the market and a quantity.
func (x *trader) terms(in *core.Instrument) (price, qty string) {
	var q core.Quote
	if !x.s.quotes.Load(in.ID, &q) {
		return "", core.FormatDecimal(int64(in.MinQty), in.QtyScale)
	}
	p := q.BidPrice + core.Price(x.rng.IntN(41)-20)*in.TickSize
	lots := int64(in.MinNotional)/max(1, int64(q.BidPrice)) + 1 // coarse; some are too small, which is refused
	return core.FormatDecimal(int64(p), in.PriceScale), core.FormatDecimal((lots%50+1+x.rng.Int64N(200))*int64(in.StepSize), in.QtyScale)
}

func (x *trader) enter() {
	all := x.s.directory.Instruments()
	in := all[x.rng.IntN(len(all))]
	o := client.Order{Account: x.account, Strategy: x.strategy, Instrument: in.Name(), Side: "buy", Type: "limit", TimeInForce: "gtc"}
	if x.rng.IntN(2) == 0 {
		o.Side = "sell"
	}
	o.Price, o.Qty = x.terms(in)
	switch x.rng.IntN(6) {
	case 0, 1:
		o.Type, o.TimeInForce, o.Price = "market", "ioc", ""
	case 2:
		o.TimeInForce = "post_only"
	}
	x.n++
	o.ClientOrderID = fmt.Sprintf("%s-%s-%p-%d", x.account, x.strategy, x, x.n)
	st, err := x.to.enter(o)
	if x.count(err) {
		x.entered.Add(1)
		if o.Type == "limit" {
			x.open = append(x.open, resting{st.OrderID, in})
		}
	}
}

// count counts a refusal; any other error is the test's.
func (x *trader) count(err error) bool {
	var r *client.Refusal
	switch {
	case err == nil:
		x.done.Add(1)
		return true
	case errors.As(err, &r) && strings.HasPrefix(r.Code, "risk."):
		x.refusal(r.Code)
	default:
		x.t.Errorf("%s/%s: %v", x.account, x.strategy, err)
	}
	return false
}

// TestClientsTradeOnPaper lets 20 clients trade, half over HTTP and half over
// WebSocket. Then the books are made up in three ways: what the clients were
// told, what the engine holds, and what the journal gives when it is replayed
// into an engine that knows nothing (I3).
func TestClientsTradeOnPaper(t *testing.T) {
	t.Parallel()
	s, addr, stop := inProcessServer(t, "--sim-rate=500", "--config", yamlFile(t, venueAccounts))
	defer stop()
	eventually(t, "there are prices", func() bool {
		var q core.Quote
		for _, in := range s.directory.Instruments() {
			if !s.quotes.Load(in.ID, &q) || q.BidPrice == 0 {
				return false
			}
		}
		return true
	})
	books := newBookkeeper(t, s, addr)
	const seed = 77
	sum := &tally{codes: map[string]int{}}
	done := make(chan struct{})
	var wg sync.WaitGroup
	for i := range 20 {
		x := &trader{t: t, s: s, rng: rand.New(rand.NewPCG(seed, uint64(i))), account: []string{"a", "b"}[i/2%2],
			strategy: fmt.Sprintf("s%d", i%3), tally: sum}
		if i >= 18 {
			x.account, x.strategy = "tight", "s0"
		}
		if i%2 == 0 {
			h := client.NewHTTP(addr)
			defer h.Close()
			x.to = overHTTP(h)
		} else {
			x.to = overSocket(t.Context(), dial(t, addr))
		}
		wg.Go(func() { x.trade(done) })
	}
	time.Sleep(tradingTime)
	eventually(t, "much is tried, however slow the machine", func() bool { return sum.entered.Load() >= 400 && sum.refused.Load() > 0 })
	close(done)
	wg.Wait()
	stop()

	fills := books.check()
	t.Logf("%d orders, %d requests carried out, %d fills, %d journal records, refusals %v",
		sum.entered.Load(), sum.done.Load(), fills, s.engine.Seq(), sum.codes)
	if fills < 100 || sum.refused.Load() == 0 || sum.entered.Load() < 200 {
		t.Errorf("%d orders, %d refusals, %d fills: nothing was tried", sum.entered.Load(), sum.refused.Load(), fills)
	}
	if n := sum.codes["risk.unknown_order"]; n > 0 {
		t.Errorf("%d requests about orders that were answered are of an unknown order", n)
	}
	if open := s.view.Orders(engine.OrderFilter{OpenOnly: true}); len(open) > 0 {
		t.Errorf("%d orders are open after a shutdown", len(open))
	}
	if s.journal.First() != 1 {
		t.Fatalf("the journal begins with record %d", s.journal.First())
	}
	hash, seq, err := replayAll(t, s)
	if err != nil {
		t.Fatal(err)
	}
	if want := s.engine.StateHash(); hash != want || seq != s.engine.Seq() {
		t.Errorf("replay: state %x at record %d, the engine's is %x at %d (seed %d)", hash, seq, want, s.engine.Seq(), seed)
	}
	if again, _, err := replayAll(t, s); err != nil || again != hash {
		t.Errorf("a second replay: state %x, %v", again, err)
	}
}

// TestShutdownUnderLoad stops the server while clients enter orders: what was
// accepted last is cancelled like the rest.
func TestShutdownUnderLoad(t *testing.T) {
	t.Parallel()
	s, addr, stop := inProcessServer(t, "--config", yamlFile(t, venueAccounts))
	defer stop()
	in := s.directory.InstrumentNamed(btc)
	var q core.Quote
	eventually(t, "there is a price", func() bool { return s.quotes.Load(in.ID, &q) && q.BidPrice > 0 })
	o := client.Order{Account: "b", Instrument: btc, Side: "buy", Type: "limit", TimeInForce: "gtc", Qty: "0.010",
		Price: btcPrice(t, core.FormatDecimal(int64(q.BidPrice), in.PriceScale), 97)}
	var accepted atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		c := dial(t, addr)
		wg.Go(func() {
			for {
				if _, err := c.Order(t.Context(), o); err == nil {
					accepted.Add(1)
				} else if !errors.As(err, new(*client.Refusal)) {
					return // the server has gone
				}
			}
		})
	}
	eventually(t, "orders come in", func() bool { return accepted.Load() > 200 })
	began := time.Now()
	stop()
	wg.Wait()
	if took := time.Since(began); took > patience {
		t.Errorf("the shutdown took %v", took)
	}
	all := s.view.Orders(engine.OrderFilter{})
	for i := range all {
		if all[i].Status != core.StatusCancelled {
			t.Fatalf("an order is %s after a shutdown: %+v", all[i].Status, all[i])
		}
	}
	if int64(len(all)) < accepted.Load() {
		t.Errorf("%d orders, %d were accepted", len(all), accepted.Load())
	}
}

// bookkeeper adds up the executions that a client is told.
type bookkeeper struct {
	t     *testing.T
	s     *server
	conn  *client.Conn
	fills *feedOf[told]
}

// told is an execution as a client reads it.
type told struct {
	ID                            uint64 `json:"exec_id"`
	Account, Strategy, Instrument string
	Side, Price, Qty, Fee         string
}

func newBookkeeper(t *testing.T, s *server, addr string) *bookkeeper {
	t.Helper()
	c := dial(t, addr)
	return &bookkeeper{t: t, s: s, conn: c, fills: follow[told](t, c, "executions")}
}

// holding is what fills add up to, exactly.
type holding struct{ qty, cash, fees, volume, fills int64 }

// check compares the sums with the engine's positions and returns how many fills
// there were. The server has been stopped.
func (a *bookkeeper) check() int {
	a.t.Helper()
	<-a.conn.Done()
	sums := map[string]*holding{}
	list := a.fills.all()
	for i, x := range list {
		if i > 0 && x.ID <= list[i-1].ID {
			a.t.Fatalf("execution %d after %d", x.ID, list[i-1].ID)
		}
		in := a.s.directory.InstrumentNamed(x.Instrument)
		px, qty, fee := a.number(x.Price, in.PriceScale), a.number(x.Qty, in.QtyScale), a.number(x.Fee, in.SettleScale)
		key := x.Account + "/" + x.Strategy + "/" + x.Instrument
		if sums[key] == nil {
			sums[key] = &holding{}
		}
		sign := core.ParseSide(x.Side).Sign()
		h := sums[key]
		h.qty, h.cash, h.fees, h.volume, h.fills = h.qty+sign*qty, h.cash-sign*px*qty, h.fees+fee, h.volume+qty, h.fills+1
	}
	held := a.s.engine.Positions()
	if len(held) != len(sums) {
		a.t.Errorf("%d positions, executions of %d", len(held), len(sums))
	}
	for i := range held {
		p := &held[i]
		d := a.s.directory
		key := d.Account(p.Account).Name + "/" + d.Strategy(p.Strategy).Name + "/" + d.Instrument(p.Instrument).Name()
		got := holding{int64(p.Position.Qty), cents(p.Position.Cash), int64(p.Position.Fees), int64(p.Position.Volume), int64(p.Position.Fills)}
		if want := sums[key]; want == nil || got != *want {
			a.t.Errorf("%s holds %+v, its executions add up to %+v", key, got, want)
		}
	}
	a.exposure(held)
	return len(list)
}

// exposure wants the limit tree to hold the same positions, and nothing reserved
// when no order is open.
func (a *bookkeeper) exposure(held []engine.PositionState) {
	a.t.Helper()
	a.s.engine.Query(func(tree *risk.Tree, _ uint64) {
		for i := range held {
			p := &held[i]
			v, ok := tree.View(risk.InstrumentScope(p.Account, p.Strategy, p.Instrument))
			if !ok || v.Position != p.Position.Qty || v.OpenBuy != 0 || v.OpenSell != 0 || v.OpenOrders != 0 {
				a.t.Errorf("the limit tree has %+v of %+v", v, p)
			}
		}
	})
}

func (a *bookkeeper) number(text string, scale uint8) int64 {
	a.t.Helper()
	v, err := core.ParseDecimal([]byte(text), scale)
	if err != nil {
		a.t.Fatal(err)
	}
	return v
}

// cents is a sum of cash that fits 64 bits.
func cents(v core.Int128) int64 {
	sum := new(big.Int).Lsh(big.NewInt(v.Hi), 64)
	return sum.Add(sum, new(big.Int).SetUint64(v.Lo)).Int64()
}
