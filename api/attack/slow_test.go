package attack_test

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"qcat/api/hub"
	"qcat/api/rest"
	"qcat/api/ws"
)

// Bounds of the server in these tests, and how much later than its bound a busy machine may
// be to cut somebody off.
const (
	slowBound = 400 * time.Millisecond
	slack     = 10 * time.Second // less than the patience of dial
	crawlers  = 40
)

// crawl sends the beginning of a request at once and then one byte of filler after the other,
// until the server hangs up. It returns when that was, and with what status.
func (s *server) crawl(begin, filler string) (took time.Duration, status int) {
	c := s.dial()
	defer c.Close()
	began := time.Now()
	if _, err := io.WriteString(c, begin); err != nil {
		s.t.Error(err)
	}
	ended := make(chan struct{})
	var drip sync.WaitGroup
	drip.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-ended:
				return
			case <-tick.C:
				_, _ = io.WriteString(c, filler[i%len(filler):][:1]) // it will fail at the end
			}
		}
	})
	r := bufio.NewReader(c)
	if resp, err := http.ReadResponse(r, nil); err == nil {
		status = resp.StatusCode
		_, _ = io.Copy(io.Discard, resp.Body)
	}
	_, _ = io.Copy(io.Discard, r)
	took = time.Since(began)
	close(ended)
	drip.Wait()
	return took, status
}

// TestSlowClients: whoever sends a byte now and then, in a header, a body or a chunk, is cut
// off within the bound for a whole request, however regularly they send; meanwhile others
// are answered.
func TestSlowClients(t *testing.T) {
	s := serve(t, func(r *rest.Config, _ *ws.Config) { r.Patience = slowBound })
	token := s.as("ann")
	for name, c := range map[string]struct{ begin, filler string }{
		"header":  {"GET /health HTTP/1.1\r\nHost: x\r\nX: ", "a"},
		"headers": {"GET /health HTTP/1.1\r\nHost: x\r\n", "A: b\r\n"},
		"line":    {"G", "E"},
		"body":    {"POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n", " "},
		"chunks":  {"POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n"},
		"login":   {"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n", " "},
	} {
		t.Run(name, func(t *testing.T) {
			var crowd sync.WaitGroup
			for range crawlers {
				crowd.Go(func() {
					if took, status := s.crawl(c.begin, c.filler); took > slowBound+slack || status != 0 && status != http.StatusRequestTimeout && status != http.StatusBadRequest {
						t.Errorf("cut off after %v, status %d", took, status)
					}
				})
			}
			for range 20 {
				began := time.Now()
				s.ask("GET", ordersPath, "", token).ok()
				if took := time.Since(began); took > slack {
					t.Errorf("a neighbour waited %v", took)
				}
			}
			crowd.Wait()
		})
	}
}

// TestSlowReader: who asks for answers and takes none is cut off, too.
func TestSlowReader(t *testing.T) {
	s := serve(t, func(r *rest.Config, _ *ws.Config) { r.Patience = slowBound })
	c := s.dial()
	defer c.Close()
	began := time.Now()
	for request := strings.Repeat("GET /swagger/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n", 16); time.Since(began) < slowBound+2*slack; {
		if _, err := io.WriteString(c, request); err != nil {
			return // cut off
		}
	}
	t.Error("still there")
}

// TestSilentSockets: a WebSocket that says nothing, or sends one message byte by byte, is ended
// within the time there is to say who one is.
func TestSilentSockets(t *testing.T) {
	s := serve(t, func(_ *rest.Config, w *ws.Config) { w.AuthTimeout = slowBound })
	began := time.Now()
	silent, slow := s.open(), s.open()
	var drip sync.WaitGroup
	ended := make(chan struct{})
	drip.Go(func() {
		// A text of 60 000 bytes is announced and comes one by one.
		message := "\x81\xfe\xea\x60\x00\x00\x00\x00" + strings.Repeat(" ", 1000)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for i := range len(message) {
			select {
			case <-ended:
				return
			case <-tick.C:
				_, _ = io.WriteString(slow.NetConn(), message[i:i+1])
			}
		}
	})
	for name, code := range map[string]int{"silent": s.closes(silent), "slow": s.closes(slow)} {
		if code != int(hub.AuthTimeout.Code) && code != 0 {
			t.Errorf("%s: ended with %d", name, code)
		}
	}
	if took := time.Since(began); took > slowBound+slack {
		t.Errorf("they were there for %v", took)
	}
	close(ended)
	drip.Wait()
}
