package ws

import (
	"errors"
	"fmt"
	"time"

	"github.com/valyala/fasthttp"

	"qcat/api/auth"
	"qcat/api/auth/signature"
	"qcat/api/calls"
	"qcat/api/hub"
	"qcat/api/limit"
	"qcat/api/wire"
	"qcat/core"
)

var _ hub.Viewer = auth.Principal{}

// maxProofs is how many proofs of identity a connection may fail before it is ended.
const maxProofs = 3

var (
	tokenFields     = envelope | wire.Fields(wire.FieldToken)
	signatureFields = envelope | wire.SignatureFields
)

// arrive counts the connection, and gives it to whoever the upgrade said it is.
func (s *session) arrive(v *visitor) {
	s.from, s.address = v.address, limit.Address(v.address)
	if s.counted = s.srv.open.enter(s.address, s.cfg.MaxPerAddress); !s.counted {
		s.conn.Disconnect(hub.ConnectionLimit)
		return
	}
	if v.who.User() == 0 && !v.who.Alive() {
		s.conn.Expect(s.cfg.AuthTimeout)
		return
	}
	if s.own(v.who) {
		s.called(fasthttp.StatusOK, s.cfg.Clock.Now())
	}
}

// called tells the log of calls what came of a proof that was begun then.
func (s *session) called(status int, began core.Nanos) {
	if s.cfg.Calls == nil {
		return
	}
	now := s.cfg.Clock.Now()
	s.cfg.Calls.Add(&calls.Call{Method: "WS", Route: "auth", Status: status, Took: time.Duration(now - began), At: now,
		User: s.who.Name(), Key: s.who.Key(), Address: s.from})
}

// depart counts the connection no more.
func (s *session) depart() {
	if s.counted {
		s.srv.open.leave(s.address)
	}
	if s.mine {
		s.srv.open.leave(userKey(s.who))
	}
}

// own makes the connection somebody's; false: they have too many, and it ends.
func (s *session) own(p auth.Principal) bool {
	if s.mine = s.srv.open.enter(userKey(p), s.cfg.MaxPerUser); !s.mine {
		s.conn.Disconnect(hub.ConnectionLimit)
		return false
	}
	s.who = p
	s.conn.Belong(p)
	return true
}

// auth says who the client is: the first time, or again with another session of the same
// user, which the connection then lasts as long as.
func (s *session) auth() {
	if s.cfg.Gate == nil {
		s.fail(s.req.ID, wire.CodeNoAuth, "this server has no identities: it trusts whoever reaches it on loopback", "op")
		return
	}
	s.serve()
	began := s.cfg.Clock.Now()
	p, err := s.proof()
	if errors.Is(err, errMistaken) {
		return
	}
	if err == nil {
		err = s.replace(p)
	}
	if err != nil {
		e := auth.Refusal(err)
		s.denied(e)
		s.called(e.Status, began)
		return
	}
	s.called(fasthttp.StatusOK, began)
	s.begin(s.req.ID, true)
	s.finish()
}

// errMistaken is a request that was answered already.
var errMistaken = errors.New("ws: the request was not understood")

// proof looks at what the request shows. Errors: *auth.Error, errMistaken.
func (s *session) proof() (auth.Principal, error) {
	if s.req.Has(wire.FieldToken) {
		if !s.take(tokenFields, wire.Fields(wire.FieldToken)) {
			return auth.Principal{}, errMistaken
		}
		p, err := s.cfg.Gate.Bearer(s.req.Token, s.from)
		return p.With("ws"), err
	}
	if !s.take(signatureFields, wire.SignatureNeeds) {
		return auth.Principal{}, errMistaken
	}
	r := signature.Request{
		Key: s.req.Key, Timestamp: s.req.Timestamp, Window: s.req.Window, Nonce: s.req.Nonce, Signature: s.req.Signature,
		Method: signature.SocketMethod, Target: signature.SocketTarget, Socket: true,
	}
	p, err := s.cfg.Gate.Signed(&r, s.from)
	return p.With("ws"), err
}

// replace gives the connection to a principal. One that is somebody's already stays that
// user's, and what they may be shown stays the same. Errors: *auth.Error.
func (s *session) replace(p auth.Principal) error {
	switch {
	case s.conn.Reason() != hub.Disconnect{}:
		return auth.ErrRevoked
	case !s.mine:
		if !s.own(p) {
			return auth.ErrRate
		}
		return nil
	case !s.who.Alive():
		return s.who.Ended()
	case p.User() != s.who.User() || p.Key() != s.who.Key():
		return errOthers
	}
	s.who = p
	s.conn.Belong(p)
	return nil
}

// errOthers refuses to make a connection another user's, or another key's.
var errOthers = &auth.Error{Code: auth.ErrForbidden.Code, Status: auth.ErrForbidden.Status, Text: "the connection is another user's or key's"}

// denied answers a proof that was refused, and ends a connection that belongs to nobody
// after some of them.
func (s *session) denied(e *auth.Error) {
	s.forbid(e)
	if s.proofs++; !s.mine && s.proofs >= maxProofs {
		s.conn.Disconnect(hub.NotAllowed)
	}
}

// forbid answers with a refusal.
func (s *session) forbid(e *auth.Error) {
	detail := e.Text
	if e.Wait > 0 {
		detail = fmt.Sprintf("%s: come again in %v", detail, e.Wait.Round(time.Millisecond))
	}
	s.fail(s.req.ID, e.Code, detail, "")
}
