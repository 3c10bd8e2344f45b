package ws_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"qcat/api/client"
	"qcat/api/forwarded"
	"qcat/api/hub"
	"qcat/api/limit"
	"qcat/api/ws"
	"qcat/core/engine"
	"qcat/core/identity"
)

// TestMessageRate: orders beyond the rate are refused, cancels and kills are not; a client
// that goes on and on is ended with a number.
func TestMessageRate(t *testing.T) {
	g := guard(t, func(_ *hub.Config, w *ws.Config) {
		w.Clients = limit.NewLimiter(limit.Rate{PerSecond: 0.01, Burst: 3})
		w.Cancels = limit.NewLimiter(limit.Rate{PerSecond: 0.01, Burst: 1000})
	})
	c := g.bearer(t, g.login("adam").Access)
	code := func(body string) any {
		a := ask(t, c, "{"+body+"}")
		e, _ := a["error"].(map[string]any)
		return e["code"]
	}
	order := requests["order"].body
	for i, want := range []any{nil, nil, nil, "rate.limited", "rate.limited"} {
		if got := code(order); got != want {
			t.Errorf("order %d: %v", i, got)
		}
	}
	for _, op := range []string{"cancel_all", "countdown", "state", "cancel_on_disconnect"} {
		if got := code(requests[op].body); got != nil {
			t.Errorf("%s: %v", op, got)
		}
	}
	if got := code(fmt.Sprintf(requests["cancel"].body, 1)); got != nil {
		t.Errorf("cancel: %v", got)
	}
	if got := code(`"op":"state","scope":"firm","state":"active"`); got != "rate.limited" {
		t.Errorf("to resume is no cancel: %v", got)
	}
	other := g.bearer(t, g.login("tom").Access)
	if a := ask(t, other, "{"+order+"}"); a["ok"] != true {
		t.Errorf("somebody else: %v", a)
	}
	for range 300 {
		if c.WriteMessage(1, []byte("{"+order+"}")) != nil {
			break
		}
	}
	if code := endsWith(t, c); code != int(hub.TooManyMessages.Code) {
		t.Errorf("it ended with %d", code)
	}
}

// TestPingRate: control frames count, too.
func TestPingRate(t *testing.T) {
	g := guard(t, func(_ *hub.Config, w *ws.Config) { w.Clients = limit.NewLimiter(limit.Rate{PerSecond: 0.01, Burst: 3}) })
	c := g.bearer(t, g.login("tom").Access)
	pongs := 0
	c.SetPongHandler(func(string) error { pongs++; return nil })
	for range 300 {
		if c.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second)) != nil {
			break
		}
	}
	if code := endsWith(t, c); code != int(hub.TooManyMessages.Code) || pongs != 3 {
		t.Errorf("%d after %d pongs", code, pongs)
	}
}

