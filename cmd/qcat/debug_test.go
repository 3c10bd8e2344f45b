package main

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// profile asks for a page of the profiles, with headers in pairs.
func (p *process) profile(page string, headers ...string) (status int, body string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, "http://"+p.logged("serving profiles").Address+"/debug/pprof/"+page, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

// TestProfiles are served on a port of their own, with the lanes' labels; what goroutines
// wait for only if it is asked for; nothing to pages of other sites, and no command line.
func TestProfiles(t *testing.T) {
	t.Parallel()
	p := serve(t, "--demo", "--debug-listen", "127.0.0.1:0", "--mutex-profile", "5", "--block-profile", "1us")
	if status, body := p.profile("goroutine?debug=1"); status != 200 || !strings.Contains(body, `"lane":"orders"`) {
		t.Errorf("goroutines: %d, without the label of the order lane:\n%.2000s", status, body)
	}
	if status, body := p.profile("mutex?debug=1"); status != 200 || !strings.Contains(body, "sampling period=5\n") {
		t.Errorf("mutexes: %d, %.200s", status, body)
	}
	eventually(t, "somebody has waited", func() bool {
		_, body := p.profile("block?debug=1")
		return strings.Contains(body, " @ 0x")
	})
	if status, body := p.profile("profile?seconds=1"); status != 200 || !strings.HasPrefix(body, "\x1f\x8b") {
		t.Errorf("processor: %d, %.20q", status, body)
	}
	if status, _ := p.profile("cmdline"); status != 404 {
		t.Errorf("the command line: %d", status)
	}
	for _, header := range [][2]string{{"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "cross-site"}, {"Host", "evil.example:6060"}} {
		if status, _ := p.profile("heap", header[0], header[1]); status != 403 {
			t.Errorf("%s: %s: %d", header[0], header[1], status)
		}
	}
	// The server's own port has none of it.
	if a := p.ask("GET", "/debug/pprof/", nil); a.status != 404 {
		t.Errorf("on the server's port: %d", a.status)
	}
}

// TestProfilesAreOff unless they are asked for, and those of waiting then still are.
func TestProfilesAreOff(t *testing.T) {
	t.Parallel()
	if p := serve(t, "--demo"); p.logged("serving profiles").Msg != "" {
		t.Error("profiles are served, and nobody has asked")
	}
	p := serve(t, "--demo", "--debug-listen", "localhost:0")
	if _, body := p.profile("mutex?debug=1"); !strings.Contains(body, "sampling period=0\n") {
		t.Errorf("mutexes: %.200s", body)
	}
	if _, body := p.profile("block?debug=1"); strings.Contains(body, " @ 0x") {
		t.Errorf("waiting: %.200s", body)
	}
}

func TestProfileAddresses(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--debug-listen", "0.0.0.0:6060"}, "qcat: debug-listen: 0.0.0.0:6060 is not a loopback address: profiles tell"},
		{[]string{"--debug-listen", ":6060"}, "not a loopback address"},
		{[]string{"--debug-listen", "192.0.2.1:6060"}, "not a loopback address"},
		{[]string{"--debug-listen", "6060"}, "not host:port"},
		{[]string{"--debug-listen", ln.Addr().String()}, "qcat: debug-listen: listen tcp " + ln.Addr().String()},
		{[]string{"--block-profile", "1us"}, "debug-listen, which is not set"},
		{[]string{"--mutex-profile=-1", "--debug-listen", "127.0.0.1:0"}, "none can be negative"},
	} {
		args := append([]string{"serve", "--demo", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir()}, tt.args...)
		if code, out, errs := qcat(t, args...); code != 2 || !strings.Contains(errs, tt.want) || out != "" {
			t.Errorf("%v: exit code %d, %q, %q", tt.args, code, errs, out)
		}
	}
}
