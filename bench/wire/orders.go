package main

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// postAll sends s.n POSTs on conns keep-alive connections, event i on connection
// i modulo conns, and returns the latencies of those answered 201.
func postAll(ctx context.Context, s schedule, url string, conns int, body func(i int, dst []byte) []byte) (*measured, error) {
	client := &fasthttp.Client{
		MaxConnsPerHost: conns, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
		Dial: func(addr string) (net.Conn, error) { return net.DialTimeout("tcp", addr, 5*time.Second) },
	}
	defer client.CloseIdleConnections()

	queues := make([]chan int, conns)
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		all    = s.measured()
		bad    atomic.Pointer[error]
		worker = func(queue <-chan int) {
			defer wg.Done()
			own := s.measured()
			req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
			defer fasthttp.ReleaseRequest(req)
			defer fasthttp.ReleaseResponse(resp)
			req.SetRequestURI(url)
			req.Header.SetMethod(fasthttp.MethodPost)
			req.Header.SetContentType("application/json")
			var buf []byte
			for i := range queue {
				buf = body(i, buf[:0])
				req.SetBodyRaw(buf)
				err := client.Do(req, resp)
				if err == nil && resp.StatusCode() != fasthttp.StatusCreated {
					err = fmt.Errorf("order %d: %d %s", i, resp.StatusCode(), resp.Body())
				}
				if err != nil {
					bad.CompareAndSwap(nil, &err)
					continue
				}
				own.record(i, time.Since(s.due(i)))
			}
			mu.Lock()
			defer mu.Unlock()
			all.merge(own)
		}
	)
	for c := range queues {
		queues[c] = make(chan int, s.n/conns+1) // never blocks the schedule
		wg.Add(1)
		go worker(queues[c])
	}
	err := s.run(ctx, func(i int) error { queues[i%conns] <- i; return nil })
	for _, q := range queues {
		close(q)
	}
	wg.Wait()
	if err == nil {
		if p := bad.Load(); p != nil {
			err = *p
		}
	}
	return all, err
}
