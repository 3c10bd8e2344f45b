package fanout

import (
	"errors"
	"net"
	"sync"
)

// loop is no server at all: one goroutine that writes every frame, or so many frames
// at once, to one connection after the other. It is what system calls alone take.
type loop struct {
	ln      net.Listener
	m       *messages
	opened  chan net.Conn
	conns   []net.Conn
	clients int
	at      int // frames a write
	held    int
	pending []byte
	buf     []byte
	serving sync.WaitGroup
}

func startLoop(frames int) func(*messages, int) (server, error) {
	return func(m *messages, clients int) (server, error) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		s := &loop{ln: ln, m: m, opened: make(chan net.Conn, clients), clients: clients, at: frames}
		s.serving.Go(func() {
			for {
				nc, err := ln.Accept()
				if err != nil {
					return // closed
				}
				s.opened <- nc
			}
		})
		return s, nil
	}
}

func (s *loop) addr() string { return s.ln.Addr().String() }

func (s *loop) handshake() (request, end string) { return "", "" }

func (s *loop) ready() (err error) {
	s.conns, err = gather(s.opened, s.clients)
	return err
}

func (s *loop) publish(i int) error {
	s.pending = append(s.pending, s.m.frame(&s.buf, i)...)
	if s.held++; s.held < s.at {
		return nil
	}
	return s.flush()
}

func (s *loop) flush() (err error) {
	if s.held == 0 {
		return nil
	}
	for _, nc := range s.conns {
		if _, e := nc.Write(s.pending); e != nil {
			err = errors.Join(err, e)
		}
	}
	s.held, s.pending = 0, s.pending[:0]
	return err
}

func (s *loop) close() error {
	err := s.ln.Close()
	s.serving.Wait()
	for _, nc := range s.conns {
		err = errors.Join(err, nc.Close())
	}
	return err
}
