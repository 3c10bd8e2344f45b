package check

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestNginxAloneSaysWhoTheClientIs: nothing that a client says of itself arrives.
func TestNginxAloneSaysWhoTheClientIs(t *testing.T) {
	f := start(t)
	if f == nil {
		return
	}
	for _, path := range []string{"/api/v1/quotes", "/api/v1/auth/login", "/api/v1/ws", "/"} {
		f.get("GET", path, map[string]string{"X-Forwarded-For": "6.6.6.6", "Forwarded": "for=6.6.6.6", "X-Real-IP": "6.6.6.6", "X-Forwarded-Proto": "http",
			"X-Forwarded-Host": "evil.example", "X-Forwarded-Port": "1", "X-Forwarded-Server": "evil", "Via": "evil", "X_Forwarded_For": "6.6.6.6"})
		n, r := f.heard()
		if n == 0 {
			t.Fatalf("%s did not arrive", path)
		}
		if r.Host != f.https || r.Header.Get("X-Forwarded-For") != "127.0.0.1" || r.Header.Get("X-Forwarded-Proto") != "https" || r.Header.Get("X-Forwarded-Host") != f.https {
			t.Errorf("%s arrives as %s with %v", path, r.Host, r.Header)
		}
		for name, values := range r.Header {
			if all := strings.Join(values, " "); strings.Contains(all, "6.6.6.6") || strings.Contains(all, "evil") || len(values) > 1 {
				t.Errorf("%s arrives with %s: %s", path, name, all)
			}
		}
	}
}

