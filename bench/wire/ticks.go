package main

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"qcat/api/client"
	"qcat/bench/process"
)

const channel = "bbo:binance-usdm:BTCUSDT"

// tickFeed are the arguments of a server that follows v.
func tickFeed(v *venue) []string {
	return []string{"--feed", "binance-usdm:BTCUSDT", "--binance-usdm-ws-url", "ws://" + v.addr(), "--binance-usdm-rest-url", "http://" + v.addr()}
}

// tickToClient measures from when a quote is due at the venue to when a client's
// handler has it: venue socket → decode → book → ring → encode → client socket.
func tickToClient(ctx context.Context, binary string, rate, clients int, length time.Duration) (*measured, error) {
	v, err := newVenue()
	if err != nil {
		return nil, err
	}
	defer v.close()
	p, err := process.Start(ctx, process.Options{Binary: binary, Args: tickFeed(v)})
	if err != nil {
		return nil, err
	}
	defer p.Close()
	t, err := watchTicks(ctx, v, p.Addr, clients)
	if err != nil {
		return nil, err
	}
	defer t.close()
	return t.measure(ctx, newSchedule(rate, length))
}

// tickBed is a venue whose server follows it, and clients that watch.
type tickBed struct {
	venue     *venue
	start     atomic.Pointer[schedule]
	receivers []*receiver
	conns     []*client.Conn
}

// watchTicks waits until the server at addr follows v, and connects clients.
func watchTicks(ctx context.Context, v *venue, addr string, clients int) (t *tickBed, err error) {
	if err := v.await(10 * time.Second); err != nil {
		return nil, err
	}
	t = &tickBed{venue: v}
	defer func() {
		if err != nil {
			t.close()
		}
	}()
	for range clients {
		conn, err := client.Dial(ctx, addr, client.Options{})
		if err != nil {
			return nil, err
		}
		r := &receiver{start: &t.start}
		t.conns, t.receivers = append(t.conns, conn), append(t.receivers, r)
		if err := conn.Subscribe(ctx, client.Sub{Channel: channel, Handle: r.handle}); err != nil {
			return nil, err
		}
	}
	return t, warmUp(v, t.receivers[0])
}

// close disconnects the clients.
func (t *tickBed) close() {
	for _, c := range t.conns {
		_ = c.Close() // measured already
	}
}

// measure sends s.n quotes and returns when every client has the last one.
func (t *tickBed) measure(ctx context.Context, s schedule) (*measured, error) {
	for _, r := range t.receivers {
		r.lat = s.measured()
	}
	t.start.Store(&s)
	var buf []byte
	err := s.run(ctx, func(i int) error {
		var err error
		buf, err = t.venue.tick(buf, i)
		return err
	})
	if err != nil {
		return nil, err
	}
	all := s.measured()
	for _, r := range t.receivers {
		if err := r.await(s.n, 10*time.Second); err != nil {
			return nil, err
		}
		all.merge(r.lat)
	}
	return all, nil
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
	lat   *measured // connection's goroutine, until last is reached
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
				r.lat.record(int(n-1), now.Sub(s.due(int(n-1))))
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
