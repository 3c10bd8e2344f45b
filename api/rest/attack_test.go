package rest_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"qcat/api/auth"
	"qcat/api/forwarded"
	"qcat/api/limit"
	"qcat/api/rest"
	"qcat/core/identity"
)

// twice sends a request with header lines that may repeat a name.
func (g *guarded) twice(method, path, body string, lines ...string) reply {
	g.t.Helper()
	return g.raw(method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n" +
		strings.Join(lines, "\r\n") + "\r\n\r\n" + body)
}

// TestWhoAsks tries what is no token and no signature, and what is both.
func TestWhoAsks(t *testing.T) {
	g := guard(t)
	tom := g.user("tom").header("", "", "")[0]
	token := strings.TrimPrefix(tom, "Authorization: Bearer ")
	k, secret, err := g.svc.CreateKey(t.Context(), root, auth.NewKey{Owner: "tom", Permissions: identity.Trade, Scope: scope(t, "demo")})
	g.must(t, err)
	sign := func(method, target, body string) []string { return g.signed(k.ID, secret, method, target, body) }
	used := sign("POST", ordersPath, limitOrder)
	g.ask("POST", ordersPath, limitOrder, used...).ordered(201)
	late := sign("POST", ordersPath, limitOrder)
	g.clock.Advance(10 * time.Second)
	for _, c := range []struct {
		name, body string
		lines      []string
		status     int
		code       string
	}{
		{"nothing", limitOrder, nil, 401, "auth.required"},
		{"a token", limitOrder, []string{tom}, 201, ""},
		{"in other letters", limitOrder, []string{"authorization: bEARER " + token}, 201, ""},
		{"a signature", limitOrder, sign("POST", ordersPath, limitOrder), 201, ""},
		{"no scheme", limitOrder, []string{"Authorization: " + token}, 401, "auth.token"},
		{"another scheme", limitOrder, []string{"Authorization: Basic YWRhbTphZGFt"}, 401, "auth.token"},
		{"an empty token", limitOrder, []string{"Authorization: Bearer "}, 401, "auth.token"},
		{"two tokens", limitOrder, []string{tom, tom}, 401, "auth.malformed"},
		{"a token and a signature", limitOrder, append(sign("POST", ordersPath, limitOrder), tom), 401, "auth.malformed"},
		{"a token and a part of a signature", limitOrder, []string{tom, "X-QCAT-NONCE: 1"}, 401, "auth.malformed"},
		{"a key twice", limitOrder, append(sign("POST", ordersPath, limitOrder), "X-QCAT-KEY: "+k.ID), 401, "auth.malformed"},
		{"a nonce twice", limitOrder, append(sign("POST", ordersPath, limitOrder), "x-qcat-nonce: 7"), 401, "auth.malformed"},
		{"a key alone", limitOrder, []string{"X-QCAT-KEY: " + k.ID}, 401, "auth.malformed"},
		{"a signature alone", limitOrder, sign("POST", ordersPath, limitOrder)[3:], 401, "auth.required"},
		{"an old request", limitOrder, late, 401, "auth.timestamp"},
		{"of another target", limitOrder, sign("POST", ordersPath+"?", limitOrder), 401, "auth.signature"},
		{"of another method", limitOrder, sign("PUT", ordersPath, limitOrder), 401, "auth.signature"},
		{"of a socket", limitOrder, sign("WS", "/api/v1/ws", ""), 401, "auth.signature"},
		{"of another body", limitOrder, sign("POST", ordersPath, limitOrder+" "), 401, "auth.signature"},
		{"a space more in the body", limitOrder + " ", sign("POST", ordersPath, limitOrder), 401, "auth.signature"},
		{"of another secret", limitOrder, g.signed(k.ID, secret+"x", "POST", ordersPath, limitOrder), 401, "auth.signature"},
		{"of an unknown key", limitOrder, g.signed(k.ID[1:]+"x", secret, "POST", ordersPath, limitOrder), 401, "auth.signature"},
		{"an algorithm of none", limitOrder, []string{"Authorization: Bearer eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiIxIn0."}, 401, "auth.token"},
		{"a long token", limitOrder, []string{"Authorization: Bearer " + strings.Repeat("a", 5000)}, 401, "auth.token"},
	} {
		r := g.twice("POST", ordersPath, c.body, c.lines...)
		r.t = t
		if c.code == "" {
			if r.status != c.status {
				t.Errorf("%s: %d %s", c.name, r.status, r.body)
			}
			continue
		}
		if r.status != c.status || !strings.Contains(r.body, `"code":"`+c.code+`"`) {
			t.Errorf("%s: %d %s, want %d %s", c.name, r.status, r.body, c.status, c.code)
		}
	}
	again := sign("POST", ordersPath, limitOrder)
	g.ask("POST", ordersPath, limitOrder, again...).ordered(201)
	g.ask("POST", ordersPath, limitOrder, again...).refused(401, "auth.replayed")
}

