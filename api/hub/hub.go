package hub

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"qcat/api/wire"
	"qcat/core"
	"qcat/core/engine"
	"qcat/core/market"
	"qcat/ringbuf"
)

// View is the read model that private channels start from. *engine.View is one.
// Every method may be called from any goroutine.
type View interface {
	// Applied is the journal sequence whose effects the view shows, at least.
	Applied() uint64
	Orders(engine.OrderFilter) []core.Order
	Positions(engine.PositionFilter) []engine.PositionView
	States() []engine.ScopeState
}

// Config is what a Hub works with and how it is bounded. Zero bounds mean their
// defaults.
type Config struct {
	Directory wire.Directory
	Clock     core.Clock
	Idle      ringbuf.IdleStrategy

	// Sources are the lanes to follow.
	Sources []market.Source

	// Events is the engine's event ring and View what it has led to; both nil for
	// a server without an engine, whose private channels are refused. The hub must
	// be made before the engine runs. StartSeq is the journal sequence the engine
	// starts from: what came before it cannot be replayed.
	Events   *ringbuf.Broadcast[engine.Event]
	View     View
	StartSeq uint64
	// Exposure is what the risk channel tells of the limit tree; nil: nothing.
	Exposure      LimitTree
	ExposureEvery time.Duration // between two looks at it, default 250 ms

	MaxConnections   int // default 10 000
	MaxSubscriptions int // of one connection, default 256

	SoftBound int // bytes pending beyond which public data lags, default 256 KiB
	HardBound int // the same beyond which a connection is closed; what private channels begin with may pass it; default 4 MiB
	// SocketBuffer bounds what the kernel holds of one connection, in bytes; what
	// is in there cannot be conflated. Default 256 KiB; negative leaves it alone.
	SocketBuffer int

	PingEvery    time.Duration // default 15 s
	IdleTimeout  time.Duration // default 40 s
	WriteTimeout time.Duration // default 5 s
	Linger       time.Duration // from the closing frame to the cut, default 1 s
	Tick         time.Duration // of the keeper, default 250 ms
	CandleEvery  time.Duration // between two frames of one open candle, default 250 ms

	TradeHistory  int // trades kept an instrument, default 500
	CandleHistory int // closed candles kept an instrument, default 1 500
	EventHistory  int // engine events kept for resuming, default 8 192
}

func (c *Config) setDefaults() {
	def := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	dur := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	def(&c.MaxConnections, 10_000)
	def(&c.MaxSubscriptions, 256)
	def(&c.SoftBound, 256<<10)
	def(&c.HardBound, 4<<20)
	def(&c.SocketBuffer, 256<<10)
	def(&c.TradeHistory, 500)
	def(&c.CandleHistory, 1_500)
	def(&c.EventHistory, 8_192)
	dur(&c.PingEvery, 15*time.Second)
	dur(&c.IdleTimeout, 40*time.Second)
	dur(&c.WriteTimeout, 5*time.Second)
	dur(&c.Linger, time.Second)
	dur(&c.Tick, 250*time.Millisecond)
	dur(&c.CandleEvery, 250*time.Millisecond)
	dur(&c.ExposureEvery, 250*time.Millisecond)
	if c.Clock == nil {
		c.Clock = core.SystemClock()
	}
}

// Errors of Attach and Subscribe.
var (
	ErrFull          = errors.New("hub: too many connections")
	ErrSubscriptions = errors.New("hub: too many subscriptions on this connection")
	ErrNoEngine      = errors.New("hub: this server has no private channels")
)

// Hub fans out. Make it with New, then Run it.
type Hub struct {
	cfg     Config
	stats   Stats
	market  feedHandler
	private eventHandler

	exposures exposures

	// coarse is the clock as of the keeper's last tick: precise enough for time-outs,
	// and a load instead of a call.
	coarse atomic.Int64

	mu     sync.Mutex
	conns  []*Conn
	closed bool
}

// New returns a hub that follows its sources from now on.
func New(cfg Config) *Hub {
	cfg.setDefaults()
	h := &Hub{cfg: cfg}
	h.coarse.Store(int64(cfg.Clock.Now()))

	m := &h.market
	m.hub, m.cfg, m.stats = h, &h.cfg, &h.stats
	m.waiter = ringbuf.NewWaiter(cfg.Idle)
	m.inbox.waiter = m.waiter
	m.tap = market.NewTap(cfg.Sources, m.waiter)
	h.stats.backlog = m.tap.Backlog()

	h.exposures.hub = h
	h.private.init(h)
	return h
}

