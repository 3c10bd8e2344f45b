package ws_test

import (
	"net"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"qcat/api/client"
	"qcat/api/hub"
	"qcat/api/spec/spectest"
	"qcat/api/ws"
	"qcat/core"
	"qcat/core/engine"
	"qcat/risk"
)

// ask sends one request and returns its answer.
func ask(t *testing.T, c *websocket.Conn, body string) map[string]any {
	t.Helper()
	if err := c.WriteMessage(websocket.TextMessage, []byte(body)); err != nil {
		t.Fatal(err)
	}
	var a map[string]any
	if err := c.ReadJSON(&a); err != nil {
		t.Fatal(body, err)
	}
	return a
}

const resting = `"account":"demo","instrument":"sim:BTCUSDT","side":"buy","type":"limit","price":"1.00","qty":"0.001"`

// enter sends an order that must be accepted.
func enter(t *testing.T, c *websocket.Conn, more string) {
	t.Helper()
	if a := ask(t, c, `{"op":"order",`+resting+more+`}`); a["ok"] != true {
		t.Fatal(a)
	}
}

// endings are the ways in which a connection ends, and whether what was to be
// cancelled with it is.
var endings = []struct {
	name    string
	end     func(t *testing.T, s *server, c *websocket.Conn)
	dropped int // how many of two connections drop their order
}{
	{"the socket is cut", func(t *testing.T, _ *server, c *websocket.Conn) {
		tcp := spectest.Unwatched(c.NetConn()).(*net.TCPConn)
		if err := tcp.SetLinger(0); err != nil { // a reset, as of a machine that is gone
			t.Fatal(err)
		}
		_ = tcp.Close()
	}, 1},
	{"the socket is closed without a closing frame", func(_ *testing.T, _ *server, c *websocket.Conn) { _ = c.NetConn().Close() }, 1},
	{"the page goes away", closeWith(websocket.CloseGoingAway), 1},
	{"a closing frame without a code", func(_ *testing.T, _ *server, c *websocket.Conn) {
		_ = c.WriteControl(websocket.CloseMessage, nil, time.Now().Add(time.Second))
	}, 1},
	{"a frame that is none", func(_ *testing.T, _ *server, c *websocket.Conn) {
		_, _ = c.NetConn().Write([]byte{0xff, 0xff, 0xff, 0xff})
	}, 1},
	{"the server ends it", func(_ *testing.T, s *server, _ *websocket.Conn) { s.hub.Kick(hub.Shutdown) }, 2},
	{"the server ends it, and the client says goodbye", func(t *testing.T, s *server, c *websocket.Conn) {
		s.hub.Kick(hub.SlowConsumer)
		closeWith(websocket.CloseNormalClosure)(t, s, c)
	}, 2},
	{"a normal closure", closeWith(websocket.CloseNormalClosure), 0},
	{"a logout", func(t *testing.T, _ *server, c *websocket.Conn) {
		if a := ask(t, c, `{"op":"logout","id":1}`); a["ok"] != true {
			t.Fatal(a)
		}
		if _, _, err := c.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
			t.Fatalf("after a logout: %v", err)
		}
	}, 0},
}

func closeWith(code int) func(*testing.T, *server, *websocket.Conn) {
	return func(_ *testing.T, _ *server, c *websocket.Conn) {
		_ = c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(time.Second))
	}
}

// TestCancelOnDisconnect: whatever ends a connection but its client's goodbye cancels
// the orders that were to end with it, and no others.
func TestCancelOnDisconnect(t *testing.T) {
	for _, e := range endings {
		t.Run(e.name, func(t *testing.T) {
			s := serve(t, nil)
			other := rawDial(t, s)
			enter(t, other, `,"cancel_on_disconnect":true`)
			c := rawDial(t, s)
			enter(t, c, `,"cancel_on_disconnect":true`)
			enter(t, c, ``)
			if s.engine.open() != 3 {
				t.Fatalf("%d orders are open", s.engine.open())
			}
			e.end(t, s, c)
			eventually(t, "the connection is gone", func() bool { return s.hub.Len() == min(1, 2-e.dropped) })
			if n := s.engine.open(); n != 3-e.dropped {
				t.Errorf("%d orders are open, want %d", n, 3-e.dropped)
			}
			if e.dropped == 0 && len(s.engine.killed()) != 0 {
				t.Errorf("a goodbye killed: %+v", s.engine.killed())
			}
		})
	}
}

