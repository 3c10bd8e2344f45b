//go:build !unix

package hub

import (
	"net"
	"syscall"
)

// direct is for systems whose sockets can be written to without waiting; here all
// writes are left to the connections' own goroutines.
type direct struct{}

func (direct) open(net.Conn) {}

func (direct) use(syscall.Conn) {}

func (direct) can() bool { return false }

func (direct) write([]byte) (int, error) { panic("api/hub: no direct writes on this system") }
