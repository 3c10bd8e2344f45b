package ws_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"qcat/api/auth"
	"qcat/api/auth/signing"
	"qcat/api/client"
	"qcat/api/hub"
	"qcat/api/limit"
	"qcat/api/spec/spectest"
	"qcat/api/ws"
	"qcat/core"
	"qcat/core/identity"
)

// refusedWith returns the code that an upgrade was refused with.
func refusedWith(t *testing.T, err error) (status int, code string) {
	t.Helper()
	var r *client.Refusal
	if !errors.As(err, &r) {
		t.Fatalf("not refused: %v", err)
	}
	return r.Status, r.Code
}

// TestAuthDeadline: who says nothing about themselves is ended with a number, and until
// then gets a pong and nothing else.
func TestAuthDeadline(t *testing.T) {
	g := guard(t, func(_ *hub.Config, w *ws.Config) { w.AuthTimeout = time.Hour })
	c, _, err := g.raw(nil)
	if err != nil {
		t.Fatal(err)
	}
	if a := ask(t, c, `{"op":"ping"}`); a["ok"] != true {
		t.Fatal(a)
	}
	for _, body := range []string{`{"op":"subscribe","channels":["bbo:sim:BTCUSDT"]}`, `{"op":"fly"}`, `{"op":"cancel","order_id":1}`} {
		if a := ask(t, c, body); a["ok"] != false || a["error"].(map[string]any)["code"] != "auth.required" {
			t.Errorf("%s: %v", body, a)
		}
	}
	g = guard(t, func(_ *hub.Config, w *ws.Config) { w.AuthTimeout = 50 * time.Millisecond })
	if c, _, err = g.raw(nil); err != nil {
		t.Fatal(err)
	}
	if code := endsWith(t, c); code != int(hub.AuthTimeout.Code) {
		t.Errorf("it ended with %d", code)
	}
}

// TestAuthInTime: the first message says who it is, by a token or a signature.
func TestAuthInTime(t *testing.T) {
	g := guard(t, func(_ *hub.Config, w *ws.Config) { w.AuthTimeout = 3 * time.Second }) // a busy machine says who it is in it
	public, private := edKey(t)
	k, _, err := g.svc.CreateKey(t.Context(), process, auth.NewKey{Owner: "tom", Public: public, Permissions: identity.Read, Scope: identity.Scope{Accounts: []string{"desk1"}}})
	if err != nil {
		t.Fatal(err)
	}
	stamp := fmt.Sprint(time.Now().UnixMilli())
	sig := signing.Ed25519(private, signing.Append(nil, stamp, "7000", "n-1", signing.SocketMethod, signing.SocketTarget, ""))
	signed := fmt.Sprintf(`{"op":"auth","id":1,"key":%q,"timestamp":%s,"window":7000,"nonce":"n-1","signature":%q}`, k.ID, stamp, sig)
	var in []*websocket.Conn
	for _, body := range []string{`{"op":"auth","token":"` + g.login("tom").Access + `"}`, signed} {
		c, _, err := g.raw(nil)
		if err != nil {
			t.Fatal(err)
		}
		if a := ask(t, c, body); a["ok"] != true {
			t.Fatalf("%s: %v", body, a)
		}
		in = append(in, c)
	}
	// The same frame again, from somebody who saw it.
	c, _, err := g.raw(nil)
	if err != nil {
		t.Fatal(err)
	}
	if a := ask(t, c, signed); a["ok"] != false || a["error"].(map[string]any)["code"] != "auth.replayed" {
		t.Errorf("a replayed signature: %v", a)
	}
	silent, _, err := g.raw(nil)
	if err != nil {
		t.Fatal(err)
	}
	if code := endsWith(t, silent); code != int(hub.AuthTimeout.Code) { // the others' time is over, too
		t.Errorf("the silent one ended with %d", code)
	}
	for _, c := range in {
		if a := ask(t, c, `{"op":"unsubscribe","channels":["orders"]}`); a["ok"] != true {
			t.Error(a)
		}
	}
}

