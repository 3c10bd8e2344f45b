package fanout

import (
	"errors"
	"fmt"
	"time"
)

// measure publishes for d and returns deliveries a second. It closes s.
func measure(s server, m *messages, clients int, d time.Duration) (rate float64, err error) {
	defer func() { err = errors.Join(err, s.close()) }()
	p := &publisher{s: s, m: m}
	defer func() { err = errors.Join(err, p.close()) }()
	for range clients {
		c, err := dial(s)
		if err != nil {
			return 0, err
		}
		p.clients = append(p.clients, c)
	}
	if err := s.ready(); err != nil {
		return 0, err
	}
	if err := p.publish(func() bool { return p.sent < window }); err != nil { // warm: buffers grown, goroutines placed
		return 0, err
	}
	first, began := p.sent, time.Now()
	if err := p.publish(func() bool { return time.Since(began) < d }); err != nil {
		return 0, err
	}
	return float64((p.sent-first)*clients) / time.Since(began).Seconds(), nil
}

// publisher sends messages as fast as the slowest client takes them.
type publisher struct {
	s       server
	m       *messages
	clients []*client
	sent    int
	bytes   uint64   // of what was sent, to each client
	sizes   []uint64 // of all that was sent up to message i, a ring of window
}

// publish sends while more says so, asked once every lookEvery messages, and returns
// when all clients have all of it.
func (p *publisher) publish(more func() bool) error {
	if p.sizes == nil {
		p.sizes = make([]uint64, window)
	}
	for more() {
		for range lookEvery {
			if err := p.s.publish(p.sent); err != nil {
				return err
			}
			p.bytes += p.m.size(p.sent)
			p.sizes[p.sent%window] = p.bytes
			p.sent++
		}
		if ahead := p.sent - window + lookEvery; ahead > 0 {
			if err := p.await(p.sizes[ahead%window]); err != nil {
				return err
			}
		}
	}
	if err := p.s.flush(); err != nil {
		return err
	}
	return p.await(p.bytes)
}

const (
	// pause is how long the publisher sleeps while a client is too far behind.
	pause = 20 * time.Microsecond
	// patience is how long it waits for a client that reads nothing more.
	patience = 10 * time.Second
)

// await waits until every client has read that many bytes.
func (p *publisher) await(bytes uint64) error {
	var began time.Time
	for i := 0; i < len(p.clients); {
		if p.clients[i].read.Load() >= bytes {
			i++
			continue
		}
		if began.IsZero() {
			began = time.Now()
			if err := p.s.flush(); err != nil {
				return err
			}
		}
		if time.Since(began) > patience {
			return fmt.Errorf("client %d has %d bytes of %d", i, p.clients[i].read.Load(), bytes)
		}
		time.Sleep(pause)
	}
	return nil
}

// close ends the clients and holds what each has read against what was sent.
func (p *publisher) close() error {
	var errs []error
	want := p.m.hash(p.sent)
	for i, c := range p.clients {
		if got := c.close(); c.read.Load() != p.bytes || got != want {
			errs = append(errs, fmt.Errorf("client %d read %d bytes with hash %x, want %d with %x", i, c.read.Load(), got, p.bytes, want))
		}
	}
	if len(errs) > 3 {
		errs = append(errs[:3], fmt.Errorf("and %d more", len(errs)-3))
	}
	return errors.Join(errs...)
}
