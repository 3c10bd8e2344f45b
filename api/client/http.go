package client

import (
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/bytedance/sonic"
	"github.com/valyala/fasthttp"
)

// HTTP calls the REST part of the API. Safe for concurrent use.
type HTTP struct {
	base string
	c    fasthttp.HostClient
	auth Auth
	// Timeout of one call, default 10 s.
	Timeout time.Duration
}

// HTTPOptions of NewHTTPWith.
type HTTPOptions struct {
	// Auth proves who the client is; nil: it is nobody.
	Auth Auth
	// TLS, when it is not nil, has the connection encrypted: https.
	TLS *tls.Config
	// Dial connects to the server instead of a net.Dialer, when it is not nil.
	Dial func(addr string) (net.Conn, error)
}

// NewHTTP returns a client of the server at addr ("host:port") that proves nothing.
func NewHTTP(addr string) *HTTP { return NewHTTPWith(addr, HTTPOptions{}) }

// NewHTTPWith returns a client of the server at addr.
func NewHTTPWith(addr string, o HTTPOptions) *HTTP {
	scheme := "http://"
	if o.TLS != nil {
		scheme = "https://"
	}
	return &HTTP{
		base: scheme + addr + "/api/v1/", auth: o.Auth, Timeout: 10 * time.Second,
		c: fasthttp.HostClient{Addr: addr, IsTLS: o.TLS != nil, TLSConfig: o.TLS, Dial: o.Dial},
	}
}

// Close gives idle connections back.
func (h *HTTP) Close() { h.c.CloseIdleConnections() }

// Call sends body (nil: none) as JSON and reads the answer into out (nil: not
// wanted). path is below /api/v1/ and may have a query. A problem the server
// answers with is a *Refusal. Where a token has expired it takes another and asks again.
func (h *HTTP) Call(method, path string, body, out any) error {
	if h.auth == nil {
		return h.once(method, path, body, out, nil)
	}
	var p proof
	err := h.once(method, path, body, out, &p)
	if refusedAuth(err) && p.sent && h.auth.renew(&p) {
		return h.once(method, path, body, out, &p)
	}
	return err
}

// Logout ends the session of the client's token.
func (h *HTTP) Logout() error { return h.Call("POST", "auth/logout", nil, nil) }

// prove has the request proved as p.
func (h *HTTP) prove(req *fasthttp.Request, p *proof) error {
	*p = proof{method: string(req.Header.Method()), target: string(req.URI().RequestURI()), body: req.Body(), set: req.Header.Set}
	return h.auth.prove(h, p)
}

// once sends a request, proved as p unless that is nil.
func (h *HTTP) once(method, path string, body, out any, p *proof) error {
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	req.SetRequestURI(h.base + path)
	req.Header.SetMethod(method)
	if body != nil {
		raw, err := sonic.Marshal(body)
		if err != nil {
			return err
		}
		req.Header.SetContentType("application/json")
		req.SetBodyRaw(raw)
	}
	if p != nil {
		if err := h.prove(req, p); err != nil {
			return fmt.Errorf("client: %s %s: %w", method, path, err)
		}
		p.sent = true
	}
	if err := h.c.DoTimeout(req, resp, h.Timeout); err != nil {
		return fmt.Errorf("client: %s %s: %w", method, path, err)
	}
	if status := resp.StatusCode(); status >= 400 {
		r := &Refusal{}
		if err := sonic.Unmarshal(resp.Body(), r); err != nil || r.Code == "" {
			return fmt.Errorf("client: %s %s: status %d: %.200q", method, path, status, resp.Body())
		}
		r.Status = status
		return r
	}
	if out == nil {
		return nil
	}
	if err := sonic.Unmarshal(resp.Body(), out); err != nil {
		return fmt.Errorf("client: %s %s: %w", method, path, err)
	}
	return nil
}

// Order enters an order.
func (h *HTTP) Order(o Order) (st OrderState, err error) {
	err = h.Call("POST", "orders", o, &st)
	return st, err
}

// Amend changes an order; an empty price or quantity stays.
func (h *HTTP) Amend(t Target, price, qty string) (st OrderState, err error) {
	err = h.Call("PATCH", "orders", struct {
		Target
		Price string `json:"price,omitempty"`
		Qty   string `json:"qty,omitempty"`
	}{t, price, qty}, &st)
	return st, err
}

// Cancel cancels the order with this id.
func (h *HTTP) Cancel(orderID uint64) (st OrderState, err error) {
	err = h.Call("DELETE", "orders?order_id="+strconv.FormatUint(orderID, 10), nil, &st)
	return st, err
}
