package rest_test

import (
	"strings"
	"testing"
)

func TestRouting(t *testing.T) {
	s := serve(t)
	for _, c := range []struct {
		method, path string
		status       int
		code         string
	}{
		{"GET", "/", 404, "not_found"},
		{"GET", "/api/v1/nothing", 404, "not_found"},
		{"GET", "/api/v1/orders/", 404, "not_found"},
		{"GET", "/api/v1/orders/1/2", 404, "not_found"},
		{"GET", "/api/v1/orders%2F1", 404, "risk.unknown_order"}, // the same path, written otherwise
		{"GET", "/api/v1/Orders", 404, "not_found"},
		{"GET", "/health/x", 404, "not_found"},
		{"GET", "/api/v1/book/sim:DOGE", 404, "not_found"},
		{"GET", "/api/v1/book/sim%3ADOGE", 404, "not_found"},
		{"GET", "/api/v1/book/sim%2FBTCUSDT", 404, "not_found"},
		{"GET", "/api/v1/book/..%2f..%2f..%2fetc%2fpasswd", 404, "not_found"},
		{"GET", "/api/v1/book/%00", 404, "not_found"},
		{"GET", "/api/v1/book/%ff%fe", 404, "not_found"},
		{"GET", "/../../etc/passwd", 404, "not_found"},
		{"OPTIONS", "/nothing", 404, "not_found"},
		{"PUT", "/api/v1/orders", 405, "http.method"},
		{"get", "/api/v1/orders", 405, "http.method"},
		{"BREW", "/health", 405, "http.method"},
		{"POST", "/health", 405, "http.method"},
		{"GET", "/api/v1/orders/check", 405, "http.method"},
		{"DELETE", "/api/v1/risk/state", 405, "http.method"},
		{"HEAD", "/api/v1/ws", 405, ""},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			r := s.ask(c.method, c.path, "")
			r.t = t
			if c.code != "" {
				r.refused(c.status, c.code)
			} else if r.status != c.status || r.body != "" {
				t.Errorf("status %d, want %d: %s", r.status, c.status, r.body)
			}
			if (r.header("Allow") != "") != (c.status == 405) {
				t.Errorf("%d with Allow %q", r.status, r.header("Allow"))
			}
		})
	}
	for path, want := range map[string]int{
		"/api/v1/book/sim:BTCUSDT":             200,
		"/api/v1/book/sim%3ABTCUSDT":           200,
		"/api/v1//book/sim:BTCUSDT":            200,
		"/api/v1/x/../book/./sim:BTCUSDT":      200,
		"/api/v1/orders%3Fstatus=open":         404,
		"/api/v1/ws":                           418,
		"/health?t=1":                          200,
		"/api/v1/trades/sim:BTCUSDT?limit=2":   200,
		"/api/v1/candles/sim:ETHUSDT?limit=2":  200,
		"/api/v1/candles/sim:ETHUSDT?depth=2":  400,
		"/api/v1/book/sim:ETHUSDT?depth=5001":  400,
		"/api/v1/book/sim:ETHUSDT?depth=5000":  200,
		"/api/v1/trades/sim:BTCUSDT?limit=0":   400,
		"/api/v1/trades/sim:BTCUSDT?limit=1e3": 400,
	} {
		if r := s.ask("GET", path, ""); r.status != want {
			t.Errorf("GET %s: %d, want %d: %s", path, r.status, want, r.body)
		}
	}
}

func TestHeadAndOptions(t *testing.T) {
	s := serve(t)
	get, head := s.ask("GET", "/api/v1/instruments", ""), s.ask("HEAD", "/api/v1/instruments", "")
	if head.status != 200 || head.body != "" || head.header("Content-Length") != get.header("Content-Length") {
		t.Errorf("HEAD: %d %q, length %s of %s", head.status, head.body, head.header("Content-Length"), get.header("Content-Length"))
	}
	if r := s.ask("OPTIONS", ordersPath, ""); r.status != 204 || r.header("Allow") != "GET, HEAD, POST, PATCH, DELETE, OPTIONS" || r.body != "" {
		t.Errorf("OPTIONS: %d, %q, %q", r.status, r.header("Allow"), r.body)
	}
	if r := s.ask("PUT", ordersPath, ""); r.header("Allow") != "GET, HEAD, POST, PATCH, DELETE, OPTIONS" {
		t.Errorf("PUT: Allow %q", r.header("Allow"))
	}
}

