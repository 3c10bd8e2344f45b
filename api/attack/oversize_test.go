package attack_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/fasthttp/websocket"

	"qcat/api/ws"
)

// nested is an array within an array, and so on.
func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

// digits is a number with so many.
func digits(n int) string { return strings.Repeat("9", n) }

// names are so many strings, each another.
func names(n int) string {
	var b []byte
	for i := range n {
		b = append(append(strconv.AppendInt(append(b, `"a`...), int64(i), 10), '"'), ',')
	}
	return string(b[:len(b)-1])
}

// bodies are JSON that is larger or deeper than anybody needs, but no larger than what is
// read: what takes them must refuse each in time that its size explains.
var bodies = map[string]string{
	"deep":               nested(30_000),
	"deep objects":       strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000),
	"deep in a field":    `{"account":` + nested(20_000) + `}`,
	"deep, never closed": strings.Repeat(`[`, 60_000),
	"number":             `{"price":` + digits(10_000) + `}`,
	"number in a string": `{"account":"demo","instrument":"sim:BTCUSDT","side":"buy","type":"limit","qty":"1","price":"` + digits(10_000) + `"}`,
	"fraction":           `{"account":"demo","instrument":"sim:BTCUSDT","side":"buy","type":"limit","qty":"1","price":"0.` + digits(10_000) + `"}`,
	"exponent":           `{"order_id":1e` + digits(9) + `}`,
	"id":                 `{"order_id":` + digits(10_000) + `}`,
	"string":             `{"account":"` + strings.Repeat("a", 50_000) + `"}`,
	"escapes":            `{"account":"` + strings.Repeat(`\u0061`, 9_000) + `"}`,
	"name":               `{"` + strings.Repeat("a", 50_000) + `":1}`,
	"names":              "{" + strings.Repeat(`"a":1,`, 9_000) + `"a":1}`,
	"array":              "[" + strings.Repeat("1,", 25_000) + "1]",
	"strings":            `{"user":"ann","name":"x","permissions":["` + strings.Repeat(`read","`, 5_000) + `read"]}`,
	"scope":              `{"name":"x","role":"viewer","scope":{"accounts":[` + names(5_000) + `]}}`,
	"spaces":             strings.Repeat(" ", 60_000),
	"password":           `{"user":"ann","password":"` + strings.Repeat("p", 40_000) + `"}`,
	"user":               `{"user":"` + strings.Repeat("u", 40_000) + `","password":"p"}`,
	"token":              `{"refresh_token":"` + strings.Repeat("e.", 20_000) + `"}`,
	"limits":             `{"scope":"firm","limits":{"max_notional":"` + digits(10_000) + `"}}`,
	"too much":           `{"account":"` + strings.Repeat("a", 70<<10) + `"}`,
}

// writers are the routes that take a body.
var writers = []string{
	"POST /api/v1/auth/login", "POST /api/v1/auth/refresh", "POST /api/v1/users", "PATCH /api/v1/users/ann", "POST /api/v1/apikeys",
	"POST /api/v1/orders", "POST /api/v1/orders/check", "POST /api/v1/orders/countdown", "PATCH /api/v1/orders", "DELETE /api/v1/orders",
	"POST /api/v1/accounts/demo/transfers", "PUT /api/v1/accounts/demo/margin", "POST /api/v1/funding",
	"PUT /api/v1/risk/limits", "PATCH /api/v1/risk/limits", "POST /api/v1/risk/limits/proposals/1", "POST /api/v1/risk/state",
}

// TestOversizedBodies: each is a problem that says so, for which the server allocates little
// more than it was sent.
func TestOversizedBodies(t *testing.T) {
	s := serve(t)
	token := s.as("adam")
	for _, at := range writers {
		method, path, _ := strings.Cut(at, " ")
		for name, body := range bodies {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			a := s.ask(method, path, body, token)
			runtime.ReadMemStats(&after)
			a.what = at + ", " + name
			if spaces := method == "DELETE" && name == "spaces"; spaces {
				a.ok() // nothing is named, in much white space: everything
				continue
			}
			if a.status < 400 || a.status >= 500 || a.code() == "" || len(a.body) > 4<<10 {
				t.Errorf("%s: %d, %d bytes: %.200s", a.what, a.status, len(a.body), a.body)
			}
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 {
				t.Errorf("%s: %d MiB were allocated", a.what, grown>>20)
			}
		}
	}
	s.ask("GET", "/health", "").ok()
}

