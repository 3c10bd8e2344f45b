package postgres_test

import (
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// proxy stands between a store and its server and does to connections what networks do. It
// follows the protocol message by message, so that a fault hits the one it is meant for.
type proxy struct {
	t      testing.TB
	target string
	l      net.Listener

	mu    sync.Mutex
	fault func(m message) action
	conns map[net.Conn]struct{}
	done  sync.WaitGroup
}

// message is one message of the wire protocol; startup has type 0.
type message struct {
	fromClient bool
	kind       byte
	body       []byte
}

// action is what becomes of a message, and of its connection from there on.
type action int

const (
	pass    action = iota
	cut            // both ends are reset before the message is delivered
	swallow        // the message vanishes
	stall          // it and all that follow on this connection vanish; the ends stay open
)

func newProxy(t testing.TB, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{t: t, target: target, l: l, conns: map[net.Conn]struct{}{}}
	p.done.Go(p.accept)
	t.Cleanup(func() {
		l.Close()
		p.mu.Lock()
		for c := range p.conns {
			c.Close()
		}
		p.mu.Unlock()
		p.done.Wait()
	})
	return p
}

// through returns the proxy's URL for the database that u is.
func through(t testing.TB, u string) (*proxy, string) {
	t.Helper()
	parsed, err := url.Parse(u)
	if err != nil {
		t.Fatal("the database's URL is none")
	}
	p := newProxy(t, parsed.Host)
	parsed.Host = p.l.Addr().String()
	q := parsed.Query()
	q.Set("sslmode", "disable") // or there would be no messages to follow
	parsed.RawQuery = q.Encode()
	return p, parsed.String()
}

// set makes f decide about every message from now on; nil lets all pass.
func (p *proxy) set(f func(message) action) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
}

// decide serialises the faults of all connections.
func (p *proxy) decide(m message) action {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault == nil {
		return pass
	}
	return p.fault(m)
}

func (p *proxy) accept() {
	for {
		client, err := p.l.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		p.conns[client], p.conns[server] = struct{}{}, struct{}{}
		p.mu.Unlock()
		p.done.Go(func() { p.carry(client, server, true) })
		p.done.Go(func() { p.carry(server, client, false) })
	}
}

// carry takes messages from one end to the other until either is gone. A stalled
// connection is read on, as by a kernel whose network swallows the rest.
func (p *proxy) carry(from, to net.Conn, fromClient bool) {
	stalled := false
	for first := fromClient; ; first = false {
		raw, m, err := readMessage(from, first)
		if err != nil {
			if !stalled {
				from.Close()
				to.Close()
			}
			return
		}
		m.fromClient = fromClient
		if stalled {
			continue
		}
		switch p.decide(m) {
		case cut:
			reset(from)
			reset(to)
			return
		case stall:
			stalled = true
		case swallow:
		case pass:
			if _, err := to.Write(raw); err != nil {
				from.Close()
				return
			}
		}
	}
}

func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	c.Close()
}

// readMessage reads one message: a type unless it is the first, a length, a body.
func readMessage(r io.Reader, startup bool) (raw []byte, m message, err error) {
	head := 5
	if startup {
		head = 4
	}
	raw = make([]byte, head)
	if _, err = io.ReadFull(r, raw); err != nil {
		return nil, m, err
	}
	n := int(binary.BigEndian.Uint32(raw[head-4:]))
	raw = append(raw, make([]byte, n-4)...)
	if _, err = io.ReadFull(r, raw[head:]); err != nil {
		return nil, m, err
	}
	if !startup {
		m.kind = raw[0]
	}
	m.body = raw[head:]
	return raw, m, nil
}
