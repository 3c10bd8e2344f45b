package fanout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"qcat/api/hub"
	"qcat/core"
	"qcat/core/market"
	"qcat/ringbuf"
)

// hubServer is QCAT from the lane's ring on: ring, market goroutine, encoding, pending
// buffers, writers. Its connections are accepted bare; what a handshake makes of one
// is the same from there on.
type hubServer struct {
	ln     net.Listener
	m      *messages
	hub    *hub.Hub
	ring   *ringbuf.Broadcast[core.Event]
	cancel context.CancelFunc

	serving sync.WaitGroup // acceptor, readers and the hub itself
	failed  chan error
}

// subscribed is what a client reads before the first message.
const subscribed = `{"subscribed":true}`

func startHub(m *messages, clients int) (server, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &hubServer{ln: ln, m: m, ring: ringbuf.NewBroadcast[core.Event](1 << 16), failed: make(chan error, clients+1)}
	s.hub = hub.New(hub.Config{Directory: m.dir, PingEvery: time.Hour, IdleTimeout: 2 * time.Hour,
		Sources: []market.Source{{Ring: s.ring, RequestSnapshot: func(core.InstrumentID) {}}}})
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.serving.Go(func() { s.hub.Run(ctx) })
	s.serving.Go(s.accept)
	return s, nil
}

func (s *hubServer) accept() {
	for {
		nc, err := s.ln.Accept()
		if err != nil {
			return // closed
		}
		conn, err := s.hub.Attach(nc)
		if err != nil {
			s.failed <- errors.Join(err, nc.Close())
			return
		}
		s.serving.Go(func() {
			_, _ = io.Copy(io.Discard, nc) // clients say nothing
			conn.Close()
		})
		err = conn.Subscribe([]hub.Channel{{Kind: hub.BBO, Instrument: s.m.in.ID}}, hub.From{},
			func(bool) []byte { return hub.EndFrame(append(hub.BeginFrame(nil), subscribed...), hub.OpText) })
		if err != nil {
			s.failed <- err
			return
		}
	}
}

func (s *hubServer) addr() string { return s.ln.Addr().String() }

func (s *hubServer) handshake() (request, end string) { return "", subscribed }

// ready has nothing to wait for: who has read the answer is subscribed.
func (s *hubServer) ready() error {
	select {
	case err := <-s.failed:
		return err
	default:
		return nil
	}
}

func (s *hubServer) publish(i int) error {
	ev := s.m.event(i)
	s.ring.Publish(&ev)
	return nil
}

func (s *hubServer) flush() error { return nil }

func (s *hubServer) close() error {
	stats := s.hub.Stats()
	err := s.ln.Close()
	s.cancel()
	s.serving.Wait()
	if n := stats.Conflated + stats.Lost; n > 0 {
		err = errors.Join(err, fmt.Errorf("%d messages were conflated or lost: the publisher was too far ahead", n))
	}
	return err
}