// TestConnectionLimits: by user, whatever they come by, and by address, before and after the
// upgrade; a place that is given up is free.
func TestConnectionLimits(t *testing.T) {
	g := guard(t, func(_ *hub.Config, w *ws.Config) { w.MaxPerUser, w.MaxPerAddress = 2, 4 })
	key := client.Options{Auth: g.keys["tom"]}
	// A connection is counted once its first answer is there.
	first := g.dial(t, key)
	if err := first.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	ask(t, g.bearer(t, g.login("tom").Access), `{"op":"ping"}`)
	_, err := client.Dial(t.Context(), g.addr, key)
	if status, code := refusedWith(t, err); status != 429 || code != "rate.limited" {
		t.Errorf("a third of a user: %d %s", status, code)
	}
	late, _, err := g.raw(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := late.WriteMessage(1, []byte(`{"op":"auth","token":"`+g.login("tom").Access+`"}`)); err != nil {
		t.Fatal(err)
	}
	if code := endsWith(t, late); code != int(hub.ConnectionLimit.Code) {
		t.Errorf("a third of a user, after the upgrade: %d", code)
	}
	_ = late.Close()
	_ = first.Close()
	eventually(t, "the place is free", func() bool {
		c, err := client.Dial(t.Context(), g.addr, key)
		if err == nil {
			t.Cleanup(func() { _ = c.Close() })
			err = c.Ping(t.Context())
		}
		return err == nil
	})
	for _, name := range []string{"olga", "vera"} {
		if err := g.as(name).Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	_, err = client.Dial(t.Context(), g.addr, client.Options{Auth: g.keys["adam"]})
	if status, code := refusedWith(t, err); status != 429 || code != "rate.limited" {
		t.Errorf("a fifth of an address: %d %s", status, code)
	}
}

// TestAddressBehindProxy: limits and keys go by the client's address, which only a trusted
// proxy can say.
func TestAddressBehindProxy(t *testing.T) {
	for _, trusted := range []bool{true, false} {
		g := guard(t, func(_ *hub.Config, w *ws.Config) {
			w.MaxPerAddress = 1
			if trusted {
				w.Proxies = forwarded.Proxies{netip.MustParsePrefix("127.0.0.0/8")}
			}
		})
		for i := range 2 {
			c, resp, err := g.raw(map[string][]string{"X-Forwarded-For": {fmt.Sprintf("192.0.2.%d", i+1)}})
			if err == nil {
				ask(t, c, `{"op":"ping"}`)
			}
			if in := resp.StatusCode == http.StatusSwitchingProtocols; in != (trusted || i == 0) {
				t.Errorf("trusted %v, connection %d: %d", trusted, i, resp.StatusCode)
			}
		}
	}
}

// TestSubscriptionLimit: a connection has so many, whoever it is.
func TestSubscriptionLimit(t *testing.T) {
	g := guard(t, func(h *hub.Config, _ *ws.Config) { h.MaxSubscriptions = 2 })
	if got := g.answer(t, "adam", `"op":"subscribe","channels":["orders","risk","positions"]`); got != "ws.too_many_subscriptions" {
		t.Error(got)
	}
}

// TestScopeOfOneStrategy: what a strategy's trader may name, and may not.
func TestScopeOfOneStrategy(t *testing.T) {
	g := guard(t, nil)
	mine, theirs := g.order(g.desk1, g.alpha), g.order(g.desk1, g.of(g.desk1))
	for body, want := range map[string]string{
		fmt.Sprintf(`"op":"cancel","order_id":%d`, mine):                                        "",
		fmt.Sprintf(`"op":"cancel","order_id":%d`, theirs):                                      "auth.scope",
		fmt.Sprintf(`"op":"cancel","account":"desk1","order_id":%d`, theirs):                    "auth.scope",
		fmt.Sprintf(`"op":"amend","order_id":%d,"price":"2.00"`, mine):                          "",
		fmt.Sprintf(`"op":"amend","order_id":%d,"price":"2.00"`, theirs):                        "auth.scope",
		`"op":"amend","account":"desk2","client_order_id":"x","price":"2.00"`:                   "auth.scope",
		`"op":"cancel","account":"desk2","client_order_id":"x"`:                                 "auth.scope",
		`"op":"cancel","account":"desk1","client_order_id":"x"`:                                 "risk.unknown_order",
		`"op":"cancel","order_id":4711`:                                                         "risk.unknown_order",
		`"op":"cancel_all","account":"desk1","strategy":"alpha"`:                                "",
		`"op":"cancel_all","account":"desk1"`:                                                   "auth.scope",
		`"op":"cancel_all"`:                                                                     "auth.scope",
		`"op":"cancel_all","instrument":"sim:BTCUSDT"`:                                          "auth.scope",
		`"op":"cancel_all","account":"desk1","strategy":"alpha","instrument":"sim:BTCUSDT"`:     "",
		`"op":"cancel_all","account":"nothing"`:                                                 "auth.scope",
		`"op":"countdown","account":"desk1","strategy":"alpha","timeout_ms":1000`:               "",
		`"op":"countdown","timeout_ms":1000`:                                                    "auth.scope",
		strings.Replace(requests["order"].body, `"desk1"`, `"desk1","strategy":"alpha"`, 1):     "",
		strings.Replace(requests["order"].body, `"desk1"`, `"desk1","strategy":"nothing"`, 1):   "auth.scope",
		strings.Replace(requests["order"].body, `"desk1"`, `"nothing"`, 1):                      "auth.scope",
		requests["order"].body:                                                                  "auth.scope",
		`"op":"state","scope":"strategy","account":"desk1","strategy":"alpha","state":"halted"`: "auth.forbidden",
	} {
		if got := g.answer(t, "stan", body); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

// TestAccountDefinedLater: a connection that was there before its account is shown it.
func TestAccountDefinedLater(t *testing.T) {
	g := guard(t, nil)
	g.user("nora", 1, "desk9")
	c := g.as("nora")
	ch, handle := collect()
	if err := c.Subscribe(t.Context(), client.Sub{Channel: "orders", Handle: handle}); err != nil {
		t.Fatal(err)
	}
	next(t, ch)
	g.publish(tells["orders"](g.account("desk8"), 0))
	a := g.account("desk9")
	g.publish(tells["orders"](g.desk1, g.of(g.desk1)))
	want := g.publish(tells["orders"](a, g.of(a)))
	if m := next(t, ch); m.Seq != want {
		t.Errorf("event %d is shown, want %d", m.Seq, want)
	}
}

// TestResumeAsSomebodyElse: whoever resumes where another left off is shown their own.
func TestResumeAsSomebodyElse(t *testing.T) {
	g := guard(t, nil)
	begin := g.publish(tells["orders"](g.desk1, g.alpha))
	g.publish(tells["orders"](g.desk1, g.of(g.desk1)))
	theirs := g.publish(tells["orders"](g.desk2, g.of(g.desk2)))
	g.publish(tells["orders"](g.desk1, g.alpha))
	for name, want := range map[string]uint64{"olga": theirs, "adam": begin + 1, "stan": theirs + 1} {
		c := g.as(name)
		ch, handle := collect()
		if err := c.Subscribe(t.Context(), client.Sub{Channel: "orders", Handle: handle, Resume: true, From: client.Position{Seq: begin}}); err != nil {
			t.Fatal(err)
		}
		if m := next(t, ch); m.Seq != want {
			t.Errorf("%s is shown %d first, want %d", name, m.Seq, want)
		}
	}
}

// TestAudit: stops and their refusals are in the log, with who and from where; a kill is
// carried out whatever becomes of its entry, and a node is set active only with one.
func TestAudit(t *testing.T) {
	g := guard(t, nil)
	halt, resume := `"op":"state","scope":"account","account":"desk1","state":"halted","reason":"drill"`, `"op":"state","scope":"firm","state":"active"`
	for _, tt := range []struct{ who, body, action, target, outcome, after string }{
		{"rita", halt, "state.set", "desk1", "ok", `{"scope":{"level":"account","account":"desk1"},"state":"halted","reason":"drill","cancel_open":false}`},
		{"rita", resume, "state.set", "firm", "ok", `{"scope":{"level":"firm"},"state":"active","reason":"","cancel_open":false}`},
		{"tom", halt, "state.set", "desk1", "auth.forbidden", ""},
		{"olga", requests["cancel_all"].body, "orders.cancel_all", "desk1", "auth.scope", ""},
		{"adam", requests["cancel_all"].body, "orders.cancel_all", "desk1", "ok", `{"scope":{"level":"account","account":"desk1"}}`},
	} {
		g.answer(t, tt.who, tt.body)
		e := g.log.Last()
		if before := `{"state":"reducing"}`; tt.action == "state.set" && tt.outcome == "ok" && e.Before != before {
			t.Errorf("before: %s, want %s", e.Before, before)
		}
		if e.Actor != tt.who || e.Action != tt.action || e.Target != tt.target || e.Outcome != tt.outcome || e.After != tt.after ||
			e.Via != "ws" || e.Address != "127.0.0.1" || e.Key != g.ids[tt.who] || e.Role == "" {
			t.Errorf("%+v", e)
		}
	}
	if all, err := g.log.Entries(t.Context(), identity.AuditQuery{Action: "state.set", Limit: 9}); err != nil || len(all) != 4 || all[2].Outcome != "begun" {
		t.Errorf("%v: a resume is not written down before it is done: %+v", err, all)
	}
	before := len(g.engine.killed())
	g.log.Fail(errors.New("the disk is full"))
	if got := g.answer(t, "rita", halt); got != "" {
		t.Errorf("a kill: %s", got)
	}
	if got := g.answer(t, "rita", resume); got != "auth.unavailable" {
		t.Errorf("a resume: %q", got)
	}
	if n := len(g.engine.killed()) - before; n != 1 {
		t.Errorf("%d were submitted", n)
	}
}

// TestSnapshotIsOfTheScope: what a channel begins with is as narrow as what follows.
func TestSnapshotIsOfTheScope(t *testing.T) {
	g := guard(t, nil)
	for _, o := range []struct {
		s bool
		n int
	}{{true, 2}, {false, 3}} {
		for range o.n {
			if o.s {
				g.order(g.desk1, g.alpha)
			} else {
				g.order(g.desk2, g.of(g.desk2))
			}
		}
	}
	for name, want := range map[string]int{"stan": 2, "tom": 2, "vera": 2, "olga": 3, "adam": 5} {
		c := g.as(name)
		ch, handle := collect()
		if err := c.Subscribe(t.Context(), client.Sub{Channel: "orders", Handle: handle}); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(next(t, ch).Data), `"order_id"`); n != want {
			t.Errorf("%s is shown %d orders, want %d", name, n, want)
		}
	}
	if n := len(g.engine.Orders(engine.OrderFilter{})); n != 5 {
		t.Errorf("%d orders", n)
	}
}

// TestClientIsUnwelcome: a client with a key comes back when its rights have changed, and
// gives up when it may not.
func TestClientIsUnwelcome(t *testing.T) {
	g := guard(t, nil)
	c := g.dial(t, client.Options{Auth: g.keys["tom"], Reconnect: true, MinBackoff: 5 * time.Millisecond})
	if err := ends["another role"](g, ""); err != nil { // the key goes on with less
		t.Fatal(err)
	}
	eventually(t, "it is back", func() bool { return c.Ping(t.Context()) == nil })
	if _, err := g.svc.RevokeKey(t.Context(), process, g.ids["tom"]); err != nil {
		t.Fatal(err)
	}
	<-c.Done()
	if status, code := refusedWith(t, c.Err()); status != 401 || code != "auth.revoked" {
		t.Errorf("%d %s", status, code)
	}
}