// TestEndsAtOnce: what was given ends with the next request, whatever it was.
func TestEndsAtOnce(t *testing.T) {
	g := guard(t)
	adam, key := g.user("adam"), g.key("tom", identity.Trade, "demo")
	ended := func(c caller) {
		t.Helper()
		g.as(c, "GET", ordersPath, "").refused(401, "auth.revoked")
	}
	tom, vera := g.user("tom"), g.user("vera")
	g.as(adam, "PATCH", "/api/v1/users/tom", `{"role":"viewer"}`)
	ended(tom)
	g.as(key, "POST", ordersPath, limitOrder).refused(403, "auth.forbidden") // with the rights its owner has now
	g.as(adam, "PATCH", "/api/v1/users/vera", `{"disabled":true}`)
	ended(vera)
	rita := g.user("rita")
	if r := g.as(rita, "POST", "/api/v1/auth/logout", ""); r.status != 204 {
		t.Errorf("logout: %d %s", r.status, r.body)
	}
	ended(rita)
	if r := g.as(adam, "DELETE", "/api/v1/apikeys/"+g.keyID("tom"), ""); r.status != 204 {
		t.Errorf("revoke: %d %s", r.status, r.body)
	}
	ended(key)
	if g.logged("user.change", "ok", "adam") != 1 || g.logged("user.disable", "ok", "adam") != 1 || g.logged("logout", "ok", "rita") != 1 || g.logged("key.revoke", "ok", "adam") != 1 {
		t.Error("not in the audit log")
	}
}

// keyID is the id of a key of somebody's.
func (g *guarded) keyID(owner string) string {
	all, err := g.svc.Keys(g.t.Context(), root)
	g.must(g.t, err)
	u, err := g.store.User(g.t.Context(), owner)
	g.must(g.t, err)
	for i := range all {
		if all[i].Owner == u.ID {
			return all[i].ID
		}
	}
	return ""
}

