//go:build !race

package rest_test

import (
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

// TestOrderAllocatesNothing runs whole requests through the handler, with the
// engine behind it: an order that is repeated, refused or cancelled allocates
// nothing at all.
func TestOrderAllocatesNothing(t *testing.T) {
	s := serve(t)
	body := strings.Replace(limitOrder, "{", `{"client_order_id":"a",`, 1)
	s.ask("POST", ordersPath, body).ordered(201)
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		most                     float64
	}{
		{"repeated", "POST", ordersPath, body, 201, 0},
		{"checked", "POST", ordersPath + "/check", limitOrder, 200, 2}, // the engine's list of refusals, and what would be used
		{"nothing to cancel", "DELETE", ordersPath, `{"account":"other"}`, 200, 0},
		{"refused", "POST", ordersPath, strings.Replace(limitOrder, "0.010", "100.001", 1), 422, 0},
	} {
		var ctx fasthttp.RequestCtx
		ctx.Init(&fasthttp.Request{}, nil, nil)
		ctx.Request.Header.SetMethod(c.method)
		ctx.Request.SetRequestURI("http://127.0.0.1" + c.path)
		ctx.Request.SetBodyString(c.body)
		once := func() {
			s.rest.Handler(&ctx)
			if got := ctx.Response.StatusCode(); got != c.status {
				t.Fatalf("%s: status %d: %s", c.name, got, ctx.Response.Body())
			}
			ctx.Response.Reset()
		}
		for range 200 { // tables and buffers reach their size
			once()
		}
		if n := testing.AllocsPerRun(500, once); n > c.most {
			t.Errorf("%s: %v allocations a request", c.name, n)
		}
	}
}

// TestNewOrderAllocations holds what accepted orders cost, engine and venue
// included, whose tables grow now and then.
func TestNewOrderAllocations(t *testing.T) {
	s := serve(t)
	var ctx fasthttp.RequestCtx
	ctx.Init(&fasthttp.Request{}, nil, nil)
	ctx.Request.Header.SetMethod("POST")
	ctx.Request.SetRequestURI("http://127.0.0.1" + ordersPath)
	ctx.Request.SetBodyString(limitOrder)
	if n := testing.AllocsPerRun(2000, func() {
		s.rest.Handler(&ctx)
		if ctx.Response.StatusCode() != 201 {
			t.Fatalf("%d: %s", ctx.Response.StatusCode(), ctx.Response.Body())
		}
		ctx.Response.Reset()
	}); n > 2 {
		t.Errorf("%v allocations an order", n)
	}
}
