package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// protocol is how orders are written, and their answers read.
type protocol interface {
	// appendOrder appends the request of event i.
	appendOrder(dst []byte, i int) []byte
	// answer cuts the first answer off b: the event it is of, -1 for the oldest that
	// is out, and why it is not an acceptance, "" if it is. ok is false while the
	// answer is not whole; what is not an answer has event notAnAnswer.
	answer(b []byte) (event int, refusal string, rest []byte, ok bool)
}

// notAnAnswer is the event of a frame that answers no order.
const notAnAnswer = -2

// orderLoad is clients that send orders. One thread writes and reads all of their
// sockets, so that the generator costs as little as it can.
type orderLoad struct {
	protocol protocol
	depth    int // orders of one connection that may be out
	conns    []*orderConn
	poll     int
	timer    int
	pid      int
	metrics  string
	serial   int // number of the next event over all rows

	buf []byte
}

// orderConn is one connection.
type orderConn struct {
	sock
	out    []byte // not written yet
	part   []byte // of an answer
	events []int  // that are out, oldest first
}

// timerMark is the timer among the connections' numbers.
const timerMark = -1

// newOrderLoad connects n clients to addr, WebSockets if upgrade is true.
func newOrderLoad(addr string, n int, upgrade bool, p protocol, depth int) (l *orderLoad, err error) {
	l = &orderLoad{protocol: p, depth: depth, poll: -1, timer: -1, buf: make([]byte, 256<<10)}
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	if l.poll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	if l.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC); err != nil {
		return nil, err
	}
	if err := unix.EpollCtl(l.poll, unix.EPOLL_CTL_ADD, l.timer, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: timerMark}); err != nil {
		return nil, err
	}
	for k := range n {
		s, err := dialSock(addr, k)
		if err != nil {
			return nil, err
		}
		c := &orderConn{sock: s}
		l.conns = append(l.conns, c)
		if upgrade {
			if c.part, err = s.upgrade(addr); err != nil {
				return nil, err
			}
		}
		if err := unix.SetNonblock(int(s), true); err != nil {
			return nil, err
		}
		if err := unix.EpollCtl(l.poll, unix.EPOLL_CTL_ADD, int(s), &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(k)}); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *orderLoad) close() {
	for _, c := range l.conns {
		c.close()
	}
	for _, fd := range []int{l.poll, l.timer} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

// orderRow is one load on its way.
type orderRow struct {
	*orderLoad
	first    int // serial of event 0
	schedule schedule
	lat      *measured
	sent     []time.Time // of a closed loop's events; nil: the schedule says when they are due
	until    time.Time   // a closed loop's end
	next     int         // event
	turn     int         // connection that is asked first
	out      int         // orders not answered yet
	o        outcome
}

// run offers rate orders a second for length, after a tenth of it that does not count
// in the latencies. An order that finds all connections busy waits, and the wait
// counts.
func (l *orderLoad) run(ctx context.Context, rate int, length time.Duration) (*outcome, error) {
	s := newSchedule(rate, length/warmShare, length)
	r := &orderRow{orderLoad: l, first: l.serial, schedule: s, lat: s.measured()}
	r.o = outcome{offered: float64(time.Second) / float64(s.period), expected: int64(s.n)}
	r.until = s.due(s.n).Add(grace)
	return r.do(ctx, s.start)
}

// saturate keeps every connection busy for length: a closed loop, whose latencies
// count from when an order was sent.
func (l *orderLoad) saturate(ctx context.Context, length time.Duration) (*outcome, error) {
	start := time.Now()
	s := schedule{start: start, period: length, n: 1 << 40, ends: []int{0, 1 << 40}}
	r := &orderRow{orderLoad: l, first: l.serial, schedule: s, lat: s.measured(), sent: make([]time.Time, 0, 1<<20), until: start.Add(length)}
	o, err := r.do(ctx, start)
	if err == nil {
		o.expected = int64(r.next)
	}
	return o, err
}

// do is the loop of both.
func (r *orderRow) do(ctx context.Context, start time.Time) (*outcome, error) {
	before, err := used(r.pid, r.metrics)
	if err != nil {
		return nil, err
	}
	events := make([]unix.EpollEvent, 256)
	for ctx.Err() == nil {
		now := time.Now()
		done, err := r.dispatch(now)
		if err != nil {
			return nil, err
		}
		if done {
			break
		}
		n, err := unix.EpollWait(r.poll, events, crowdNap)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return nil, err
		}
		for _, e := range events[:max(n, 0)] {
			if e.Fd == timerMark {
				_, _ = unix.Read(r.timer, r.buf[:8]) // it is asked again anyway
				continue
			}
			if err := r.take(r.conns[e.Fd]); err != nil {
				return nil, fmt.Errorf("connection %d: %w", e.Fd, err)
			}
		}
	}
	if r.o.span = time.Since(start); r.sent == nil {
		r.o.span = max(r.o.span, r.schedule.whole())
	}
	r.serial += r.next
	after, err := used(r.pid, r.metrics)
	if err != nil {
		return nil, err
	}
	r.o.events, r.o.lat, r.o.spent = float64(r.o.got), r.lat.phases[1], after.since(before)
	return &r.o, errors.Join(ctx.Err(), r.abandon())
}

