package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"qcat/api/client"
)

// process is a `qcat serve` under test.
type process struct {
	t       *testing.T
	cmd     *exec.Cmd
	addr    string
	dataDir string
	stdout  output
	stderr  output
	ended   chan struct{} // closed when it has ended; code is set then
	code    int
	once    sync.Once
}

// serve starts `qcat serve` on a free port with a data directory of its own, and
// stops it at the end of the test: it must then exit with 0.
func serve(t *testing.T, args ...string) *process {
	t.Helper()
	return serveIn(t, t.TempDir(), args...)
}

// serveIn is serve with a data directory that outlives the process.
func serveIn(t *testing.T, dataDir string, args ...string) *process {
	t.Helper()
	return start(t, dataDir, command(t, append([]string{"serve", "--listen", "127.0.0.1:0", "--data-dir", dataDir}, args...)...))
}

// start starts a command that is a `qcat serve` and waits until it serves.
func start(t *testing.T, dataDir string, cmd *exec.Cmd) *process {
	t.Helper()
	return launch(t, dataDir, cmd).serving()
}

// launch starts a command that is a `qcat serve`.
func launch(t *testing.T, dataDir string, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, dataDir: dataDir, ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // the exit code tells
		p.code = p.cmd.ProcessState.ExitCode()
		close(p.ended)
	}()
	t.Cleanup(func() {
		if code := p.stop(); code != 0 {
			t.Errorf("qcat serve exited with %d:\n%s", code, p.stderr.String())
		}
	})
	return p
}

// serving waits until the process serves.
func (p *process) serving() *process {
	p.t.Helper()
	eventuallyOr(p.t, func() string { return "qcat serve is up:\n" + p.stderr.String() }, func() bool {
		select {
		case <-p.ended:
			p.t.Fatalf("qcat serve ended with %d:\n%s", p.code, p.stderr.String())
		default:
		}
		p.addr = p.logged("serving").Address
		return p.addr != ""
	})
	return p
}

// logLine is one line of the log.
type logLine struct {
	Level   string `json:"level"`
	Msg     string `json:"msg"`
	Address string `json:"address"`
	Orders  int    `json:"orders"`
}

// logged returns the first line of the log with this message.
func (p *process) logged(msg string) (found logLine) {
	for line := range strings.Lines(p.stderr.String()) {
		var l logLine
		if json.Unmarshal([]byte(line), &l) == nil && l.Msg == msg {
			return l
		}
	}
	return found
}

// stop sends SIGTERM, once, and returns the exit code.
func (p *process) stop() int {
	p.t.Helper()
	p.once.Do(func() { _ = p.cmd.Process.Signal(syscall.SIGTERM) }) // it may have ended
	select {
	case <-p.ended:
	case <-time.After(patience):
		_ = p.cmd.Process.Signal(syscall.SIGQUIT) // prints its goroutines
		<-p.ended
		p.t.Errorf("qcat serve did not stop:\n%s", p.stderr.String())
	}
	return p.code
}

// answer is what came of an HTTP request.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// into reads the body.
func (a answer) into(t *testing.T, out any) {
	t.Helper()
	if err := json.Unmarshal(a.body, out); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
}

// metric is the value of a series without labels.
func (p *process) metric(name string) (v float64) {
	p.t.Helper()
	for line := range strings.Lines(string(p.ask("GET", "/metrics", nil).body)) {
		if text, ok := strings.CutPrefix(line, name+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
			if err != nil {
				p.t.Fatal(err)
			}
			return v
		}
	}
	p.t.Fatalf("no metric %s", name)
	return 0
}

// ask sends an HTTP request to a path of the server.
func (p *process) ask(method, path string, body any) answer {
	p.t.Helper()
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			p.t.Fatal(err)
		}
		r = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(p.t.Context(), method, "http://"+p.addr+path, r)
	if err != nil {
		p.t.Fatal(err)
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
	return answer{resp.StatusCode, resp.Header, raw}
}

// quote is a row of /api/v1/quotes.
type quote struct {
	Instrument string
	BidPrice   string `json:"bid_price"`
	AskPrice   string `json:"ask_price"`
	Seq        uint64
	RTS        int64
	Stale      bool
}

// quote returns the quote of an instrument, zero when there is none.
func (p *process) quote(instrument string) quote {
	p.t.Helper()
	var rows []quote
	p.ask("GET", "/api/v1/quotes?instrument="+instrument, nil).into(p.t, &rows)
	if len(rows) == 0 {
		return quote{}
	}
	return rows[0]
}

// health is /health, part by part.
type health struct {
	Status     string
	Components map[string]struct{ Status, Detail string }
}

func (p *process) health() (status int, h health) {
	p.t.Helper()
	a := p.ask("GET", "/health", nil)
	a.into(p.t, &h)
	return a.status, h
}

// live waits for a quote that is not stale and returns it.
func (p *process) live(instrument string) (q quote) {
	p.t.Helper()
	eventuallyOr(p.t, func() string { return instrument + " is live:\n" + p.stderr.String() }, func() bool {
		q = p.quote(instrument)
		return q.BidPrice != "" && q.AskPrice != "" && !q.Stale
	})
	return q
}

// dial connects a client of the WebSocket, and closes it at the end of the test.
func dial(t *testing.T, addr string) *client.Conn {
	t.Helper()
	c, err := client.Dial(t.Context(), addr, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// feedOf keeps the data of a channel's frames.
type feedOf[T any] struct {
	mu   sync.Mutex
	rows []T
}

// follow subscribes to a channel and keeps what comes after the snapshot.
func follow[T any](t *testing.T, c *client.Conn, channel string) *feedOf[T] {
	t.Helper()
	f := &feedOf[T]{}
	handle := func(m *client.Message) {
		var row T
		if bytes.HasPrefix(m.Data, []byte(`{"snapshot":`)) {
			return
		}
		if err := json.Unmarshal(m.Data, &row); err != nil {
			t.Errorf("%s: %v in %s", channel, err, m.Data)
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.rows = append(f.rows, row)
	}
	if err := c.Subscribe(t.Context(), client.Sub{Channel: channel, Handle: handle}); err != nil {
		t.Fatal(err)
	}
	return f
}

// all returns what came so far.
func (f *feedOf[T]) all() []T {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]T(nil), f.rows...)
}

// some reports whether a row that cond likes has come.
func (f *feedOf[T]) some(cond func(T) bool) bool {
	for _, row := range f.all() {
		if cond(row) {
			return true
		}
	}
	return false
}

// fileWith writes a file into a directory of the test's.
func fileWith(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := t.TempDir() + "/" + name
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
