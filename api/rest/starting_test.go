package rest

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"qcat/api/metrics"
	"qcat/core"
)

// TestStartingTellsOfTheRecovery wants health, metrics and a clear refusal while
// the server recovers, and the listener handed on afterwards.
func TestStartingTellsOfTheRecovery(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	s := Starting{
		Components: []Component{{"recovery", func() (Status, string) { return Down, "12 of 40 records" }}},
		Metrics:    metrics.New(), Clock: core.SystemClock(), Log: zap.NewNop(),
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, ln.(*net.TCPListener)) }()
	base := "http://" + ln.Addr().String()
	for path, want := range map[string]string{
		"/health":        `"recovery":{"status":"down","detail":"12 of 40 records"}`,
		"/ready":         `"code":"starting"`,
		"/api/v1/orders": `"code":"starting"`,
	} {
		if status, body := fetch(t, base+path); status != http.StatusServiceUnavailable || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s, want 503 and %s", path, status, body, want)
		}
	}
	if status, _ := fetch(t, base+"/metrics"); status != http.StatusOK {
		t.Errorf("/metrics: %d", status)
	}
	idle, err := net.Dial("tcp", ln.Addr().String()) // a client that says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = idle.Close() }()
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Serve does not return")
	}
	handedOn := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }), ReadHeaderTimeout: time.Second}
	go func() { _ = handedOn.Serve(ln) }()
	defer func() { _ = handedOn.Close() }()
	if status, _ := fetch(t, base+"/health"); status != http.StatusTeapot {
		t.Errorf("the next server answers %d", status)
	}
}

func fetch(t *testing.T, url string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(raw)
}
