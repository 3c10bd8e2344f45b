package rest

import (
	"errors"
	"net"
	"os"
	"time"
)

// patientListener makes patient connections of those of TCP.
type patientListener struct{ net.Listener }

// Accept implements net.Listener.
func (l patientListener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if _, ok := nc.(*net.TCPConn); ok {
		return &patientConn{Conn: nc}, nil
	}
	return nc, nil
}

// patientConn is a connection whose deadlines are put off without telling the runtime's
// timers, as the HTTP server puts them off three times a request: a deadline that is
// later than the one that the socket has is only noted. When the socket's has passed,
// it is given the one that counts, and what was interrupted goes on. So a deadline is
// never missed, and moved about once in its own length.
//
// One goroutine reads, writes and sets deadlines; any may close. Keep-alives are on, as
// net.Listen has them.
type patientConn struct {
	net.Conn
	read, write deadline
}

// deadline is one of a connection's two.
type deadline struct {
	due time.Time // what was asked for
	set time.Time // what the socket has: not later than due, zero only if that is
}

// move notes t and reports whether the socket is to have it at once.
func (d *deadline) move(t time.Time) bool {
	d.due = t
	if !d.set.IsZero() && t.After(d.set) {
		return false
	}
	d.set = t
	return true
}

// early reports whether err comes of a deadline of the socket that has been put off.
// The socket is to have the one that counts then.
func (d *deadline) early(err error) bool {
	if !errors.Is(err, os.ErrDeadlineExceeded) || !d.due.After(d.set) {
		return false
	}
	d.set = d.due
	return true
}

// SetReadDeadline implements net.Conn.
func (c *patientConn) SetReadDeadline(t time.Time) error {
	if !c.read.move(t) {
		return nil
	}
	return c.Conn.SetReadDeadline(t)
}

// SetWriteDeadline implements net.Conn.
func (c *patientConn) SetWriteDeadline(t time.Time) error {
	if !c.write.move(t) {
		return nil
	}
	return c.Conn.SetWriteDeadline(t)
}

// SetDeadline implements net.Conn. The socket has it at once, and whoever takes the
// connection over from here on finds nothing put off.
func (c *patientConn) SetDeadline(t time.Time) error {
	c.read, c.write = deadline{t, t}, deadline{t, t}
	return c.Conn.SetDeadline(t)
}

// Read implements net.Conn.
func (c *patientConn) Read(b []byte) (n int, err error) {
	for {
		n, err = c.Conn.Read(b)
		if err == nil || n > 0 || !c.read.early(err) {
			return n, err
		}
		if err := c.Conn.SetReadDeadline(c.read.set); err != nil {
			return n, err
		}
	}
}

// Write implements net.Conn.
func (c *patientConn) Write(b []byte) (n int, err error) {
	for {
		m, err := c.Conn.Write(b[n:])
		n += m
		if err == nil || !c.write.early(err) {
			return n, err
		}
		if err := c.Conn.SetWriteDeadline(c.write.set); err != nil {
			return n, err
		}
	}
}

// UnsafeConn is the connection itself, for who takes it over from the HTTP server.
func (c *patientConn) UnsafeConn() net.Conn { return c.Conn }
