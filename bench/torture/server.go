package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"qcat/api/client"
)

// startPatience is how long a start may take.
const startPatience = time.Minute

// server is one life of the binary.
type server struct {
	cmd          *exec.Cmd
	addr         string
	took         time.Duration // until it was ready
	fromSnapshot bool
	cut          bool
	ended        chan struct{} // its log has ended
}

// logLine is what matters of a line of the server's log.
type logLine struct {
	Level, Msg, Address string
	SnapshotSeq         uint64 `json:"snapshot_seq"`
}

// serviceVariables name other stores to a server.
var serviceVariables = []string{"DATABASE_URL", "QCAT_DATABASE_URL", "REDIS_URL", "QCAT_REDIS_URL", "DB_HOST", "REDIS_HOST"}

// start starts the binary on the run's data directory and waits until it trades.
func (r *run) start(more ...string) (*server, error) {
	args := append([]string{"serve", "--demo", "--listen", "127.0.0.1:0", "--data-dir", r.dir, "--log-format", "json",
		"--journal-sync", r.sync, "--snapshot-records", "3000", "--snapshot-interval", "1h", "--journal-segment", "4MiB", "--journal-buffer", "1MiB", "--no-cancel-on-shutdown"}, more...)
	s := &server{cmd: exec.Command(r.binary, args...), ended: make(chan struct{})}
	// The embedded store is what is tortured, also where there are servers.
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); !slices.Contains(serviceVariables, name) {
			s.cmd.Env = append(s.cmd.Env, v)
		}
	}
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	serving, last := make(chan string, 1), make(chan string, 1)
	go s.read(stderr, serving, last)
	select {
	case s.addr = <-serving:
	case text := <-last:
		return nil, errors.Join(fmt.Errorf("the server ended: %s", text), s.cmd.Wait())
	case <-time.After(startPatience):
		return nil, errors.Join(fmt.Errorf("the server does not start within %v", startPatience), s.kill())
	}
	for !s.ready() {
		if time.Since(began) > startPatience {
			return nil, errors.Join(fmt.Errorf("the server is not ready within %v", startPatience), s.kill())
		}
		time.Sleep(5 * time.Millisecond)
	}
	s.took = time.Since(began)
	return s, nil
}

func (s *server) read(r io.Reader, serving, last chan<- string) {
	defer close(s.ended)
	text := ""
	for sc := bufio.NewScanner(r); sc.Scan(); {
		var line logLine
		if json.Unmarshal(sc.Bytes(), &line) != nil {
			text = sc.Text() // why it ends, or a panic
			continue
		}
		if line.Level != "INFO" {
			text = sc.Text()
		}
		switch line.Msg {
		case "serving":
			serving <- line.Address
		case "recovered":
			s.fromSnapshot = line.SnapshotSeq > 0
		case "journal: torn end cut":
			s.cut = true
		}
	}
	last <- text
}

func (s *server) ready() bool {
	asking := http.Client{Timeout: time.Second}
	res, err := asking.Get("http://" + s.addr + "/ready")
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// kill ends the process as a crash would.
func (s *server) kill() error {
	if err := s.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-s.ended
	_ = s.cmd.Wait() // it says that it was killed
	return nil
}

// stop ends the process in order.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	<-s.ended
	return s.cmd.Wait()
}

// lost reports whether an answer was no answer of the server's.
func lost(err error) bool {
	var refused *client.Refusal
	return err != nil && !errors.As(err, &refused)
}
