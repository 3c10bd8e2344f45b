//go:build !race

package rest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"qcat/core/identity"
)

// request is what runs through the handler again and again. identity, if there is one, gives
// each the header lines that say who asks.
type request struct {
	method, path, body string
	identity           func() []string
}

// allocations runs whole requests through the handler, with the engine behind it, and returns how
// often one allocates.
func (s *server) allocations(r request, status int) float64 {
	s.t.Helper()
	const before, counted = 200, 500 // tables and buffers reach their size first
	var ctx fasthttp.RequestCtx
	ctx.Init(&fasthttp.Request{}, nil, nil)
	ctx.Request.Header.SetMethod(r.method)
	ctx.Request.SetRequestURI(r.path)
	ctx.Request.Header.SetHost("127.0.0.1")
	ctx.Request.SetBodyString(r.body)
	var lines [before + counted + 1][]string // names and values
	for i := range lines {
		if r.identity == nil {
			break
		}
		for _, line := range r.identity() {
			name, value, _ := strings.Cut(line, ": ")
			lines[i] = append(lines[i], name, value)
		}
	}
	n := 0
	once := func() {
		for i := 0; i < len(lines[n]); i += 2 {
			ctx.Request.Header.Set(lines[n][i], lines[n][i+1])
		}
		n++
		s.rest.Handler(&ctx)
		if got := ctx.Response.StatusCode(); got != status {
			s.t.Fatalf("%s %s: status %d: %s", r.method, r.path, got, ctx.Response.Body())
		}
		ctx.Response.Reset()
	}
	for range before {
		once()
	}
	return testing.AllocsPerRun(counted, once)
}

// TestOrderAllocatesNothing: an order that is repeated, refused or cancelled allocates nothing at
// all, whether nobody is asked who they are, or a token or a signature is verified.
func TestOrderAllocatesNothing(t *testing.T) {
	body := strings.Replace(limitOrder, "{", `{"client_order_id":"a",`, 1)
	g := guard(t)
	tom := g.user("tom")
	g.as(tom, "POST", ordersPath, body).ordered(201)
	key := g.key("tom", identity.Trade, "demo")
	free := serve(t)
	free.ask("POST", ordersPath, body).ordered(201)
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		most                     float64
	}{
		{"repeated", "POST", ordersPath, body, 201, 0},
		{"checked", "POST", ordersPath + "/check", limitOrder, 200, 2},                                // the engine's list of refusals, and what would be used
		{"cancelled again", "DELETE", ordersPath, `{"account":"demo","client_order_id":"b"}`, 404, 1}, // the answer
		{"refused", "POST", ordersPath, strings.Replace(limitOrder, "0.010", "100.001", 1), 422, 0},
	} {
		r := request{method: c.method, path: c.path, body: c.body}
		if n := free.allocations(r, c.status); n > c.most {
			t.Errorf("%s: %v allocations a request", c.name, n)
		}
		for _, who := range []caller{tom, key} {
			r.identity = func() []string { return who.header(c.method, c.path, c.body) }
			if n := g.allocations(r, c.status); n > c.most {
				t.Errorf("%s, %s: %v allocations a request", c.name, who.name, n)
			}
		}
	}
	if n := free.allocations(request{method: "DELETE", path: ordersPath, body: `{"account":"other"}`}, 200); n > 0 {
		t.Errorf("nothing to cancel: %v allocations a request", n)
	}
}

// BenchmarkWhoAsks runs an order that the engine refuses through the handler, from a caller who is
// not asked, one with a token, and one who signs.
func BenchmarkWhoAsks(b *testing.B) {
	body := strings.Replace(limitOrder, "0.010", "100.001", 1)
	g, free := guard(b), serve(b)
	key := g.key("tom", identity.Trade, "demo")
	for _, c := range []struct {
		name   string
		server *server
		who    caller
	}{{"not asked", free, nobody}, {"token", g.server, g.user("tom")}, {"signature", g.server, key}} {
		b.Run(c.name, func(b *testing.B) {
			var ctx fasthttp.RequestCtx
			ctx.Init(&fasthttp.Request{}, nil, nil)
			ctx.Request.Header.SetMethod("POST")
			ctx.Request.SetRequestURI(ordersPath)
			ctx.Request.Header.SetHost("127.0.0.1")
			ctx.Request.SetBodyString(body)
			var lines [1024][]string
			sign := func() { // as many as are in one window
				g.clock.Advance(10 * time.Second)
				for i := range lines {
					lines[i] = c.who.header("POST", ordersPath, body)
				}
			}
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				if n%len(lines) == 0 {
					b.StopTimer()
					sign()
					b.StartTimer()
				}
				for _, line := range lines[n%len(lines)] {
					name, value, _ := strings.Cut(line, ": ")
					ctx.Request.Header.Set(name, value)
				}
				n++
				c.server.rest.Handler(&ctx)
				if ctx.Response.StatusCode() != 422 {
					b.Fatalf("%s", ctx.Response.Body())
				}
				ctx.Response.Reset()
			}
		})
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
