package feed

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"qcat/core"
)

// TestHandshake: what comes right behind the server's answer is read, in plain and
// under TLS, where it may lie in the same record.
func TestHandshake(t *testing.T) {
	for _, secure := range []bool{false, true} {
		address, s := rawVenue(t, secure, func(conn net.Conn, key string) {
			fmt.Fprint(conn, answer(key)+fromVenue(0x81, "first")+"\x81")
			fmt.Fprint(conn, fromVenue(0x81, "second")[1:])
		})
		var roots *tls.Config
		if secure {
			roots = s.Client().Transport.(*http.Transport).TLSClientConfig
		}
		ctx, cancel := context.WithCancel(t.Context())
		conn, r, err := handshake(ctx, address, roots)
		cancel() // it bounds the handshake only
		if err != nil {
			t.Fatal(err)
		}
		sock := newSocket(conn, r, core.SystemClock(), 100)
		for _, want := range []string{"first", "second"} {
			if m, _, err := sock.next(); err != nil || string(m.Data) != want {
				t.Errorf("TLS %v: %q and %v in place of %q", secure, m.Data, err, want)
			}
		}
		if _, _, err := sock.next(); !errors.Is(err, io.EOF) {
			t.Errorf("TLS %v: the end is %v", secure, err)
		}
		sock.close()
	}
}

// TestHandshakeRefuses: an answer that is not one to a WebSocket handshake, and an
// extension that was not asked for.
func TestHandshakeRefuses(t *testing.T) {
	for name, c := range map[string]struct{ from, to, want string }{
		"a status":        {"101 Switching Protocols", "403 Forbidden", "HTTP status 403"},
		"no upgrade":      {"Upgrade: WebSocket\r\n", "", "does not change"},
		"another upgrade": {"Upgrade: WebSocket", "Upgrade: h2c", "does not change"},
		"no connection":   {"keep-alive, Upgrade", "keep-alive", "does not change"},
		"another's key":   {"Accept: ", "Accept: A", "another handshake"},
		"no key":          {"Sec-WebSocket-Accept", "X-Accept", "another handshake"},
		"an extension":    {"Upgrade: WebSocket", "Sec-WebSocket-Extensions: permessage-deflate\r\nUpgrade: WebSocket", "extension that nobody asked for"},
		"no HTTP":         {"HTTP/1.1", "SMTP", "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			address, _ := rawVenue(t, false, func(conn net.Conn, key string) {
				said := strings.Replace(answer(key), c.from, c.to, 1)
				if said == answer(key) {
					t.Error("the answer is as it should be")
				}
				fmt.Fprint(conn, said)
			})
			_, err := dial(t.Context(), address, policyOf(100), core.SystemClock())
			if !errors.Is(err, ErrConnection) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v does not say %q", err, c.want)
			}
		})
	}
	if _, err := dial(t.Context(), "http://127.0.0.1", policyOf(100), core.SystemClock()); err == nil {
		t.Error("an http address was dialled")
	}
}

// TestHandshakeEnds when its time is over, or its context.
func TestHandshakeEnds(t *testing.T) {
	end := make(chan struct{})
	address, _ := rawVenue(t, false, func(net.Conn, string) { <-end })
	defer close(end)
	p := policyOf(100)
	p.DialTimeout = 10 * time.Millisecond
	if _, err := dial(t.Context(), address, p, core.SystemClock()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the timeout: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := dial(ctx, address, policyOf(100), core.SystemClock()); !errors.Is(err, context.Canceled) {
		t.Errorf("the context: %v", err)
	}
}
