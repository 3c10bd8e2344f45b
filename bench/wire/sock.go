package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// sock is a TCP socket of the generator's own. The runtime's poller does not know of
// it: thousands of them are read by one thread, which costs less than what is
// measured.
type sock int

// setupPatience is how long a new connection may take to be answered, in seconds.
const setupPatience = 20

// sources are how many loopback addresses connections come from in turn, so that
// the ports of one do not run out.
const sources = 16

// dialSock connects connection number k to addr; it blocks until nonblocking.
func dialSock(addr string, k int) (s sock, err error) {
	to, err := netip.ParseAddrPort(addr)
	if err != nil {
		return -1, err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("socket: %w", err)
	}
	defer func() {
		if err != nil {
			_ = unix.Close(fd)
		}
	}()
	wait := unix.Timeval{Sec: setupPatience}
	if err := errors.Join(
		unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1),
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &wait),
		unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(1 + k%sources)}}),
	); err != nil {
		return -1, fmt.Errorf("socket %d: %w", k, err)
	}
	err = unix.Connect(fd, &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())})
	if errors.Is(err, unix.EINTR) { // it goes on without us
		err = sock(fd).connected()
	}
	if err != nil {
		return -1, fmt.Errorf("connect %d: %w", k, err)
	}
	return sock(fd), nil
}

// connected waits for the end of a connect that a signal has interrupted.
func (s sock) connected() error {
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(s), Events: unix.POLLOUT}}, setupPatience*1000)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return err
		case n == 0:
			return unix.ETIMEDOUT
		}
		code, err := unix.GetsockoptInt(int(s), unix.SOL_SOCKET, unix.SO_ERROR)
		if err == nil && code != 0 {
			err = unix.Errno(code)
		}
		return err
	}
}

// write writes all of b, on a blocking socket.
func (s sock) write(b []byte) error {
	for len(b) > 0 {
		n, err := unix.Write(int(s), b)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("write: %w", err)
		}
		b = b[n:]
	}
	return nil
}

// errEnded is the end of a connection that was to stay.
var errEnded = errors.New("the connection was closed")

// read reads what there is.
func (s sock) read(b []byte) (int, error) {
	for {
		n, err := unix.Read(int(s), b)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 0, err
		case n == 0:
			return 0, errEnded
		default:
			return n, nil
		}
	}
}

func (s sock) close() { _ = unix.Close(int(s)) }

// upgrade makes a WebSocket of it and returns what was read behind the answer.
func (s sock) upgrade(addr string) (rest []byte, err error) {
	if err := s.write(fmt.Appendf(nil, "GET /api/v1/ws HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", addr)); err != nil {
		return nil, err
	}
	var head []byte
	buf := make([]byte, 4<<10)
	for {
		n, err := s.read(buf)
		if err != nil {
			return nil, fmt.Errorf("handshake: %w", err)
		}
		head = append(head, buf[:n]...)
		if end := bytes.Index(head, []byte("\r\n\r\n")); end >= 0 {
			if !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) {
				return nil, fmt.Errorf("handshake: %s", head)
			}
			return head[end+4:], nil
		}
	}
}

// openFiles raises the limit of open files as far as it may go, and says whether n
// more fit.
func openFiles(n int) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	const others = 256 // what else is open
	if limit.Cur < limit.Max {
		limit.Cur = limit.Max
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			return fmt.Errorf("limit of open files: %w", err)
		}
	}
	if uint64(n)+others > limit.Cur {
		return fmt.Errorf("%d connections do not fit the limit of %d open files (ulimit -Hn)", n, limit.Cur)
	}
	return nil
}
