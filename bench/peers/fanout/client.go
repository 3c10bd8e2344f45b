package fanout

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"
)

// readSize is how much a client reads at once at most.
const readSize = 32 << 10

// client reads what a server sends it, and hashes it.
type client struct {
	nc     net.Conn
	digest *xxhash.Digest
	done   chan struct{}
	_      [64]byte
	read   atomic.Uint64 // bytes; the publisher looks at it
	_      [64]byte
}

// dial connects and says what s wants to hear.
func dial(s server) (*client, error) {
	nc, err := net.DialTimeout("tcp", s.addr(), 10*time.Second)
	if err != nil {
		return nil, err
	}
	c := &client{nc: nc, digest: xxhash.New(), done: make(chan struct{})}
	request, end := s.handshake()
	if _, err := nc.Write([]byte(request)); err != nil {
		return nil, errors.Join(err, nc.Close())
	}
	if err := c.skip(end); err != nil {
		return nil, errors.Join(err, nc.Close())
	}
	go c.run()
	return c, nil
}

// skip reads up to and including end, byte by byte: what follows are messages.
func (c *client) skip(end string) error {
	if end == "" {
		return nil
	}
	var got []byte
	var b [1]byte
	for !bytes.HasSuffix(got, []byte(end)) {
		if _, err := c.nc.Read(b[:]); err != nil {
			return fmt.Errorf("handshake: %w after %q", err, got)
		}
		got = append(got, b[0])
	}
	return nil
}

func (c *client) run() {
	defer close(c.done)
	buf := make([]byte, readSize)
	for {
		n, err := c.nc.Read(buf)
		_, _ = c.digest.Write(buf[:n]) // never fails
		c.read.Add(uint64(n))
		if err != nil {
			return // closed; what is missing shows in the count
		}
	}
}

// close ends the connection and returns the hash of what was read.
func (c *client) close() uint64 {
	c.nc.Close()
	<-c.done
	return c.digest.Sum64()
}

// handshake is a WebSocket request, which ends a server's answer with an empty line.
const handshake = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
