package redis_test

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"go.uber.org/goleak"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/redis"
	"qcat/persist/redis/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tables are the quotes and positions that a cache shows.
type tables struct {
	mu        sync.Mutex
	dir       *core.Directory
	quotes    map[core.InstrumentID]core.Quote
	positions []history.Position
}

func (s *tables) Load(id core.InstrumentID, q *core.Quote) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	have, ok := s.quotes[id]
	if ok {
		*q = have
	}
	return ok
}

func (s *tables) all(dst []history.Position) []history.Position {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(dst, s.positions...)
}

func (s *tables) bid(id core.InstrumentID, bid core.Price) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quotes[id] = core.Quote{BidPrice: bid, BidQty: 1500, AskPrice: bid + 2, AskQty: 20, LastPrice: bid, Seq: uint64(bid), ExchangeTime: 5, ReceiveTime: 6}
}

// fill gives the first account a position, or adds to it.
func (s *tables) fill(t *testing.T, qty core.Qty, px core.Price) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.positions) == 0 {
		s.positions = append(s.positions, history.Position{Account: 1, Strategy: 1, Instrument: 1})
	}
	p := &s.positions[0]
	if !p.Position.Apply(s.dir.Instrument(1), &core.Fill{Side: core.Buy, Price: px, Qty: qty, Fee: 7}) {
		t.Fatal("fill refused")
	}
	p.Seq++
}

