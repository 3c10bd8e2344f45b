package main

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"qcat/api/client"
)

const channel = "bbo:binance-usdm:BTCUSDT"

// tickToClient measures from when a quote is due at the venue to when a client's
// handler has it: venue socket → decode → book → ring → encode → client socket.
func tickToClient(ctx context.Context, binary string, rate, clients int, length time.Duration) (latencies, int, error) {
	lat := newLatencies()
	v, err := newVenue()
	if err != nil {
		return lat, 0, err
	}
	defer v.close()
	p, err := startServer(binary, "--feed", "binance-usdm:BTCUSDT",
		"--binance-usdm-ws-url", "ws://"+v.addr(), "--binance-usdm-rest-url", "http://"+v.addr())
	if err != nil {
		return lat, 0, err
	}
	defer p.stop()
	if err := v.await(10 * time.Second); err != nil {
		return lat, 0, err
	}

	var start atomic.Pointer[schedule]
	receivers := make([]*receiver, clients)
	for c := range receivers {
		r := &receiver{start: &start, lat: newLatencies()}
		receivers[c] = r
		conn, err := client.Dial(ctx, p.addr, client.Options{})
		if err != nil {
			return lat, 0, err
		}
		defer conn.Close()
		if err := conn.Subscribe(ctx, client.Sub{Channel: channel, Handle: r.handle}); err != nil {
			return lat, 0, err
		}
	}
	if err := warmUp(v, receivers[0]); err != nil {
		return lat, 0, err
	}

	s := newSchedule(rate, length)
	start.Store(&s)
	var buf []byte
	err = s.run(ctx, func(i int) error {
		var err error
		buf, err = v.tick(buf, i)
		return err
	})
	if err != nil {
		return lat, 0, err
	}
	delivered := 0
	for _, r := range receivers {
		if err := r.await(s.n, 10*time.Second); err != nil {
			return lat, 0, err
		}
		lat.h.Merge(r.lat.h)
		delivered += int(r.lat.h.TotalCount())
	}
	return lat, delivered, nil
}

// warmUp sends depth until the client sees a quote of a live book.
func warmUp(v *venue, r *receiver) error {
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); {
		if err := v.depth(); err != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
		if r.live.Load() {
			return nil
		}
	}
	return fmt.Errorf("the book did not become live within 15 s")
}

// receiver is one client's side.
type receiver struct {
	start *atomic.Pointer[schedule]
	lat   latencies // connection's goroutine, until last is reached
	live  atomic.Bool
	last  atomic.Int64 // number of the last quote, from 1
}

// handle takes the receive time first; it finds the quote's number in its bid
// quantity without decoding the rest.
func (r *receiver) handle(m *client.Message) {
	now := time.Now()
	data := string(m.Data)
	if !strings.Contains(data, `"stale":true`) {
		r.live.Store(true)
	}
	s := r.start.Load()
	if s == nil {
		return
	}
	_, after, ok := strings.Cut(data, `"bq":"`)
	if !ok {
		return
	}
	n := int64(0)
	for i := range len(after) {
		switch c := after[i]; {
		case c == '"':
			if n > r.last.Load() {
				r.lat.record(now.Sub(s.due(int(n - 1))))
				r.last.Store(n)
			}
			return
		case c != '.':
			n = n*10 + int64(c-'0')
		}
	}
}

// await waits until the last quote has come.
func (r *receiver) await(n int, timeout time.Duration) error {
	for end := time.Now().Add(timeout); r.last.Load() < int64(n); {
		if time.Now().After(end) {
			return fmt.Errorf("client: last quote was %d of %d", r.last.Load(), n)
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}
