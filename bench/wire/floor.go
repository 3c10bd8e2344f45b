package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/sys/unix"
)

// echoFloor is what the machine itself needs: a bare TCP echo on loopback of
// messages of the same size, at the same schedule. Two hops, as from venue to
// client by way of a server.
func echoFloor(ctx context.Context, s schedule, size int) (*measured, error) {
	lat := s.measured()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer ln.Close()
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = io.Copy(struct{ io.Writer }{c}, struct{ io.Reader }{c}) // through user space, as a server would
	}()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		return nil, err
	}
	defer c.Close()

	received := make(chan error, 1)
	go func() {
		buf := make([]byte, size)
		for i := range s.n {
			if _, err := io.ReadFull(c, buf); err != nil {
				received <- err
				return
			}
			lat.record(i, time.Since(s.due(i)))
		}
		received <- nil
	}()
	msg := make([]byte, size)
	if err := s.run(ctx, func(int) error { _, err := c.Write(msg); return err }); err != nil {
		return nil, err
	}
	select {
	case err := <-received:
		return lat, err
	case <-time.After(30 * time.Second):
		return nil, errors.New("echo: answers missing after 30 s")
	}
}

// syncFloor is what the disk itself needs: every event appends size bytes to a file
// in dir that was filled ahead, and waits for the fdatasync of a group commit. One
// goroutine takes all that wait, writes them at once, and syncs; nothing else is
// done.
func syncFloor(ctx context.Context, s schedule, dir string, size int) (*measured, error) {
	lat, _, err := commitAll(ctx, s, dir, size)
	return lat, err
}

// commitAll is syncFloor that also tells how long the schedule took.
func commitAll(ctx context.Context, s schedule, dir string, size int) (lat *measured, span time.Duration, err error) {
	f, err := filledFile(dir, s.n*size)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	s.start = time.Now().Add(50 * time.Millisecond)
	waiting, done := make(chan int, s.n), make(chan error, 1)
	lat = s.measured()
	go func() { done <- commitGroups(f, s, size, waiting, lat) }()
	err = s.run(ctx, func(i int) error { waiting <- i; return nil })
	close(waiting)
	err = errors.Join(err, <-done)
	return lat, time.Since(s.start), err
}

// commitGroups writes and syncs what waits, in groups as they come, until waiting is
// closed.
func commitGroups(f *os.File, s schedule, size int, waiting <-chan int, lat *measured) error {
	off, group := int64(0), make([]int, 0, 1024)
	block := make([]byte, cap(group)*size)
	for first := range waiting {
		group = append(group[:0], first)
		for len(group) < cap(group) && len(waiting) > 0 {
			group = append(group, <-waiting)
		}
		n, err := f.WriteAt(block[:len(group)*size], off)
		if err == nil {
			err = unix.Fdatasync(int(f.Fd()))
		}
		if err != nil {
			return err
		}
		off += int64(n)
		for _, i := range group {
			lat.record(i, time.Since(s.due(i)))
		}
	}
	return nil
}

// httpFloor answers every POST with a body of the size of an order's answer: what
// fasthttp itself costs.
func httpFloor(body []byte) (url string, stop func(), err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	srv := &fasthttp.Server{Handler: answerAll(body)}
	go func() { _ = srv.Serve(ln) }()
	return fmt.Sprintf("http://%s/", ln.Addr()), func() { _ = srv.Shutdown() }, nil
}

// answerAll answers every request with body.
func answerAll(body []byte) fasthttp.RequestHandler {
	return func(c *fasthttp.RequestCtx) {
		c.SetStatusCode(fasthttp.StatusCreated)
		c.SetContentType("application/json")
		_, _ = c.Write(body)
	}
}
