package rest

import (
	"context"

	"github.com/valyala/fasthttp"

	"qcat/api/auth"
	"qcat/api/wire"
	"qcat/core"
)

// errNobody says that the server asks nobody who they are.
var errNobody = auth.ErrUnavailable.Saying("this server asks nobody who they are: it has no users")

// asking is a context for a question about identities, or an answer that there are none.
func (s *Server) asking(c exchange) (ctx context.Context, cancel context.CancelFunc, ok bool) {
	if s.cfg.Gate == nil {
		s.turnAway(c, errNobody)
		return nil, nil, false
	}
	ctx, cancel = context.WithTimeout(s.life, s.cfg.Timeout)
	return ctx, cancel, true
}

// login begins a session: 200 with its tokens.
func (s *Server) login(c exchange) {
	ctx, cancel, ok := s.asking(c)
	if !ok {
		return
	}
	defer cancel()
	who := auth.Credentials{Address: c.from, Via: "http"}
	if !object(c, []member{{name: "user", into: &who.Name, needed: true}, {name: "password", into: &who.Password, needed: true}}) {
		return
	}
	t, err := s.cfg.Gate.Login(ctx, who)
	s.answerTokens(c, &t, err)
}

// refresh exchanges a refresh token: 200 with new tokens.
func (s *Server) refresh(c exchange) {
	ctx, cancel, ok := s.asking(c)
	if !ok {
		return
	}
	defer cancel()
	var text string
	if !object(c, []member{{name: "refresh_token", into: &text, needed: true}}) {
		return
	}
	t, err := s.cfg.Gate.Refresh(ctx, text, c.from, "http")
	s.answerTokens(c, &t, err)
}

// answerTokens sends the tokens of a session and whose it is.
func (s *Server) answerTokens(c exchange, t *auth.Tokens, err error) {
	if err != nil {
		s.turnAway(c, err)
		return
	}
	now := s.cfg.Clock.Now()
	b := wire.AppendString([]byte(`{"access_token":`), t.Access)
	b = wire.AppendString(append(b, `,"refresh_token":`...), t.Refresh)
	b = append(b, `,"token_type":"Bearer","expires_in":`...)
	b = wire.AppendUint(b, seconds(t.AccessExpires-now))
	b = wire.AppendUint(append(b, `,"refresh_expires_in":`...), seconds(t.RefreshExpires-now))
	b = wire.AppendUint(append(b, `,"user":{"id":`...), uint64(t.Principal.User()))
	b = wire.AppendString(append(b, `,"name":`...), t.Principal.Name())
	b = wire.AppendString(append(b, `,"role":`...), t.Principal.Role().String())
	secret(c, fasthttp.StatusOK, append(b, `}}`...))
}

// secret sends a body that nobody may keep on the way.
func secret(c exchange, status int, body []byte) {
	c.Response.Header.Set(fasthttp.HeaderCacheControl, "no-store")
	answer(c, status, body)
}

func seconds(d core.Nanos) uint64 { return uint64(max(0, d) / 1e9) }

// logout ends the caller's session: 204.
func (s *Server) logout(c exchange) {
	ctx, cancel, ok := s.asking(c)
	if !ok {
		return
	}
	defer cancel()
	if err := s.cfg.Service.Logout(ctx, c.who); err != nil {
		s.turnAway(c, err)
		return
	}
	c.SetStatusCode(fasthttp.StatusNoContent)
}
