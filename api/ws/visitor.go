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
		p, err := s.cfg.Gate.Bearer(bearer(h.Peek(fasthttp.HeaderAuthorization)), from)
		return p.With("ws"), err
	}
	r := signature.Request{
		Key: h.Peek(signing.HeaderKey), Timestamp: h.Peek(signing.HeaderTimestamp), Window: h.Peek(signing.HeaderWindow),
		Nonce: h.Peek(signing.HeaderNonce), Signature: h.Peek(signing.HeaderSignature),
		Method: ctx.Method(), Target: h.RequestURI(), Body: ctx.Request.Body(),
	}
	p, err := s.cfg.Gate.Signed(&r, from)
	return p.With("ws"), err
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

// arrives takes an upgrade from what its address may do: guessing is bounded as it is over
// HTTP, and whoever guesses keeps nobody else out for longer than that. Errors: *auth.Error.
func (s *Server) arrives(from netip.Addr) error {
	if s.cfg.Addresses == nil {
		return nil
	}
	if wait, ok := s.cfg.Addresses.Take(limit.Address(from), s.cfg.Clock.Now()); !ok {
		return auth.ErrRate.After(wait)
	}
	return nil
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
