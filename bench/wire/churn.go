package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// churners is how many connections come and go beside those that are measured.
const churners = 16

// churn is clients that subscribe, unsubscribe and reconnect at a rate.
type churn struct {
	addr   string
	cancel context.CancelFunc
	done   chan error
	acts   int
}

// churner is one of them.
type churner struct {
	sock
	number  int
	open    bool
	rest    []byte // read and not looked at yet
	follows bool
	last    uint64 // id of the last trade since it began to follow
	act     int
}

// startChurn makes rate acts a second until stop.
func startChurn(ctx context.Context, addr string, rate int) *churn {
	c := &churn{addr: addr, done: make(chan error, 1)}
	ctx, c.cancel = context.WithCancel(ctx)
	go func() { c.done <- c.run(ctx, rate) }()
	return c
}

// stop ends it, and tells what went wrong; it is an error if nothing was done.
func (c *churn) stop() error {
	c.cancel()
	err := <-c.done
	if err == nil && c.acts == 0 {
		err = errors.New("churn: nothing was done")
	}
	return err
}

// run acts on one client after the other when an act is due, and by itself as soon as
// possible when it is late.
func (c *churn) run(ctx context.Context, rate int) error {
	clients := make([]*churner, churners)
	for i := range clients {
		clients[i] = &churner{number: i}
	}
	defer func() {
		for _, m := range clients {
			if m.open {
				m.close()
			}
		}
	}()
	s := newSchedule(rate, 24*time.Hour)
	err := s.run(ctx, func(i int) error {
		m := clients[i%churners]
		if err := m.next(c.addr); err != nil {
			return fmt.Errorf("churn: client %d: %w", m.number, err)
		}
		c.acts++
		return nil
	})
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// next is the client's next act: it subscribes, unsubscribes, subscribes again, and
// then leaves without a word and comes back.
func (m *churner) next(addr string) (err error) {
	act := m.act % 4
	m.act++
	switch {
	case !m.open || act == 3:
		if m.open {
			m.close()
		}
		m.open, m.follows, m.rest, m.act = false, false, nil, 0
		if m.sock, err = dialSock(addr, m.number); err != nil {
			return err
		}
		m.open = true
		m.rest, err = m.upgrade(addr)
		return err
	case act == 1:
		err = m.ask("unsubscribe")
		m.follows = false
		return err
	default:
		err = m.ask("subscribe")
		m.follows, m.last = true, 0
		return err
	}
}

// ask sends a request for the channel and reads up to its answer. What comes before it
// are trades in order while the client follows, and nothing while it does not.
func (m *churner) ask(op string) (err error) {
	var wrong error
	m.rest, err = m.subscribe(op, []int{0}, m.rest, func(payload []byte) {
		if e := m.take(payload); wrong == nil {
			wrong = e
		}
	})
	return errors.Join(err, wrong)
}

// take holds one frame against what may come.
func (m *churner) take(payload []byte) error {
	t, ok := readTick(payload)
	if !ok || !m.follows || t.id <= m.last {
		return fmt.Errorf("following %v, after trade %d: %.200s", m.follows, m.last, payload)
	}
	m.last = t.id
	return nil
}
