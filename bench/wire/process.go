package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// process is the server under test.
type process struct {
	cmd       *exec.Cmd
	addr      string
	dir       string
	recovered recovered
	ended     chan string // the last line it said, once its log has ended
}

// recovered is the log line of a recovery.
type recovered struct {
	JournalSeq  uint64 `json:"journal_seq"`
	SnapshotSeq uint64 `json:"snapshot_seq"`
	Replayed    uint64 `json:"replayed"`
	StateHash   string `json:"state_hash"`
}

// startPatience is how long a server without a past may take to serve.
const startPatience = 30 * time.Second

// startServer starts binary with args on a port and a data directory of its own and
// waits until it serves.
func startServer(binary string, args ...string) (*process, error) {
	dir, err := os.MkdirTemp("", "qcat-bench-")
	if err != nil {
		return nil, err
	}
	return startIn(binary, dir, startPatience, args...)
}

// startIn is startServer on a data directory that is there. It is removed when the
// server is stopped, or does not start.
func startIn(binary, dir string, patience time.Duration, args ...string) (*process, error) {
	args = append([]string{"serve", "--demo", "--listen", "127.0.0.1:0", "--data-dir", dir, "--log-format", "json"}, args...)
	p := &process{cmd: exec.Command(binary, args...), dir: dir, ended: make(chan string, 1)}
	// What is not asked for is not used.
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); !slices.Contains(serviceVariables, name) {
			p.cmd.Env = append(p.cmd.Env, v)
		}
	}
	stderr, err := p.cmd.StderrPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	serving := make(chan string, 1)
	go p.read(stderr, serving)
	select {
	case p.addr = <-serving:
		return p, nil
	case text := <-p.ended:
		err = fmt.Errorf("%s ended: %s", binary, text)
		p.ended <- text
	case <-time.After(patience):
		err = fmt.Errorf("%s did not serve within %v", binary, patience)
	}
	p.stop()
	return nil, err
}

// serviceVariables name stores to a server.
var serviceVariables = []string{"DATABASE_URL", "QCAT_DATABASE_URL", "REDIS_URL", "QCAT_REDIS_URL", "DB_HOST", "REDIS_HOST"}

// read takes the address and the recovery out of the log, and reads on so that the
// server never waits for its log.
func (p *process) read(r io.Reader, serving chan<- string) {
	last := ""
	for sc := bufio.NewScanner(r); sc.Scan(); {
		last = sc.Text()
		var line struct{ Msg, Address string }
		switch _ = json.Unmarshal(sc.Bytes(), &line); line.Msg {
		case "recovered":
			_ = json.Unmarshal(sc.Bytes(), &p.recovered) // its numbers are checked
		case "serving":
			serving <- line.Address
		}
	}
	p.ended <- last
}

// kill ends the server as a crash would, and keeps its directory.
func (p *process) kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL)
	p.ended <- <-p.ended
	_ = p.cmd.Wait() // it says that it was killed
}

// endPatience is how long a server may take to stop before it is killed.
const endPatience = 5 * time.Minute

// finish ends the server in order, and keeps its directory.
func (p *process) finish() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	hung := time.AfterFunc(endPatience, func() { _ = p.cmd.Process.Kill() }) // told by Wait
	defer hung.Stop()
	last := <-p.ended
	p.ended <- last
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("the server's end: %w: %s", err, last)
	}
	return nil
}

// stop ends the server if it runs, and removes its directory.
func (p *process) stop() {
	_ = p.finish() // what it held is not looked at any more
	_ = os.RemoveAll(p.dir)
}
