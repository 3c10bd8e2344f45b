package ws

import (
	"fmt"
	"time"

	"qcat/api/auth"
	"qcat/api/hub"
	"qcat/api/wire"
	"qcat/core/identity"
	"qcat/risk"
)

// operation is one op of the interface.
type operation struct {
	do func(*session)
	// of are the permissions of which one is enough; none: anybody, known or not.
	of identity.Permission
	// reduces says that it can only reduce risk, or watch: its rate has a bound of its own.
	reduces bool
}

// operations by op. What each may name is in the principal's scope (scope.go).
var operations = map[string]operation{
	"auth":                 {do: (*session).auth},
	"ping":                 {do: (*session).ping},
	"logout":               {do: (*session).logout, reduces: true},
	"subscribe":            {do: (*session).subscribe, of: identity.Read},
	"unsubscribe":          {do: (*session).unsubscribe, of: identity.Read, reduces: true},
	"order":                {do: (*session).order, of: identity.Trade},
	"amend":                {do: (*session).amend, of: identity.Trade},
	"cancel":               {do: (*session).cancel, of: identity.Trade | identity.Control, reduces: true},
	"cancel_all":           {do: (*session).cancelAll, of: identity.Trade | identity.Control, reduces: true},
	"cancel_on_disconnect": {do: (*session).cancelOnDisconnect, of: identity.Trade, reduces: true},
	"countdown":            {do: (*session).countdown, of: identity.Trade, reduces: true},
	"state":                {do: (*session).state, of: identity.Control, reduces: true},
}

const allOps = "op is one of auth, logout, subscribe, unsubscribe, order, cancel, amend, cancel_all, cancel_on_disconnect, countdown, state and ping"

// carryOut does what a request asks for, if whoever sent it may, and as often.
func (s *session) carryOut() {
	op, known := operations[string(s.req.Op)]
	switch {
	case !s.inRate(op.reduces && !s.resumes()):
	case len(s.req.Op) == 0:
		s.failWith(&wire.Error{Kind: wire.MissingField, Field: wire.FieldOp})
	case !known && !s.who.Alive(), known && !s.may(op.of):
		s.forbidOp()
	case !known:
		s.fail(s.req.ID, "ws.unknown_op", allOps, "op")
	default:
		op.do(s)
	}
}

// may reports whether the client is somebody who is still there and has one of the
// permissions.
func (s *session) may(of identity.Permission) bool {
	return of == 0 || s.who.Permissions()&of != 0 && s.who.Alive()
}

// forbidOp answers who may not do what they asked for.
func (s *session) forbidOp() {
	err := s.who.Ended()
	switch {
	case err == nil:
		err = auth.ErrForbidden
	case !s.mine && s.cfg.Gate != nil:
		err = s.cfg.Gate.Required()
	}
	s.recordRefusal(err)
	s.forbid(auth.Refusal(err))
}

// resumes reports whether the request sets a node active again: that is no way to reduce
// risk.
func (s *session) resumes() bool {
	return string(s.req.Op) == "state" && s.req.State == risk.StateActive
}

// maxOver is how many messages beyond the rate, less those within it, end a connection.
const maxOver = 256

// inRate counts the request, and answers it when there are too many.
func (s *session) inRate(reduces bool) bool {
	wait, ok := s.counts(reduces)
	if ok {
		return true
	}
	s.beginError(s.req.ID, auth.ErrRate.Code, fmt.Sprintf("too many messages: the next may come in %v", wait.Round(time.Microsecond)), "")
	s.conn.Send(s.frameOf())
	return false
}

// counts takes note of a message, and ends the connection of a client that goes on sending too
// many.
func (s *session) counts(reduces bool) (wait time.Duration, ok bool) {
	limiter, key := s.cfg.Clients, s.who.Limit()
	switch {
	case !s.who.Alive():
		limiter, key = s.cfg.Addresses, s.address
	case reduces:
		limiter = s.cfg.Cancels
	}
	if limiter == nil {
		return 0, true
	}
	if wait, ok = limiter.Take(key, s.cfg.Clock.Now()); ok {
		s.over = max(0, s.over-1)
		return 0, true
	}
	if s.over++; s.over >= maxOver {
		s.conn.Disconnect(hub.TooManyMessages)
	}
	return wait, false
}