// TestSessions goes through the life of one over HTTP.
func TestSessions(t *testing.T) {
	g := guard(t)
	type tokens struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
		Expires int    `json:"expires_in"`
	}
	var first, second tokens
	r := g.ask("POST", "/api/v1/auth/login", `{"user":"TOM","password":"`+pass+`"}`)
	r.into(&first)
	if first.Expires != 900 || r.header("Cache-Control") != "no-store" {
		t.Errorf("%s, %q", r.body, r.header("Cache-Control"))
	}
	g.ask("GET", ordersPath, "", "Authorization: Bearer "+first.Refresh).refused(401, "auth.token")
	g.ask("POST", "/api/v1/auth/refresh", `{"refresh_token":"`+first.Access+`"}`).refused(401, "auth.token")
	g.ask("POST", "/api/v1/auth/refresh", `{"refresh_token":"`+first.Refresh+`"}`).into(&second)
	// Somebody has stolen the first refresh token: the session ends, for both.
	g.ask("POST", "/api/v1/auth/refresh", `{"refresh_token":"`+first.Refresh+`"}`).refused(401, "auth.reused")
	g.ask("GET", ordersPath, "", "Authorization: Bearer "+second.Access).refused(401, "auth.revoked")
	for body, code := range map[string]string{
		``: "request.syntax", `[]`: "request.syntax", `{"user":"tom"}`: "request.missing_field", `{"user":"tom","password":"x","more":1}`: "request.unknown_field",
		`{"user":"tom","user":"tom","password":"x"}`: "request.duplicate_field", `{"user":1,"password":"x"}`: "request.type",
		`{"user":"tom","password":"x"}{}`: "request.trailing", `{"user":"tom","password":null}`: "request.missing_field",
		`{"USER":"tom","password":"x"}`: "request.unknown_field",
	} {
		g.ask("POST", "/api/v1/auth/login", body).refused(400, code)
	}
	g.ask("POST", "/api/v1/auth/login", ` {"user":"tom","password":"x"} `).refused(401, "auth.credentials")
	for range 5 {
		g.ask("POST", "/api/v1/auth/login", `{"user":"vera","password":"wrong horse"}`)
	}
	if r := g.ask("POST", "/api/v1/auth/login", `{"user":"vera","password":"`+pass+`"}`); r.status != 429 || r.header("Retry-After") == "" {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// TestNoUsersYet: whoever comes is told how to make the first.
func TestNoUsersYet(t *testing.T) {
	g := guard(t, func(c *rest.Config) {
		empty := identities(t, nil)
		c.Gate, c.Service = empty.gate, empty.svc
	})
	if p := g.ask("GET", ordersPath, "").refused(401, "auth.required"); !strings.Contains(p.Detail, "qcat create-user NAME --admin") {
		t.Error(p.Detail)
	}
	g.ask("POST", "/api/v1/auth/login", `{"user":"tom","password":"`+pass+`"}`).refused(401, "auth.credentials")
	for _, path := range []string{"/health", "/ready", "/swagger"} {
		if r := g.ask("GET", path, ""); r.status != 200 {
			t.Errorf("%s: %d", path, r.status)
		}
	}
}

// TestRates bounds requests by who asks and from where; what reduces risk has a bound of its own.
func TestRates(t *testing.T) {
	one := func(burst int) *limit.Limiter { return limit.NewLimiter(limit.Rate{PerSecond: 0.25, Burst: burst}) }
	g := guard(t, func(c *rest.Config) { c.Clients, c.Addresses, c.Cancels = one(3), one(12), one(5) })
	tom, key := g.user("tom"), g.key("tom", identity.Trade, "demo")
	for range 3 {
		g.as(tom, "POST", ordersPath, limitOrder).ordered(201)
	}
	r := g.as(tom, "GET", ordersPath, "")
	if r.refused(429, "rate.limited"); r.header("Retry-After") != "4" {
		t.Errorf("Retry-After %q", r.header("Retry-After"))
	}
	g.as(g.login("tom"), "GET", ordersPath, "").refused(429, "rate.limited") // in another session, too
	g.as(key, "POST", ordersPath, limitOrder).ordered(201)                   // a key is somebody else
	for g.ask("GET", "/health", "").status != 429 {                          // the address is used up
	}
	for range 4 {
		if r := g.as(tom, "DELETE", ordersPath, `{"account":"demo"}`); r.status != 200 {
			t.Fatalf("a cancel: %d %s", r.status, r.body)
		}
	}
	g.ask("DELETE", ordersPath, "", "Authorization: Bearer guess").refused(429, "rate.limited") // no way round for who guesses
	if r := g.as(g.user("rita"), "POST", "/api/v1/risk/state", `{"scope":"account","account":"demo","state":"halted"}`); r.status != 200 {
		t.Errorf("a halt: %d %s", r.status, r.body)
	}
	g.as(tom, "DELETE", ordersPath, `{"account":"demo"}`)
	g.as(tom, "DELETE", ordersPath, `{"account":"demo"}`).refused(429, "rate.limited")
	g.clock.Advance(time.Minute)
	if r := g.as(tom, "GET", ordersPath, ""); r.status != 200 {
		t.Errorf("later: %d %s", r.status, r.body)
	}
}

// TestAddresses: whose word on an address is taken, and what it is good for.
func TestAddresses(t *testing.T) {
	g := guard(t, func(c *rest.Config) { c.Proxies = forwarded.Proxies{netip.MustParsePrefix("10.0.0.0/8")} })
	k, secret, err := g.svc.CreateKey(t.Context(), root, auth.NewKey{Owner: "tom", Permissions: identity.Read, Scope: scope(t, "demo"),
		Addresses: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
	g.must(t, err)
	for _, c := range []struct {
		peer, forwarded string
		orders, metrics int
	}{
		{"192.0.2.7", "", 200, 401},
		{"198.51.100.1", "", 403, 401},
		{"198.51.100.1", "192.0.2.7", 403, 401}, // anybody can say that
		{"10.1.1.1", "192.0.2.7", 200, 401},
		{"10.1.1.1", "192.0.2.7, 198.51.100.1", 403, 401},
		{"10.1.1.1", "127.0.0.1", 403, 200},
		{"10.1.1.1", "", 403, 200},
		{"127.0.0.1", "", 403, 200},
		{"::1", "", 403, 200},
		{"127.0.0.1", "198.51.100.1", 403, 401}, // a proxy that nobody has named
	} {
		call := func(path string, lines []string) int {
			var x fasthttp.RequestCtx
			x.Init(&fasthttp.Request{}, &net.TCPAddr{IP: net.ParseIP(c.peer)}, nil)
			x.Request.SetRequestURI(path)
			x.Request.Header.SetHost("localhost")
			for _, line := range lines {
				name, value, _ := strings.Cut(line, ": ")
				x.Request.Header.Set(name, value)
			}
			if c.forwarded != "" {
				x.Request.Header.Set("X-Forwarded-For", c.forwarded)
			}
			g.rest.Handler(&x)
			return x.Response.StatusCode()
		}
		if got := call("/api/v1/instruments", g.signed(k.ID, secret, "GET", "/api/v1/instruments", "")); got != c.orders {
			t.Errorf("from %s for %q: %d, want %d", c.peer, c.forwarded, got, c.orders)
		}
		if got := call("/metrics", nil); got != c.metrics {
			t.Errorf("metrics from %s for %q: %d, want %d", c.peer, c.forwarded, got, c.metrics)
		}
	}
}

// TestBodiesThatGrow: what would have to be decompressed is not taken, and neither is what is too
// large as it is.
func TestBodiesThatGrow(t *testing.T) {
	g := guard(t)
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, err := z.Write(make([]byte, 32<<20))
	g.must(t, errors.Join(err, z.Close()))
	tom := g.user("tom").header("", "", "")[0]
	for _, coding := range []string{"gzip", "br", "deflate", "identity, gzip", "GZIP"} {
		g.twice("POST", ordersPath, bomb.String(), tom, "Content-Encoding: "+coding).refused(415, "http.encoding")
	}
	for path, size := range map[string]int{ordersPath: 5000, "/api/v1/auth/login": 50_000, "/api/v1/risk/state": 5000} {
		r := g.as(g.user("adam"), "POST", path, `{"x":"`+strings.Repeat("a", size)+`"}`)
		r.refused(413, "request.too_large")
	}
	g.ask("POST", "/api/v1/auth/login", strings.Repeat(`{"user":`, 5000)).refused(400, "request.syntax")
}

// TestSlowClients: who does not finish a request in time is sent away, and holds up nobody.
func TestSlowClients(t *testing.T) {
	g := guard(t, func(c *rest.Config) { c.Patience = 50 * time.Millisecond })
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	g.must(t, err)
	served := make(chan error, 1)
	go func() { served <- g.rest.Serve(ln) }()
	defer func() {
		g.stop()
		g.must(t, <-served)
	}()
	for _, begin := range []string{"GET /health HTTP/1.1\r\nHost: x\r\nX-A: b\r\n", "POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{"} {
		c, err := net.Dial("tcp", ln.Addr().String())
		g.must(t, err)
		_, err = c.Write([]byte(begin))
		g.must(t, err)
		resp := &fasthttp.Response{}
		g.must(t, resp.Read(bufio.NewReader(c)))
		if resp.StatusCode() != 408 || !resp.ConnectionClose() || !strings.Contains(string(resp.Body()), "http.timeout") {
			t.Errorf("%.20q: %s", begin, resp)
		}
		g.must(t, c.Close())
	}
}

// TestTextsOfOthers: what clients send is never more than text: in a store, in the audit log, in an
// answer.
func TestTextsOfOthers(t *testing.T) {
	g := guard(t)
	adam := g.user("adam")
	for _, evil := range []string{`'; DROP TABLE users; --`, `a" OR "1"="1`, "a\nactor=root outcome=ok", "\u202eadam", `<script>alert(1)</script>`, "a\x1b[2J"} {
		text, err := json.Marshal(evil)
		g.must(t, err)
		quoted := string(text)
		for _, r := range []reply{
			g.as(adam, "POST", "/api/v1/users", `{"name":`+quoted+`,"role":"viewer"}`),
			g.as(adam, "POST", "/api/v1/users", `{"name":"ok","role":"viewer","scope":{"accounts":[`+quoted+`]}}`),
			g.as(adam, "POST", "/api/v1/apikeys", `{"owner":`+quoted+`,"name":"x","permissions":["read"]}`),
			g.as(adam, "POST", "/api/v1/apikeys", `{"name":"x","permissions":[`+quoted+`]}`),
			g.as(adam, "POST", "/api/v1/apikeys", `{"name":"x","permissions":["read"],"addresses":[`+quoted+`]}`),
			g.ask("POST", "/api/v1/auth/login", `{"user":`+quoted+`,"password":`+quoted+`}`),
		} {
			if r.status < 400 || r.status >= 500 {
				t.Errorf("%q: %d %s", evil, r.status, r.body)
			}
		}
		g.clock.Advance(time.Hour) // the lock of the address is over
		g.must(t, g.svc.Directory.Poll(t.Context()))
	}
	all, err := g.log.Entries(t.Context(), identity.AuditQuery{Limit: 1000, Action: "login"})
	g.must(t, err)
	for _, e := range all {
		if strings.ContainsAny(e.Actor, "\n'\"<\x1b") {
			t.Errorf("an actor called %q", e.Actor)
		}
	}
}
