package order

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"time"
)

// warmOrders are sent by each connection before the clock runs.
const warmOrders = 50

// measure returns acknowledged orders a second on so many connections.
func measure(m maker, base string, conns int, d time.Duration) (rate float64, err error) {
	dir, err := os.MkdirTemp(base, "orders-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	t, err := m.start(dir)
	if err != nil {
		return 0, err
	}
	l := &load{addr: t.addr()}
	rate, err = l.run(conns, d)
	return rate, errors.Join(err, t.close(l.acknowledged()))
}

// load is connections that are kept busy.
type load struct {
	addr  string
	conns []*conn
}

func (l *load) acknowledged() (n int) {
	for _, c := range l.conns {
		n += c.sent
	}
	return n
}

// run warms all connections, lets them go at once, and counts what is answered
// until the time is over.
func (l *load) run(conns int, d time.Duration) (rate float64, err error) {
	defer func() {
		for _, c := range l.conns {
			err = errors.Join(err, c.nc.Close())
		}
	}()
	for i := range conns {
		nc, err := net.DialTimeout("tcp", l.addr, 10*time.Second)
		if err != nil {
			return 0, err
		}
		l.conns = append(l.conns, newConn(nc, i))
	}
	if err := l.each(func(c *conn) error { return c.orders(func() bool { return c.sent < warmOrders }) }); err != nil {
		return 0, err
	}
	first, began := l.acknowledged(), time.Now()
	if err := l.each(func(c *conn) error { return c.orders(func() bool { return time.Since(began) < d }) }); err != nil {
		return 0, err
	}
	return float64(l.acknowledged()-first) / time.Since(began).Seconds(), nil
}

func (l *load) each(f func(*conn) error) error {
	errs := make([]error, len(l.conns))
	var wg sync.WaitGroup
	for i, c := range l.conns {
		wg.Go(func() { errs[i] = f(c) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

const (
	requestHead = "POST /api/v1/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "
	bodyHead    = `{"account":"demo","strategy":"alpha","instrument":"sim:BTCUSDT","side":"buy","type":"limit","time_in_force":"ioc","price":"59990.00","qty":"0.010","client_order_id":"`
	// idLen is the length of every client order id, so that every request has the
	// same one.
	idLen = 16
)

// conn sends one prepared request again and again with another client order id.
type conn struct {
	nc      net.Conn
	r       *bufio.Reader
	request []byte
	id      []byte // the part of request that is the client order id
	answer  []byte
	sent    int
	number  int
}

func newConn(nc net.Conn, number int) *conn {
	c := &conn{nc: nc, r: bufio.NewReaderSize(nc, 4<<10), number: number}
	c.request = append(c.request, requestHead...)
	c.request = strconv.AppendInt(c.request, int64(len(bodyHead)+idLen+len(`"}`)), 10)
	c.request = append(append(c.request, "\r\n\r\n"...), bodyHead...)
	at := len(c.request)
	c.request = append(append(c.request, make([]byte, idLen)...), `"}`...)
	c.id = c.request[at : at+idLen]
	return c
}

// orders sends while more says so.
func (c *conn) orders(more func() bool) error {
	for more() {
		v := uint64(c.number)<<40 | uint64(c.sent)
		for i := range c.id {
			c.id[i] = "0123456789abcdef"[v>>(60-4*i)&15]
		}
		if _, err := c.nc.Write(c.request); err != nil {
			return err
		}
		status, body, err := c.read()
		if err != nil {
			return err
		}
		if status != 201 || !bytes.Contains(body, c.id) {
			return fmt.Errorf("order %s: %d %s", c.id, status, body)
		}
		c.sent++
	}
	return nil
}

var contentLength = []byte("Content-Length: ")

// read returns the next answer; body is valid until the one after.
func (c *conn) read() (status int, body []byte, err error) {
	length := 0
	for first := true; ; first = false {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return 0, nil, err
		}
		switch {
		case first:
			status = digits(line[min(len(line), len("HTTP/1.1 ")):])
		case bytes.HasPrefix(line, contentLength):
			length = digits(line[len(contentLength):])
		}
		if len(line) <= len("\r\n") {
			break
		}
	}
	if cap(c.answer) < length {
		c.answer = make([]byte, length)
	}
	c.answer = c.answer[:length]
	_, err = io.ReadFull(c.r, c.answer)
	return status, c.answer, err
}

func digits(b []byte) (n int) {
	for _, d := range b {
		if d < '0' || d > '9' {
			break
		}
		n = n*10 + int(d-'0')
	}
	return n
}