// dispatch sends what is due and fits, and reports whether the row is over.
func (r *orderRow) dispatch(now time.Time) (done bool, err error) {
	for r.due(now) {
		c := r.idle()
		if c == nil {
			break
		}
		c.out = r.protocol.appendOrder(c.out, r.first+r.next)
		c.events = append(c.events, r.next)
		if r.sent != nil {
			r.sent = append(r.sent, now)
		}
		r.next++
		r.out++
	}
	for _, c := range r.conns {
		if err := c.flush(); err != nil {
			return false, err
		}
	}
	over := now.After(r.until)
	if r.sent != nil {
		return over && (r.out == 0 || now.After(r.until.Add(grace))), nil
	}
	if r.next == r.schedule.n && r.out == 0 || over {
		return true, nil
	}
	return false, r.alarm(now)
}

// due reports whether another order is to be sent at now.
func (r *orderRow) due(now time.Time) bool {
	if r.sent != nil {
		return now.Before(r.until)
	}
	return r.next < r.schedule.n && !r.schedule.due(r.next).After(now)
}

// idle returns a connection with room, in turn, nil if there is none.
func (r *orderRow) idle() *orderConn {
	for range r.conns {
		c := r.conns[r.turn]
		r.turn = (r.turn + 1) % len(r.conns)
		if len(c.events) < r.depth {
			return c
		}
	}
	return nil
}

// alarm sets the timer to when the next order is due, if it is not due already.
func (r *orderRow) alarm(now time.Time) error {
	if r.next >= r.schedule.n {
		return nil
	}
	left := r.schedule.due(r.next).Sub(now)
	if left <= 0 {
		return nil // it waits for a connection
	}
	return unix.TimerfdSettime(r.timer, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(int64(left))}, nil)
}

// flush writes what the kernel takes.
func (c *orderConn) flush() error {
	if len(c.out) == 0 {
		return nil
	}
	n, err := unix.Write(int(c.sock), c.out)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	c.out = append(c.out[:0], c.out[n:]...)
	return nil
}

// take reads answers.
func (r *orderRow) take(c *orderConn) error {
	n, err := c.read(r.buf)
	now := time.Now()
	if errors.Is(err, unix.EAGAIN) {
		return nil
	}
	if err != nil {
		return err
	}
	c.part = append(c.part, r.buf[:n]...)
	b := c.part
	for {
		event, refusal, rest, ok := r.protocol.answer(b)
		if !ok {
			break
		}
		b = rest
		switch {
		case event == notAnAnswer && refusal != "":
			return errors.New(refusal)
		case event != notAnAnswer:
			if err := r.answered(c, event, refusal, now); err != nil {
				return err
			}
		}
	}
	c.part = append(c.part[:0], b...)
	return nil
}

// answered counts one answer; event is a serial, or -1 for the oldest.
func (r *orderRow) answered(c *orderConn, serial int, refusal string, now time.Time) error {
	at := 0
	for serial >= 0 && at < len(c.events) && c.events[at] != serial-r.first {
		at++
	}
	if at >= len(c.events) {
		return fmt.Errorf("an answer to order %d, which is not out", serial)
	}
	i := c.events[at]
	c.events = append(c.events[:at], c.events[at+1:]...)
	r.out--
	if refusal != "" {
		if r.o.refused++; r.o.reason == "" {
			r.o.reason = refusal
		}
		return nil
	}
	r.o.got++
	if r.sent != nil {
		r.lat.record(i, now.Sub(r.sent[i]))
		return nil
	}
	r.lat.record(i, now.Sub(r.schedule.due(i)))
	return nil
}

// abandon waits for the answers of what is still out, so that the next row begins
// with idle connections.
func (r *orderRow) abandon() error {
	for end := time.Now().Add(setupPatience * time.Second); r.out > 0; {
		if time.Now().After(end) {
			return fmt.Errorf("%d orders were never answered", r.out)
		}
		got, refused, reason := r.o.got, r.o.refused, r.o.reason
		for _, c := range r.conns {
			if err := c.flush(); err != nil {
				return err
			}
			if err := r.take(c); err != nil {
				return err
			}
		}
		r.o.got, r.o.refused, r.o.reason = got, refused, reason
		time.Sleep(100 * time.Microsecond)
	}
	return nil
}
