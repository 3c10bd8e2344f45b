package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// startTimeout bounds how long a server may take until it answers: recovery after
// a kill included.
const startTimeout = 60 * time.Second

// Server is a Postgres that a test may stop. Its methods belong to one goroutine.
type Server struct {
	bin  string
	dir  string // removed at the end
	port int
	cred *syscall.Credential

	reaper *os.File // closing it ends the server and removes dir
	cmd    *exec.Cmd
	exited chan struct{} // closed when cmd has ended
}

// Start starts a server that ends with the test. Options are settings of
// postgresql.conf, as "name=value"; they win over the defaults.
func Start(tb testing.TB, options ...string) *Server {
	tb.Helper()
	if binaries() == "" {
		need(tb)
	}
	s, err := newServer(options)
	if err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	tb.Cleanup(s.end)
	return s
}

// newServer makes a data directory and starts a server on it.
func newServer(options []string) (s *Server, err error) {
	s = &Server{bin: binaries()}
	if s.cred, err = owner(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "qcat-pg-"); err != nil {
		return nil, err
	}
	if err = s.reap(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	defer func() {
		if err != nil {
			s.end()
		}
	}()
	if s.cred != nil {
		if err = os.Chown(s.dir, int(s.cred.Uid), int(s.cred.Gid)); err != nil {
			return nil, err
		}
	}
	initdb := s.command("initdb", "--pgdata="+s.data(), "--username=postgres", "--auth=trust",
		"--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	// Another process may take the free port before the server does.
	for range 5 {
		if err = s.configure(options); err != nil {
			return nil, err
		}
		if err = s.start(); err == nil {
			return s, nil
		}
	}
	return nil, err
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) logFile() string { return filepath.Join(s.dir, "log") }

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.cred, Setsid: true}
	return cmd
}

// reap starts the process that cleans up after this one.
func (s *Server) reap() error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	// The postmaster is stopped at once; SIGCONT for one that is paused.
	const script = `cat >/dev/null
if read -r pid 2>/dev/null <"$1/data/postmaster.pid"; then
	kill -QUIT "$pid" 2>/dev/null; kill -CONT "-$pid" "$pid" 2>/dev/null
	for i in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" 2>/dev/null || break; sleep 0.2; done
	kill -KILL "$pid" 2>/dev/null
fi
rm -rf "$1"`
	cmd := exec.Command("/bin/sh", "-c", script, "sh", s.dir)
	cmd.Stdin = r
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		w.Close()
		return err
	}
	go cmd.Wait() //nolint:errcheck // it ends after us, or by us
	s.reaper = w
	return nil
}

// configure chooses a free port and writes the settings.
func (s *Server) configure(options []string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.port = l.Addr().(*net.TCPAddr).Port
	l.Close()
	var b bytes.Buffer
	fmt.Fprintf(&b, "port=%d\nlisten_addresses='127.0.0.1'\nunix_socket_directories='%s'\n", s.port, s.dir)
	b.WriteString("fsync=on\nsynchronous_commit=on\nmax_connections=100\nshared_buffers='64MB'\n" +
		"max_locks_per_transaction=256\nwal_level=minimal\nmax_wal_senders=0\nlog_min_messages=warning\n")
	for _, o := range options {
		fmt.Fprintln(&b, o)
	}
	return os.WriteFile(filepath.Join(s.data(), "postgresql.auto.conf"), b.Bytes(), 0o644)
}

func (s *Server) start() error {
	log, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := s.command("postgres", "-D", s.data())
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	go func() {
		cmd.Wait() //nolint:errcheck // a killed server is no error here
		close(exited)
	}()
	s.cmd, s.exited = cmd, exited
	return s.wait()
}

// wait returns when the server answers.
func (s *Server) wait() error {
	deadline := time.Now().Add(startTimeout)
	for {
		ctx, cancel := context.WithDeadline(context.Background(), deadline)
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			err = conn.Close(ctx)
			cancel()
			return err
		}
		cancel()
		select {
		case <-s.exited:
			out, _ := os.ReadFile(s.logFile()) // for the message only
			return fmt.Errorf("postgres ended: %s", out)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("postgres does not answer: %w", err)
		}
	}
}

// URL is how database is reached over TCP.
func (s *Server) URL(database string) string {
	return fmt.Sprintf("postgres://postgres@%s/%s?sslmode=disable", s.Addr(), database)
}

// Addr is the server's host and port.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// Database makes an empty database and returns its URL.
func (s *Server) Database(tb testing.TB) string {
	tb.Helper()
	url, _ := create(tb, s.URL("postgres"))
	return url
}

// Kill ends the server and all its processes with SIGKILL, as a crash would.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	s.signal(tb, syscall.SIGKILL)
	<-s.exited
}

// Stop ends the server in order, cutting what is connected.
func (s *Server) Stop(tb testing.TB) {
	tb.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil { // fast shutdown
		tb.Fatalf("pgtest: %v", err)
	}
	<-s.exited
}

// restartTries is how often Restart tries: while the server was down, somebody else's
// connection may have been given its port for a moment.
const restartTries = 20

// Restart starts the server again after Kill or Stop, on the same port and data.
func (s *Server) Restart(tb testing.TB) {
	tb.Helper()
	err := s.start()
	for try := 1; err != nil && try < restartTries; try++ {
		time.Sleep(500 * time.Millisecond)
		err = s.start()
	}
	if err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
}

// Pause stops every process of the server with SIGSTOP: connections stay open and
// nothing answers.
func (s *Server) Pause(tb testing.TB) {
	tb.Helper()
	s.signal(tb, syscall.SIGSTOP)
}

// Resume ends a Pause.
func (s *Server) Resume(tb testing.TB) {
	tb.Helper()
	s.signal(tb, syscall.SIGCONT)
}

// signal reaches the postmaster and its children. The children lead process groups of
// their own, so that they are found by their parent; the postmaster comes first, lest
// it start another.
func (s *Server) signal(tb testing.TB, sig syscall.Signal) {
	tb.Helper()
	pid := s.cmd.Process.Pid
	list := append([]int{pid}, childrenOf(pid)...)
	if sig == syscall.SIGCONT {
		list = append(list[1:], pid)
	}
	for _, p := range list {
		if err := syscall.Kill(p, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			tb.Fatalf("pgtest: signal %v: %v", sig, err)
		}
	}
}

// childrenOf reads /proc for the children of pid.
func childrenOf(pid int) (children []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // only a bad pattern is an error
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended since
		}
		// pid (name) state ppid …; the name may hold anything.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			if child, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
				children = append(children, child)
			}
		}
	}
	return children
}

// end stops the server and removes its directory.
func (s *Server) end() {
	endOnce.Lock()
	defer endOnce.Unlock()
	if s.reaper == nil {
		return
	}
	s.reaper.Close()
	s.reaper = nil
	if s.exited != nil {
		<-s.exited
	}
}

var endOnce sync.Mutex
