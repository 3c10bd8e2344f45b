package feed

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"qcat/core"
	"qcat/core/frame"
)

// answer is what a server says to a handshake with this key when it agrees.
func answer(key string) string {
	sum := sha1.Sum([]byte(key + acceptGUID))
	return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n" +
		"Sec-WebSocket-Accept: " + base64.StdEncoding.EncodeToString(sum[:]) + "\r\n\r\n"
}

// rawVenue is a server that gives its connections to serve, together with the key of
// the handshake, which serve has to answer. It returns what a client dials.
func rawVenue(t testing.TB, secure bool, serve func(conn net.Conn, key string)) (address string, s *httptest.Server) {
	s = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		serve(conn, r.Header.Get("Sec-Websocket-Key"))
	}))
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return "ws" + strings.TrimPrefix(s.URL, "http"), s
}

// policyOf has the defaults that a dial needs, and a bound on a message.
func policyOf(limit int) ConnPolicy {
	return ConnPolicy{DialTimeout: 10 * time.Second, MaxAge: time.Hour, ReadLimit: limit}
}

// connected dials a venue that agrees to the handshake and then does what serve does.
func connected(t testing.TB, limit int, serve func(conn net.Conn)) *connection {
	t.Helper()
	address, _ := rawVenue(t, false, func(conn net.Conn, key string) {
		fmt.Fprint(conn, answer(key))
		serve(conn)
	})
	c, err := dial(t.Context(), address, policyOf(limit), core.SystemClock())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.sock.close)
	return c
}

// fromClient reads what a client sends.
func fromClient(conn net.Conn) *frame.Reader {
	return frame.NewReader(conn, frame.Config{Masked: true, Limit: 1 << 20, Small: 4096, Large: 4096, Keep: 4096}, nil)
}

// fromVenue is a frame as a venue sends it.
func fromVenue(b0 byte, payload string) string {
	switch n := len(payload); {
	case n < 126:
		return string([]byte{b0, byte(n)}) + payload
	case n < 1<<16:
		return string([]byte{b0, 126, byte(n >> 8), byte(n)}) + payload
	default:
		return string([]byte{b0, 127, 0, 0, 0, 0, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}) + payload
	}
}