// Run runs the hub until ctx ends, then passes on the private events that were
// published before, and closes every connection with Shutdown.
// It returns when its own goroutines have ended; connections end by themselves
// within Linger. Once.
func (h *Hub) Run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(h.market.run)
	if h.private.reader != nil {
		wg.Go(h.private.run)
		if h.cfg.Exposure != nil {
			wg.Go(func() { h.exposures.run(ctx) })
		}
	}
	ticker := time.NewTicker(h.cfg.Tick)
	defer ticker.Stop()
	for ctx.Err() == nil {
		select {
		case <-ticker.C:
			h.sweep(h.cfg.Clock.Now())
		case <-ctx.Done():
		}
	}
	h.private.settle(h.cfg.Linger)
	h.shutdown(ticker.C)
	h.market.stop.Store(true)
	h.market.waiter.Wake()
	h.private.end()
	wg.Wait()
}

// shutdown says goodbye to everyone and waits until all have left or Linger and
// two ticks have passed; whoever is still there is cut off.
func (h *Hub) shutdown(tick <-chan time.Time) {
	h.mu.Lock()
	h.closed = true
	for _, c := range h.conns {
		c.Disconnect(Shutdown)
	}
	h.mu.Unlock()
	end := time.Now().Add(h.cfg.Linger + 2*h.cfg.Tick)
	for h.Len() > 0 && time.Now().Before(end) {
		<-tick
		h.sweep(h.cfg.Clock.Now())
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.conns {
		c.nc.Close()
	}
}

// Attach takes over the writing side of nc. The caller reads from it, tells the
// Conn what it reads, and calls Close when reading ends.
//
// Errors: ErrFull, ErrClosed; nc is then still the caller's alone.
func (h *Hub) Attach(nc net.Conn) (*Conn, error) {
	if t, ok := nc.(*net.TCPConn); ok && h.cfg.SocketBuffer > 0 {
		_ = t.SetWriteBuffer(h.cfg.SocketBuffer) // a hint: without it the kernel holds more
	}
	c := &Conn{hub: h, nc: nc, idle: true, done: make(chan struct{}), sight: everything}
	c.loop = c.writeLoop
	c.direct.open(nc)
	now := h.coarse.Load()
	c.seen.Store(now)
	c.pinged = now
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || len(h.conns) >= h.cfg.MaxConnections {
		h.stats.refused.Add(1)
		if h.closed {
			return nil, ErrClosed
		}
		return nil, ErrFull
	}
	h.stats.accepted.Add(1)
	c.slot = len(h.conns)
	h.conns = append(h.conns, c)
	return c, nil
}

// forget takes c off the list and its subscriptions off the topics.
func (h *Hub) forget(c *Conn) {
	h.mu.Lock()
	last := len(h.conns) - 1
	h.conns[c.slot] = h.conns[last]
	h.conns[c.slot].slot = c.slot
	h.conns[last] = nil
	h.conns = h.conns[:last]
	h.mu.Unlock()
	h.market.inbox.post(command{op: opDrop, conn: c})
	h.private.inbox.post(command{op: opDrop, conn: c})
}

// Full reports whether Attach would refuse.
func (h *Hub) Full() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.closed || len(h.conns) >= h.cfg.MaxConnections
}

// Len is the number of connections.
func (h *Hub) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.conns)
}

// sweep is one tick of the keeper: it finds the dead, the stuck and those whose time is over, pings the
// silent and takes memory back from the idle.
func (h *Hub) sweep(now core.Nanos) {
	t := int64(now)
	h.coarse.Store(t)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.conns {
		h.check(c, t)
	}
}

var pingFrame = AppendControl(nil, OpPing, nil)

// check looks after one connection.
func (h *Hub) check(c *Conn, now int64) {
	if at := c.closed.Load(); at != 0 {
		if now-at > int64(h.cfg.Linger) {
			c.nc.Close()
		}
		return
	}
	if why, end := c.outstayed(now); end {
		c.Disconnect(why)
		return
	}
	if since := c.writing.Load(); since != 0 && now-since > int64(h.cfg.WriteTimeout) {
		c.cut(WriteTimeout)
		return
	}
	if now-c.seen.Load() > int64(h.cfg.IdleTimeout) {
		c.cut(IdleTimeout)
		return
	}
	if now-c.pinged >= int64(h.cfg.PingEvery) {
		c.pinged = now
		c.trim()
		c.Send(pingFrame)
	}
}

// Kick disconnects every connection with d: they come back when its code says so.
func (h *Hub) Kick(d Disconnect) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.conns {
		c.Disconnect(d)
	}
}
