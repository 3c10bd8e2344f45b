package ws

import (
	"bytes"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"qcat/api/auth"
	"qcat/api/auth/signature"
	"qcat/api/auth/signing"
	"qcat/api/limit"
	"qcat/api/wire"
)

// visitor is who asks for a connection.
type visitor struct {
	address netip.Addr
	who     auth.Principal // nobody, unless the upgrade says who
}

// addressOf finds the client's address, behind proxies too.
func (s *Server) addressOf(ctx *fasthttp.RequestCtx) netip.Addr {
	peer, ok := ctx.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	a := peer.AddrPort().Addr().Unmap()
	if !s.cfg.Proxies.Trust(a) {
		return a
	}
	h := &ctx.Request.Header
	list := bytes.Join(h.PeekAll(fasthttp.HeaderXForwardedFor), []byte(","))
	return s.cfg.Proxies.Client(a, list, bytes.Join(h.PeekAll(fasthttp.HeaderForwarded), []byte(",")))
}

// identify tells who sends an upgrade: by a bearer token or a signature in its headers,
// and otherwise nobody. Cookies are not looked at. Errors: *auth.Error.
func (s *Server) identify(ctx *fasthttp.RequestCtx, from netip.Addr) (auth.Principal, error) {
	if s.cfg.Gate == nil {
		return s.demo, nil
	}
	h := &ctx.Request.Header
	tokens, keys := len(h.PeekAll(fasthttp.HeaderAuthorization)), len(h.PeekAll(signing.HeaderKey))
	switch {
	case tokens+keys == 0:
		return auth.Principal{}, nil
	case tokens+keys > 1:
		return auth.Principal{}, auth.ErrMalformed
	case tokens == 1:
		return s.prove(from, func() (auth.Principal, error) {
			return s.cfg.Gate.Bearer(bearer(h.Peek(fasthttp.HeaderAuthorization)), from)
		})
	}
	r := signature.Request{
		Key: h.Peek(signing.HeaderKey), Timestamp: h.Peek(signing.HeaderTimestamp), Window: h.Peek(signing.HeaderWindow),
		Nonce: h.Peek(signing.HeaderNonce), Signature: h.Peek(signing.HeaderSignature),
		Method: ctx.Method(), Target: h.RequestURI(), Body: ctx.Request.Body(),
	}
	return s.prove(from, func() (auth.Principal, error) { return s.cfg.Gate.Signed(&r, from) })
}

// bearer returns the token of an Authorization header; what is no bearer's is no token
// of ours either.
func bearer(header []byte) []byte {
	scheme, token, _ := bytes.Cut(header, []byte(" "))
	if !bytes.EqualFold(scheme, []byte("Bearer")) {
		return header
	}
	return bytes.TrimSpace(token)
}

// prove lets a proof of identity be looked at, unless too many from that address were
// wrong. Errors: *auth.Error.
func (s *Server) prove(from netip.Addr, try func() (auth.Principal, error)) (auth.Principal, error) {
	key, now := limit.Address(from), s.cfg.Clock.Now()
	counted, wait := s.cfg.Failures.Begin(key, limit.Attempts{}, now)
	if wait > 0 {
		return auth.Principal{}, errLocked.After(wait)
	}
	p, err := try()
	if !guessed(err) {
		s.cfg.Failures.Undo(key, counted, now)
	}
	return p.With("ws"), err
}

// errLocked refuses to look at a proof.
var errLocked = &auth.Error{Code: auth.ErrLocked.Code, Status: auth.ErrLocked.Status, Text: "too many wrong tokens or signatures"}

// guessed reports whether a proof was wrong, and not merely too late or in vain.
func guessed(err error) bool {
	e := auth.Refusal(err)
	if e == nil {
		return false
	}
	switch e.Code {
	case auth.ErrToken.Code, auth.ErrSignature.Code, auth.ErrMalformed.Code, auth.ErrReplayed.Code, auth.ErrAddress.Code:
		return true
	}
	return false
}

// turnAway answers an upgrade whose client is refused.
func turnAway(ctx *fasthttp.RequestCtx, err error) {
	e := auth.Refusal(err)
	if e.Status == fasthttp.StatusUnauthorized {
		ctx.Response.Header.Set(fasthttp.HeaderWWWAuthenticate, `Bearer realm="qcat"`)
	}
	if e.Wait > 0 {
		ctx.Response.Header.Set(fasthttp.HeaderRetryAfter, seconds(e.Wait))
	}
	problem(ctx, &wire.Problem{Status: e.Status, Code: e.Code, Title: "The connection was refused", Detail: e.Text})
}

// seconds writes a wait as Retry-After has it.
func seconds(d time.Duration) string { return strconv.Itoa(int((d + time.Second - 1) / time.Second)) }
