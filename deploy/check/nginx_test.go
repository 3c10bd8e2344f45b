package check

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// front is nginx with our configuration before a server that stands in for QCAT.
type front struct {
	t            *testing.T
	dir          string
	plain, https string // addresses
	behind       *httptest.Server
	mu           sync.Mutex
	seen         []*http.Request
}

// patience bounds every wait.
const patience = 20 * time.Second

// freePorts are addresses of loopback that nobody listens on.
func freePorts(t *testing.T, n int) (all []string) {
	t.Helper()
	for range n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = ln.Close() }() // together: no two are the same
		all = append(all, ln.Addr().String())
	}
	return all
}

// replaced is text with each of the pairs exchanged, all of which it must have.
func replaced(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("there is no %q", pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

// start runs nginx; nil where there is none. Only addresses and folders are not those that are
// shipped.
func start(t *testing.T) *front {
	t.Helper()
	nginx := program(t, "nginx", "/usr/sbin/nginx")
	if nginx == "" {
		return nil
	}
	ports := freePorts(t, 3)
	f := &front{t: t, dir: t.TempDir(), plain: ports[0], https: ports[1]}
	f.behind = httptest.NewServer(http.HandlerFunc(f.handle))
	t.Cleanup(f.behind.Close)
	if out, err := exec.Command(filepath.Join(root, "deploy/ssl/self-signed.sh"), "localhost", f.dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.Mkdir(filepath.Join(f.dir, "log"), 0o755); err != nil {
		t.Fatal(err)
	}
	conf := replaced(t, file(t, "deploy/nginx/nginx.conf"),
		"/etc/nginx/ssl", f.dir, "/var/log/nginx", f.dir+"/log", "/run/nginx.pid", f.dir+"/nginx.pid",
		"listen 127.0.0.1:8080;", "listen "+ports[2]+";", "listen 80 ", "listen "+f.plain+" ", "listen 443 ", "listen "+f.https+" ",
		"default qcat:8082;", "default "+f.behind.Listener.Addr().String()+";")
	temporary := ""
	for _, name := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temporary += fmt.Sprintf("%s_temp_path %s/%s;\n", name, f.dir, name)
	}
	conf = strings.Replace(conf, "http {", "http {\n"+temporary, 1)
	path := write(t, filepath.Join(f.dir, "nginx.conf"), conf, 0o600)
	if out, err := exec.Command(nginx, "-t", "-q", "-c", path).CombinedOutput(); err != nil {
		t.Fatalf("nginx does not take it: %v\n%s", err, out)
	}
	f.run(exec.Command(nginx, "-c", path, "-g", "daemon off;"))
	return f
}

// run starts nginx, waits until it answers, and ends it with the test.
func (f *front) run(cmd *exec.Cmd) {
	if err := cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait() // it ends by our signal
	})
	deadline := time.Now().Add(patience)
	for {
		c, err := net.Dial("tcp", f.https)
		if err == nil {
			_ = c.Close()
			return
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("nginx does not come: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// handle is what stands behind: it keeps what it hears, and upgrades streams to an echo.
func (f *front) handle(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // what came is enough
	f.mu.Lock()
	f.seen = append(f.seen, r)
	f.mu.Unlock()
	if r.Header.Get("Upgrade") != "websocket" || !strings.EqualFold(r.Header.Get("Connection"), "upgrade") {
		fmt.Fprintf(w, "%s %d", r.URL.Path, len(body))
		return
	}
	c, rw, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = c.Close() }()
	fmt.Fprint(rw, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
	_ = rw.Flush()
	_, _ = io.Copy(c, rw.Reader) // until one of the sides is gone
}

// heard is how many requests came through, and the last one.
func (f *front) heard() (int, *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.seen) == 0 {
		return 0, nil
	}
	return len(f.seen), f.seen[len(f.seen)-1]
}

// client speaks TLS and follows nothing.
func (f *front) client(version uint16) *http.Client {
	return &http.Client{Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: version}}}
}

// get sends a request to the encrypted side.
func (f *front) get(method, path string, header map[string]string) *http.Response {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), method, "https://"+f.https+path, http.NoBody)
	if err != nil {
		f.t.Fatal(err)
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	res, err := f.client(tls.VersionTLS13).Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

// raw sends bytes as they are, and returns the first line of the answer, "" where there is none.
func (f *front) raw(text string) string {
	f.t.Helper()
	d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
	ctx, cancel := context.WithTimeout(f.t.Context(), patience)
	defer cancel()
	c, err := d.DialContext(ctx, "tcp", f.https)
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(c, text); err != nil {
		f.t.Fatal(err)
	}
	line, _ := bufio.NewReader(c).ReadString('\n') // closed without a word is an answer too
	return strings.TrimSpace(line)
}
