package rest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
	"go.uber.org/zap"

	"qcat/api/auth"
	"qcat/api/calls"
	"qcat/api/forwarded"
	"qcat/api/limit"
	"qcat/api/metrics"
	"qcat/api/wire"
	"qcat/core"
	"qcat/core/engine"
	"qcat/core/history"
	"qcat/core/identity"
	"qcat/core/market"
	"qcat/risk"
)

// Engine is the order lane as this package uses it. *engine.Engine is one.
type Engine interface {
	// Execute submits c, and carries it out here if the engine is idle.
	Execute(c *engine.Command) bool
	RegisterSink(s engine.ReplySink) (engine.ReplyTo, bool)
	UnregisterSink(to engine.ReplyTo)
	// Answered is a journal sequence that covers every answer given so far.
	Answered() uint64
	Health() engine.Health
	Query(f func(tree *risk.Tree, seq uint64))
	AmendLimits(s risk.Scope, change func(before risk.Limits) (risk.Limits, error), until core.Nanos, by, note string) (engine.Proposal, error)
	DecideProposal(id uint32, approve bool, by string) (engine.Proposal, error)
	Proposals() (all []engine.Proposal, seq uint64)
	// Countdowns are the dead man's switches that are armed, in the order in which they end.
	Countdowns() (all []engine.Countdown, seq uint64)
	// WhatIf answers of each order what a check would, as of one sequence.
	WhatIf(orders []engine.Command, replies []engine.Reply) (seq uint64)
	DefineTransfer(a core.AccountID, currency string, amount int64, by, note string) (uint64, risk.Reason, error)
	SetMargin(set engine.MarginSetting) (uint64, risk.Reason, error)
	DefineFunding(in core.InstrumentID, rate int64, price core.Price) (uint64, risk.Reason, error)
}

// Market answers questions about books, trades and candles. *hub.Hub is one.
type Market interface {
	Book(ctx context.Context, id core.InstrumentID, n int) (wire.BookSnapshot, error)
	Trades(ctx context.Context, id core.InstrumentID, n int) ([]wire.Trade, error)
	Candles(ctx context.Context, id core.InstrumentID, n int) ([]core.Candle, error)
}

// Config is what a Server works with.
type Config struct {
	Directory *core.Directory
	Engine    Engine
	View      *engine.View
	Quotes    *market.QuoteTable
	Market    Market
	// History is the store that lists go on in beyond what is in memory; nil: they
	// end there, and what only a store can tell is not told.
	History history.Reader
	// HistorySeq is the sequence of the journal record up to which History has
	// everything, HistoryTime the time of the tick up to which it has. nil: History
	// never lags.
	HistorySeq  func() uint64
	HistoryTime func() core.Nanos
	// Socket serves /api/v1/ws.
	Socket fasthttp.RequestHandler
	// Gate tells who sends a request. nil: nobody is asked, and everybody is auth.Demo.
	Gate *auth.Gate
	// Service changes users and API keys and writes the audit log. Needed with a Gate.
	Service *auth.Service
	// Recorder takes the entries of the audit log that nothing waits for: of what reduces
	// risk, and of refusals. Needed with a Gate.
	Recorder identity.Recorder
	// Proxies are those whose word on a client's address is taken.
	Proxies forwarded.Proxies
	// Draining reports whether the server stops and takes no new orders; nil: it never does.
	Draining func() bool
	// Scrapers may read the metrics, and nothing else for that.
	Scrapers forwarded.Proxies
	// Clients bounds the requests of one API key, or of one user; Addresses those
	// of one address. What only reduces risk is bounded by Cancels instead of both, again by
	// key or user. nil: no bound.
	Clients, Addresses, Cancels *limit.Limiter
	// Components are asked at each /health.
	Components []Component
	Metrics    *metrics.Registry
	Calls      *calls.Log // is told of every request of the API; may be nil
	Clock      core.Clock
	Log        *zap.Logger
	// Origins are the values of the Origin header that browser pages may call
	// from, beside the server's own. A request without an Origin is not from a page.
	Origins []string
	// Timeout bounds the wait for an answer of the engine, the view, the market or
	// the history. Default 5 s.
	Timeout time.Duration
	// Patience bounds how long a client may take to send a request, its header and its
	// body together, and to take the answer. Default 30 s.
	Patience time.Duration
	// MaxConnections bounds the open HTTP connections. Default 10 000.
	MaxConnections int
}

// Defaults of Config.
const (
	DefaultTimeout        = 5 * time.Second
	DefaultPatience       = 30 * time.Second
	DefaultMaxConnections = 10_000
)

