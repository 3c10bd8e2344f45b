// Package redistest gives tests a Redis.
//
//	url := redistest.URL(t)     // REDIS_URL, or a server of this test
//	server := redistest.Start(t) // a server that this test may stop and kill
//
// Without a server's program (QCAT_REDIS_BIN, or redis-server or valkey-server in
// PATH) such a test is skipped; with QCAT_REQUIRE_SERVICES=1 it fails.
//
// # Imports
//
// The standard library only.
package redistest

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startTimeout bounds how long a server may take until it answers.
const startTimeout = 20 * time.Second

// URL is that of a Redis that others may use too: a test writes below a prefix of
// its own.
func URL(tb testing.TB) string {
	tb.Helper()
	if url := os.Getenv("REDIS_URL"); url != "" {
		return url
	}
	return Start(tb).URL()
}

// Server is a Redis that keeps nothing on disk and ends with its test. Its methods
// belong to the test's goroutine.
type Server struct {
	tb      testing.TB
	bin     string
	options []string
	dir     string
	port    int

	cmd    *exec.Cmd
	exited chan struct{} // closed when cmd has ended
}

// Start starts a server. Options are arguments of redis-server; they win over the
// defaults.
func Start(tb testing.TB, options ...string) *Server {
	tb.Helper()
	bin := binary()
	if bin == "" {
		const what = "no Redis: install redis-server or set QCAT_REDIS_BIN to it; REDIS_URL serves the tests that can share one"
		if os.Getenv("QCAT_REQUIRE_SERVICES") == "1" {
			tb.Fatal(what)
		}
		tb.Skip(what)
	}
	s := &Server{tb: tb, bin: bin, options: options, dir: tb.TempDir()}
	tb.Cleanup(s.Kill)
	// Another process may take the free port before the server does.
	for range 5 {
		s.port = freePort(tb)
		if s.start() == nil {
			return s
		}
	}
	tb.Fatalf("redistest: the server does not start: %s", s.log())
	return nil
}

// binary is the server's program, "" if there is none.
func binary() string {
	for _, name := range []string{os.Getenv("QCAT_REDIS_BIN"), "redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func freePort(tb testing.TB) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// Addr is host and port.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// URL is the server's URL.
func (s *Server) URL() string { return "redis://" + s.Addr() }

func (s *Server) start() error {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	args := []string{"--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", s.dir}
	s.cmd = exec.Command(s.bin, append(args, s.options...)...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		return err
	}
	cmd, exited := s.cmd, make(chan struct{})
	s.exited = exited
	go func() {
		cmd.Wait() //nolint:errcheck // a killed server is no error here
		close(exited)
	}()
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); {
		if s.ping() {
			return nil
		}
		select {
		case <-exited:
			return fmt.Errorf("redis-server ended: %s", s.log())
		case <-time.After(5 * time.Millisecond):
		}
	}
	s.Kill()
	return fmt.Errorf("redis-server does not answer: %s", s.log())
}

func (s *Server) ping() bool {
	c, err := net.DialTimeout("tcp", s.Addr(), time.Second)
	if err != nil {
		return false
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return false
	}
	if _, err := c.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	return err == nil && (line == "+PONG\r\n" || strings.HasPrefix(line, "-NOAUTH"))
}

func (s *Server) log() string {
	b, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// Stop ends the server as an operator would; what it held is gone.
func (s *Server) Stop() { s.end(syscall.SIGTERM) }

// Kill ends it at once, also when it is paused.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

func (s *Server) end(sig syscall.Signal) {
	if s.exited == nil {
		return
	}
	s.signal(sig)
	<-s.exited
	s.exited = nil
}

// Restart starts a server that has ended, empty, at the same address.
func (s *Server) Restart() {
	s.tb.Helper()
	if err := s.start(); err != nil {
		s.tb.Fatalf("redistest: %v", err)
	}
}

// Pause stops the process in its tracks: connections stay open and nobody answers.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume ends a Pause.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.tb.Logf("redistest: %s: %v", sig, err) // it has ended by itself
	}
}
