package attack_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"qcat/api/spec/spectest"
	"qcat/api/ws"
)

// answered are the headers that an answer of ours may have.
var answered = []string{
	"Allow", "Cache-Control", "Connection", "Content-Encoding", "Content-Length", "Content-Security-Policy", "Content-Type", "Date", "Etag", "Idempotent-Replay", "Link",
	"Next-Cursor", "Referrer-Policy", "Retry-After", "Server", "Vary", "Www-Authenticate", "X-Content-Type-Options", "X-Frame-Options",
	"Sec-Websocket-Accept", "Sec-Websocket-Version", "Upgrade", "Last-Modified", "Location", "Accept-Ranges",
}

// whole requires an answer whose head nobody but the server has written.
func (a answer) whole() {
	a.t.Helper()
	for name, values := range a.header {
		if !slices.Contains(answered, name) {
			a.t.Errorf("%s: a header %s: %q", a.what, name, values)
		}
		for _, v := range values {
			if strings.ContainsAny(v, "\r\n\x00") || len(values) > 1 || strings.HasPrefix(v, "split") {
				a.t.Errorf("%s: %s: %q", a.what, name, values)
			}
		}
	}
	if got := a.header.Get("Location"); got != "" {
		a.t.Errorf("%s: sent away to %q", a.what, got)
	}
}

// TestSplitAnswers: what ends a line, in any place of any request, ends none in an answer: each
// request has one answer, with no header that the request has made.
func TestSplitAnswers(t *testing.T) {
	s := serve(t)
	token := s.as("adam")
	for i := range 3 {
		s.place("ann", "demo", fmt.Sprint("o", i)) // a page has a next one
	}
	slots, err := spectest.Slots()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"x\r\nX-Split: split\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "x\nX-Split: split", "x\u560d\u560aX-Split: split"} {
		for i := range slots {
			slot := &slots[i]
			target, body, err := slot.Fill(text, spectest.Known{"account": "demo", "strategy": "maker"})
			if err != nil {
				t.Fatal(err)
			}
			a := s.ask(slot.Method, target, string(body), token)
			a.what = fmt.Sprintf("%s %s, %s %s", slot.Method, slot.Path, slot.In, slot.Name)
			a.whole()
		}
		at := ordersPath + "?limit=1&account=demo&x=" + url.QueryEscape(text)
		for _, target := range []string{at, ordersPath + "?limit=1&client_order_id=" + url.QueryEscape(text), "/" + url.PathEscape(text), "/swagger/" + url.PathEscape(text), "//" + url.PathEscape(text), "/swagger?" + url.QueryEscape(text)} {
			s.ask("GET", target, "", token).whole()
		}
	}
	// A page that has a next one names it by what the server has understood.
	if a := s.ask("GET", ordersPath+"?limit=1&account=demo", "", token).ok(); !strings.Contains(a.header.Get("Link"), "cursor=") {
		t.Errorf("no next page: %v", a.header)
	}
	for name, value := range map[string]string{
		"Origin": "https://a.example\x0bX-Split: split", "Sec-WebSocket-Protocol": "split, x", "X-Request-Id": "split", "Accept-Language": "split", "Range": "bytes=0-1",
		"If-None-Match": "split", "Referer": "split", "Accept": "split", "X-QCAT-KEY": "split", "Cookie": "split=split", "X-Forwarded-Host": "split", "Expect": "split",
	} {
		for _, target := range []string{ordersPath, "/swagger/openapi.json", ws.Path, "/nowhere"} {
			a := s.ask("GET", target, "", name+": "+value)
			a.what = fmt.Sprintf("%s: %q to %s", name, value, target)
			a.whole()
			if a.status == http.StatusSwitchingProtocols || strings.Contains(fmt.Sprint(a.header), "split") {
				t.Errorf("%s: %d", a.what, a.status)
			}
		}
	}
}