func (c *Config) setDefaults() {
	if c.Timeout <= 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Patience <= 0 {
		c.Patience = DefaultPatience
	}
	if c.MaxConnections <= 0 {
		c.MaxConnections = DefaultMaxConnections
	}
	if c.Clock == nil {
		c.Clock = core.SystemClock()
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
}

// Limits of the HTTP server: fasthttp has none of its own.
const (
	maxBodyBytes   = 64 << 10
	maxHeaderBytes = 8 << 10
	idleTimeout    = 2 * time.Minute
	// spareConnections are those beyond MaxConnections that are told so; what comes
	// after them fasthttp turns away in a line of plain text.
	spareConnections = 256
)

// Server answers HTTP requests.
type Server struct {
	cfg    Config
	calls  callPool
	http   *fasthttp.Server
	router router
	began  core.Nanos
	// strange counts what could not be read as a request.
	strange *metrics.Route
	demo    auth.Principal // who everybody is without a Gate
	// When the log was told last that history, identities, the audit log do not answer.
	tellHistory, tellAuth, tellAudit seldom
	unwritten                        atomic.Uint64   // entries of the audit log that were lost
	life                             context.Context // done once Shutdown has begun
	end                              context.CancelFunc
}

// New returns a server; Serve runs it. A Gate without what it needs beside it is a mistake in
// the program, and New panics.
func New(cfg Config) *Server {
	cfg.setDefaults()
	if cfg.Gate != nil && (cfg.Service == nil || cfg.Service.Auditor == nil || cfg.Recorder == nil) {
		panic("rest: a Gate without Service, Auditor or Recorder")
	}
	s := &Server{cfg: cfg, began: cfg.Clock.Now(), demo: auth.Demo().With("http")}
	s.life, s.end = context.WithCancel(context.Background())
	s.calls.engine, s.calls.most = cfg.Engine, int64(cfg.MaxConnections)
	s.router = newRouter(s.table(), cfg.Metrics)
	s.strange = s.router.nowhere.metrics[other]
	s.http = &fasthttp.Server{
		Handler:               s.handle,
		ErrorHandler:          s.malformed,
		Name:                  "qcat",
		Logger:                quietLog{cfg.Log},
		ReadBufferSize:        maxHeaderBytes,
		MaxRequestBodySize:    maxBodyBytes,
		HeaderReceived:        bodyLimit,
		Concurrency:           cfg.MaxConnections + spareConnections,
		ReadTimeout:           cfg.Patience,
		WriteTimeout:          cfg.Patience,
		IdleTimeout:           idleTimeout,
		NoDefaultServerHeader: true,
		NoDefaultContentType:  true,
		// A body is JSON, whatever its Content-Type claims.
		DisablePreParseMultipartForm: true,
		LazyRequestTime:              true, // Config.Clock tells the time
		CloseOnShutdown:              true,
		KeepHijackedConns:            true, // Config.Socket closes what it takes over
	}
	return s
}

// bodyLimit lets the one request be larger that may hold many orders.
func bodyLimit(h *fasthttp.RequestHeader) (c fasthttp.RequestConfig) {
	if string(h.RequestURI()) == checkPath {
		c.MaxRequestBodySize = wire.MaxBatchBytes
	}
	return c
}

// quietLog takes fasthttp's own messages, which are about clients that went away.
type quietLog struct{ log *zap.Logger }

// Printf implements fasthttp.Logger.
func (l quietLog) Printf(format string, args ...any) {
	if l.log.Core().Enabled(zap.DebugLevel) {
		l.log.Debug("http: " + fmt.Sprintf(format, args...))
	}
}

// Serve answers on ln until Shutdown, and not at all if that has begun.
func (s *Server) Serve(ln net.Listener) error {
	once := &onceListener{Listener: patientListener{ln}}
	// fasthttp's own Shutdown does not know of a listener that comes after it.
	unhook := context.AfterFunc(s.life, func() { _ = once.Close() }) // Shutdown reports the error
	defer unhook()
	return s.http.Serve(once)
}

// onceListener is closed once, whoever asks for it.
type onceListener struct {
	net.Listener
	once sync.Once
	err  error
}

// Close implements net.Listener.
func (l *onceListener) Close() error {
	l.once.Do(func() { l.err = l.Listener.Close() })
	return l.err
}

// Handler answers one request, for a fasthttp.Server other than Serve's, which must keep
// hijacked connections if there is a Config.Socket.
func (s *Server) Handler(ctx *fasthttp.RequestCtx) { s.handle(ctx) }

// Shutdown stops taking connections and waits until the open ones are idle or
// ctx is done. Questions that wait for an answer are answered 503; commands are
// not given up, so that the engine must run until Shutdown has returned.
func (s *Server) Shutdown(ctx context.Context) error {
	s.end()
	err := s.http.ShutdownWithContext(ctx)
	s.calls.close()
	return err
}

// Unwritten is how many entries of the audit log were lost.
func (s *Server) Unwritten() uint64 { return s.unwritten.Load() }

// malformed answers what fasthttp could not read as a request.
func (s *Server) malformed(ctx *fasthttp.RequestCtx, err error) {
	p := wire.Problem{Status: fasthttp.StatusBadRequest, Code: codeMalformed, Title: "Not a valid HTTP request", Detail: "the request could not be read"}
	var timeout net.Error
	var small *fasthttp.ErrSmallBuffer
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		p = wire.Problem{Status: fasthttp.StatusRequestEntityTooLarge, Code: codeTooLarge, Title: "The request is too large",
			Detail: "a body may have " + strconv.Itoa(maxBodyBytes) + " bytes"}
	case errors.As(err, &small):
		p = wire.Problem{Status: fasthttp.StatusRequestHeaderFieldsTooLarge, Code: codeHeader, Title: "The header is too large",
			Detail: "request line and header may have " + strconv.Itoa(maxHeaderBytes) + " bytes"}
	case errors.As(err, &timeout) && timeout.Timeout():
		p = wire.Problem{Status: fasthttp.StatusRequestTimeout, Code: codeTimeout, Title: "The request took too long",
			Detail: "the request was not complete within " + s.cfg.Patience.String()}
	}
	ctx.Response.Reset()
	problem(exchange{RequestCtx: ctx}, &p)
	ctx.SetConnectionClose()
	s.strange.Observe(p.Status, 0)
	s.cfg.Calls.Add(&calls.Call{Method: methodNames[other], Route: s.router.nowhere.pattern, Status: p.Status, At: s.cfg.Clock.Now(), Address: peerOf(ctx)})
}
