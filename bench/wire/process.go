package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// process is the server under test.
type process struct {
	cmd  *exec.Cmd
	addr string
	dir  string
}

// startServer starts binary with args on a port of its own and waits until it
// serves.
func startServer(binary string, args ...string) (*process, error) {
	dir, err := os.MkdirTemp("", "qcat-bench-")
	if err != nil {
		return nil, err
	}
	args = append([]string{"serve", "--listen", "127.0.0.1:0", "--data-dir", dir, "--log-format", "json"}, args...)
	p := &process{cmd: exec.Command(binary, args...), dir: dir}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	addr := make(chan string, 1)
	said := make(chan string, 1)
	go readAddress(stderr, addr, said)
	select {
	case p.addr = <-addr:
		return p, nil
	case text := <-said:
		p.stop()
		return nil, fmt.Errorf("%s ended: %s", binary, text)
	case <-time.After(30 * time.Second):
		p.stop()
		return nil, fmt.Errorf("%s did not serve within 30 s", binary)
	}
}

// readAddress looks for the log line that names the address, and reads on so
// that the server never waits for its log. When the server ends it sends the last
// line it said.
func readAddress(r io.Reader, addr, said chan<- string) {
	last := ""
	for sc := bufio.NewScanner(r); sc.Scan(); {
		last = sc.Text()
		var line struct{ Msg, Address string }
		if json.Unmarshal(sc.Bytes(), &line) == nil && line.Msg == "serving" {
			addr <- line.Address
		}
	}
	said <- last
}

// stop ends the server and removes its directory.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	_ = p.cmd.Wait()
	_ = os.RemoveAll(p.dir)
}
