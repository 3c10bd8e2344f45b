package rest_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"
)

// connection is one that sends one request again and again and reads the
// answers' bytes: next to no work of a client is in the measurement.
type connection struct {
	t      testing.TB
	c      net.Conn
	r      *bufio.Reader
	answer []byte
}

func connect(t testing.TB, ln *fasthttputil.InmemoryListener) *connection {
	t.Helper()
	c, err := ln.Dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &connection{t: t, c: c, r: bufio.NewReaderSize(c, 16<<10)}
}

// exchange sends a request and returns the status line's code.
func (x *connection) exchange(request []byte) int {
	if _, err := x.c.Write(request); err != nil {
		x.t.Fatal(err)
	}
	status, length := 0, 0
	for {
		line, err := x.r.ReadSlice('\n')
		if err != nil {
			x.t.Fatal(err)
		}
		switch {
		case status == 0:
			status = number(line[len("HTTP/1.1 "):])
		case len(line) > 16 && line[8] == 'L' && line[0] == 'C': // Content-Length: n
			length = number(line[len("Content-Length: "):])
		}
		if len(line) <= 2 {
			break
		}
	}
	if cap(x.answer) < length {
		x.answer = make([]byte, length)
	}
	if _, err := io.ReadFull(x.r, x.answer[:length]); err != nil {
		x.t.Fatal(err)
	}
	return status
}

func number(b []byte) (n int) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return n
		}
		n = n*10 + int(c-'0')
	}
	return n
}

func post(path, body string) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: 127.0.0.1:8082\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
}

// BenchmarkOrder posts orders over sockets in memory, from 16 connections a
// processor: refused by the engine (so that the tables stay as they are), checked
// only, and, to be held against, a bare fasthttp handler that sends back as much.
func BenchmarkOrder(b *testing.B) {
	s := serve(b)
	refused := strings.Replace(limitOrder, "0.010", "100.001", 1)
	for _, c := range []struct {
		name   string
		ln     *fasthttputil.InmemoryListener
		body   []byte
		status int
	}{
		{"refused", s.ln, post(ordersPath, refused), 422},
		{"checked", s.ln, post(ordersPath+"/check", limitOrder), 200},
		{"misunderstood", s.ln, post(ordersPath, limitOrder+"x"), 400},
		{"bare", bare(b), post(ordersPath, limitOrder), 201},
	} {
		b.Run(c.name, func(b *testing.B) {
			var wrong atomic.Int64
			b.SetParallelism(16)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				x := connect(b, c.ln)
				for pb.Next() {
					if x.exchange(c.body) != c.status {
						wrong.Add(1)
					}
				}
			})
			if n := wrong.Load(); n > 0 {
				b.Errorf("%d answers were not %d", n, c.status)
			}
		})
	}
}

// bare serves answers of an order's size, and does nothing else.
func bare(b testing.TB) *fasthttputil.InmemoryListener {
	ln := fasthttputil.NewInmemoryListener()
	body := []byte(`{"order_id":1,` + strings.Repeat(" ", 400) + `}`)
	h := &fasthttp.Server{NoDefaultServerHeader: true, Handler: func(c *fasthttp.RequestCtx) {
		c.SetStatusCode(201)
		c.SetContentType("application/json")
		c.SetBody(body)
	}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = h.Serve(ln)
	}()
	b.Cleanup(func() {
		_ = h.Shutdown()
		<-done
	})
	return ln
}
