package ws_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"qcat/api/client"
	"qcat/api/hub"
	"qcat/api/wire"
	"qcat/api/ws"
	"qcat/core/engine"
)

func rawDial(t testing.TB, s *server) *websocket.Conn {
	t.Helper()
	c, _, err := (&websocket.Dialer{NetDialContext: watched(t)}).Dial("ws://"+s.addr+"/api/v1/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestBadRequestsAreAnswered: each has an answer with its id and a code, and the
// connection goes on.
func TestBadRequestsAreAnswered(t *testing.T) {
	s := serve(t, nil)
	c := rawDial(t, s)
	for body, want := range map[string]string{
		`{`:                              `null request.syntax`,
		`[]`:                             `null request.type`,
		`{"id":1}`:                       `1 request.missing_field`,
		`{"id":2,"op":"fly"}`:            `2 ws.unknown_op`,
		`{"id":3,"op":7}`:                `3 request.type`,
		`{"id":"x","op":"subscribe"}`:    `"x" request.missing_field`,
		`{"id":4,"op":"auth"}`:           `4 auth.unavailable`,
		`{"id":5,"op":"ping","qty":1}`:   `5 request.type`,
		`{"id":6,"op":"ping","qty":"1"}`: `6 request.not_applicable`,
		`{"id":7,"op":"subscribe","channels":["bbo:sim:BTCUSDT","bbo:sim:NOTHING"]}`: `7 ws.unknown_channel`,
		`{"id":8,"op":"subscribe","channels":["nothing"]}`:                           `8 ws.unknown_channel`,
		`{"id":9,"op":"cancel"}`:                  `9 request.missing_field`,
		`{"id":10,"op":"order","account":"demo"}`: `10 request.missing_field`,
		`{"id":11,"op":"ping"} x`:                 `11 request.trailing`,
	} {
		if err := c.WriteMessage(websocket.TextMessage, []byte(body)); err != nil {
			t.Fatal(err)
		}
		var a struct {
			ID    json.RawMessage
			OK    bool
			Error client.Refusal
		}
		if err := c.ReadJSON(&a); err != nil {
			t.Fatal(body, err)
		}
		if got := string(a.ID) + " " + a.Error.Code; got != want || a.OK || a.Error.Detail == "" {
			t.Errorf("%s: %s (%s), want %s", body, got, a.Error.Detail, want)
		}
	}
	if err := c.WriteMessage(websocket.BinaryMessage, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, b, err := c.ReadMessage(); err != nil || !strings.Contains(string(b), "ws.binary") {
		t.Fatalf("binary: %s %v", b, err)
	}
	if err := c.WriteMessage(websocket.TextMessage, []byte(`{"id":null,"op":"ping"}`)); err != nil {
		t.Fatal(err)
	}
	if _, b, err := c.ReadMessage(); err != nil || !strings.HasPrefix(string(b), `{"id":null,"ok":true,"time":`) {
		t.Fatalf("ping: %s %v", b, err)
	}
}

func TestTooManyBadRequests(t *testing.T) {
	s := serve(t, func(_ *hub.Config, w *ws.Config) { w.MaxBad = 5 })
	c := rawDial(t, s)
	for range 5 {
		if err := c.WriteMessage(websocket.TextMessage, []byte(`?`)); err != nil {
			t.Fatal(err)
		}
	}
	wantClose(t, c, hub.TooManyErrors.Code)
	if wire.Reconnect(int(hub.TooManyErrors.Code)) {
		t.Fatal("a client in error must not come back by itself")
	}
}

// panicking is an engine that takes no order without a mistake.
type panicking struct{ *fakeEngine }

func (p panicking) Put(c *engine.Command) bool {
	if c.Kind == engine.CmdNew {
		panic("a mistake")
	}
	return p.fakeEngine.Put(c)
}

// TestAMistakeEndsOneConnection: a panic in what serves a connection is logged and
// ends that connection with 1011; the others are served on.
func TestAMistakeEndsOneConnection(t *testing.T) {
	entries, logs := observer.New(zap.ErrorLevel)
	s := serve(t, func(_ *hub.Config, w *ws.Config) {
		w.Engine = panicking{w.Engine.(*fakeEngine)}
		w.Log = zap.New(entries)
	})
	other, c := s.dial(t, client.Options{}), rawDial(t, s)
	order := `{"op":"order","id":1,"account":"demo","instrument":"` + instrument + `","side":"buy","type":"limit","price":"1.00","qty":"1.000"}`
	if err := c.WriteMessage(websocket.TextMessage, []byte(order)); err != nil {
		t.Fatal(err)
	}
	wantClose(t, c, hub.InternalError.Code)
	if err := other.Ping(t.Context()); err != nil {
		t.Errorf("the other connection: %v", err)
	}
	if n := logs.FilterMessage("panic in a connection").Len(); n != 1 {
		t.Errorf("%d log entries", n)
	}
}

func wantClose(t *testing.T, c *websocket.Conn, code uint16) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	for {
		if _, _, err := c.ReadMessage(); err != nil {
			var ce *websocket.CloseError
			if !errors.As(err, &ce) || ce.Code != int(code) {
				t.Fatalf("ended with %v, want close %d", err, code)
			}
			return
		}
	}
}

// frame builds a client frame by hand.
func frame(b0 byte, masked bool, payload string) []byte {
	b := []byte{b0}
	bit := byte(0)
	if masked {
		bit = 0x80
	}
	switch n := len(payload); {
	case n < 126:
		b = append(b, bit|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, bit|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, bit|127), uint64(n))
	}
	if !masked {
		return append(b, payload...)
	}
	mask := [4]byte{1, 2, 3, 4}
	b = append(b, mask[:]...)
	for i := range len(payload) {
		b = append(b, payload[i]^mask[i&3])
	}
	return b
}

func TestProtocolViolationsAreNumbered(t *testing.T) {
	s := serve(t, func(_ *hub.Config, w *ws.Config) { w.MaxMessage = 1000 })
	huge := append([]byte{0x81, 0xff}, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4)
	for name, tc := range map[string]struct {
		bytes []byte
		code  uint16
	}{
		"not masked":        {frame(0x81, false, "{}"), 1002},
		"reserved bits":     {frame(0xC1, true, "{}"), 1002},
		"unknown opcode":    {frame(0x83, true, ""), 1002},
		"long ping":         {frame(0x89, true, strings.Repeat("x", 126)), 1002},
		"fragmented ping":   {frame(0x09, true, ""), 1002},
		"lone continuation": {frame(0x80, true, "x"), 1002},
		"text in fragments": {append(frame(0x01, true, "{"), frame(0x81, true, "}")...), 1002},
		"too big":           {frame(0x81, true, strings.Repeat(" ", 1001)), 1009},
		"too big in parts":  {append(frame(0x01, true, strings.Repeat(" ", 600)), frame(0x80, true, strings.Repeat(" ", 600))...), 1009},
		"absurd length":     {huge, 1009},
		"not UTF-8":         {frame(0x81, true, "\xff"), 1007},
		"close 1000":        {frame(0x88, true, "\x03\xe8"), 1000},
		"close 1005":        {frame(0x88, true, "\x03\xed"), 1002},
		"close of one byte": {frame(0x88, true, "\x03"), 1002},
		"close 4321":        {frame(0x88, true, "\x10\xe1"), 4321},
	} {
		t.Run(name, func(t *testing.T) {
			c := rawDial(t, s)
			if _, err := c.NetConn().Write(tc.bytes); err != nil {
				t.Fatal(err)
			}
			wantClose(t, c, tc.code)
		})
	}
}

// TestFragmentsAndPings: a message in pieces with a ping between them, byte by
// byte, is one message; the pong carries the ping's payload.
func TestFragmentsAndPings(t *testing.T) {
	s := serve(t, nil)
	c := rawDial(t, s)
	pong := make(chan string, 1)
	c.SetPongHandler(func(data string) error { pong <- data; return nil })
	var b []byte
	b = append(b, frame(0x01, true, `{"op":"pi`)...)
	b = append(b, frame(0x89, true, `hello`)...)
	b = append(b, frame(0x00, true, ``)...)
	b = append(b, frame(0x80, true, `ng","id":77}`)...)
	for i := range b {
		if _, err := c.NetConn().Write(b[i : i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if _, got, err := c.ReadMessage(); err != nil || !strings.HasPrefix(string(got), `{"id":77,"ok":true`) {
		t.Fatalf("%s %v", got, err)
	}
	if got := <-pong; got != "hello" {
		t.Fatalf("pong %q", got)
	}
}

func TestOrigin(t *testing.T) {
	s := serve(t, func(_ *hub.Config, w *ws.Config) { w.Origins = []string{"https://desk.example.com"} })
	for origin, allowed := range map[string]bool{
		"": true, "http://" + s.addr: true, "https://desk.example.com": true,
		"https://desk.example.com.evil.org": false, "https://evil.org": false, "null": false, "http://" + s.addr + ".evil.org": false,
	} {
		h := http.Header{}
		if origin != "" {
			h.Set("Origin", origin)
		}
		c, resp, err := websocket.DefaultDialer.Dial("ws://"+s.addr+"/api/v1/ws", h)
		if (err == nil) != allowed {
			t.Errorf("origin %q: %v", origin, err)
		}
		if err != nil {
			if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusForbidden || !strings.Contains(string(body), "ws.origin") {
				t.Errorf("origin %q: %d %s", origin, resp.StatusCode, body)
			}
			continue
		}
		_ = c.Close()
	}
}

func TestBoundsOfConnectionsAndSubscriptions(t *testing.T) {
	s := serve(t, func(h *hub.Config, _ *ws.Config) { h.MaxConnections, h.MaxSubscriptions = 1, 2 })
	c := s.dial(t, client.Options{})
	for i, ch := range []string{"bbo:" + instrument, "trade:" + instrument, "bbo:" + instrument, "orders"} {
		err := c.Subscribe(t.Context(), client.Sub{Channel: ch})
		var r *client.Refusal
		if full := errors.As(err, &r) && r.Code == "ws.too_many_subscriptions"; full != (i == 3) {
			t.Fatalf("subscription %d: %v", i, err)
		}
	}
	_, resp, err := websocket.DefaultDialer.Dial("ws://"+s.addr+"/api/v1/ws", nil)
	if err == nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Fatalf("second connection: %v", err)
	}
}

// TestHalfOpenIsFound: a peer that answers nothing, not even pings, is cut off
// within the heartbeat bound although nothing is sent to it.
func TestHalfOpenIsFound(t *testing.T) {
	s := serve(t, func(h *hub.Config, _ *ws.Config) {
		h.PingEvery, h.IdleTimeout = 50*time.Millisecond, 3*time.Second // a busy machine answers a ping in it
	})
	alive := s.dial(t, client.Options{}) // reads, and so answers pings
	silent := rawDial(t, s)              // never reads
	eventually(t, "the silent one is cut off", func() bool { return s.hub.Stats().Disconnects[hub.IdleTimeout.Code] == 1 })
	if err := alive.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	_ = silent.Close()
}

func TestShutdownIsNumbered(t *testing.T) {
	s := serve(t, nil)
	c := rawDial(t, s)
	eventually(t, "attached", func() bool { return s.hub.Len() == 1 })
	s.hub.Kick(hub.Shutdown)
	wantClose(t, c, hub.Shutdown.Code)
}

// TestReconnectStorm: thousands of frames and hundreds of connections later,
// goroutines and connections are what they were.
func TestReconnectStorm(t *testing.T) {
	s := serve(t, nil)
	s.dial(t, client.Options{}) // warms up what stays
	eventually(t, "attached", func() bool { return s.hub.Len() == 1 })
	base := goleak.IgnoreCurrent()
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for p := 1; ; p++ {
			select {
			case <-stop:
				return
			default:
				s.lane.quote(100, 101)
				s.lane.print(100)
				s.engine.enter()
				time.Sleep(200 * time.Microsecond)
			}
		}
	}()
	for i := range 150 {
		nc, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(nc, "GET /api/v1/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
		if i%3 > 0 {
			_, _ = nc.Write(frame(0x81, true, `{"op":"subscribe","channels":["bbo:sim:BTCUSDT","trade:sim:BTCUSDT","depth:sim:BTCUSDT","orders"]}`))
			_, _ = nc.Write(frame(0x81, true, `{"op":"order","account":"demo","instrument":"sim:BTCUSDT","side":"buy","type":"limit","price":"1.00","qty":"1.000"}`))
		}
		if i%3 == 2 {
			_, _ = io.ReadAtLeast(nc, make([]byte, 256), 256)
		}
		_ = nc.Close()
	}
	close(stop)
	<-done
	eventually(t, "all connections are gone", func() bool { return s.hub.Len() == 1 })
	if err := goleak.Find(base, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).workerFunc")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "sinks are gone", func() bool { s.engine.mu.Lock(); defer s.engine.mu.Unlock(); return len(s.engine.sinks) == 0 })
}
