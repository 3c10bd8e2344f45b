package rest_test

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/valyala/fasthttp"
)

// FuzzOrders posts any bytes as an order, with any query, path below orders and
// method: the server must not panic, and answer with valid JSON of the kind its
// status says.
func FuzzOrders(f *testing.F) {
	for _, c := range badOrders {
		if len(c.body) < 1<<10 {
			f.Add("POST", "", "", []byte(c.body))
			f.Add("POST", "/check", "", []byte(c.body))
		}
	}
	f.Add("POST", "", "", []byte(limitOrder))
	f.Add("PATCH", "/1", "", []byte(`{"price":"98.00"}`))
	f.Add("DELETE", "", "account=demo&client_order_id=%61", []byte{})
	f.Add("DELETE", "/1", "", []byte{})
	f.Add("GET", "", "status=open&limit=5", []byte{})
	s := serve(f)
	f.Fuzz(func(t *testing.T, method, tail, query string, body []byte) {
		var c fasthttp.RequestCtx
		c.Init(&fasthttp.Request{}, nil, nil)
		c.Request.Header.SetMethod(method)
		c.Request.SetRequestURI("http://localhost" + ordersPath)
		c.URI().SetPath(ordersPath + tail)
		c.URI().SetQueryString(query)
		c.Request.SetBody(body)
		s.rest.Handler(&c)
		status, kind, answer := c.Response.StatusCode(), string(c.Response.Header.ContentType()), c.Response.Body()
		switch {
		case status == 500:
			t.Errorf("panic: %s", answer)
		case status == 204:
			if len(answer) > 0 {
				t.Errorf("204 with a body: %s", answer)
			}
		case !json.Valid(answer) || !utf8.Valid(answer):
			t.Errorf("status %d with what is not JSON: %q", status, answer)
		case status >= 400 && kind != "application/problem+json", status < 400 && kind != "application/json":
			t.Errorf("status %d with %s", status, kind)
		}
	})
}
