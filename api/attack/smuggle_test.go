package attack_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"qcat/core/identity"
)

// TestSmuggledRequests: bytes whose end two servers could see at different places are never two
// requests here, and the connection ends: whatever is behind is not read.
func TestSmuggledRequests(t *testing.T) {
	s := serve(t)
	token := s.as("ann")
	id := s.place("ann", "demo", "kept")
	inner := fmt.Sprintf("DELETE /api/v1/orders/%d HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", id, token)
	length := fmt.Sprintf("Content-Length: %d\r\n", len(inner))
	const post = "POST /api/v1/orders/check HTTP/1.1\r\nHost: x\r\n"
	for name, text := range map[string]string{
		"two lengths":                post + "Content-Length: 0\r\n" + length + "\r\n" + inner,
		"two lengths, turned":        post + length + "Content-Length: 0\r\n\r\n" + inner,
		"a list of lengths":          post + "Content-Length: 0, 5\r\n\r\n" + inner,
		"a signed length":            post + "Content-Length: +0\r\n\r\n" + inner,
		"a length in hex":            post + "Content-Length: 0x0\r\n\r\n" + inner,
		"a length of nothing":        post + "Content-Length: \r\n\r\n" + inner,
		"a length with a space":      post + "Content-Length : 0\r\n\r\n" + inner,
		"length and chunks":          post + length + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner,
		"chunks and length":          post + "Transfer-Encoding: chunked\r\n" + length + "\r\n0\r\n\r\n" + inner,
		"chunks twice":               post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner,
		"chunks and something":       post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + inner,
		"something and chunks":       post + "Transfer-Encoding: xchunked\r\n" + length + "\r\n0\r\n\r\n" + inner,
		"chunks with a tab":          post + "Transfer-Encoding:\tchunked\r\n" + length + "\r\n0\r\n\r\n" + inner,
		"chunks with a vertical":     post + "Transfer-Encoding: \x0bchunked\r\n" + length + "\r\n0\r\n\r\n" + inner,
		"chunks with a space":        post + "Transfer-Encoding : chunked\r\n" + length + "\r\n0\r\n\r\n" + inner,
		"chunks folded":              post + "Transfer-Encoding:\r\n chunked\r\n" + length + "\r\n0\r\n\r\n" + inner,
		"chunks of HTTP/1.0":         "POST /api/v1/orders/check HTTP/1.0\r\nTransfer-Encoding: chunked\r\n" + length + "\r\n0\r\n\r\n" + inner,
		"a chunk's negative length":  post + "Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n" + inner,
		"a chunk's long length":      post + "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n" + inner,
		"a chunk ends early":         post + "Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n" + inner,
		"a bare CR":                  "POST /api/v1/orders/check HTTP/1.1\r\nHost: x\rContent-Length: 0\r\n\r\n\rX" + inner,
		"bare LF":                    "POST /api/v1/orders/check HTTP/1.1\nHost: x\n" + length + "\n" + inner,
		"a bare LF in a header":      post + "X: a\nTransfer-Encoding: chunked\r\n" + length + "\r\n0\r\n\r\n" + inner,
		"a length behind a bare LF":  post + "X: a\nContent-Length: 0\r\n\r\n" + inner,
		"a folded header":            post + "X: a\r\n Content-Length: 0\r\n" + length + "\r\n" + inner,
		"a folded length":            post + "Content-Length:\r\n 0\r\n\r\n" + inner,
		"folded with a tab":          post + "X: a\r\n\tTransfer-Encoding: chunked\r\n" + length + "\r\n" + inner,
		"a name with obs-text":       post + "Content-Length\xa0: 0\r\n" + length + "\r\n" + inner,
		"a header without a colon":   post + "Content-Length 0\r\n\r\n" + inner,
		"a chunk's extension":        post + "Transfer-Encoding: chunked\r\n\r\n0;a\nb\r\n\r\n" + inner,
		"a trailer that is a length": post + "Transfer-Encoding: chunked\r\nTrailer: Content-Length\r\n\r\n0\r\nContent-Length: 5\r\n\r\n" + inner,
		"a NUL":                      post + "X: \x00\r\nContent-Length: 0\r\n\r\nX" + inner,
	} {
		for i, a := range s.raw(text) {
			if i > 0 || a.status < 400 {
				t.Errorf("%s: answer %d is %d %.100s", name, i+1, a.status, a.body)
			}
		}
		var o struct{ Status string }
		if s.ask("GET", fmt.Sprintf("%s/%d", ordersPath, id), "", token).ok().into(&o); o.Status != "new" {
			t.Fatalf("%s: the order inside was cancelled: %s", name, o.Status)
		}
	}
	// In front of a body that ends where its length says, the next request is one of its own.
	all := s.raw(post + token + "\r\nContent-Length: 2\r\n\r\n{}" + inner)
	if len(all) != 2 || all[1].status != http.StatusOK {
		t.Errorf("two requests one after the other: %d answers", len(all))
	}
}

