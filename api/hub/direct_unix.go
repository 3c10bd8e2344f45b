//go:build unix

package hub

import (
	"errors"
	"net"
	"syscall"
)

// direct writes to a socket without ever waiting for it. Its methods belong to the
// connection's writer.
type direct struct {
	raw  syscall.RawConn // nil: this is no socket
	call func(fd uintptr) bool

	buf []byte
	n   int
	err error
}

// open prepares for nc, if it is a socket and nothing else. What wraps one, as TLS
// does, may have a SyscallConn as well: what is written to that goes past the wrapper.
func (d *direct) open(nc net.Conn) {
	switch s := nc.(type) {
	case *net.TCPConn:
		d.use(s)
	case *net.UnixConn:
		d.use(s)
	}
}

// use has s written to.
func (d *direct) use(s syscall.Conn) {
	raw, err := s.SyscallConn()
	if err != nil {
		return // it is closed: the first write says so
	}
	d.raw, d.call = raw, d.once
}

// can reports whether write may be used.
func (d *direct) can() bool { return d.raw != nil }

// write writes as much of buf as the socket has room for, and returns how much that
// was.
func (d *direct) write(buf []byte) (n int, err error) {
	d.buf, d.n, d.err = buf, 0, nil
	err = d.raw.Write(d.call)
	d.buf = nil
	if err == nil {
		err = d.err
	}
	return d.n, err
}

// once is one system call. It always says that it is done: not to wait is the point.
func (d *direct) once(fd uintptr) bool {
	for {
		n, err := syscall.Write(int(fd), d.buf)
		switch {
		case err == nil:
			d.n = n
		case errors.Is(err, syscall.EINTR):
			continue
		case !errors.Is(err, syscall.EAGAIN):
			d.err = err
		}
		return true
	}
}