// TestConnectionSetting: it holds for the orders that come after it and do not say
// otherwise.
func TestConnectionSetting(t *testing.T) {
	s := serve(t, nil)
	c := rawDial(t, s)
	enter(t, c, ``)
	if a := ask(t, c, `{"op":"cancel_on_disconnect","id":7,"enable":true}`); a["ok"] != true || a["enabled"] != true || a["id"] != 7.0 {
		t.Fatal(a)
	}
	enter(t, c, ``)
	enter(t, c, `,"cancel_on_disconnect":false`)
	ask(t, c, `{"op":"cancel_on_disconnect","enable":false}`)
	enter(t, c, ``)
	var flags []bool
	var session core.SessionID
	for _, o := range s.engine.Orders(engine.OrderFilter{}) {
		flags = append(flags, o.CancelOnDrop)
		if session == 0 {
			session = o.Session
		}
		if o.Session != session || o.Session == 0 {
			t.Errorf("order %d is of session %d", o.ID, o.Session)
		}
	}
	if len(flags) != 4 || flags[0] || !flags[1] || flags[2] || flags[3] {
		t.Errorf("cancelled with the connection: %v", flags)
	}
	d := rawDial(t, s)
	enter(t, d, ``)
	if o, _ := s.engine.Order(5); o.Session == session || o.Session == 0 {
		t.Errorf("two connections have session %d", session)
	}
}

// TestDropIsRetried: a full ring does not lose the cancel.
func TestDropIsRetried(t *testing.T) {
	s := serve(t, nil)
	c := rawDial(t, s)
	enter(t, c, `,"cancel_on_disconnect":true`)
	s.engine.mu.Lock()
	s.engine.shy = 20
	s.engine.mu.Unlock()
	_ = c.NetConn().Close()
	eventually(t, "the order is cancelled", func() bool { return s.engine.open() == 0 })
}

// TestDropCatchesOrdersOnTheirWay: an order that the engine takes after the cancel of
// its session is cancelled too.
func TestDropCatchesOrdersOnTheirWay(t *testing.T) {
	s := serve(t, nil)
	c := rawDial(t, s)
	s.engine.mu.Lock()
	s.engine.hold = true
	s.engine.mu.Unlock()
	if err := c.WriteMessage(websocket.TextMessage, []byte(`{"op":"order",`+resting+`,"cancel_on_disconnect":true}`)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the order is on its way", func() bool {
		s.engine.mu.Lock()
		defer s.engine.mu.Unlock()
		return len(s.engine.held) == 1
	})
	_ = c.NetConn().Close()
	eventually(t, "the session's first cancel", func() bool { return len(s.engine.killed()) > 0 })
	if s.engine.open() != 0 {
		t.Fatal("the order has come before its time")
	}
	s.engine.release()
	eventually(t, "the order came and was cancelled", func() bool {
		return len(s.engine.Orders(engine.OrderFilter{})) == 1 && s.engine.open() == 0
	})
}

// TestSlowConsumerIsDropped: who is too slow for its private channel loses the
// connection and the orders that were to end with it, before it has read a byte of
// what is pending.
func TestSlowConsumerIsDropped(t *testing.T) {
	s := serve(t, func(h *hub.Config, _ *ws.Config) {
		h.HardBound, h.SocketBuffer, h.Linger = 16<<10, 4<<10, time.Minute
	})
	c := rawDial(t, s)
	if tcp, ok := spectest.Unwatched(c.NetConn()).(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(4 << 10)
	}
	enter(t, c, `,"cancel_on_disconnect":true`)
	if a := ask(t, c, `{"op":"subscribe","channels":["orders"]}`); a["ok"] != true {
		t.Fatal(a)
	}
	id := s.engine.Orders(engine.OrderFilter{})[0].ID
	eventually(t, "the order is cancelled", func() bool {
		s.engine.enter()
		o, _ := s.engine.Order(id)
		return o.Status == core.StatusCancelled
	})
	if len(s.engine.killed()) == 0 || s.engine.killed()[0].Session == 0 {
		t.Error("the order was cancelled by something else")
	}
}

