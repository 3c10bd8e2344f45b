package rest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"

	"qcat/api/hub"
	"qcat/api/rest"
)

func TestOverload(t *testing.T) {
	s := serve(t)
	s.engine.full.Store(true)
	for _, c := range []struct{ method, path, body string }{
		{"POST", ordersPath, limitOrder},
		{"POST", ordersPath + "/check", limitOrder},
		{"DELETE", ordersPath, ""},
		{"DELETE", ordersPath + "/1", ""},
		{"POST", "/api/v1/risk/state", `{"scope":"firm","state":"halted"}`},
	} {
		s.ask(c.method, c.path, c.body).refused(503, "overloaded")
	}
	s.engine.full.Store(false)
	s.ask("POST", ordersPath, limitOrder).ordered(201)
}

func TestNoSinkLeft(t *testing.T) {
	s := serve(t)
	s.engine.noSinks.Store(true)
	s.ask("POST", ordersPath, limitOrder).refused(503, "overloaded")
	s.engine.noSinks.Store(false)
	s.ask("POST", ordersPath, limitOrder).ordered(201)
	s.engine.noSinks.Store(true)
	s.ask("POST", ordersPath, limitOrder).ordered(201) // the call there is serves on
}

// TestLostAnswer also holds that a call whose answer never came is used again.
func TestLostAnswer(t *testing.T) {
	s := serve(t, func(c *rest.Config) { c.Timeout = 5 * time.Millisecond })
	s.engine.lose.Store(true)
	for range 5 {
		s.ask("POST", ordersPath, limitOrder).refused(504, "timeout")
	}
	s.engine.lose.Store(false)
	if n := s.engine.registered.Load(); n != 1 {
		t.Errorf("%d reply sinks for one client", n)
	}
}

func TestPanic(t *testing.T) {
	s := serve(t)
	s.engine.panics.Store(true)
	for range 3 {
		s.ask("POST", ordersPath, limitOrder).refused(500, "internal")
	}
	s.engine.panics.Store(false)
	s.ask("POST", ordersPath, limitOrder).ordered(201)
	if n := s.engine.registered.Load(); n != 1 {
		t.Errorf("%d reply sinks for one client", n)
	}
}

