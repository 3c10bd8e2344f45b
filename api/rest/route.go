package rest

import (
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"
	"go.uber.org/zap"

	"qcat/api/origin"
	"qcat/api/wire"
)

// route is one row of the interface. A pattern that ends in "/" takes one more
// path segment, which the handler gets as tail.
type route struct {
	method, pattern string
	handler         func(c *fasthttp.RequestCtx, tail string)
}

// table is the HTTP interface.
func (s *Server) table() []route {
	get, post, patch, del := fasthttp.MethodGet, fasthttp.MethodPost, fasthttp.MethodPatch, fasthttp.MethodDelete
	return []route{
		{get, "/health", s.health},
		{get, "/ready", s.ready},
		{get, "/metrics", s.metrics},
		{get, "/api/v1/ws", s.socket},

		{get, "/api/v1/instruments", s.instruments},
		{get, "/api/v1/quotes", s.quotes},
		{get, "/api/v1/book/", s.book},
		{get, "/api/v1/trades/", s.trades},
		{get, "/api/v1/candles/", s.candles},

		{post, "/api/v1/orders", s.newOrder},
		{post, "/api/v1/orders/check", s.checkOrder},
		{get, "/api/v1/orders", s.listOrders},
		{get, "/api/v1/orders/", s.getOrder},
		{patch, "/api/v1/orders", s.amendOrder},
		{patch, "/api/v1/orders/", s.amendOrder},
		{del, "/api/v1/orders", s.cancelOrders},
		{del, "/api/v1/orders/", s.cancelOrder},

		{get, "/api/v1/executions", s.executions},
		{get, "/api/v1/positions", s.positions},
		{get, "/api/v1/accounts", s.accounts},
		{get, "/api/v1/strategies", s.strategies},

		{get, "/api/v1/risk/limits", s.limits},
		{get, "/api/v1/risk/exposure", s.exposure},
		{get, "/api/v1/risk/state", s.states},
		{post, "/api/v1/risk/state", s.setState},
	}
}

// match returns the route of a request. known is false when no route has the
// path, allow lists the methods of those that have it.
func match(routes []route, method, path string) (r *route, tail string, allow []string) {
	for i := range routes {
		p := routes[i].pattern
		rest, ok := strings.CutPrefix(path, p)
		open := strings.HasSuffix(p, "/")
		if !ok || (open && (rest == "" || strings.Contains(rest, "/"))) || (!open && rest != "") {
			continue
		}
		if routes[i].method == method {
			return &routes[i], rest, nil
		}
		allow = append(allow, routes[i].method)
	}
	return nil, "", allow
}

// handle answers one request and counts it.
func (s *Server) handle(c *fasthttp.RequestCtx) {
	began := s.cfg.Clock.Now()
	pattern := s.guarded(c)
	if c.Hijacked() {
		return
	}
	s.cfg.Metrics.Request(string(c.Method()), pattern, c.Response.StatusCode(), int64(s.cfg.Clock.Now()-began))
}

// guarded keeps a handler's panic from ending the process: an error in how an
// answer is shown must not stop the order lane. It is logged with its stack.
func (s *Server) guarded(c *fasthttp.RequestCtx) (pattern string) {
	defer func() {
		if r := recover(); r != nil {
			pattern = "other"
			s.cfg.Log.Error("panic in a handler", zap.Any("panic", r), zap.ByteString("path", c.Path()), zap.Stack("stack"))
			c.Response.Reset()
			problem(c, &wire.Problem{Status: fasthttp.StatusInternalServerError, Code: "internal", Title: "Internal error",
				Detail: "the answer could not be made; what was asked for may have been done"})
		}
	}()
	return s.dispatch(c)
}

// dispatch answers one request and returns the pattern of its route, for the
// metrics: a path that a client made up must not become a label.
func (s *Server) dispatch(c *fasthttp.RequestCtx) string {
	r, tail, allow := match(s.routes, string(c.Method()), string(c.Path()))
	switch {
	case r == nil && len(allow) == 0:
		problem(c, &wire.Problem{Status: fasthttp.StatusNotFound, Code: wire.CodeNotFound, Title: "Not found", Detail: "there is nothing at " + string(c.Path())})
		return "other"
	case r == nil:
		methods := strings.Join(allow, ", ")
		c.Response.Header.Set(fasthttp.HeaderAllow, methods)
		problem(c, &wire.Problem{Status: fasthttp.StatusMethodNotAllowed, Code: "http.method", Title: "Method not allowed", Detail: "this takes " + methods})
		return "other"
	}
	if page := c.Request.Header.Peek(fasthttp.HeaderOrigin); len(page) > 0 && !origin.Allowed(s.cfg.Origins, string(page), string(c.Host())) {
		problem(c, &wire.Problem{Status: fasthttp.StatusForbidden, Code: "http.origin", Title: "Origin not allowed", Detail: "pages of " + string(page) + " may not call this server"})
		return r.pattern
	}
	r.handler(c, tail)
	return r.pattern
}

// answer sends a JSON body.
func answer(c *fasthttp.RequestCtx, status int, body []byte) {
	c.SetStatusCode(status)
	c.SetContentType("application/json")
	c.SetBody(body)
}

// problem sends a problem body.
func problem(c *fasthttp.RequestCtx, p *wire.Problem) {
	problemBody(c, p.Status, wire.AppendProblem(nil, p))
}

func problemBody(c *fasthttp.RequestCtx, status int, body []byte) {
	c.SetStatusCode(status)
	c.SetContentType(wire.ProblemType)
	c.SetBody(body)
}

// list sends n elements as one JSON array.
func list(c *fasthttp.RequestCtx, n int, each func(dst []byte, i int) []byte) {
	body := append(make([]byte, 0, 2+256*n), '[')
	for i := range n {
		if i > 0 {
			body = append(body, ',')
		}
		body = each(body, i)
	}
	answer(c, fasthttp.StatusOK, append(body, ']'))
}

func badQuery(c *fasthttp.RequestCtx, name, detail string) {
	problem(c, &wire.Problem{Status: fasthttp.StatusBadRequest, Code: "request.query", Title: "The query was not understood",
		Detail: "query parameter " + strconv.Quote(name) + ": " + detail, Field: name})
}
