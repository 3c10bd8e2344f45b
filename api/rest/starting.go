package rest

import (
	"context"
	"io"
	"net"
	"time"

	"github.com/valyala/fasthttp"
	"go.uber.org/zap"

	"qcat/api/metrics"
	"qcat/core"
)

// Starting answers while the server recovers: what /health and /metrics know
// already, and 503 to everything else, so that whoever looks sees how far it has
// come instead of a refused connection.
type Starting struct {
	// Components are asked at each /health; one of them at least should be down.
	Components []Component
	Metrics    *metrics.Registry
	Clock      core.Clock
	Log        *zap.Logger
	// Secure wraps the listener, such as in TLS; nil: it is used as it is.
	Secure func(net.Listener) net.Listener
	// MayScrape says who gets /metrics; nil: everybody.
	MayScrape func(net.Addr) bool
}

// codeStarting is the code of what cannot be answered before the recovery is done.
const codeStarting = "starting"

// startingPatience is how long clients that were being answered hold up the
// server that takes over.
const startingPatience = 250 * time.Millisecond

// Serve answers on ln until ctx is done, and then leaves ln open for the server
// that takes over. Every connection is closed after its answer, so that its client
// comes to that server with the next request.
func (s *Starting) Serve(ctx context.Context, ln *net.TCPListener) error {
	began := s.Clock.Now()
	server := &fasthttp.Server{
		Name: "qcat", Logger: quietLog{s.Log}, NoDefaultServerHeader: true, NoDefaultContentType: true,
		ReadBufferSize: maxHeaderBytes, MaxRequestBodySize: maxBodyBytes, Concurrency: spareConnections,
		ReadTimeout: DefaultPatience, WriteTimeout: DefaultPatience, DisableKeepalive: true,
		Handler: func(c *fasthttp.RequestCtx) {
			x := exchange{RequestCtx: c}
			switch path := string(c.Path()); {
			case path == "/health":
				answerHealth(x, s.Components, s.Clock.Now()-began)
			case path == "/metrics" && (s.MayScrape == nil || s.MayScrape(c.RemoteAddr())):
				s.Metrics.Handler(c)
			default:
				unavailable(x, codeStarting, "the server is recovering its state; /health tells how far it is")
			}
		},
	}
	unhook := context.AfterFunc(ctx, func() { _ = ln.SetDeadline(time.Unix(1, 0)) }) // an open listener takes a deadline
	defer unhook()
	var lent net.Listener = borrowed{ln, ctx}
	if s.Secure != nil {
		lent = s.Secure(lent)
	}
	err := server.Serve(lent)
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), startingPatience)
	defer cancel()
	_ = server.ShutdownWithContext(late) // a client that is slower finds its connection cut at the end of the process
	if ctx.Err() != nil {
		return ln.SetDeadline(time.Time{})
	}
	return err
}

// borrowed is a listener that is given back: it ends when ctx does and is not
// closed by who uses it.
type borrowed struct {
	*net.TCPListener
	ctx context.Context //nolint:containedctx // of one call to Serve
}

// Accept implements net.Listener.
func (b borrowed) Accept() (net.Conn, error) {
	c, err := b.TCPListener.Accept()
	if err != nil && b.ctx.Err() != nil {
		return nil, io.EOF
	}
	return c, err
}

// Close implements net.Listener.
func (borrowed) Close() error { return nil }
