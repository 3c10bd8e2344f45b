package ws

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/valyala/fasthttp"
	"go.uber.org/zap"

	"qcat/api/auth"
	"qcat/api/calls"
	"qcat/api/forwarded"
	"qcat/api/hub"
	"qcat/api/limit"
	"qcat/api/origin"
	"qcat/api/wire"
	"qcat/core"
	"qcat/core/engine"
	"qcat/core/frame"
	"qcat/core/identity"
	"qcat/risk"
)

// minBuffer is what a connection reads into while it says little, and readBuffer
// once a read has filled that.
const (
	minBuffer  = 512
	readBuffer = 2 << 10
)

// Path is where the server is mounted.
const Path = "/api/v1/ws"

// Engine is what takes orders. *engine.Engine is one.
type Engine interface {
	Submit(*engine.Command) bool
	// Put submits what Serve then has carried out.
	Put(*engine.Command) bool
	Serve()
	RegisterSink(engine.ReplySink) (engine.ReplyTo, bool)
	UnregisterSink(engine.ReplyTo)
	// Answered is a journal sequence that covers every answer given so far.
	Answered() uint64
}

// Orders is where an amend finds its order, whose instrument says how many
// decimals the new terms have. *engine.View is one.
type Orders interface {
	Orders(engine.OrderFilter) []core.Order
	Order(core.OrderID) (core.Order, bool)
	// State is the trading state set on one node alone.
	State(risk.Scope) risk.TradingState
	// WaitFor returns once it shows the journal up to seq.
	WaitFor(ctx context.Context, seq uint64) error
}

// Config is what a Server works with. Zero bounds mean their defaults.
type Config struct {
	Hub       *hub.Hub
	Directory wire.Directory
	Clock     core.Clock

	// Engine and Orders are nil for a server that takes no orders.
	Engine Engine
	Orders Orders

	// Origins are the values of the Origin header, "https://desk.example.com", that
	// browsers may come from, beside the server's own host. A request without
	// Origin comes from no browser; without a Gate it is let in from loopback only.
	Origins []string

	// Gate tells who a client is. nil: nobody is asked, and everybody is auth.Demo.
	Gate *auth.Gate
	// Recorder takes the entries of the audit log that nothing waits for: of what reduces
	// risk, and of refusals. Auditor takes those without which nothing is done: no node
	// becomes active again. Needed with a Gate.
	Recorder identity.Recorder
	Auditor  identity.Auditor
	// Proxies are those whose word on a client's address is taken.
	Proxies forwarded.Proxies
	// Clients bounds the messages of one API key, or of one user; Addresses those of an
	// address that nobody is known at yet, and its upgrades. What only reduces risk is bounded by
	// Cancels instead of both, again by key or user. nil: no bound.
	Clients, Addresses, Cancels *limit.Limiter
	// AuthTimeout is how long a connection may be nobody's. Default 5 s.
	AuthTimeout time.Duration
	// MaxPerAddress and MaxPerUser bound the connections from one address, and those of
	// one user, by whatever keys and sessions. Default with a Gate 256 each; without one, no bound.
	MaxPerAddress, MaxPerUser int

	Log *zap.Logger // default: none
	// Calls is told of each proof of who a client is; may be nil. Orders and all else that
	// connections ask for are not told: they would pay for it, and the journal has them.
	Calls *calls.Log

	MaxMessage  int // bytes of one message, default wire.MaxSocketBytes
	MaxInFlight int // requests of one connection that are not answered, default 1 024; cancels a quarter more
	MaxBad      int // bad requests in a row before the connection ends, default 64
}

