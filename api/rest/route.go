package rest

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
	"go.uber.org/zap"

	"qcat/api/auth"
	"qcat/api/calls"
	"qcat/api/metrics"
	"qcat/api/origin"
	"qcat/api/wire"
	"qcat/core"
)

// exchange is one request and its answer, as a handler gets it: by value, so that
// it costs nothing.
type exchange struct {
	*fasthttp.RequestCtx
	tail  string // of a route whose pattern ends in "/": the path's last segment
	began core.Nanos
	from  netip.Addr     // the client's
	who   auth.Principal // who asks; nobody on a route that is for anybody
}

// handler answers one request. It must not keep anything of it.
type handler func(c exchange)

// route is one row of the interface. A pattern that ends in "/" takes one more
// path segment, which the handler gets as tail, and one with "*" for its last segment
// but one gets that.
type route struct {
	method  method
	pattern string
	may     access
	handler handler
	how     manner
	act     string // what the audit log calls it when somebody may not; "": it says nothing
}

// manner is what is special about a route.
type manner uint8

const (
	// plain routes take a query, and count among all requests of a client.
	plain manner = 0
	// queryless routes refuse a query: what was meant by it would be ignored.
	queryless manner = 1 << iota
	// reduces marks what only reduces risk, or stops everything: it is never refused because
	// of other requests.
	reduces
)

// table is the HTTP interface, and who may use it.
func (s *Server) table() []route {
	return slices.Concat(s.operation(), s.identities(), s.marketData(), s.orderEntry(), s.accounting(), s.control())
}

func (s *Server) operation() []route {
	return []route{
		{get, "/health", anybody, s.health, plain, ""},
		{get, "/ready", anybody, s.ready, plain, ""},
		{get, "/metrics", readers | neighbours, s.metrics, plain, ""},
		{get, "/swagger", anybody, s.swagger, queryless, ""},
		{get, "/swagger/", anybody, s.swagger, queryless, ""},
		{get, socketPath, anybody, s.socket, plain, ""}, // who it is, a client says on the socket
	}
}

func (s *Server) identities() []route {
	return []route{
		{post, "/api/v1/auth/login", anybody, s.login, queryless, ""},
		{post, "/api/v1/auth/refresh", anybody, s.refresh, queryless, ""},
		{post, "/api/v1/auth/logout", readers, s.logout, queryless, ""},
		{get, "/api/v1/users", readers, s.users, plain, ""}, // oneself is shown to everybody
		{post, "/api/v1/users", administrators, s.createUser, queryless, actUsers},
		{get, "/api/v1/users/", readers, s.user, queryless, ""},
		{patch, "/api/v1/users/", administrators, s.changeUser, queryless, actUser},
		{get, "/api/v1/apikeys", readers, s.apiKeys, plain, ""},
		{post, "/api/v1/apikeys", administrators, s.createKey, queryless, actKeys},
		{del, "/api/v1/apikeys/", administrators, s.revokeKey, queryless, actKey},
		{get, "/api/v1/audit", administrators, s.audit, plain, actAudit},
	}
}

func (s *Server) marketData() []route {
	return []route{
		{get, "/api/v1/instruments", readers, s.instruments, plain, ""},
		{get, "/api/v1/quotes", readers, s.quotes, plain, ""},
		{get, "/api/v1/quotes/", readers, s.pastQuotes, plain, ""},
		{get, "/api/v1/book/", readers, s.book, plain, ""},
		{get, "/api/v1/trades/", readers, s.trades, plain, ""},
		{get, "/api/v1/candles/", readers, s.candles, plain, ""},
	}
}

func (s *Server) orderEntry() []route {
	return []route{
		{post, "/api/v1/orders", traders, s.newOrder, queryless, ""},
		{post, checkPath, readers, s.check, queryless, ""},
		{post, "/api/v1/orders/countdown", traders, s.countdown, queryless | reduces, ""},
		{get, "/api/v1/orders", readers, s.listOrders, plain, ""},
		{get, "/api/v1/orders/", readers, s.getOrder, queryless, ""},
		{patch, "/api/v1/orders", traders, s.amendOrder, queryless, ""},
		{patch, "/api/v1/orders/", traders, s.amendOrder, queryless, ""},
		{del, "/api/v1/orders", traders | controllers, s.cancelOrders, reduces, actCancel},
		{del, "/api/v1/orders/", traders | controllers, s.cancelOrder, queryless | reduces, actCancel},
		{get, "/api/v1/executions", readers, s.executions, plain, ""},
	}
}

func (s *Server) accounting() []route {
	return []route{
		{get, "/api/v1/positions", readers, s.positions, plain, ""},
		{get, "/api/v1/accounts", readers, s.accounts, plain, ""},
		{post, "/api/v1/accounts/*/transfers", controllers, s.transfer, queryless, actTransfer},
		{put, "/api/v1/accounts/*/margin", controllers, s.setMargin, queryless, actMargin},
		{post, "/api/v1/funding", controllers, s.funding, queryless, actFunding},
		{get, "/api/v1/equity", readers, s.equity, plain, ""},
		{get, "/api/v1/transfers", readers, s.transfers, plain, ""},
		{get, "/api/v1/strategies", readers, s.strategies, plain, ""},
	}
}