func TestOrigin(t *testing.T) {
	s := serve(t)
	const cancelAll = "/api/v1/orders"
	for _, c := range []struct {
		name   string
		status int
		header []string
	}{
		{"no page", 200, nil},
		{"its own page", 200, []string{"Origin: http://localhost:8082"}},
		{"a listed page", 200, []string{"Origin: https://desk.example.com"}},
		{"a proxied listed page", 200, []string{"Origin: https://desk.example.com", "Host: desk.example.com"}},
		{"a page of another site", 403, []string{"Origin: https://evil.example"}},
		{"a page of another port", 403, []string{"Origin: http://localhost:3000"}},
		{"a page that hides", 403, []string{"Origin: null"}},
		{"a name made to point here", 421, []string{"Origin: http://evil.example:8082", "Host: evil.example:8082"}},
		{"the same, reading", 421, []string{"Host: evil.example:8082"}},
	} {
		for _, method := range []string{"GET", "DELETE"} {
			if r := s.ask(method, cancelAll, "", c.header...); r.status != c.status {
				t.Errorf("%s, %s: %d, want %d: %s", method, c.name, r.status, c.status, r.body)
			} else if r.status != 200 {
				r.refused(c.status, map[int]string{403: "http.origin", 421: "http.host"}[c.status])
			}
		}
		if r := s.ask("GET", "/api/v1/ws", "", c.header...); r.status != map[int]int{200: 418, 403: 403, 421: 421}[c.status] {
			t.Errorf("socket, %s: %d", c.name, r.status)
		}
	}
	r := s.ask("OPTIONS", ordersPath, "", "Origin: https://desk.example.com", "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type")
	if r.status != 204 || r.header("Access-Control-Allow-Origin") != "https://desk.example.com" ||
		!strings.Contains(r.header("Access-Control-Allow-Methods"), "POST") || !strings.HasPrefix(r.header("Access-Control-Allow-Headers"), "Authorization, Content-Type, X-QCAT-KEY") {
		t.Errorf("preflight: %d, %q", r.status, r.header("Access-Control-Allow-Methods"))
	}
	r = s.ask("GET", ordersPath, "", "Origin: https://desk.example.com")
	if got := r.header("Access-Control-Expose-Headers"); got != "Next-Cursor, Link, Retry-After" {
		t.Errorf("a page may read %q", got)
	}
	if r := s.ask("OPTIONS", ordersPath, "", "Origin: https://evil.example", "Access-Control-Request-Method: POST"); r.status != 403 || r.header("Access-Control-Allow-Origin") != "" {
		t.Errorf("preflight of another site: %d", r.status)
	}
}

func TestMalformedRequests(t *testing.T) {
	s := serve(t)
	for _, c := range []struct {
		name, text string
		status     int
		code       string
	}{
		{"no http", "hello\r\n\r\n", 400, "http.malformed"},
		{"bad length", "POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", 400, "http.malformed"},
		{"two lengths", "POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400, "http.malformed"},
		{"bad chunk", "POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "http.malformed"},
		{"large header", "GET /health HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("a", 16<<10) + "\r\n\r\n", 431, "http.header_too_large"},
		{"large body, announced", "POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n", 413, "request.too_large"},
		{"large body, chunked", "POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n" + strings.Repeat("a", 70<<10), 413, "request.too_large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := s.raw(c.text)
			r.t = t
			r.refused(c.status, c.code)
		})
	}
	// Requests sent ahead are answered one by one.
	if r := s.raw(strings.Repeat("GET /ready HTTP/1.1\r\nHost: x\r\n\r\n", 3)); r.status != 200 || r.body != `{"ready":true}` {
		t.Errorf("pipelined: %d %s", r.status, r.body)
	}
	if r := s.ask("GET", "/metrics", ""); !strings.Contains(r.body, `http_requests_total{method="other",path="other",status="400"}`) {
		t.Error("malformed requests are not counted")
	}
}

func TestRequestMetrics(t *testing.T) {
	s := serve(t)
	s.ask("POST", ordersPath, limitOrder)
	s.ask("POST", ordersPath, `{}`)
	s.ask("GET", ordersPath+"/7", "")
	s.ask("GET", "/secret/"+strings.Repeat("x", 50), "")
	s.ask("MADEUP", ordersPath, "")
	s.ask("GET", "/api/v1/ws", "")
	body := s.ask("GET", "/metrics", "").body
	for _, want := range []string{
		`http_requests_total{method="POST",path="/api/v1/orders",status="201"} 1`,
		`http_requests_total{method="POST",path="/api/v1/orders",status="400"} 1`,
		`http_requests_total{method="GET",path="/api/v1/orders/",status="404"} 1`,
		`http_requests_total{method="GET",path="other",status="404"} 1`,
		`http_requests_total{method="other",path="/api/v1/orders",status="405"} 1`,
		`http_requests_total{method="GET",path="/api/v1/ws",status="418"} 1`,
		`http_request_duration_seconds_count{method="POST",path="/api/v1/orders"} 2`,
	} {
		if !strings.Contains(body, want+"\n") {
			t.Errorf("no line %s", want)
		}
	}
	for _, never := range []string{"secret", "MADEUP"} {
		if strings.Contains(body, never) {
			t.Errorf("%q became a label", never)
		}
	}
}
