package client_test

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/valyala/fasthttp"

	"qcat/api/auth/signature"
	"qcat/api/client"
)

// office is a server that logs people in: token aN is good while N is the newest.
type office struct {
	mu      sync.Mutex
	life    int // s
	n       int
	good    string
	refresh string
	seen    []string
	broken  bool // nobody can be refreshed or logged in now
}

func (o *office) handle(ctx *fasthttp.RequestCtx) {
	o.mu.Lock()
	defer o.mu.Unlock()
	path, body := string(ctx.Path()), string(ctx.PostBody())
	o.seen = append(o.seen, path[len("/api/v1/"):])
	switch {
	case o.broken:
		refuse(ctx, 503, "auth.unavailable")
	case path == "/api/v1/auth/login" && !(strings.Contains(body, `"password":"pw"`) && strings.Contains(body, `"user":"ann"`)),
		path == "/api/v1/auth/refresh" && body != fmt.Sprintf(`{"refresh_token":%q}`, o.refresh):
		refuse(ctx, 401, "auth.credentials")
	case strings.HasPrefix(path, "/api/v1/auth/"):
		o.n++
		o.good, o.refresh = fmt.Sprintf("a%d", o.n), fmt.Sprintf("r%d", o.n)
		ctx.SetBodyString(fmt.Sprintf(`{"access_token":%q,"refresh_token":%q,"expires_in":%d}`, o.good, o.refresh, o.life))
	case string(ctx.Request.Header.Peek("Authorization")) != "Bearer "+o.good:
		refuse(ctx, 401, "auth.expired")
	default:
		ctx.SetBodyString(`{}`)
	}
}

func refuse(ctx *fasthttp.RequestCtx, status int, code string) {
	ctx.SetStatusCode(status)
	ctx.SetBodyString(fmt.Sprintf(`{"code":%q,"detail":"no"}`, code))
}

func (o *office) change(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
}

// came returns what was asked for since the last call.
func (o *office) came() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := strings.Join(o.seen, " ")
	o.seen = nil
	return s
}

func listen(t *testing.T, h fasthttp.RequestHandler) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &fasthttp.Server{Handler: h}
	go func() { _ = srv.Serve(ln) }()
	t.Cleanup(func() { _ = srv.Shutdown() })
	return ln.Addr().String()
}

// TestSession: it logs in when it is needed first, keeps its token, replaces it before it
// expires and where it is refused, and logs in again when the session has ended.
func TestSession(t *testing.T) {
	o := &office{life: 900}
	addr := listen(t, o.handle)
	s := client.Login("ann", "pw")
	var told []string
	s.OnTokens = func(access, refresh string) { told = append(told, access+refresh) }
	h := client.NewHTTPWith(addr, client.HTTPOptions{Auth: s})
	defer h.Close()
	call := func(want string) {
		t.Helper()
		if err := h.Call("GET", "orders", nil, nil); err != nil {
			t.Error(err)
		}
		if got := o.came(); got != want {
			t.Errorf("asked for %q, want %q", got, want)
		}
	}
	call("auth/login orders")
	call("orders")
	o.change(func() { o.good = "another" }) // the token has ended
	call("orders auth/refresh orders")
	o.change(func() { o.good, o.refresh = "another", "another" }) // and the session
	call("orders auth/refresh auth/login orders")
	o.change(func() { o.life = 0; o.good = "another" })
	call("orders auth/refresh orders")
	call("auth/refresh orders") // it has expired by now
	if len(told) != 5 || told[0] != "a1r1" || strings.Contains(fmt.Sprint(s), "pw") || strings.Contains(fmt.Sprintf("%+v %s", s, s), "a5") {
		t.Errorf("%v, %v", told, s)
	}
	o.change(func() { o.broken = true })
	if err := h.Call("GET", "orders", nil, nil); err == nil || errors.Is(err, client.ErrNoSession) {
		t.Error(err)
	}
	o.change(func() { o.broken, o.life = false, 900 })
	o.came()
	call("auth/refresh orders") // the token that could not be used is still good
}

// TestTokens: a session without a password ends when it is refused.
func TestTokens(t *testing.T) {
	o := &office{life: 900, good: "a0", refresh: "r0"}
	addr := listen(t, o.handle)
	h := client.NewHTTPWith(addr, client.HTTPOptions{Auth: client.Tokens("a0", "r0")})
	defer h.Close()
	if err := h.Call("GET", "orders", nil, nil); err != nil {
		t.Error(err)
	}
	o.change(func() { o.good, o.refresh = "x", "x" })
	if err := h.Call("GET", "orders", nil, nil); !errors.Is(err, client.ErrNoSession) {
		t.Error(err)
	}
	if err := h.Call("GET", "orders", nil, nil); !errors.Is(err, client.ErrNoSession) {
		t.Error(err)
	}
	if got := o.came(); got != strings.Join([]string{"orders", "orders", "auth/refresh"}, " ") {
		t.Error(got)
	}
}

// TestKeySignsWhatIsSent: the server verifies the bytes that it receives, a query and a body
// that need care included, and every nonce is another.
func TestKeySignsWhatIsSent(t *testing.T) {
	secret := "0123456789abcdefghijklmnopqrstuv"
	v, err := signature.NewHMAC([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	nonces := map[string]bool{}
	addr := listen(t, func(ctx *fasthttp.RequestCtx) {
		h := &ctx.Request.Header
		r := signature.Request{
			Key: h.Peek("X-QCAT-KEY"), Timestamp: h.Peek("X-QCAT-TIMESTAMP"), Window: h.Peek("X-QCAT-WINDOW"), Nonce: h.Peek("X-QCAT-NONCE"),
			Signature: h.Peek("X-QCAT-SIGNATURE"), Method: ctx.Method(), Target: h.RequestURI(), Body: ctx.Request.Body(),
		}
		if _, err := r.Stamp(); err != nil || !v.Verify(&r) || string(r.Key) != "k1" || nonces[string(r.Nonce)] || string(r.Window) != "9000" {
			refuse(ctx, 401, "auth.signature")
			return
		}
		nonces[string(r.Nonce)] = true
	})
	k := client.HMACKey("k1", secret)
	k.Window = 9e9
	h := client.NewHTTPWith(addr, client.HTTPOptions{Auth: k})
	defer h.Close()
	for _, path := range []string{"orders", "orders?account=desk1&client_order_id=a%20b/ü", "orders/../orders?x=%2F", "users/a@b.c"} {
		if err := h.Call("POST", path, map[string]string{"text": "ü <>&"}, nil); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	if len(nonces) != 4 || strings.Contains(fmt.Sprintf("%s %v", k, k), secret) {
		t.Errorf("%d nonces, %v", len(nonces), k)
	}
}