// TestStopsOverTheSocket: a kill, a cancel of all and a countdown are answered, and
// are what they say.
func TestStopsOverTheSocket(t *testing.T) {
	s := serve(t, nil)
	c := rawDial(t, s)
	enter(t, c, `,"position_side":"short"`)
	if o, _ := s.engine.Order(1); o.Leg != core.LegShort {
		t.Errorf("leg %v", o.Leg)
	}
	if a := ask(t, c, `{"op":"cancel_all","id":1,"account":"demo"}`); a["ok"] != true || a["cancelled"] != 1.0 {
		t.Error(a)
	}
	if a := ask(t, c, `{"op":"state","id":2,"scope":"account","account":"demo","state":"halted","reason":"drill","cancel_open":true}`); a["ok"] != true || a["cancelled"] != 0.0 {
		t.Error(a)
	}
	kills := s.engine.killed()
	want := risk.AccountScope(1)
	if len(kills) != 2 || kills[0].Scope != want || kills[1].Scope != want || kills[1].State != risk.StateHalted || !kills[1].CancelOpen || kills[1].Note.String() != "drill" {
		t.Errorf("killed %+v", kills)
	}
	if a := ask(t, c, `{"op":"countdown","id":3,"account":"demo","timeout_ms":2000}`); a["ok"] != true || a["deadline"] != float64(2_000_001_000) {
		t.Error(a)
	}
	if a := ask(t, c, `{"op":"countdown","id":4,"timeout_ms":0}`); a["ok"] != true || a["deadline"] != nil {
		t.Error(a)
	}
	for body, code := range map[string]string{
		`{"op":"state","scope":"account","state":"halted"}`:             "request.missing_field",
		`{"op":"state","scope":"firm","state":"stopped"}`:               "request.value",
		`{"op":"countdown"}`:                                            "request.missing_field",
		`{"op":"countdown","timeout_ms":86400001}`:                      "request.range",
		`{"op":"countdown","timeout_ms":-1}`:                            "request.value",
		`{"op":"countdown","timeout_ms":"5"}`:                           "request.type",
		`{"op":"cancel_all","strategy":"x"}`:                            "request.missing_field",
		`{"op":"cancel_all","account":"nobody"}`:                        "risk.unknown_account",
		`{"op":"cancel_on_disconnect"}`:                                 "request.missing_field",
		`{"op":"cancel_on_disconnect","enable":1}`:                      "request.type",
		`{"op":"logout","account":"demo"}`:                              "request.not_applicable",
		`{"op":"order",` + resting + `,"position_side":"net"}`:          "request.value",
		`{"op":"order",` + resting + `,"cancel_on_disconnect":"maybe"}`: "request.type",
	} {
		a := ask(t, c, body)
		e, _ := a["error"].(map[string]any)
		if a["ok"] != false || e["code"] != code {
			t.Errorf("%s: %v, want %s", body, a, code)
		}
	}
}

// TestClientStops: the Go client speaks the same.
func TestClientStops(t *testing.T) {
	s := serve(t, nil)
	c := s.dial(t, client.Options{})
	yes := true
	if err := c.CancelOnDisconnect(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	o := client.Order{Account: "demo", Instrument: "sim:BTCUSDT", Side: "buy", Type: "limit", Price: "1.00", Qty: "0.001", PositionSide: "long", CancelOnDisconnect: &yes}
	if st, err := c.Order(t.Context(), o); err != nil || st.PositionSide != "long" || !st.CancelOnDisconnect {
		t.Fatal(st, err)
	}
	if at, err := c.Countdown(t.Context(), client.Selection{Account: "demo"}, 3*time.Second); err != nil || at != 3_000_001_000 {
		t.Error(at, err)
	}
	if n, err := c.CancelAll(t.Context(), client.Selection{Account: "demo"}); err != nil || n != 1 {
		t.Error(n, err)
	}
	if n, err := c.SetState(t.Context(), client.StateChange{Scope: "firm", State: "halted", CancelOpen: true}); err != nil || n != 0 {
		t.Error(n, err)
	}
	if err := c.Logout(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the connection is gone", func() bool { return s.hub.Len() == 0 })
	for _, k := range s.engine.killed() {
		if k.Session != 0 {
			t.Errorf("a logout dropped the session: %+v", k)
		}
	}
}
