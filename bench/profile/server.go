package main

import (
	"bufio"
	"context"
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

// process is a demo of its own, on ports and a data directory of its own.
type process struct {
	cmd         *exec.Cmd
	dir         string
	addr, debug string
	ended       chan struct{} // its log has ended
}

// patience is how long a start and a stop may take.
const patience = 30 * time.Second

// serviceVariables name stores that the demo is not to use.
var serviceVariables = []string{"DATABASE_URL", "QCAT_DATABASE_URL", "REDIS_URL", "QCAT_REDIS_URL", "DB_HOST", "REDIS_HOST"}

// startServer starts the demo and waits until it serves. What goroutines wait for is
// recorded only for a profile of that.
func startServer(ctx context.Context, binary, kind string) (*process, error) {
	dir, err := os.MkdirTemp("", "qcat-profile-")
	if err != nil {
		return nil, err
	}
	args := []string{"serve", "--demo", "--listen", "127.0.0.1:0", "--debug-listen", "127.0.0.1:0", "--data-dir", dir,
		"--log-format", "json", "--sim-rate", "2000"}
	switch kind {
	case "block":
		args = append(args, "--block-profile", "10us")
	case "mutex":
		args = append(args, "--mutex-profile", "10")
	}
	p := &process{cmd: exec.Command(binary, args...), dir: dir, ended: make(chan struct{})}
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
	serving := make(chan error, 1)
	go p.read(stderr, serving)
	select {
	case err = <-serving:
	case <-ctx.Done():
		err = ctx.Err()
	case <-time.After(patience):
		err = fmt.Errorf("%s did not serve within %v", binary, patience)
	}
	if err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// read follows the log: the addresses are told in it.
func (p *process) read(log io.Reader, serving chan<- error) {
	defer close(p.ended)
	last := ""
	for sc := bufio.NewScanner(log); sc.Scan(); {
		var line struct{ Msg, Address string }
		last = sc.Text()
		if json.Unmarshal(sc.Bytes(), &line) != nil {
			continue
		}
		switch line.Msg {
		case "serving profiles":
			p.debug = line.Address
		case "serving":
			p.addr = line.Address
			serving <- nil
		}
	}
	if p.addr == "" {
		serving <- fmt.Errorf("the server ended: %s", last)
	}
}

// stop ends the server and removes what it has kept.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	late := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	<-p.ended
	_ = p.cmd.Wait() // its log has told what there was to tell
	late.Stop()
	_ = os.RemoveAll(p.dir) // a temporary folder
}
