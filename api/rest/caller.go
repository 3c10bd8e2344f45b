package rest

import (
	"bytes"
	"net"
	"net/netip"
	"sync"

	"github.com/valyala/fasthttp"

	"qcat/api/auth"
	"qcat/api/auth/signature"
)

// The headers that say who asks.
const (
	headerKey       = "X-QCAT-KEY"
	headerTimestamp = "X-QCAT-TIMESTAMP"
	headerWindow    = "X-QCAT-WINDOW"
	headerNonce     = "X-QCAT-NONCE"
	headerSignature = "X-QCAT-SIGNATURE"
)

var (
	errTwice   = auth.ErrMalformed.Saying("a header that says who asks is there twice")
	errBoth    = auth.ErrMalformed.Saying("a token and a signature at once: send one of them")
	errScheme  = auth.ErrToken.Saying("Authorization takes a Bearer token")
	bearerWord = []byte("Bearer ")
)

// signedRequests are reused: what verifies them is behind an interface.
var signedRequests = sync.Pool{New: func() any { return new(signature.Request) }}

// identify tells who sends a request, by its token or its signature over the bytes as they
// were received. Errors: those of auth.Gate; ErrMalformed for a header that is there
// twice, and for both at once.
func (s *Server) identify(c *exchange) (auth.Principal, error) {
	r := signedRequests.Get().(*signature.Request)
	defer func() {
		*r = signature.Request{} // keeps no bytes of the request
		signedRequests.Put(r)
	}()
	r.Method, r.Target, r.Body = c.Method(), c.Request.Header.RequestURI(), c.PostBody()
	var bearer []byte
	signed := false
	for _, f := range [...]struct {
		name  string
		value *[]byte
	}{{headerKey, &r.Key}, {headerTimestamp, &r.Timestamp}, {headerWindow, &r.Window}, {headerNonce, &r.Nonce}, {headerSignature, &r.Signature}} {
		all := c.Request.Header.PeekAll(f.name)
		switch len(all) {
		case 0:
		case 1:
			*f.value, signed = all[0], true
		default:
			return auth.Principal{}, errTwice
		}
	}
	switch all := c.Request.Header.PeekAll(fasthttp.HeaderAuthorization); {
	case len(all) > 1:
		return auth.Principal{}, errTwice
	case len(all) == 1 && signed:
		return auth.Principal{}, errBoth
	case len(all) == 1:
		bearer = all[0]
	case signed:
		return s.cfg.Gate.Signed(r, c.from)
	default:
		return auth.Principal{}, s.cfg.Gate.Required()
	}
	n := len(bearerWord)
	if len(bearer) <= n || !bytes.EqualFold(bearer[:n], bearerWord) {
		return auth.Principal{}, errScheme
	}
	return s.cfg.Gate.Bearer(bearer[n:], c.from)
}

// client is the address of whoever sends a request, behind proxies that are trusted; the zero
// address where the connection has none.
func (s *Server) client(c *fasthttp.RequestCtx) netip.Addr {
	peer := peerOf(c)
	if !s.cfg.Proxies.Trust(peer) {
		return peer
	}
	return s.cfg.Proxies.Client(peer, joined(c, fasthttp.HeaderXForwardedFor), joined(c, fasthttp.HeaderForwarded))
}

func peerOf(c *fasthttp.RequestCtx) netip.Addr {
	if tcp, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// joined is a header as a whole.
func joined(c *fasthttp.RequestCtx, name string) []byte {
	return bytes.Join(c.Request.Header.PeekAll(name), []byte(","))
}

// near reports whether a request comes from this machine, from a trusted proxy itself, or from
// who may read the metrics. One that somebody who is not trusted says to have forwarded does
// not.
func (s *Server) near(c exchange) bool {
	h := &c.Request.Header
	peer := peerOf(c.RequestCtx)
	if s.cfg.Proxies.Trust(c.from) || c.from == peer && s.cfg.Scrapers.Trust(peer) {
		return true
	}
	return c.from.IsLoopback() && (s.cfg.Proxies.Trust(peer) ||
		len(h.PeekAll(fasthttp.HeaderXForwardedFor))+len(h.PeekAll(fasthttp.HeaderForwarded)) == 0)
}
