package postgres

import (
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// controlSocket bounds how long sent data may stay unacknowledged: without it a peer
// that vanished is noticed after a quarter of an hour of retransmissions.
func controlSocket(network, _ string, c syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	var err error
	if e := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(userTimeout.Milliseconds()))
	}); e != nil {
		return e
	}
	return err
}
