package hub

import (
	"encoding/binary"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"qcat/core/hist"
)

// crowd is many clients on loopback sockets, read by one thread that counts frames
// and does nothing else: as little as possible of what is measured is the clients'.
type crowd struct {
	epoll   int
	clients map[int32]*crowdClient
	frames  atomic.Uint64 // of all clients together
	done    chan struct{}
	stop    atomic.Bool

	// due, if not nil, is when frame k of every client was due; lat takes how much
	// later it was read.
	due func(k int) time.Time
	lat *hist.Histogram
}

// crowdClient is one socket, and how far into a frame what was read of it reaches.
type crowdClient struct {
	fd    int
	n     int // whole frames
	skip  int // bytes of the open frame that are still to come
	head  [4]byte
	headN int
}

// newCrowd connects n clients and hands attach the server's end of each.
func newCrowd(t testing.TB, n int, attach func(net.Conn)) *crowd {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c := &crowd{clients: map[int32]*crowdClient{}, done: make(chan struct{})}
	if c.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	to := &unix.SockaddrInet4{Port: ln.Addr().(*net.TCPAddr).Port, Addr: [4]byte{127, 0, 0, 1}}
	for range n {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err == nil {
			err = unix.Connect(fd, to)
		}
		if err == nil {
			err = unix.SetNonblock(fd, true)
		}
		if err == nil {
			err = unix.EpollCtl(c.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
		}
		if err != nil {
			t.Fatal(err)
		}
		c.clients[int32(fd)] = &crowdClient{fd: fd}
		nc, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		attach(nc)
	}
	t.Cleanup(func() {
		c.stop.Store(true)
		<-c.done
		for _, cl := range c.clients {
			_ = unix.Close(cl.fd)
		}
		_ = unix.Close(c.epoll)
	})
	go c.read()
	return c
}

// read is the clients' thread.
func (c *crowd) read() {
	defer close(c.done)
	runtime.LockOSThread()
	events := make([]unix.EpollEvent, 512)
	buf := make([]byte, 256<<10)
	for !c.stop.Load() {
		n, err := unix.EpollWait(c.epoll, events, 20)
		if err != nil && err != unix.EINTR {
			return
		}
		for i := range max(n, 0) {
			cl := c.clients[events[i].Fd]
			got, err := unix.Read(cl.fd, buf)
			if got <= 0 && err != unix.EAGAIN {
				_ = unix.EpollCtl(c.epoll, unix.EPOLL_CTL_DEL, cl.fd, nil)
				continue
			}
			c.count(cl, buf[:max(got, 0)])
		}
	}
}

// count walks the frames in b.
func (c *crowd) count(cl *crowdClient, b []byte) {
	before := cl.n
	for len(b) > 0 {
		if cl.skip > 0 {
			n := min(cl.skip, len(b))
			cl.skip -= n
			b = b[n:]
		} else {
			cl.head[cl.headN] = b[0]
			cl.headN++
			b = b[1:]
			switch {
			case cl.headN < 2 || cl.head[1] == 126 && cl.headN < 4:
				continue
			case cl.head[1] == 126:
				cl.skip = int(binary.BigEndian.Uint16(cl.head[2:]))
			default: // none is longer
				cl.skip = int(cl.head[1])
			}
			cl.headN = 0
		}
		if cl.skip == 0 && cl.headN == 0 {
			cl.n++
		}
	}
	if cl.n == before {
		return
	}
	if c.due != nil {
		now := time.Now()
		for k := before; k < cl.n; k++ {
			c.lat.Record(int64(now.Sub(c.due(k))))
		}
	}
	c.frames.Add(uint64(cl.n - before))
}

// await returns when all clients together have n frames.
func (c *crowd) await(t testing.TB, n uint64) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); c.frames.Load() < n; {
		if time.Now().After(end) {
			t.Fatalf("%d frames of %d came", c.frames.Load(), n)
		}
		sleepFor(50 * time.Microsecond)
	}
	if got := c.frames.Load(); got != n {
		t.Fatalf("%d frames came, want %d", got, n)
	}
}

// sleepFor sleeps in the kernel: the runtime's timers are coarser.
func sleepFor(d time.Duration) {
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	ts := unix.NsecToTimespec(int64(max(d, 0)))
	_ = unix.Nanosleep(&ts, nil)
}