func (s *Server) control() []route {
	return []route{
		{get, "/api/v1/risk/limits", readers, s.limits, plain, ""},
		{put, "/api/v1/risk/limits", controllers, s.replaceLimits, queryless, actLimits},
		{patch, "/api/v1/risk/limits", controllers, s.amendLimits, queryless, actLimits},
		{get, "/api/v1/risk/limits/proposals", readers, s.proposals, plain, ""},
		{post, "/api/v1/risk/limits/proposals/", controllers, s.decideProposal, queryless, actDecide},
		{get, "/api/v1/risk/exposure", readers, s.exposure, plain, ""},
		{get, "/api/v1/risk/scenarios", readers, s.scenarios, plain, ""},
		{get, "/api/v1/risk/var", readers, s.valueAtRisk, plain, ""},
		{get, "/api/v1/risk/state", readers, s.states, plain, ""},
		{post, "/api/v1/risk/state", controllers, s.setState, queryless | reduces, actState},
		{get, "/api/v1/risk/countdowns", readers, s.countdowns, plain, ""},
		{get, "/api/v1/risk/events", readers, s.riskEvents, plain, ""},
	}
}

const socketPath = "/api/v1/ws"

// method is one of those that HTTP has; strange ones are all other.
type method uint8

const (
	other method = iota
	get
	head
	post
	put
	patch
	del
	options
	methods
)

