package rest

import (
	"errors"
	"math"
	"strconv"

	"github.com/valyala/fasthttp"
	"go.uber.org/zap"

	"qcat/api/auth"
	"qcat/api/limit"
	"qcat/api/wire"
	"qcat/core/identity"
)

// access is who may use a route: the permissions of which one is enough. The zero value
// lets nobody in.
type access uint16

const (
	readers        = access(identity.Read)
	traders        = access(identity.Trade)
	controllers    = access(identity.Control)
	administrators = access(identity.Administer)
	// anybody is asked for nothing: whatever credentials there are play no part.
	anybody access = 1 << 8
	// neighbours need nothing either if they are on this machine, a trusted proxy, or who
	// may read the metrics.
	neighbours access = 1 << 9
)

// admits reports whether one of the permissions is enough.
func (a access) admits(have identity.Permission) bool { return access(have)&a != 0 }

// enter lets a request in if its client asks not too often, is somebody, and may do what
// the route is for; otherwise it has answered. What only reduces risk has a bound
// of its own, so that no other request can use it up.
func (s *Server) enter(c *exchange, row *route) bool {
	c.from = s.client(c.RequestCtx)
	reduces := row.how&reduces != 0
	if !reduces && !s.within(*c, s.cfg.Addresses, limit.Address(c.from)) {
		return false
	}
	if s.cfg.Gate == nil {
		c.who = s.demo
		return true
	}
	if row.may == anybody {
		return true
	}
	who, err := s.identify(c)
	switch {
	case err == nil:
	case errors.Is(err, auth.ErrRequired) && row.may&neighbours != 0 && s.near(*c):
		return true
	case reduces && !s.within(*c, s.cfg.Addresses, limit.Address(c.from)):
		return false // guessing is bounded on every route
	default:
		s.turnAway(*c, err)
		return false
	}
	c.who = who.With("http")
	bound := s.cfg.Clients
	if reduces {
		bound = s.cfg.Cancels
	}
	if !s.within(*c, bound, who.Limit()) {
		return false
	}
	if !row.may.admits(who.Permissions()) {
		s.forbid(*c, row.act, "", auth.ErrForbidden)
		return false
	}
	return true
}

// within takes one of what a bound allows, or answers when to come again.
func (s *Server) within(c exchange, l *limit.Limiter, k limit.Key) bool {
	if l == nil {
		return true
	}
	wait, ok := l.Take(k, c.began)
	if !ok {
		s.turnAway(c, auth.ErrRate.After(wait))
	}
	return ok
}

// titles are those of refusals of identities, by status.
var titles = map[int]string{
	fasthttp.StatusUnauthorized:        "Not authenticated",
	fasthttp.StatusForbidden:           "Not permitted",
	fasthttp.StatusNotFound:            "Not found",
	fasthttp.StatusConflict:            "Conflict",
	fasthttp.StatusUnprocessableEntity: "The request was refused",
	fasthttp.StatusTooManyRequests:     "Too many requests",
	fasthttp.StatusServiceUnavailable:  "Unavailable",
}

// turnAway answers a refusal by who asks, or by what the users and keys are. What caused one
// of the server's own making is for the log.
func (s *Server) turnAway(c exchange, err error) {
	e := auth.Refusal(err)
	if cause := e.Unwrap(); cause != nil && e.Status == fasthttp.StatusServiceUnavailable && s.tellAuth.now(c.began) {
		s.cfg.Log.Warn("users, keys or the audit log do not answer", zap.String("code", e.Code), zap.Error(cause))
	}
	problem(c, &wire.Problem{Status: e.Status, Code: e.Code, Title: titles[e.Status], Detail: e.Text})
	switch e.Status {
	case fasthttp.StatusUnauthorized:
		c.Response.Header.Set(fasthttp.HeaderWWWAuthenticate, `Bearer realm="qcat"`)
	case fasthttp.StatusTooManyRequests, fasthttp.StatusServiceUnavailable:
		c.Response.Header.Set(fasthttp.HeaderRetryAfter, strconv.Itoa(max(1, int(math.Ceil(e.Wait.Seconds())))))
	}
}

// forbid answers that somebody known may not, and writes it down if the act is one that
// the audit log tells of.
func (s *Server) forbid(c exchange, act, target string, why *auth.Error) {
	if act != "" {
		e := c.who.Entry(act, target)
		e.Outcome = why.Code
		s.record(e)
	}
	s.turnAway(c, why)
}

// beyond answers that something is not in the caller's scope.
func (s *Server) beyond(c exchange, act, target, detail string) {
	s.forbid(c, act, target, auth.ErrScope.Saying(detail))
}
