package rest

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/valyala/fasthttp"
	"go.uber.org/zap"

	"qcat/api/metrics"
	"qcat/api/wire"
	"qcat/core"
	"qcat/core/engine"
	"qcat/core/market"
	"qcat/risk"
)

// Engine is the order lane as this package uses it. *engine.Engine is one.
type Engine interface {
	Submit(c *engine.Command) bool
	RegisterSink(s engine.ReplySink) (engine.ReplyTo, bool)
	UnregisterSink(to engine.ReplyTo)
	Published() uint64
	Health() engine.Health
	Query(f func(tree *risk.Tree, seq uint64))
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
	// Socket serves /api/v1/ws.
	Socket fasthttp.RequestHandler
	// Components are asked at each /health.
	Components []Component
	Metrics    *metrics.Registry
	Clock      core.Clock
	Log        *zap.Logger
	// Origins are the values of the Origin header that browser pages may call
	// from, beside the server's own. A request without an Origin is not from a page.
	Origins []string
	// Timeout bounds the wait for the engine's answer. Default 5 s.
	Timeout time.Duration
}

// Limits of the HTTP server: fasthttp has none of its own.
const (
	maxBodyBytes   = 64 << 10
	maxConnections = 10_000
	readTimeout    = 30 * time.Second
	writeTimeout   = 30 * time.Second
	idleTimeout    = 2 * time.Minute
)

// Server answers HTTP requests.
type Server struct {
	cfg    Config
	calls  callPool
	http   *fasthttp.Server
	routes []route
	began  core.Nanos
}

// New returns a server; Serve runs it.
func New(cfg Config) *Server {
	if cfg.Timeout <= 0 {
		cfg.Timeout = 5 * time.Second
	}
	s := &Server{cfg: cfg, began: cfg.Clock.Now()}
	s.calls.engine = cfg.Engine
	s.routes = s.table()
	s.http = &fasthttp.Server{
		Handler:               s.handle,
		ErrorHandler:          s.malformed,
		Name:                  "qcat",
		MaxRequestBodySize:    maxBodyBytes,
		Concurrency:           maxConnections,
		ReadTimeout:           readTimeout,
		WriteTimeout:          writeTimeout,
		IdleTimeout:           idleTimeout,
		NoDefaultServerHeader: true,
		NoDefaultContentType:  true,
		CloseOnShutdown:       true,
		TCPKeepalive:          true,
	}
	return s
}

// Serve answers on ln until Shutdown.
func (s *Server) Serve(ln net.Listener) error { return s.http.Serve(ln) }

// Shutdown stops taking connections and waits until the open ones are idle or
// ctx is done.
func (s *Server) Shutdown(ctx context.Context) error { return s.http.ShutdownWithContext(ctx) }

// malformed answers what fasthttp could not read as a request.
func (s *Server) malformed(c *fasthttp.RequestCtx, err error) {
	p := wire.Problem{Status: fasthttp.StatusBadRequest, Code: "http.malformed", Title: "Not a valid HTTP request", Detail: "the request could not be read"}
	var netErr net.Error
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		p = wire.Problem{Status: fasthttp.StatusRequestEntityTooLarge, Code: "request.too_large", Title: "The request is too large", Detail: "the body may have 65536 bytes"}
	case errors.As(err, &netErr) && netErr.Timeout():
		p = wire.Problem{Status: fasthttp.StatusRequestTimeout, Code: "http.timeout", Title: "The request took too long", Detail: "the request was not complete within 30 s"}
	}
	problem(c, &p)
	c.SetConnectionClose()
}