func TestConnectionLimit(t *testing.T) {
	s := serve(t, func(c *rest.Config) { c.MaxConnections = 2 })
	for range 2 {
		c, err := s.ln.Dial()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write([]byte("GET /ready HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); err != nil { // it is served
			t.Fatal(err)
		}
	}
	r := s.raw("GET /ready HTTP/1.1\r\nHost: x\r\n\r\n")
	r.refused(503, "http.too_many_connections")
	if r.header("Connection") != "close" {
		t.Error("the connection is kept")
	}
}

func TestHealth(t *testing.T) {
	s := serve(t)
	for _, c := range []struct {
		part   rest.Status
		status int
		want   string
	}{
		{rest.OK, 200, `{"status":"ok","uptime_seconds":0,"components":{"engine":{"status":"ok"},"part":{"status":"ok","detail":"because"}}}`},
		{rest.Degraded, 200, `{"status":"degraded","uptime_seconds":0,"components":{"engine":{"status":"ok"},"part":{"status":"degraded","detail":"because"}}}`},
		{rest.Down, 503, `{"status":"down","uptime_seconds":0,"components":{"engine":{"status":"ok"},"part":{"status":"down","detail":"because"}}}`},
	} {
		s.part.Store(&c.part)
		if r := s.ask("GET", "/health", ""); r.status != c.status || r.body != c.want {
			t.Errorf("%s: %d %s", c.part, r.status, r.body)
		}
		if r := s.ask("GET", "/ready", ""); r.status != 200 || r.body != `{"ready":true}` {
			t.Errorf("%s: ready answers %d %s", c.part, r.status, r.body)
		}
	}
}

// TestDraining: a server that stops says so at once, and whoever asks is sent elsewhere.
func TestDraining(t *testing.T) {
	var stops atomic.Bool
	s := serve(t, func(c *rest.Config) { c.Draining = stops.Load })
	for _, path := range []string{"/ready", "/health"} {
		if r := s.ask("GET", path, ""); r.status != 200 {
			t.Errorf("%s before: %d %s", path, r.status, r.body)
		}
	}
	stops.Store(true)
	for _, path := range []string{"/ready", "/health"} {
		if r := s.ask("GET", path, ""); r.status != 503 || !strings.Contains(r.body, "draining: this server is stopping") {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
}

func TestMarketFaults(t *testing.T) {
	s := serve(t, func(c *rest.Config) { c.Timeout = 5 * time.Millisecond })
	for _, c := range []struct {
		err   error
		stuck bool
		code  string
	}{
		{hub.ErrOverloaded, false, "overloaded"},
		{hub.ErrClosed, false, "unavailable"},
		{errors.New("whatever"), false, "unavailable"},
		{nil, true, "unavailable"},
	} {
		s.market.set(c.err, c.stuck)
		for _, path := range []string{"book", "trades", "candles"} {
			s.ask("GET", "/api/v1/"+path+"/sim:BTCUSDT", "").refused(503, c.code)
		}
	}
	s.market.set(nil, false)
	if r := s.ask("GET", "/api/v1/book/sim:BTCUSDT?depth=1", ""); r.body != `{"instrument":"sim:BTCUSDT","seq":9,"ets":0,"rts":0,"stale":false,"crossed":false,"b":[["100.00","0.005"]],"a":[["100.02","0.001"]]}` {
		t.Errorf("book: %s", r.body)
	}
}

// TestShutdownEndsQuestions asks something that nobody answers, and shuts down:
// neither waits for Config.Timeout.
func TestShutdownEndsQuestions(t *testing.T) {
	s := serve(t, func(c *rest.Config) { c.Timeout = time.Hour })
	s.market.set(nil, true)
	asked := make(chan reply)
	go func() { asked <- s.ask("GET", "/api/v1/book/sim:BTCUSDT", "") }()
	s.eventually("the question", func() bool { return s.market.waiting.Load() > 0 })
	s.stop()
	(<-asked).refused(503, "unavailable")
}

// TestShutdownBeforeServe shuts a server down that has not got to serving yet.
func TestShutdownBeforeServe(t *testing.T) {
	s := serve(t)
	late := rest.New(s.cfg)
	if err := late.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := late.Serve(fasthttputil.NewInmemoryListener()); err != nil {
		t.Error(err)
	}
}

// TestStoppedEngine asks everything after engine and view have stopped: each
// question has an answer.
func TestStoppedEngine(t *testing.T) {
	s := serve(t)
	s.ask("POST", ordersPath, limitOrder).ordered(201)
	s.stop()
	s.cfg.Timeout = 20 * time.Millisecond // nothing answers from here on
	again := rest.New(s.cfg)
	call := func(method, path, body string) int {
		var c fasthttp.RequestCtx
		c.Init(&fasthttp.Request{}, nil, nil)
		c.Request.Header.SetMethod(method)
		c.Request.SetRequestURI(path)
		c.Request.SetBodyString(body)
		again.Handler(&c)
		return c.Response.StatusCode()
	}
	for path, want := range map[string]int{
		"/health": 503, "/ready": 503, ordersPath: 200, ordersPath + "/1": 200, "/api/v1/positions": 200, "/api/v1/accounts": 200,
		"/api/v1/risk/limits": 200, "/api/v1/risk/exposure": 200, "/api/v1/risk/state": 200, "/metrics": 200,
	} {
		if got := call("GET", path, ""); got != want {
			t.Errorf("GET %s: %d, want %d", path, got, want)
		}
	}
	if got := call("POST", ordersPath, limitOrder); got != 504 {
		t.Errorf("POST: %d", got)
	}
	if err := again.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
}

// TestConcurrentCommands mixes accepted, refused, lost and shed commands of many
// clients; every answer must be its own request's.
func TestConcurrentCommands(t *testing.T) {
	s := serve(t, func(c *rest.Config) { c.Timeout = 20 * time.Millisecond })
	stop := make(chan struct{})
	var faults, clients sync.WaitGroup
	faults.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(3 * time.Millisecond):
				s.engine.lose.Store(i%4 == 1)
				s.engine.full.Store(i%4 == 3)
			}
		}
	})
	for n := range 8 {
		clients.Go(func() {
			for i := range 40 {
				s.oneOf(n, i)
			}
		})
	}
	clients.Wait()
	close(stop)
	faults.Wait()
	s.engine.lose.Store(false)
	s.engine.full.Store(false)
	if n := s.engine.registered.Load(); n > 16 {
		t.Errorf("%d reply sinks for 8 clients", n)
	}
}

// oneOf sends the i-th request of client n, whose quantity names it.
func (s *server) oneOf(n, i int) {
	qty := fmt.Sprintf("%d.%03d", n+1, i)
	if i%3 == 0 {
		qty = fmt.Sprintf("1%02d.%03d", n, i+1) // above the limit
	}
	body := strings.Replace(limitOrder, "0.010", qty, 1)
	path := ordersPath
	if i%5 == 0 {
		path += "/check"
	}
	switch r := s.ask("POST", path, body); r.status {
	case 200, 201:
		if o := r.ordered(r.status); o.Qty != qty {
			s.t.Errorf("an order of %s was answered with one of %s", qty, o.Qty)
		}
	case 422:
		if p := r.refused(422, "risk.max_qty"); p.Value != qty {
			s.t.Errorf("an order of %s was refused for %s", qty, p.Value)
		}
	case 503:
		r.refused(503, "overloaded")
	case 504:
		r.refused(504, "timeout")
	default:
		s.t.Errorf("status %d: %s", r.status, r.body)
	}
}