// TestOversizedHeads: long lines and many of them.
func TestOversizedHeads(t *testing.T) {
	s := serve(t)
	token := s.as("ann")
	long := strings.Repeat("a", 64<<10)
	for name, c := range map[string]struct {
		text   string
		status int
	}{
		"target":        {"GET /" + long + " HTTP/1.1\r\nHost: x\r\n\r\n", 431},
		"query":         {"GET /api/v1/orders?account=" + long + " HTTP/1.1\r\nHost: x\r\n\r\n", 431},
		"method":        {long + " / HTTP/1.1\r\nHost: x\r\n\r\n", 431},
		"header":        {"GET /health HTTP/1.1\r\nHost: x\r\nX: " + long + "\r\n\r\n", 431},
		"name":          {"GET /health HTTP/1.1\r\nHost: x\r\n" + long + ": x\r\n\r\n", 431},
		"headers":       {"GET /health HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X: y\r\n", 10_000) + "\r\n", 431},
		"token":         {"GET /api/v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + long + "\r\n\r\n", 431},
		"some token":    {"GET /api/v1/orders HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer " + long[:7000] + "\r\n\r\n", 401},
		"cookies":       {"GET /health HTTP/1.1\r\nHost: x\r\nCookie: " + long + "\r\n\r\n", 431},
		"host":          {"GET /health HTTP/1.1\r\nHost: " + long[:7000] + ".example\r\nConnection: close\r\n\r\n", 421},
		"no end":        {"GET /health HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X", 1<<20), 431},
		"length":        {"POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: " + digits(5_000) + "\r\n\r\n", 400},
		"chunk":         {"POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("f", 5_000) + "\r\n", 400},
		"trailers":      {"POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + strings.Repeat("X: y\r\n", 20_000) + "\r\n", 0},
		"a long answer": {"GET /" + long[:6000] + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404},
	} {
		all := s.raw(c.text)
		if c.status == 0 {
			for _, a := range all {
				if a.status < 400 || a.status >= 500 {
					t.Errorf("%s: %d %s", name, a.status, a.body)
				}
			}
			continue
		}
		if len(all) != 1 || all[0].status != c.status {
			t.Errorf("%s: %d answers, want %d", name, len(all), c.status)
			if len(all) > 0 {
				t.Errorf("%s: the first is %d %.100s", name, all[0].status, all[0].body)
			}
		}
	}
	for name, target := range map[string]string{
		"many parameters":     ordersPath + "?" + strings.Repeat("account=demo&", 500),
		"unknown ones":        ordersPath + "?" + strings.Repeat("a=b&", 1500),
		"a long value":        ordersPath + "?client_order_id=" + long[:7000],
		"a long number":       ordersPath + "?limit=" + digits(5000),
		"a long id":           ordersPath + "?order_id=" + digits(5000),
		"a long cursor":       ordersPath + "?cursor=" + long[:7000],
		"a long id, the path": ordersPath + "/" + digits(5000),
		"a long time":         ordersPath + "?from=" + digits(5000),
	} {
		a := s.ask("GET", target, "", token)
		a.what = name
		if a.status < 400 || a.status >= 500 || a.code() == "" || len(a.body) > 16<<10 {
			t.Errorf("%s: %d, %d bytes: %.200s", name, a.status, len(a.body), a.body)
		}
	}
}

// bomb is so many bytes of nothing, compressed.
func bomb(t *testing.T, size int) string {
	t.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(bytes.Repeat([]byte(" "), size)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestDecompressionBombs: nothing is decompressed, for anybody, in any spelling.
func TestDecompressionBombs(t *testing.T) {
	s := serve(t)
	token := s.as("ann")
	body := bomb(t, 40<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, coding := range []string{"gzip", "GZIP", "x-gzip", "deflate", "br", "zstd", "identity, gzip", "gzip, gzip", "gzip;q=1", " gzip"} {
		for _, who := range []string{token, "X-Nobody: yes"} {
			s.ask("POST", ordersPath, body, who, "Content-Encoding: "+coding).refused(http.StatusUnsupportedMediaType, "")
			s.ask("POST", "/api/v1/auth/login", body, who, "Content-Encoding: "+coding).refused(http.StatusUnsupportedMediaType, "")
		}
	}
	s.ask("POST", ordersPath, body, token, "Content-Encoding: identity", "Content-Encoding: gzip").refused(http.StatusRequestEntityTooLarge, "")
	s.ask("POST", ordersPath, body, token).refused(http.StatusRequestEntityTooLarge, "") // as it came
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 32<<20 {
		t.Errorf("%d MiB were allocated", grown>>20)
	}
}

// frame is a frame of a client with a mask of zeros, whose length may be a lie.
func frame(first byte, announced uint64, payload string) string {
	b := []byte{first, 0x80 | 127}
	b = append(binary.BigEndian.AppendUint64(b, announced), 0, 0, 0, 0)
	return string(b) + payload
}

// TestOversizedSockets: no frame, message, nesting or compression gets past the bounds of the
// socket, before and after its client is known.
func TestOversizedSockets(t *testing.T) {
	s := serve(t)
	token := s.as("ann")
	ping := `{"op":"ping","id":1}`
	for name, c := range map[string]struct {
		bytes string
		code  int
	}{
		"a message":                {frame(0x81, 70<<10, strings.Repeat(" ", 70<<10)), 1009},
		"a lie of 2^63":            {frame(0x81, 1<<63, "x"), 0},
		"a lie of 1 GiB":           {frame(0x81, 1<<30, "x"), 1009},
		"fragments":                {frame(0x01, 1000, strings.Repeat(" ", 1000)) + strings.Repeat(frame(0x00, 1000, strings.Repeat(" ", 1000)), 80), 1009},
		"compressed, not agreed":   {frame(0xC1, 60, bomb(t, 64<<10)[:60]), 1002},
		"compressed continuation":  {frame(0x01, 1, "{") + frame(0x40, 1, "x"), 1002},
		"a long ping":              {frame(0x89, 126, strings.Repeat("x", 126)), 1002},
		"a length not the minimum": {frame(0x81, uint64(len(ping)), ping), -1},
	} {
		for _, who := range []string{token, "X-Nobody: yes"} {
			socket := s.open(who)
			_, err := socket.NetConn().Write([]byte(c.bytes))
			if err != nil && c.code != 1009 {
				t.Errorf("%s: %v", name, err)
			}
			if c.code < 0 {
				continue // whatever the answer, the server goes on
			}
			if code := s.closes(socket); code != c.code && (c.code != 0 || code != 1002 && code != 1009) {
				t.Errorf("%s: ended with %d, want %d", name, code, c.code)
			}
		}
	}
	a := s.ask("GET", ws.Path, "", token, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=15")
	if agreed := a.header.Get("Sec-WebSocket-Extensions"); a.status != http.StatusSwitchingProtocols || agreed != "" {
		t.Errorf("%d: compression is agreed on: %q", a.status, agreed)
	}
	for name, body := range bodies {
		if len(body) > 60<<10 {
			continue
		}
		socket := s.open(token)
		if !strings.HasPrefix(body, "{") || name == "names" {
			body = `{"op":"order","id":1,"account":` + body + `}`
		} else {
			body = `{"op":"order","id":1,` + body[1:]
		}
		s.must(socket.WriteMessage(websocket.TextMessage, []byte(body)))
		if _, b, err := socket.ReadMessage(); err == nil && (!bytes.Contains(b, []byte(`"ok":false`)) || len(b) > 4<<10) {
			t.Errorf("%s: %.300s", name, b)
		}
	}
	if got := s.say(s.open(token), ping); !got.OK {
		t.Errorf("%+v", got)
	}
}