var methodNames = [methods]string{"other", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

func methodOf(name []byte) method {
	for m := get; m < methods; m++ {
		if methodNames[m] == string(name) {
			return m
		}
	}
	return other
}

// resource is a path of the interface.
type resource struct {
	pattern string
	logged  bool // its requests are calls of the API, and not those of who watches the server
	routes  [methods]*route
	allow   string // the methods it has
	metrics [methods]*metrics.Route
}

// unlogged are the routes that those ask who watch the server, over and over.
var unlogged = []string{"/health", "/ready", "/metrics"}

// router finds the route of a request.
type router struct {
	resources map[string]*resource // by pattern
	nowhere   *resource            // for everything else
}

func newRouter(table []route, m *metrics.Registry) router {
	r := router{resources: map[string]*resource{}, nowhere: newResource(m, "other")}
	for i := range table {
		row := &table[i]
		at := r.resources[row.pattern]
		if at == nil {
			at = newResource(m, row.pattern)
			r.resources[row.pattern] = at
		}
		at.routes[row.method] = row
		if row.method == get && row.pattern != socketPath {
			at.routes[head] = row // the server leaves the body out
		}
	}
	for _, at := range r.resources {
		var names []string
		for m, row := range at.routes {
			if row != nil {
				names = append(names, methodNames[m])
			}
		}
		at.allow = strings.Join(append(names, methodNames[options]), ", ")
	}
	return r
}

func newResource(m *metrics.Registry, pattern string) *resource {
	at := &resource{pattern: pattern, logged: !slices.Contains(unlogged, pattern)}
	for i := range at.metrics {
		at.metrics[i] = m.Route(methodNames[i], pattern)
	}
	return at
}

// find returns what is at the path, which fasthttp has decoded and cleaned of dots
// and doubled slashes, and the tail that its pattern leaves open. Nothing there is
// nowhere.
func (r *router) find(path []byte) (at *resource, tail []byte) {
	if n := len(path) - 1; n < 0 || path[n] != '/' {
		if at = r.resources[string(path)]; at != nil {
			return at, nil
		}
		i := bytes.LastIndexByte(path, '/') + 1
		if at = r.resources[string(path[:i])]; at != nil {
			return at, path[i:]
		}
		if i > 1 {
			j := bytes.LastIndexByte(path[:i-1], '/') + 1
			if at = r.resources[string(path[:j])+"*"+string(path[i-1:])]; at != nil && i-1 > j {
				return at, path[j : i-1]
			}
		}
	}
	return r.nowhere, nil
}

// handle answers one request and counts it.
func (s *Server) handle(ctx *fasthttp.RequestCtx) {
	c := exchange{RequestCtx: ctx, began: s.cfg.Clock.Now()}
	m := methodOf(ctx.Method())
	at, tail := s.router.find(ctx.Path())
	if len(tail) > 0 {
		c.tail = string(tail)
	}
	s.guarded(&c, at, m)
	now := s.cfg.Clock.Now()
	at.metrics[m].Observe(ctx.Response.StatusCode(), time.Duration(now-c.began))
	if at.logged {
		s.log(&c, at, m, now)
	}
}

// log leaves an answered request to the log of calls.
func (s *Server) log(c *exchange, at *resource, m method, now core.Nanos) {
	if s.cfg.Calls == nil {
		return
	}
	if !c.from.IsValid() { // it did not come as far as a route
		c.from = s.client(c.RequestCtx)
	}
	s.cfg.Calls.Add(&calls.Call{
		Method: methodNames[m], Route: at.pattern, Status: c.Response.StatusCode(), Took: time.Duration(now - c.began), At: now,
		User: c.who.Name(), Key: c.who.Key(), Address: c.from,
	})
}

// guarded keeps a handler's panic from ending the process: an error in how an
// answer is shown must not stop the order lane. It is logged with its stack.
func (s *Server) guarded(c *exchange, at *resource, m method) {
	defer func() {
		if r := recover(); r != nil {
			s.cfg.Log.Error("panic in a handler", zap.Any("panic", r), zap.ByteString("path", c.Path()), zap.Stack("stack"))
			c.Response.Reset()
			problem(*c, &wire.Problem{Status: fasthttp.StatusInternalServerError, Code: codeInternal, Title: "Internal error",
				Detail: "the answer could not be made; what was asked for may have been done"})
		}
	}()
	s.dispatch(c, at, m)
}

// dispatch lets the route answer, if there is one and the client may use it.
func (s *Server) dispatch(x *exchange, at *resource, m method) {
	if !framed(x.Request.Header.RawHeaders()) {
		unframed(*x)
		return
	}
	if !s.admit(*x) {
		return
	}
	row := at.routes[m]
	if row != nil && !s.enter(x, row) {
		return
	}
	c := *x
	switch {
	case at == s.router.nowhere:
		nothingAt(c)
	case m == options:
		c.SetStatusCode(fasthttp.StatusNoContent)
		c.Response.Header.Set(fasthttp.HeaderAllow, at.allow)
	case row == nil:
		c.Response.Header.Set(fasthttp.HeaderAllow, at.allow)
		problem(c, &wire.Problem{Status: fasthttp.StatusMethodNotAllowed, Code: codeMethod, Title: "Method not allowed", Detail: "this takes " + at.allow})
	case row.how&queryless != 0 && !noQuery(c, "this takes no query"):
	default:
		row.handler(c)
	}
}

// noQuery answers a request that has a query where none is taken.
func noQuery(c exchange, why string) bool {
	if len(c.URI().QueryString()) == 0 {
		return true
	}
	name := ""
	for key := range c.QueryArgs().All() {
		name = string(key)
		break
	}
	badQuery(c, name, why)
	return false
}

// admit refuses pages of others, whatever they ask for, connections beyond what the
// server has room for, and bodies that would have to be decompressed: how large they
// are, only that would tell.
func (s *Server) admit(c exchange) bool {
	if !origin.Addressed(s.cfg.Origins, string(c.Host())) {
		problem(c, &wire.Problem{Status: fasthttp.StatusMisdirectedRequest, Code: codeHost, Title: "Not this server",
			Detail: "this server is not " + string(c.Host()) + "; if it is, name https://" + string(c.Host()) + " in its setting origins"})
		return false
	}
	if page := c.Request.Header.Peek(fasthttp.HeaderOrigin); len(page) > 0 && !s.admitPage(c, string(page)) {
		return false
	}
	if s.http.GetOpenConnectionsCount() > int32(s.cfg.MaxConnections) {
		c.SetConnectionClose()
		unavailable(c, codeFull, "there are too many connections")
		return false
	}
	if coding := c.Request.Header.Peek(fasthttp.HeaderContentEncoding); len(coding) > 0 && string(coding) != "identity" {
		problem(c, &wire.Problem{Status: fasthttp.StatusUnsupportedMediaType, Code: codeEncoding, Title: "Encoded bodies are not taken",
			Detail: "send the body as it is, without Content-Encoding"})
		return false
	}
	return true
}

// admitPage refuses a page that is neither the server's own nor listed, and tells
// the browser of one that may read the answer (CORS).
func (s *Server) admitPage(c exchange, page string) bool {
	if !origin.Allowed(s.cfg.Origins, page, string(c.Host())) {
		problem(c, &wire.Problem{Status: fasthttp.StatusForbidden, Code: codeOrigin, Title: "Origin not allowed",
			Detail: "pages of " + page + " may not call this server"})
		return false
	}
	h := &c.Response.Header
	h.Set(fasthttp.HeaderAccessControlAllowOrigin, page)
	h.Set(fasthttp.HeaderVary, fasthttp.HeaderOrigin)
	h.Set(fasthttp.HeaderAccessControlExposeHeaders, HeaderCursor+", Link, "+fasthttp.HeaderRetryAfter)
	if len(c.Request.Header.Peek(fasthttp.HeaderAccessControlRequestMethod)) > 0 {
		h.Set(fasthttp.HeaderAccessControlAllowMethods, "GET, POST, PUT, PATCH, DELETE")
		h.Set(fasthttp.HeaderAccessControlAllowHeaders, "Authorization, Content-Type, "+headerKey+", "+headerTimestamp+", "+headerWindow+", "+headerNonce+", "+headerSignature)
		h.Set(fasthttp.HeaderAccessControlMaxAge, "600")
	}
	return true
}