// TestWrongProofs: three of them end the connection, and however many there are, good proofs from that
// address are looked at as ever.
func TestWrongProofs(t *testing.T) {
	g := guard(t, nil)
	in := g.as("tom")
	wrong := `{"op":"auth","token":"e30.e30.e30"}`
	for range 9 {
		c, _, err := g.raw(nil)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			ask(t, c, wrong)
		}
		if code := endsWith(t, c); code != int(hub.NotAllowed.Code) {
			t.Fatalf("it ended with %d", code)
		}
		_, resp, _ := g.raw(http.Header{"Authorization": {"Bearer e30.e30.e30"}})
		if resp.StatusCode != http.StatusUnauthorized {
			t.Fatalf("a wrong token: %d", resp.StatusCode)
		}
	}
	c, resp, err := g.raw(http.Header{"Authorization": {"Bearer " + g.login("tom").Access}})
	if err != nil {
		t.Fatalf("a good token from where others guess: %v, %+v", err, resp)
	}
	_ = c.Close()
	if err := in.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestUpgradesAreBounded: an address has so many upgrades, good or wrong, and whoever is in
// already goes on.
func TestUpgradesAreBounded(t *testing.T) {
	g := guard(t, func(_ *hub.Config, w *ws.Config) {
		w.Addresses = limit.NewLimiter(limit.Rate{PerSecond: 0.01, Burst: 3})
	})
	token := http.Header{"Authorization": {"Bearer " + g.login("tom").Access}}
	in, _, err := g.raw(token)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, resp, _ := g.raw(http.Header{"Authorization": {"Bearer e30.e30.e30"}}); resp.StatusCode != http.StatusUnauthorized {
			t.Fatalf("a wrong token: %d", resp.StatusCode)
		}
	}
	_, resp, _ := g.raw(token)
	if resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") != "100" {
		t.Errorf("one too many: %d, Retry-After %q", resp.StatusCode, resp.Header.Get("Retry-After"))
	}
	ask(t, in, `{"op":"ping"}`)
}

