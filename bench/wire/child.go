package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"

	"github.com/valyala/fasthttp"
)

// A floor runs in a process of its own, as the server does: this program again, told
// by its environment what to be. It ends with its standard input.
const floorVariable = "QCAT_WIRE_FLOOR"

// floorProcess is a floor that runs.
type floorProcess struct {
	cmd  *exec.Cmd
	in   io.Closer
	addr string
}

// startFloor starts the floor of that name.
func startFloor(name string) (*floorProcess, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	f := &floorProcess{cmd: exec.Command(exe)}
	f.cmd.Env = append(os.Environ(), floorVariable+"="+name)
	f.cmd.Stderr = os.Stderr
	if f.in, err = f.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := f.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := f.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		f.stop()
		return nil, fmt.Errorf("floor %s: %w", name, err)
	}
	f.addr = strings.TrimSpace(line)
	return f, nil
}

// stop ends it.
func (f *floorProcess) stop() {
	_ = f.in.Close()
	_ = f.cmd.Wait() // it has no more to say
}

// beFloor is the floor that the environment asks for; ok is false when it asks for
// none.
func beFloor() (code int, ok bool) {
	name := os.Getenv(floorVariable)
	if name == "" {
		return 0, false
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		switch name {
		case "relay":
			go func() { _ = relay(ln) }() // told by the other side
		case "http":
			srv := &fasthttp.Server{Handler: answerAll(make([]byte, answerSize))}
			go func() { _ = srv.Serve(ln) }() // the same
		default:
			err = errors.New("no such floor")
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, name+":", err)
		return 1, true
	}
	fmt.Fprintln(os.Stdout, ln.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0, true
}

// What a connection to the relay says it is, and what the relay answers.
const (
	relaySource = 's'
	relaySink   = 'c'
	relayReady  = 'k'
)

// relay writes what comes from a source to every sink there is then: the bare loop of
// writes. There is one source at a time, and sinks come before it.
func relay(ln net.Listener) error {
	var sinks []net.Conn
	buf := make([]byte, 64<<10)
	for {
		c, err := ln.Accept()
		if err != nil {
			return err
		}
		role := []byte{0}
		if _, err := io.ReadFull(c, role); err != nil {
			continue
		}
		if _, err := c.Write([]byte{relayReady}); err != nil {
			continue
		}
		if role[0] == relaySink {
			sinks = append(sinks, c)
			continue
		}
		for {
			n, err := c.Read(buf)
			if err != nil {
				break
			}
			for _, s := range sinks {
				if _, err := s.Write(buf[:n]); err != nil {
					return err
				}
			}
		}
	}
}

// introduce tells the relay what s is.
func (s sock) introduce(role byte) error {
	if err := s.write([]byte{role}); err != nil {
		return err
	}
	answer := []byte{0}
	if _, err := s.read(answer); err != nil {
		return fmt.Errorf("relay: %w", err)
	}
	if answer[0] != relayReady {
		return fmt.Errorf("relay: it answered %q", answer)
	}
	return nil
}