func (c *Config) setDefaults() {
	if c.MaxMessage == 0 {
		c.MaxMessage = wire.MaxSocketBytes
	}
	if c.MaxInFlight == 0 {
		c.MaxInFlight = 1024
	}
	if c.MaxBad == 0 {
		c.MaxBad = 64
	}
	if c.Gate != nil {
		c.guard()
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	if c.Clock == nil {
		c.Clock = core.SystemClock()
	}
}

// defaultConnections is how many an address or a user may have.
const defaultConnections = 256

// guard sets the defaults of a server that asks who a client is.
func (c *Config) guard() {
	if c.AuthTimeout == 0 {
		c.AuthTimeout = 5 * time.Second
	}
	if c.MaxPerAddress == 0 {
		c.MaxPerAddress = defaultConnections
	}
	if c.MaxPerUser == 0 {
		c.MaxPerUser = defaultConnections
	}
}

// Server upgrades requests and serves the connections that result.
type Server struct {
	cfg      Config
	upgrader websocket.FastHTTPUpgrader
	// sessions is the last session's id. It begins at the time of the start in
	// nanoseconds, so that no id comes again after a restart.
	sessions atomic.Uint64

	demo auth.Principal // everybody, without a Gate
	open quota
	// unrecorded counts the stops that the audit log had no room for.
	unrecorded atomic.Uint64
}

// Unrecorded is how many stops were carried out that the audit log had no room for.
func (s *Server) Unrecorded() uint64 { return s.unrecorded.Load() }

// discardPool makes the library's connection, of which only the handshake is
// used, keep no write buffer.
type discardPool struct{}

func (discardPool) Get() any { return nil }
func (discardPool) Put(any)  {}

// New returns a server on cfg.
func New(cfg Config) *Server {
	cfg.setDefaults()
	s := &Server{cfg: cfg, demo: auth.Demo()}
	s.sessions.Store(uint64(cfg.Clock.Now()))
	s.upgrader = websocket.FastHTTPUpgrader{
		CheckOrigin:     s.checkOrigin,
		ReadBufferSize:  hub.MaxControl, // the least it takes; it stays empty
		WriteBufferPool: discardPool{},
		Error:           upgradeError,
	}
	return s
}

// Handle is the fasthttp handler of Path. The server it is called by must keep
// hijacked connections (fasthttp.Server.KeepHijackedConns): they are closed here.
func (s *Server) Handle(ctx *fasthttp.RequestCtx) {
	if s.cfg.Hub.Full() {
		problem(ctx, &wire.Problem{Status: fasthttp.StatusServiceUnavailable, Code: "ws.full",
			Title: "No connection can be taken", Detail: hub.ErrFull.Error()})
		return
	}
	if !s.checkOrigin(ctx) {
		upgradeError(ctx, fasthttp.StatusForbidden, errOrigin)
		return
	}
	v := visitor{address: s.addressOf(ctx)}
	if !s.open.room(limit.Address(v.address), s.cfg.MaxPerAddress) {
		turnAway(ctx, errConnections)
		return
	}
	err := s.arrives(v.address)
	if err == nil {
		v.who, err = s.identify(ctx, v.address)
	}
	if err != nil {
		turnAway(ctx, err)
		return
	}
	if !s.open.room(userKey(v.who), s.cfg.MaxPerUser) {
		turnAway(ctx, errConnections)
		return
	}
	// An error has been answered by upgradeError.
	_ = s.upgrader.Upgrade(ctx, func(wc *websocket.Conn) { s.takeOver(wc, v) })
}

var errOrigin = errors.New("the page that asks is not of a site that may")

// errConnections turns away who has as many connections as they may.
var errConnections = &auth.Error{Code: auth.ErrRate.Code, Status: auth.ErrRate.Status, Text: "too many connections", Wait: time.Second}

// upgradeError answers a handshake that failed.
func upgradeError(ctx *fasthttp.RequestCtx, status int, reason error) {
	code := "ws.handshake"
	if status == fasthttp.StatusForbidden {
		code = "ws.origin"
	}
	ctx.Response.Header.Set("Sec-WebSocket-Version", "13")
	problem(ctx, &wire.Problem{Status: status, Code: code, Title: "The upgrade was refused", Detail: reason.Error()})
}

func problem(ctx *fasthttp.RequestCtx, p *wire.Problem) {
	ctx.SetStatusCode(p.Status)
	ctx.SetContentType(wire.ProblemType)
	ctx.SetBody(wire.AppendProblem(nil, p))
}

// checkOrigin keeps pages of other sites from using a visitor's browser as a
// client: what has an Origin must name this server or be on the list.
func (s *Server) checkOrigin(ctx *fasthttp.RequestCtx) bool {
	page := string(ctx.Request.Header.Peek(fasthttp.HeaderOrigin))
	if page == "" && s.cfg.Gate != nil {
		return true // no page, and whoever it is has to say who, which no browser does for a page
	}
	if page == "" {
		addr, ok := ctx.RemoteAddr().(*net.TCPAddr)
		return ok && addr.IP.IsLoopback()
	}
	return origin.Allowed(s.cfg.Origins, page, string(ctx.Host()))
}

// takeOver takes a connection from the HTTP server and leaves it what belonged to the
// request: its buffers and its deep stack would be held for as long as the connection
// lasts, and be most of what it costs.
func (s *Server) takeOver(wc *websocket.Conn, v visitor) {
	nc := wc.NetConn()
	ahead := readAhead(nc)
	go s.serve(rawConn(nc), ahead, &v)
}

// readAhead returns what the HTTP server has read beyond the request. A read that may
// not wait gets that and no more.
func readAhead(nc net.Conn) (ahead []byte) {
	_ = nc.SetReadDeadline(time.Unix(1, 0)) // of a socket that is closed the reader will hear
	for buf := make([]byte, minBuffer); ; {
		n, err := nc.Read(buf)
		ahead = append(ahead, buf[:n]...)
		if n == 0 || err != nil {
			break
		}
	}
	_ = nc.SetReadDeadline(time.Time{})
	return ahead
}

// rawConn returns the connection below the HTTP server's wrappers, one of which reads
// from the server's buffer.
func rawConn(nc net.Conn) net.Conn {
	for {
		u, ok := nc.(interface{ UnsafeConn() net.Conn })
		if !ok {
			return nc
		}
		nc = u.UnsafeConn()
	}
}

// contain ends one connection instead of the process when what serves it panics:
// a mistake at the edge must not stop the order lane. It is logged with its stack.
func (s *Server) contain(conn *hub.Conn) {
	if r := recover(); r != nil {
		s.cfg.Log.Error("panic in a connection", zap.Any("panic", r), zap.Stack("stack"))
		conn.Disconnect(hub.InternalError)
	}
}

// serve is one connection, of which ahead has been read.
func (s *Server) serve(nc net.Conn, ahead []byte, v *visitor) {
	conn, err := s.cfg.Hub.Attach(nc)
	if err != nil {
		d := hub.ConnectionLimit
		if errors.Is(err, hub.ErrClosed) {
			d = hub.Shutdown
		}
		_, _ = nc.Write(hub.AppendClose(nil, d)) // whoever does not take it is cut off anyway
		_ = nc.Close()
		return
	}
	defer conn.Close()
	ss := &session{srv: s, cfg: &s.cfg, conn: conn, id: core.SessionID(s.sessions.Add(1))}
	defer ss.end()
	defer s.contain(conn)
	defer ss.serve()
	defer ss.depart()
	ss.arrive(v)
	ss.run(frame.NewReader(&serving{nc, ss}, frame.Config{
		Masked: true, Limit: s.cfg.MaxMessage, Small: minBuffer, Large: readBuffer, Keep: readBuffer,
	}, ahead))
}

// serving is the connection's read side: before it waits for more, what was read is
// carried out.
type serving struct {
	nc net.Conn
	s  *session
}

// Read implements io.Reader.
func (r *serving) Read(b []byte) (int, error) {
	r.s.serve()
	return r.nc.Read(b)
}