// TestUpgrades: who is refused before there is a connection, and why.
func TestUpgrades(t *testing.T) {
	g := guard(t, func(_ *hub.Config, w *ws.Config) { w.Origins = []string{"https://desk.example.com"} })
	token := "Bearer " + g.login("tom").Access
	for name, tt := range map[string]struct {
		header http.Header
		status int
		code   string
	}{
		"a bearer":                  {http.Header{"Authorization": {token}}, 101, ""},
		"a bearer of a page":        {http.Header{"Authorization": {token}, "Origin": {"https://desk.example.com"}}, 101, ""},
		"a page that has to log in": {http.Header{"Origin": {"https://desk.example.com"}}, 101, ""},
		"a page of another site":    {http.Header{"Authorization": {token}, "Origin": {"https://evil.example.com"}}, 403, "ws.origin"},
		"an origin of null":         {http.Header{"Authorization": {token}, "Origin": {"null"}}, 403, "ws.origin"},
		"a cookie is nothing":       {http.Header{"Cookie": {"token=" + token}}, 101, ""},
		"no bearer":                 {http.Header{"Authorization": {"Basic dG9tOnRvbQ=="}}, 401, "auth.token"},
		"two":                       {http.Header{"Authorization": {token, token}}, 401, "auth.malformed"},
		"a bearer and a key":        {http.Header{"Authorization": {token}, "X-Qcat-Key": {"x"}}, 401, "auth.malformed"},
		"a key and no signature":    {http.Header{"X-Qcat-Key": {"x"}}, 401, "auth.malformed"},
		"alg none":                  {http.Header{"Authorization": {"Bearer eyJhbGciOiJub25lIn0.e30."}}, 401, "auth.token"},
	} {
		_, resp, err := g.raw(tt.header)
		if resp == nil || resp.StatusCode != tt.status {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if tt.status == 101 {
			continue
		}
		body := make([]byte, 1024)
		n, _ := resp.Body.Read(body)
		if !strings.Contains(string(body[:n]), `"code":"`+tt.code+`"`) || tt.status == 401 != (resp.Header.Get("Www-Authenticate") != "") {
			t.Errorf("%s: %s %v", name, body[:n], resp.Header)
		}
	}
	c, _, err := g.raw(http.Header{"Cookie": {"token=" + token}})
	if err != nil {
		t.Fatal(err)
	}
	if a := ask(t, c, `{"op":"subscribe","channels":["orders"]}`); a["ok"] != false {
		t.Error("a cookie logs in")
	}
}

// TestSignedUpgradeIsGoodOnce: the headers of an upgrade open one connection.
func TestSignedUpgradeIsGoodOnce(t *testing.T) {
	g := guard(t, nil)
	public, private := edKey(t)
	k, _, err := g.svc.CreateKey(t.Context(), process, auth.NewKey{Owner: "tom", Public: public, Permissions: identity.Read, Scope: identity.Scope{Accounts: []string{"desk1"}}})
	if err != nil {
		t.Fatal(err)
	}
	stamp := fmt.Sprint(time.Now().UnixMilli())
	sign := func(method, target string) http.Header {
		h := http.Header{}
		h.Set(signing.HeaderKey, k.ID)
		h.Set(signing.HeaderTimestamp, stamp)
		h.Set(signing.HeaderNonce, "n-1")
		h.Set(signing.HeaderSignature, string(signing.Ed25519(private, signing.Append(nil, stamp, "", "n-1", method, target, ""))))
		return h
	}
	for i, tt := range []struct {
		method, target string
		status         int
	}{{"WS", "/api/v1/ws", 401}, {"GET", "/api/v1/orders", 401}, {"GET", "/api/v1/ws", 101}, {"GET", "/api/v1/ws", 401}} {
		if _, resp, err := g.raw(sign(tt.method, tt.target)); resp == nil || resp.StatusCode != tt.status {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// ends are what ends a principal while it streams.
var ends = map[string]func(g *guarded, session string) error{
	"logout": func(g *guarded, token string) error {
		p, err := g.gate.Bearer([]byte(token), here)
		if err != nil {
			return err
		}
		return g.svc.Logout(g.t.Context(), p)
	},
	"disabled": func(g *guarded, _ string) error {
		yes := true
		_, err := g.svc.ChangeUser(g.t.Context(), process, "tom", auth.UserChange{Disabled: &yes})
		return err
	},
	"another role": func(g *guarded, _ string) error {
		viewer := identity.Viewer
		_, err := g.svc.ChangeUser(g.t.Context(), process, "tom", auth.UserChange{Role: &viewer})
		return err
	},
	"everybody out": func(g *guarded, _ string) error {
		_, err := g.svc.RotateJWT(g.t.Context(), process, true)
		return err
	},
}

// TestEndWhileStreaming: the connection ends with a number, nothing of what
// comes after is shown, nothing is carried out, and cancel-on-disconnect acts.
func TestEndWhileStreaming(t *testing.T) {
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			g := guard(t, nil)
			token := g.login("tom").Access
			c := g.bearer(t, token)
			if a := ask(t, c, `{"op":"order","account":"desk1","instrument":"sim:BTCUSDT","side":"buy","type":"limit","price":"1.00","qty":"0.001","cancel_on_disconnect":true}`); a["ok"] != true {
				t.Fatal(a)
			}
			if a := ask(t, c, `{"op":"subscribe","channels":["orders"]}`); a["ok"] != true {
				t.Fatal(a)
			}
			if err := end(g, token); err != nil {
				t.Fatal(err)
			}
			secret := g.order(g.desk1, g.of(g.desk1))
			_ = c.WriteMessage(websocket.TextMessage, []byte(`{"op":"order","account":"desk1","instrument":"sim:BTCUSDT","side":"buy","type":"limit","price":"1.00","qty":"0.001"}`))
			_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
			for {
				_, b, err := c.ReadMessage()
				if err != nil {
					var ce *websocket.CloseError
					if !errors.As(err, &ce) || ce.Code != int(hub.SessionEnded.Code) {
						t.Errorf("it ended with %v", err)
					}
					break
				}
				if strings.Contains(string(b), fmt.Sprintf(`"order_id":%d,`, secret)) {
					t.Errorf("shown after the end: %s", b)
				}
			}
			eventually(t, "its orders are cancelled", func() bool {
				g.engine.mu.Lock()
				defer g.engine.mu.Unlock()
				return g.engine.orders[0].Status == core.StatusCancelled
			})
			if n := len(g.engine.Orders(allOrders)); n != 2 {
				t.Errorf("%d orders: one came after the end", n)
			}
		})
	}
}

// TestRevokedKey: a key's connections end with it, and its owner's others go on.
func TestRevokedKey(t *testing.T) {
	g := guard(t, nil)
	c, other := g.as("tom"), g.bearer(t, g.login("tom").Access)
	if _, err := g.svc.RevokeKey(t.Context(), process, g.ids["tom"]); err != nil {
		t.Fatal(err)
	}
	<-c.Done()
	var ce *websocket.CloseError
	if !errors.As(c.Err(), &ce) || ce.Code != int(hub.SessionEnded.Code) {
		t.Error(c.Err())
	}
	if a := ask(t, other, `{"op":"ping"}`); a["ok"] != true {
		t.Error(a)
	}
}

// TestSecondAuth: a connection may go on with another session of its user, and only so.
func TestSecondAuth(t *testing.T) {
	g := guard(t, nil)
	first := g.login("tom")
	c := g.bearer(t, first.Access)
	for _, tt := range []struct{ token, want string }{
		{g.login("olga").Access, "auth.forbidden"}, {g.login("adam").Access, "auth.forbidden"}, {"e30.e30.e30", "auth.token"}, {g.login("tom").Access, ""},
	} {
		a := ask(t, c, `{"op":"auth","token":"`+tt.token+`"}`)
		if e, _ := a["error"].(map[string]any); tt.want == "" && a["ok"] != true || tt.want != "" && e["code"] != tt.want {
			t.Errorf("%v, want %q", a, tt.want)
		}
	}
	if err := ends["logout"](g, first.Access); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond) // ten ticks of the keeper
	if a := ask(t, c, `{"op":"unsubscribe","channels":["orders"]}`); a["ok"] != true {
		t.Errorf("the first session ended, and the second is %v", a)
	}
}

// TestCompressedFrameIsRefused: compression is offered, not taken, and a frame that is
// compressed all the same ends the connection before a byte of it is unpacked.
func TestCompressedFrameIsRefused(t *testing.T) {
	g := guard(t, nil)
	d := websocket.Dialer{NetDialContext: watched(t), EnableCompression: true}
	c, resp, err := d.Dial("ws://"+g.addr+"/api/v1/ws", http.Header{"Authorization": {"Bearer " + g.login("tom").Access}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if ext := resp.Header.Get("Sec-Websocket-Extensions"); ext != "" {
		t.Errorf("negotiated: %s", ext)
	}
	bomb := []byte{0x80 | 0x40 | 1, 0x80 | 8, 0, 0, 0, 0, 0xec, 0xc1, 0x01, 0x01, 0, 0, 0, 0x80} // FIN, RSV1, text
	if _, err := spectest.Unwatched(c.NetConn()).Write(bomb); err != nil {
		t.Fatal(err)
	}
	if code := endsWith(t, c); code != int(hub.ProtocolError.Code) {
		t.Errorf("it ended with %d", code)
	}
}