func newTables(t *testing.T) *tables {
	t.Helper()
	s := &tables{dir: core.NewDirectory(), quotes: map[core.InstrumentID]core.Quote{}}
	for _, symbol := range []string{"BTCUSDT", "ETHUSDT", "XRPUSDT"} {
		if _, err := s.dir.AddInstrument(core.Instrument{Venue: "sim", Symbol: symbol, Base: symbol[:3], Quote: "USDT", Settle: "USDT",
			Kind: core.Linear, PriceScale: 2, QtyScale: 3, SettleScale: 8, ContractSize: 1, TickSize: 1, StepSize: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.dir.AddAccount("demo"); err != nil {
		t.Fatal(err)
	}
	s.bid(1, 10_000)
	s.bid(2, 20_000)
	s.fill(t, 500, 10_001)
	return s
}

// mirror is a running cache and another process's look at Redis.
type mirror struct {
	*tables
	t      *testing.T
	cache  *redis.Cache
	look   rueidis.Client
	prefix string
	cfg    redis.Config
	stop   func()
}

const interval = 5 * time.Millisecond

func start(t *testing.T, url string, tune ...func(*redis.Config)) *mirror {
	t.Helper()
	m := &mirror{tables: newTables(t), t: t, prefix: "test-" + rand.Text() + ":"}
	m.cfg = redis.Config{URL: url, Prefix: m.prefix, Directory: m.dir, Quotes: m.tables, Positions: m.all,
		Interval: interval, Timeout: 250 * time.Millisecond}
	for _, f := range tune {
		f(&m.cfg)
	}
	m.run()
	return m
}

func (m *mirror) run() {
	m.t.Helper()
	cache, err := redis.New(m.cfg)
	if err != nil {
		m.t.Fatal(err)
	}
	m.cache = cache
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		cache.Run(ctx)
	}()
	m.stop = sync.OnceFunc(func() {
		cancel()
		<-ran
	})
	m.t.Cleanup(m.stop)
}

// connect opens the other process's connection; it is closed with the test.
func connect(t *testing.T, url string) rueidis.Client {
	t.Helper()
	opt, err := rueidis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	opt.DisableCache, opt.ForceSingleClient = true, true
	c, err := rueidis.NewClient(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// hash reads one hash, nil when Redis does not answer.
func (m *mirror) hash(key string) map[string]string {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	h, err := m.look.Do(ctx, m.look.B().Hgetall().Key(m.prefix+key).Build()).AsStrMap()
	if err != nil {
		return nil
	}
	return h
}

func (m *mirror) members(key string) []string {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	s, err := m.look.Do(ctx, m.look.B().Smembers().Key(m.prefix+key).Build()).AsStrSlice()
	if err != nil {
		return nil
	}
	slices.Sort(s)
	return s
}

// patience bounds every wait of these tests. The system by itself finds out much later
// that a peer says nothing.
const patience = 20 * time.Second

func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !happened(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// shows waits until Redis has what the tables hold.
func (m *mirror) shows() {
	m.t.Helper()
	eventually(m.t, "Redis shows what there is", func() bool {
		for id, q := range m.quotes {
			h := m.hash("quote:" + m.dir.Instrument(id).Name())
			if h["bid_price"] != core.FormatDecimal(int64(q.BidPrice), 2) {
				return false
			}
		}
		p := m.positions[0].Position
		return m.hash("position:demo/default/sim:BTCUSDT")["qty"] == core.FormatDecimal(int64(p.Qty), 3) &&
			slices.Equal(m.members("quotes"), []string{"sim:BTCUSDT", "sim:ETHUSDT"}) &&
			slices.Equal(m.members("positions"), []string{"demo/default/sim:BTCUSDT"}) &&
			m.hash("meta")["epoch"] != "" && m.cache.Status().Connected
	})
}

func TestFields(t *testing.T) {
	url := redistest.URL(t)
	m := start(t, url)
	m.look = connect(t, url)
	m.shows()
	quote := m.hash("quote:sim:BTCUSDT")
	if n, err := strconv.ParseInt(quote["ts"], 10, 64); err != nil || time.Since(time.Unix(0, n)) > time.Minute {
		t.Errorf("ts %q", quote["ts"])
	}
	delete(quote, "ts")
	if want := map[string]string{"instrument": "sim:BTCUSDT", "bid_price": "100.00", "bid_qty": "1.500", "ask_price": "100.02",
		"ask_qty": "0.020", "last_price": "100.00", "mark_price": "", "seq": "10000", "ets": "5", "rts": "6",
		"stale": "false", "crossed": "false"}; !maps.Equal(quote, want) {
		t.Errorf("quote\n%v\nwant\n%v", quote, want)
	}
	m.fill(t, 250, 10_002)
	m.shows()
	position := m.hash("position:demo/default/sim:BTCUSDT")
	delete(position, "ts")
	if want := map[string]string{"account": "demo", "strategy": "default", "instrument": "sim:BTCUSDT", "leg": "both", "qty": "0.750",
		"avg_price": "100.0133333333", "realised": "0.00000000", "fees": "0.00000014", "funding": "0.00000000", "volume": "0.750", "fills": "2",
		"seq": "2", "time": "0"}; !maps.Equal(position, want) {
		t.Errorf("position\n%v\nwant\n%v", position, want)
	}
	meta := m.hash("meta")
	if meta["version"] != redis.Version || meta["started"] == "" || meta["updated"] == "" {
		t.Errorf("meta %v", meta)
	}
}

// The legs of hedge mode are positions of their own.
func TestLegsStandSideBySide(t *testing.T) {
	url := redistest.URL(t)
	m := start(t, url)
	m.look = connect(t, url)
	m.shows()
	m.mu.Lock()
	for leg := core.LegLong; leg <= core.LegShort; leg++ {
		m.positions = append(m.positions, history.Position{Account: 1, Strategy: 1, Instrument: 1, Leg: leg,
			Position: core.Position{Qty: core.Qty(leg) * 1000, Funding: -5}})
	}
	m.mu.Unlock()
	const net = "demo/default/sim:BTCUSDT"
	eventually(t, "three positions", func() bool {
		return slices.Equal(m.members("positions"), []string{net, net + "/long", net + "/short"})
	})
	for name, want := range map[string]map[string]string{
		net: {"qty": "0.500", "leg": "both"}, net + "/long": {"qty": "1.000", "leg": "long", "funding": "-0.00000005"},
		net + "/short": {"qty": "2.000", "leg": "short"},
	} {
		eventually(t, name, func() bool { return m.hash("position:" + name)["qty"] == want["qty"] })
		got := m.hash("position:" + name)
		for field, v := range want {
			if got[field] != v {
				t.Errorf("%s: %s is %q, want %q", name, field, got[field], v)
			}
		}
	}
}

// Only what has changed is sent, and a value that changes faster than the interval
// is conflated.
func TestOnlyChangesAreSent(t *testing.T) {
	url := redistest.URL(t)
	m := start(t, url)
	m.look = connect(t, url)
	m.shows()
	before := m.cache.Status()
	eventually(t, "twenty intervals", func() bool { return m.cache.Status().Commands >= before.Commands+40 })
	other := m.hash("quote:sim:ETHUSDT")["ts"]
	for bid := core.Price(10_001); bid <= 12_000; bid++ {
		m.bid(1, bid)
	}
	m.shows()
	if m.hash("quote:sim:ETHUSDT")["ts"] != other {
		t.Error("a quote that did not change was written again")
	}
	after := m.cache.Status()
	if after.Rewrites != 1 || after.Failures != 0 {
		t.Errorf("status %+v", after)
	}
	// Two commands an interval, and those of the changes.
	if n := after.Commands - before.Commands; n > 1_000 {
		t.Errorf("%d commands for 2 000 changes of one quote", n)
	}
}

// FLUSHALL: everything is back by itself within a few intervals, over the same
// connection.
func TestFlushAll(t *testing.T) {
	server := redistest.Start(t)
	m := start(t, server.URL())
	m.look = connect(t, server.URL())
	m.shows()
	if err := m.look.Do(context.Background(), m.look.B().Flushall().Build()).Error(); err != nil {
		t.Fatal(err)
	}
	m.shows()
	m.rewrites(2)
	if s := m.cache.Status(); s.Failures != 0 {
		t.Errorf("status %+v", s)
	}
}

// A failover or an old dump brings another epoch: everything is written again.
func TestOtherEpoch(t *testing.T) {
	url := redistest.URL(t)
	m := start(t, url)
	m.look = connect(t, url)
	m.shows()
	eventually(t, "a second", func() bool { return m.cache.Status().Commands > 0 && m.age() > 1100*time.Millisecond })
	ctx := context.Background()
	for _, cmd := range [][]string{{"HSET", "meta", "epoch", "old"}, {"HSET", "quote:sim:BTCUSDT", "bid_price", "1.00"}, {"SADD", "quotes", "sim:GONE"}, {"HSET", "quote:sim:GONE", "bid_price", "1.00"}} {
		if err := m.look.Do(ctx, m.look.B().Arbitrary(cmd[0]).Keys(m.prefix+cmd[1]).Args(cmd[2:]...).Build()).Error(); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "a second rewrite", func() bool { return m.cache.Status().Rewrites >= 2 })
	m.shows()
	if h := m.hash("quote:sim:GONE"); len(h) != 0 {
		t.Errorf("left over: %v", h)
	}
}

// rewrites waits for the n-th writing of everything to be counted, which comes after
// Redis shows it, and wants no more than n.
func (m *mirror) rewrites(n uint64) {
	m.t.Helper()
	eventually(m.t, "the rewrite is counted", func() bool { return m.cache.Status().Rewrites >= n })
	if got := m.cache.Status().Rewrites; got != n {
		m.t.Errorf("everything was written %d times, want %d", got, n)
	}
}

// age is how long the cache has been running, by what it wrote.
func (m *mirror) age() time.Duration {
	meta := m.hash("meta")
	started, err1 := strconv.ParseInt(meta["started"], 10, 64)
	updated, err2 := strconv.ParseInt(meta["updated"], 10, 64)
	if err1 != nil || err2 != nil {
		return 0
	}
	return time.Duration(updated - started)
}

// Two processes that show their quotes under one prefix are told so, and do not
// write everything over and over.
func TestTwoProcesses(t *testing.T) {
	url := redistest.URL(t)
	m := start(t, url)
	m.look = connect(t, url)
	m.shows()
	other := start(t, url, func(c *redis.Config) { c.Prefix = m.prefix })
	eventually(t, "the conflict shows", func() bool {
		return strings.Contains(m.cache.Status().LastError+other.cache.Status().LastError, redis.ErrForeign.Error())
	})
}

// Redis stopped, killed and started again, empty: answers go on elsewhere, Status
// says that it is gone, and Redis is filled again by itself.
func TestStoppedAndKilled(t *testing.T) {
	server := redistest.Start(t)
	m := start(t, server.URL())
	m.look = connect(t, server.URL())
	m.shows()
	for round, end := range []func(){server.Stop, server.Kill} {
		end()
		eventually(t, "the loss is noticed", func() bool { s := m.cache.Status(); return !s.Connected && s.LastError != "" })
		m.bid(1, core.Price(30_000+round))
		server.Restart()
		m.shows()
	}
	m.rewrites(3)
	if s := m.cache.Status(); s.Failures < 2 {
		t.Errorf("status %+v", s)
	}
}

// Redis that is there from the second minute on is found.
func TestRedisComesLater(t *testing.T) {
	server := redistest.Start(t)
	server.Stop()
	m := start(t, server.URL())
	eventually(t, "the failure shows", func() bool { return m.cache.Status().Failures > 1 })
	server.Restart()
	m.look = connect(t, server.URL())
	m.shows()
}

// SIGSTOP: the process keeps its connections and answers nothing. It is noticed
// within the timeout, and the cache ends promptly all the same.
func TestPaused(t *testing.T) {
	server := redistest.Start(t)
	m := start(t, server.URL())
	m.look = connect(t, server.URL())
	m.shows()
	server.Pause()
	eventually(t, "the silence is noticed", func() bool { return !m.cache.Status().Connected })
	server.Resume()
	m.bid(1, 40_000)
	m.shows()
	server.Pause()
	began := time.Now()
	m.stop()
	if took := time.Since(began); took > patience {
		t.Errorf("ended after %v", took)
	}
	server.Resume()
}

// proxy stands between cache and server, and can stop carrying anything.
type proxy struct {
	ln    net.Listener
	to    string
	mu    sync.Mutex
	stall bool
	conns []net.Conn
	wg    sync.WaitGroup
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{ln: ln, to: to}
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		ln.Close()
		p.mu.Lock()
		for _, c := range p.conns {
			c.Close()
		}
		p.mu.Unlock()
		p.wg.Wait()
	})
	return p
}

func (p *proxy) accept() {
	for {
		in, err := p.ln.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", p.to)
		if err != nil {
			in.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, in, out)
		p.mu.Unlock()
		p.wg.Go(func() { p.carry(in, out) })
		p.wg.Go(func() { p.carry(out, in) })
	}
}

// carry copies until one side closes; while stalled what comes is swallowed.
func (p *proxy) carry(dst, src net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := src.Read(buf)
		p.mu.Lock()
		stalled := p.stall
		p.mu.Unlock()
		if err != nil {
			if !stalled {
				dst.Close()
			}
			return
		}
		if !stalled {
			if _, err := dst.Write(buf[:n]); err != nil {
				return
			}
		}
	}
}

func (p *proxy) set(stall bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stall = stall
}

// Half-open TCP: what is sent vanishes and nothing comes back. It is found within
// the timeout; when the network is whole again, so is what Redis shows.
func TestHalfOpen(t *testing.T) {
	server := redistest.Start(t)
	p := newProxy(t, server.Addr())
	m := start(t, "redis://"+p.ln.Addr().String())
	m.look = connect(t, server.URL())
	m.shows()
	p.set(true)
	eventually(t, "the silence is noticed", func() bool { return !m.cache.Status().Connected })
	m.bid(2, 50_000)
	p.set(false)
	m.shows()
}

// A process that starts anew deletes what the one before it left and no longer
// has.
func TestRestartForgets(t *testing.T) {
	url := redistest.URL(t)
	m := start(t, url)
	m.look = connect(t, url)
	m.shows()
	m.stop()
	m.mu.Lock()
	delete(m.quotes, 2)
	m.positions = nil
	m.mu.Unlock()
	m.run()
	eventually(t, "what is gone is deleted", func() bool {
		return slices.Equal(m.members("quotes"), []string{"sim:BTCUSDT"}) && len(m.members("positions")) == 0 &&
			len(m.hash("quote:sim:ETHUSDT")) == 0 && len(m.hash("position:demo/default/sim:BTCUSDT")) == 0
	})
}

// More instruments than one pipeline takes.
func TestManyInstruments(t *testing.T) {
	url := redistest.URL(t)
	m := &mirror{tables: newTables(t), t: t, prefix: "test-" + rand.Text() + ":"}
	const n = 2_000
	for i := range n {
		in, err := m.dir.AddInstrument(core.Instrument{Venue: "many", Symbol: "I" + strconv.Itoa(i), Base: "X", Quote: "USDT", Settle: "USDT",
			Kind: core.Linear, PriceScale: 2, QtyScale: 3, SettleScale: 8, ContractSize: 1, TickSize: 1, StepSize: 1})
		if err != nil {
			t.Fatal(err)
		}
		m.bid(in.ID, core.Price(100+i))
	}
	m.cfg = redis.Config{URL: url, Prefix: m.prefix, Directory: m.dir, Quotes: m.tables, Interval: interval, Timeout: 10 * time.Second}
	m.look = connect(t, url)
	m.run()
	eventually(t, "all are there", func() bool { return len(m.members("quotes")) == n+2 && m.hash("meta")["epoch"] != "" })
	if h := m.hash("quote:many:I1999"); h["bid_price"] != "20.99" {
		t.Errorf("the last one: %v", h)
	}
}

func TestURLFromEnv(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{nil, ""},
		{map[string]string{"REDIS_PORT": "1", "REDIS_PASSWORD": "x"}, ""},
		{map[string]string{"REDIS_URL": "redis://a:1", "REDIS_HOST": "b"}, "redis://a:1"},
		{map[string]string{"REDIS_HOST": "b"}, "redis://b:6379"},
		{map[string]string{"REDIS_HOST": "::1", "REDIS_PORT": "7"}, "redis://[::1]:7"},
		{map[string]string{"REDIS_HOST": "b", "REDIS_PASSWORD": "p@s/s:"}, "redis://:p%40s%2Fs%3A@b:6379"},
	} {
		got := redis.URLFromEnv(func(name string) string { return c.env[name] })
		if got != c.want {
			t.Errorf("%v: %q, want %q", c.env, got, c.want)
		}
		if got != "" {
			if _, err := redis.New(redis.Config{URL: got}); err != nil {
				t.Errorf("%q: %v", got, err)
			}
		}
	}
}

// The password is in no error, whatever is wrong.
func TestPasswordIsNotTold(t *testing.T) {
	for _, url := range []string{"", "redis://:hunter2@bad host:1", "http://:hunter2@h:1", "redis://:hunter2@h:1/x", ":hunter2"} {
		_, err := redis.New(redis.Config{URL: url})
		if !errors.Is(err, redis.ErrConfig) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", url, err)
		}
	}
	server := redistest.Start(t, "--requirepass", "another")
	m := start(t, strings.Replace(server.URL(), "//", "//:hunter2@", 1))
	eventually(t, "the failure shows", func() bool { return m.cache.Status().Failures > 0 })
	if s := m.cache.Status(); s.Connected || strings.Contains(s.LastError, "hunter2") {
		t.Errorf("status %+v", s)
	}
}
