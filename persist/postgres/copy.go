package postgres

import (
	"errors"
	"io"
	"sync"
)

// copyHeader begins COPY's binary format: signature, flags, length of an extension.
const copyHeader = "PGCOPY\n\xff\r\n\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00"

// copyReader is rows as COPY's binary format, encoded into the reader's caller's buffer
// as it asks for them: between a row and the socket it is written once.
//
// pgx reads in a goroutine of its own, which it does not wait for when the connection fails:
// that one may ask once more after CopyFrom has returned. stop ends the reader's hold on the
// rows and the encoder, which are the caller's again.
type copyReader[R any] struct {
	mu      sync.Mutex // between Read and stop
	stopped bool

	t    *table[R]
	e    *encoder
	rows []R

	rest  []byte // encoded, but without room in the caller's buffer
	spare []byte // rest's memory
	begun bool
	ended bool
}

// maxRow is the room in a buffer that makes it worth encoding another row there. Longer
// rows are cut, at the cost of a copy.
const maxRow = 1 << 10

// Read fills p with whole rows, as many as fit. The error of an encoding ends the COPY.
func (c *copyReader[R]) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return 0, errStopped
	}
	if len(c.rest) > 0 {
		n := copy(p, c.rest)
		c.rest = c.rest[n:]
		return n, nil
	}
	if c.ended {
		return 0, io.EOF
	}
	c.e.b = p[:0:len(p)]
	if !c.begun {
		c.begun = true
		c.e.b = append(c.e.b, copyHeader...)
	}
	for len(c.rows) > 0 && (len(c.e.b) == 0 || len(p)-len(c.e.b) >= maxRow) {
		c.t.appendRow(c.e, &c.rows[0])
		c.rows = c.rows[1:]
	}
	if c.e.err != nil {
		return 0, c.e.err
	}
	if len(c.rows) == 0 && !c.ended {
		c.ended = true
		c.e.b = append(c.e.b, 0xff, 0xff)
	}
	return c.deliver(p), nil
}

var errStopped = errors.New("postgres: the copy is over")

// stop returns when no Read is under way, and lets none touch the rows from then on.
func (c *copyReader[R]) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
}

// deliver hands out what was encoded: it stands in p already, unless it outgrew it.
func (c *copyReader[R]) deliver(p []byte) int {
	b := c.e.b
	c.e.b = nil
	if len(b) <= len(p) {
		if len(b) > 0 && &b[0] != &p[0] {
			copy(p, b)
		}
		return len(b)
	}
	n := copy(p, b)
	c.spare = append(c.spare[:0], b[n:]...)
	c.rest = c.spare
	return n
}
