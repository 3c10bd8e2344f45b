// Package process runs the server's binary as a process of its own, which benchmarks
// load, stop and kill. Its stores are those that its arguments name and no others; what
// it says of itself is read from its log.
package process

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Options say what is started.
type Options struct {
	Binary   string
	Dir      string        // data directory; empty: a temporary one
	Patience time.Duration // how long the start may take; 0: half a minute
	Args     []string      // behind `serve --demo` on a free port
}

// Server is one life of the binary. Its methods are for one goroutine.
type Server struct {
	Addr      string    // where it serves
	Debug     string    // where its profiles are; empty: nowhere
	Dir       string    // data directory
	Recovered Recovered // what it found there
	Cut       bool      // it cut a torn end off its journal

	cmd   *exec.Cmd
	last  string        // the last thing that it said, or complained of; to be read after ended
	ended chan struct{} // its log has ended
	wait  func() error  // for the process, any number of times
}

// Recovered is the log line of a recovery.
type Recovered struct {
	JournalSeq  uint64 `json:"journal_seq"`
	SnapshotSeq uint64 `json:"snapshot_seq"`
	Replayed    uint64 `json:"replayed"`
	StateHash   string `json:"state_hash"` // hex
}

const (
	startPatience = 30 * time.Second
	// endPatience is how long a server may take to stop before it is killed.
	endPatience = 5 * time.Minute
)

// serviceVariables name stores to a server.
var serviceVariables = []string{"DATABASE_URL", "QCAT_DATABASE_URL", "REDIS_URL", "QCAT_REDIS_URL", "DB_HOST", "REDIS_HOST"}

// Start starts the binary and waits until it serves. A server that does not is ended; its
// directory stays if it was named.
func Start(ctx context.Context, o Options) (*Server, error) {
	s := &Server{Dir: o.Dir, ended: make(chan struct{})}
	if s.Dir == "" {
		dir, err := os.MkdirTemp("", "qcat-bench-")
		if err != nil {
			return nil, err
		}
		s.Dir = dir
	}
	err := s.start(ctx, o)
	if err != nil && o.Dir == "" {
		err = errors.Join(err, os.RemoveAll(s.Dir))
	}
	return s, err
}

func (s *Server) start(ctx context.Context, o Options) error {
	args := append([]string{"serve", "--demo", "--listen", "127.0.0.1:0", "--data-dir", s.Dir, "--log-format", "json"}, o.Args...)
	s.cmd = exec.Command(o.Binary, args...)
	s.cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains(serviceVariables, name)
	})
	s.wait = sync.OnceValue(s.cmd.Wait)
	log, err := s.cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	serving := make(chan struct{})
	go s.read(log, serving)
	patience := o.Patience
	if patience == 0 {
		patience = startPatience
	}
	select {
	case <-serving:
		return nil
	case <-s.ended:
		return fmt.Errorf("%s ended: %s", o.Binary, s.last)
	case <-ctx.Done():
		err = ctx.Err()
	case <-time.After(patience):
		err = fmt.Errorf("%s did not serve within %v", o.Binary, patience)
	}
	return errors.Join(err, s.Kill())
}

// read takes what matters out of the log, and reads on so that the server never waits for
// somebody to read it.
func (s *Server) read(log io.Reader, serving chan<- struct{}) {
	defer close(s.ended)
	for sc := bufio.NewScanner(log); sc.Scan(); {
		var line struct{ Level, Msg, Address string }
		if json.Unmarshal(sc.Bytes(), &line) != nil || line.Level != "INFO" {
			s.last = sc.Text() // why it ends, or a panic
		}
		switch line.Msg {
		case "recovered":
			_ = json.Unmarshal(sc.Bytes(), &s.Recovered) // its numbers are held against others
		case "journal: torn end cut":
			s.Cut = true
		case "serving profiles":
			s.Debug = line.Address
		case "serving":
			s.Addr = line.Address
			close(serving)
		}
	}
}

// Pid is the process's number.
func (s *Server) Pid() int { return s.cmd.Process.Pid }

// Ready reports whether the server trades.
func (s *Server) Ready() bool {
	asking := http.Client{Timeout: time.Second}
	res, err := asking.Get("http://" + s.Addr + "/ready")
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// WaitReady waits until the server trades, for patience at most.
func (s *Server) WaitReady(ctx context.Context, patience time.Duration) error {
	for end := time.Now().Add(patience); !s.Ready(); time.Sleep(time.Millisecond) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("the server is not ready within %v", patience)
		}
	}
	return nil
}

// Kill ends the server as a crash would. Its directory stays.
func (s *Server) Kill() error {
	if err := s.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-s.ended
	_ = s.wait() // it says that it was killed
	return nil
}

// Stop ends the server in order, and returns what was wrong about its end. Its directory
// stays.
func (s *Server) Stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	hung := time.AfterFunc(endPatience, func() { _ = s.cmd.Process.Kill() }) // told by wait
	defer hung.Stop()
	<-s.ended
	if err := s.wait(); err != nil {
		return fmt.Errorf("the server's end: %w: %s", err, s.last)
	}
	return nil
}

// Close ends the server if it runs, and removes its directory.
func (s *Server) Close() {
	_ = s.Stop() // what it held is not looked at any more
	_ = os.RemoveAll(s.Dir)
}
