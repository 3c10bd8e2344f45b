package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"qcat/api/client"
)

// load is what the server has to do while it is looked at.
type load struct {
	clients int
	orders  int // a second

	frames, answered, refused atomic.Int64
}

// instruments of the demo, and what an order of each buys or sells.
var instruments = []struct{ name, qty string }{{"sim:BTCUSDT", "0.010"}, {"sim:ETHUSDT", "0.100"}, {"sim:SOLUSDT", "1.00"}}

// senders share the orders: each has one on its way at most.
const senders = 4

// run loads the server at addr until ctx is done.
func (l *load) run(ctx context.Context, addr string) error {
	for range l.clients {
		c, err := l.follow(ctx, addr)
		if err != nil {
			return unlessDone(ctx, err)
		}
		defer func() { _ = c.Close() }() // the server ends next
	}
	var wg sync.WaitGroup
	failed := make(chan error, senders)
	if l.orders > 0 {
		for i := range senders {
			wg.Go(func() { failed <- l.send(ctx, addr, i) })
		}
	}
	<-ctx.Done()
	wg.Wait()
	close(failed)
	var errs []error
	for err := range failed {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// follow is a client that subscribes to everything of all instruments.
func (l *load) follow(ctx context.Context, addr string) (*client.Conn, error) {
	c, err := client.Dial(ctx, addr, client.Options{})
	if err != nil {
		return nil, err
	}
	for _, in := range instruments {
		for _, ch := range []string{"bbo:", "trade:", "depth:"} {
			if err := c.Subscribe(ctx, client.Sub{Channel: ch + in.name, Handle: func(*client.Message) { l.frames.Add(1) }}); err != nil {
				return nil, errors.Join(err, c.Close())
			}
		}
	}
	return c, nil
}

// send buys and sells small quantities in turn, at a fixed rate.
func (l *load) send(ctx context.Context, addr string, n int) error {
	c := client.NewHTTP(addr)
	defer c.Close()
	tick := time.NewTicker(senders * time.Second / time.Duration(l.orders))
	defer tick.Stop()
	sides := [...]string{"buy", "sell"}
	for i := n; ; i++ {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		in := instruments[i/2%len(instruments)]
		_, err := c.Order(client.Order{Account: "demo", Instrument: in.name, Side: sides[i%2], Type: "market", Qty: in.qty})
		var refusal *client.Refusal
		switch {
		case errors.As(err, &refusal):
			l.refused.Add(1)
		case err != nil:
			return unlessDone(ctx, err)
		}
		l.answered.Add(1)
	}
}

// unlessDone leaves out what only the end of the load has brought about.
func unlessDone(ctx context.Context, err error) error {
	select {
	case <-ctx.Done():
		return nil
	default:
		return err
	}
}