// TestHeadersTwice: who asks is said once. Two proofs are none, whichever is the good one.
func TestHeadersTwice(t *testing.T) {
	s := serve(t)
	token, other := s.as("ann"), s.as("adam")
	k := s.newKey("ann", identity.Read|identity.Trade)
	sign := func() []string { return k.sign("GET", ordersPath, "", time.Now()) }
	for name, header := range map[string][]string{
		"two tokens":            {token, other},
		"the same twice":        {token, token},
		"a token and none":      {token, "Authorization: "},
		"none and a token":      {"Authorization: ", token},
		"in another case":       {token, "authorization" + other[len("Authorization"):]},
		"both":                  append(sign(), token),
		"a key's id twice":      append(sign(), "X-QCAT-KEY: other"),
		"in lower case":         append(sign(), "x-qcat-key: other"),
		"a second timestamp":    append(sign(), "X-QCAT-TIMESTAMP: 1"),
		"a second nonce":        append(sign(), "X-QCAT-NONCE: abc"),
		"a second signature":    append(sign(), "X-QCAT-SIGNATURE: 00"),
		"two windows":           append(sign(), "X-QCAT-WINDOW: 60000", "X-QCAT-WINDOW: 1"),
		"a window not signed":   append(sign(), "X-QCAT-WINDOW: 60000"),
		"underscores instead":   {"X_QCAT_KEY: a", "Authorization_: Bearer x"},
		"one with a space":      {strings.Replace(token, ":", " :", 1)},
		"a scheme of two words": {"Authorization: Bearer  Digest x"},
	} {
		a := s.ask("GET", ordersPath, "", header...)
		a.what = name
		if a.status != http.StatusUnauthorized && a.status != http.StatusBadRequest {
			t.Errorf("%s: %d %.100s", name, a.status, a.body)
		}
		if strings.Contains(name, "space") || name == "underscores instead" {
			continue // no header of ours, or of nobody's client library
		}
		if _, resp, err := s.socket(header...); err == nil || resp == nil || resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: the socket: %v", name, err)
		}
	}
	s.ask("GET", ordersPath, "", sign()...).ok()
}

// TestForwardedIsNotBelieved: without a proxy that is trusted nobody says where they come from.
func TestForwardedIsNotBelieved(t *testing.T) {
	s := serve(t)
	s.ask("POST", "/api/v1/auth/login", `{"user":"ann","password":"wrong horse"}`, "X-Forwarded-For: 203.0.113.9", "Forwarded: for=203.0.113.9", "X-Real-IP: 203.0.113.9").refused(401, "auth.credentials")
	if e := s.log.Last(); e.Address != "127.0.0.1" || e.Actor != "ann" {
		t.Errorf("%+v", e)
	}
	s.ask("GET", "/metrics", "", "X-Forwarded-For: 127.0.0.1").refused(401, "auth.required") // a proxy that nobody told of
}