// TestNginxIsTheOuterDoor: plain requests are sent to TLS, old TLS is refused, and figures and
// profiles are not for outside, however they are spelled.
func TestNginxIsTheOuterDoor(t *testing.T) {
	f := start(t)
	if f == nil {
		return
	}
	res, err := f.client(tls.VersionTLS13).Get("http://" + f.plain + "/api/v1/orders?account=a")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if to := res.Header.Get("Location"); res.StatusCode != http.StatusPermanentRedirect || !strings.HasPrefix(to, "https://") || !strings.HasSuffix(to, "/api/v1/orders?account=a") {
		t.Errorf("plain: %d to %s", res.StatusCode, to)
	}
	for _, c := range []struct {
		version uint16
		taken   bool
	}{{tls.VersionTLS11, false}, {tls.VersionTLS12, true}, {tls.VersionTLS13, true}} {
		res, err := f.client(c.version).Get("https://" + f.https + "/health")
		if (err == nil) != c.taken {
			t.Errorf("%s: %v", tls.VersionName(c.version), err)
		}
		if err == nil {
			_ = res.Body.Close()
		}
	}
	for _, path := range []string{"/metrics", "/metrics/", "//metrics", "/METRICS", "/%6detrics", "/./metrics", "/x/../metrics", "/debug/pprof/", "/debug"} {
		before, _ := f.heard()
		res := f.get("GET", path, nil)
		if after, _ := f.heard(); res.StatusCode != http.StatusNotFound || after != before {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
	if res := f.get("GET", "/health", nil); res.StatusCode != http.StatusOK || !strings.Contains(res.Header.Get("Strict-Transport-Security"), "max-age=31536000") {
		t.Errorf("%d, %v", res.StatusCode, res.Header)
	}
}

// TestNginxTakesNoRequestThatTwoMayReadDifferently: what two programs could cut at two places
// gets no further; what nginx takes arrives as one request of its own words.
func TestNginxTakesNoRequestThatTwoMayReadDifferently(t *testing.T) {
	f := start(t)
	if f == nil {
		return
	}
	const head = "POST /api/v1/orders HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
	for name, text := range map[string]string{
		"length and chunks":         head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"two lengths":               head + "Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello",
		"a list of lengths":         head + "Content-Length: 5, 5\r\n\r\nhello",
		"a signed length":           head + "Content-Length: +5\r\n\r\nhello",
		"a space before the colon":  head + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
		"an unknown coding":         head + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"two codings":               head + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
		"chunks in HTTP/1.0":        "POST / HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"a folded line":             head + "Content-Length: 0\r\n X-Other: y\r\n\r\n",
		"a chunk of no size":        head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
		"a bare CR in a header":     head + "X-Other: a\rContent-Length: 5\r\n\r\nhello",
		"a NUL in a header":         head + "X-Other: a\x00b\r\n\r\n",
		"two hosts":                 "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
		"no host":                   "GET / HTTP/1.1\r\n\r\n",
		"a path without its slash":  "GET metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"CONNECT":                   "CONNECT qcat:8082 HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"a body beyond what is due": head + "Content-Length: 70000\r\n\r\n",
	} {
		before, _ := f.heard()
		line := f.raw(text)
		after, r := f.heard()
		refused := line == "" || strings.HasPrefix(line, "HTTP/1.1 4") || strings.HasPrefix(line, "HTTP/1.1 501")
		if !refused && after == before+1 && r.ContentLength <= 0 && len(r.TransferEncoding) == 0 && r.Header.Get("X-Other") == "" {
			continue // one request without the line in doubt
		}
		if !refused || after != before {
			t.Errorf("%s: %q, %d requests arrive", name, line, after-before)
		}
	}
	// Line feeds alone end lines for nginx; behind it there are none.
	before, _ := f.heard()
	f.raw("POST / HTTP/1.1\nHost: localhost\nConnection: close\nContent-Length: 40\n\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n")
	if after, r := f.heard(); after > before+1 || r.URL.Path == "/smuggled" {
		t.Errorf("%d requests arrive, the last of %s", after-before, r.URL.Path)
	}
}

// TestNginxBoundsAnAddress: one that asks too often is told so in the form of QCAT's own answers.
func TestNginxBoundsAnAddress(t *testing.T) {
	f := start(t)
	if f == nil {
		return
	}
	var limited *http.Response
	for range 15 {
		if res := f.get("POST", "/api/v1/auth/login", nil); res.StatusCode != http.StatusOK {
			limited = res
		}
	}
	if limited == nil {
		t.Fatal("any number of logins is taken")
	}
	var problem struct{ Code string }
	if err := json.NewDecoder(limited.Body).Decode(&problem); err != nil || problem.Code != "rate.limited" || limited.StatusCode != http.StatusTooManyRequests ||
		limited.Header.Get("Retry-After") != "1" || limited.Header.Get("Content-Type") != "application/problem+json" || limited.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("%d, %v, %+v, %v", limited.StatusCode, limited.Header, problem, err)
	}
	if res := f.get("GET", "/api/v1/quotes", nil); res.StatusCode != http.StatusOK {
		t.Errorf("who logs in too often cannot look: %d", res.StatusCode)
	}
}

// TestNginxPassesStreams: both ways, at once.
func TestNginxPassesStreams(t *testing.T) {
	f := start(t)
	if f == nil {
		return
	}
	c, err := tls.Dial("tcp", f.https, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(c, "GET /api/v1/ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	from := bufio.NewReader(c)
	res, err := http.ReadResponse(from, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v, %v", res, err)
	}
	defer func() { _ = res.Body.Close() }()
	for _, word := range []string{"one\n", "two\n"} {
		if _, err := io.WriteString(c, word); err != nil {
			t.Fatal(err)
		}
		if back, err := from.ReadString('\n'); back != word {
			t.Fatalf("%q, %v", back, err)
		}
	}
}

// TestNginxWithoutQCAT answers for it, and asks again at once when it is back.
func TestNginxWithoutQCAT(t *testing.T) {
	f := start(t)
	if f == nil {
		return
	}
	f.behind.Close()
	res := f.get("GET", "/health", nil)
	body, _ := io.ReadAll(res.Body) // the status tells enough
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" || !strings.Contains(string(body), `"code":"http.unavailable"`) {
		t.Errorf("%d, %v, %s", res.StatusCode, res.Header, body)
	}
}

// TestAccessLog is JSON, and holds no query.
func TestAccessLog(t *testing.T) {
	f := start(t)
	if f == nil {
		return
	}
	f.get("GET", "/api/v1/orders?token=geheim", map[string]string{"User-Agent": "a \"b\" \\c", "Authorization": "Bearer geheim"})
	deadline := time.Now().Add(patience)
	var line []byte
	for len(line) == 0 && time.Now().Before(deadline) { // it is written after the answer
		line, _ = os.ReadFile(filepath.Join(f.dir, "log/access.log"))
	}
	var entry map[string]any
	if err := json.Unmarshal(line, &entry); err != nil || entry["path"] != "/api/v1/orders" || entry["status"] != 200.0 || strings.Contains(string(line), "geheim") {
		t.Errorf("%v: %s", err, line)
	}
}
