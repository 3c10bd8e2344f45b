package client

import (
	"fmt"
	"strconv"
	"time"

	"github.com/bytedance/sonic"
	"github.com/valyala/fasthttp"
)

// HTTP calls the REST part of the API. Safe for concurrent use.
type HTTP struct {
	base string
	c    fasthttp.HostClient
	// Timeout of one call, default 10 s.
	Timeout time.Duration
}

// NewHTTP returns a client of the server at addr ("host:port").
func NewHTTP(addr string) *HTTP {
	return &HTTP{base: "http://" + addr + "/api/v1/", c: fasthttp.HostClient{Addr: addr}, Timeout: 10 * time.Second}
}

// Close gives idle connections back.
func (h *HTTP) Close() { h.c.CloseIdleConnections() }

// Call sends body (nil: none) as JSON and reads the answer into out (nil: not
// wanted). path is below /api/v1/ and may have a query. A problem the server
// answers with is a *Refusal.
func (h *HTTP) Call(method, path string, body, out any) error {
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
