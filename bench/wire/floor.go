package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/valyala/fasthttp"
)

// echoFloor is what the machine itself needs: a bare TCP echo on loopback of
// messages of the same size, at the same schedule. Two hops, as from venue to
// client by way of a server.
func echoFloor(ctx context.Context, s schedule, size int) (latencies, int, error) {
	lat := newLatencies()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return lat, 0, err
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
		return lat, 0, err
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
			lat.record(time.Since(s.due(i)))
		}
		received <- nil
	}()
	msg := make([]byte, size)
	if err := s.run(ctx, func(int) error { _, err := c.Write(msg); return err }); err != nil {
		return lat, 0, err
	}
	select {
	case err := <-received:
		return lat, s.n, err
	case <-time.After(30 * time.Second):
		return lat, 0, errors.New("echo: answers missing after 30 s")
	}
}

// httpFloor answers every POST with a body of the size of an order's answer: what
// fasthttp itself costs.
func httpFloor(body []byte) (url string, stop func(), err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	srv := &fasthttp.Server{Handler: func(c *fasthttp.RequestCtx) {
		c.SetStatusCode(fasthttp.StatusCreated)
		c.SetContentType("application/json")
		_, _ = c.Write(body)
	}}
	go func() { _ = srv.Serve(ln) }()
	return fmt.Sprintf("http://%s/", ln.Addr()), func() { _ = srv.Shutdown() }, nil
}
