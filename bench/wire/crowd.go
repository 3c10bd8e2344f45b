package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"qcat/api/hub"
)

// crowd is clients that follow trades. One thread reads all of their sockets, and
// holds every frame against what its client had before.
type crowd struct {
	instruments int
	poll        int
	members     []*member
	buf         []byte
	stop        atomic.Bool
	ended       sync.WaitGroup

	row    atomic.Pointer[tally] // nil: nobody counts
	got    atomic.Int64          // frames of trades
	missed atomic.Int64          // trades left out, by the gaps in their ids
	low    atomic.Uint64         // the least id of instrument 0 that every member has
	watch  atomic.Bool           // low is wanted
	turns  atomic.Uint64         // times that the thread has slept
	fault  atomic.Pointer[error] // the first: of a connection, or of what came
}

// member is one client. The crowd's thread owns it once the crowd runs.
type member struct {
	sock
	number int
	last   []uint64 // id of the last trade, by instrument; grown as they come
	part   []byte   // of a frame
	seq    []uint64 // of the last trade, in the channel's own count
}

// tally takes the latencies of a schedule's events.
type tally struct {
	schedule
	first int // number of the schedule's first event
	lat   *measured
}

// newCrowd has no members yet. instruments is how many there are of them.
func newCrowd(instruments int) (*crowd, error) {
	poll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return &crowd{instruments: instruments, poll: poll, buf: make([]byte, 256<<10)}, nil
}

// join adds a client whose socket delivers, and what was read of it already.
func (c *crowd) join(s sock, rest []byte) error {
	m := &member{sock: s, number: len(c.members), part: bytes.Clone(rest)}
	if err := unix.SetNonblock(int(s), true); err != nil {
		return err
	}
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP, Fd: int32(m.number)} // Fd is ours to use
	if err := unix.EpollCtl(c.poll, unix.EPOLL_CTL_ADD, int(s), &event); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	c.members = append(c.members, m)
	return nil
}

// start reads from now on; nobody joins any more.
func (c *crowd) start() { c.ended.Go(c.run) }

// close leaves.
func (c *crowd) close() {
	c.stop.Store(true)
	c.ended.Wait()
	for _, m := range c.members {
		m.close()
	}
	_ = unix.Close(c.poll)
}

// err is the first thing that went wrong.
func (c *crowd) err() error {
	if p := c.fault.Load(); p != nil {
		return *p
	}
	return nil
}

// errCut is wrapped by the fault of a connection that the other side has ended: a server
// may do so to a client that does not keep up.
var errCut = errors.New("cut off")

func (c *crowd) fail(m *member, err error) {
	err = fmt.Errorf("client %d: %w", m.number, err)
	c.fault.CompareAndSwap(nil, &err)
}

// uncount takes the tally away; when it returns nobody writes to it.
func (c *crowd) uncount() {
	c.row.Store(nil)
	for at := c.turns.Load(); c.turns.Load() == at && c.err() == nil; {
		time.Sleep(100 * time.Microsecond)
	}
}

// crowdNap bounds how long the thread sleeps without looking whether to stop.
const crowdNap = 20 // ms

func (c *crowd) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	events := make([]unix.EpollEvent, 1024)
	defer c.turns.Add(2)
	for !c.stop.Load() {
		c.turns.Add(1)
		n, err := unix.EpollWait(c.poll, events, crowdNap)
		if err != nil && !errors.Is(err, unix.EINTR) {
			err = fmt.Errorf("epoll: %w", err)
			c.fault.CompareAndSwap(nil, &err)
			return
		}
		for _, e := range events[:max(n, 0)] {
			c.take(c.members[e.Fd])
		}
		if c.watch.Load() {
			c.low.Store(c.lowest())
		}
	}
}

// take reads what m has received.
func (c *crowd) take(m *member) {
	n, err := m.read(c.buf)
	now := time.Now()
	if errors.Is(err, unix.EAGAIN) {
		return
	}
	if err != nil {
		_ = unix.EpollCtl(c.poll, unix.EPOLL_CTL_DEL, int(m.sock), nil) // it would be ready for ever
		c.fail(m, fmt.Errorf("%w: %w", errCut, err))
		return
	}
	b := c.buf[:n]
	if len(m.part) > 0 {
		m.part = append(m.part, b...)
		b = m.part
	}
	rest := c.frames(m, b, now)
	m.part = append(m.part[:0], rest...)
}

// frames takes all whole frames of b, received at now, and returns what is left.
func (c *crowd) frames(m *member, b []byte, now time.Time) []byte {
	row := c.row.Load()
	got := int64(0)
	for {
		op, payload, rest, ok := cutFrame(b)
		if !ok {
			break
		}
		b = rest
		switch op {
		case hub.OpText:
			if c.tick(m, payload, row, now) {
				got++
			}
		case hub.OpPing:
			_, _ = unix.Write(int(m.sock), appendClientFrame(nil, hub.OpPong, payload)) // a lost one is followed by another ping
		case hub.OpClose:
			code := uint16(0)
			if len(payload) >= 2 {
				code = binary.BigEndian.Uint16(payload)
			}
			c.fail(m, fmt.Errorf("%w: %d %s", errCut, code, payload[min(2, len(payload)):]))
		}
	}
	c.got.Add(got)
	return b
}

// tick takes one text frame, and reports whether it is a trade.
func (c *crowd) tick(m *member, payload []byte, row *tally, now time.Time) bool {
	t, ok := readTick(payload)
	if !ok {
		c.fail(m, fmt.Errorf("an unexpected frame: %.200s", payload))
		return false
	}
	for t.instrument >= len(m.last) {
		m.last, m.seq = append(m.last, 0), append(m.seq, 0)
	}
	last, seq := &m.last[t.instrument], &m.seq[t.instrument]
	switch {
	case *last == 0: // where it begins to follow
	case t.id <= *last || t.seq <= *seq:
		c.fail(m, fmt.Errorf("instrument %d: trade %d (seq %d) after %d (%d)", t.instrument, t.id, t.seq, *last, *seq))
		return true
	case t.id-*last != t.seq-*seq:
		c.fail(m, fmt.Errorf("instrument %d: from trade %d to %d, but from seq %d to %d", t.instrument, *last, t.id, *seq, t.seq))
	case t.id > *last+1:
		c.missed.Add(int64(t.id - *last - 1))
	}
	*last, *seq = t.id, t.seq
	if row == nil {
		return true
	}
	if i := int(t.id-1)*c.instruments + t.instrument - row.first; i >= 0 && i < row.n {
		row.lat.record(i, now.Sub(row.due(i)))
	}
	return true
}

// lowest is the least id of instrument 0 that every member has.
func (c *crowd) lowest() uint64 {
	low := ^uint64(0)
	for _, m := range c.members {
		if len(m.last) == 0 {
			return 0
		}
		low = min(low, m.last[0])
	}
	return low
}
