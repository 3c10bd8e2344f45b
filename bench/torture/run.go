package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"time"

	"qcat/api/client"
)

// run is the kills of one mode.
type run struct {
	settings
	out   io.Writer
	dir   string
	rng   *rand.Rand
	audit audit

	mu    sync.Mutex
	acked []ack
	total totals
}

// run kills servers on a data directory of its own, which it removes.
func (s settings) run(ctx context.Context, w io.Writer) (totals, error) {
	dir, err := os.MkdirTemp("", "qcat-torture-")
	if err != nil {
		return totals{}, err
	}
	r := &run{settings: s, out: w, dir: dir, rng: rand.New(rand.NewPCG(s.seed, 0))}
	err = r.all(ctx)
	switch {
	case err != nil && s.keep:
		return r.total, fmt.Errorf("%w (seed %d, data in %s)", err, s.seed, dir)
	case err != nil:
		err = fmt.Errorf("%w (seed %d)", err, s.seed)
	}
	return r.total, errors.Join(err, os.RemoveAll(dir))
}

// ack is an answer that a client was given: the journal must have it.
type ack struct {
	seq     uint64
	order   uint64
	clOrdID string // of a new order; "" of a cancel or an amend
}

func (r *run) all(ctx context.Context) error {
	for cycle := range r.cycles {
		if err := r.cycle(ctx, cycle); err != nil {
			return fmt.Errorf("cycle %d: %w", cycle, err)
		}
		r.total.kills++
		if r.verbose || (cycle+1)%50 == 0 {
			fmt.Fprintf(r.out, "cycle %d of %d, journal-sync %s: %d answers acknowledged, %d records, all there\n",
				cycle+1, r.cycles, r.sync, r.total.acks, r.audit.last)
		}
	}
	if err := r.settle(ctx); err != nil {
		return fmt.Errorf("at the end: %w", err)
	}
	r.total.records, r.total.orders = r.audit.last, len(r.audit.orders)
	return nil
}

// cycle is one life of the server.
func (r *run) cycle(ctx context.Context, cycle int) error {
	s, err := r.start(ctx)
	if err != nil {
		return err
	}
	r.total.started(s)
	life := r.least + time.Duration(r.rng.Int64N(int64(r.most-r.least)+1))
	r.acked = r.acked[:0]
	if cycle%2 == 1 { // room for the next ones; what it cancels may be in flight at the kill
		h := client.NewHTTP(s.Addr)
		err := h.Call(http.MethodDelete, "orders?account=demo", nil, nil)
		h.Close()
		if err != nil {
			return errors.Join(err, s.Kill())
		}
	}
	living, cancel := context.WithTimeout(ctx, life)
	var wg sync.WaitGroup
	for i := range r.clients {
		seed := r.rng.Uint64()
		wg.Go(func() { r.trade(living, s.Addr, cycle, i, rand.New(rand.NewPCG(seed, 1))) })
	}
	<-living.Done()
	cancel()
	if err := errors.Join(s.Kill(), ctx.Err()); err != nil {
		return err
	}
	wg.Wait()
	r.total.acks += len(r.acked)
	return r.audit.check(r.dir, r.acked)
}

// trade places orders, and cancels or amends some, until the connection breaks.
// What was answered is noted before anything else is asked.
func (r *run) trade(ctx context.Context, addr string, cycle, who int, rng *rand.Rand) {
	patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	c, err := client.Dial(patient, addr, client.Options{})
	if err != nil {
		return // killed before
	}
	defer func() { _ = c.Close() }() // the other side is dead
	var open []uint64
	for n := 0; ; n++ {
		id := fmt.Sprintf("t%d-%d-%d", cycle, who, n)
		st, err := c.Order(patient, randomOrder(rng, id))
		if lost(err) {
			return
		}
		if err == nil {
			r.note(ack{st.Seq, st.OrderID, id})
			if st.Type == "limit" {
				open = append(open, st.OrderID)
			}
		}
		if len(open) < 3 || rng.IntN(2) == 0 {
			continue
		}
		at := rng.IntN(len(open))
		target := client.Target{OrderID: open[at], Account: "demo"}
		if rng.IntN(4) == 0 {
			st, err = c.Amend(patient, target, "", "0.007")
		} else {
			st, err = c.Cancel(patient, target)
			open = append(open[:at], open[at+1:]...)
		}
		if lost(err) {
			return
		}
		if err == nil {
			r.note(ack{st.Seq, st.OrderID, ""})
		}
	}
}

func (r *run) note(a ack) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.acked = append(r.acked, a)
}

// randomOrder is far from the market, at it, or takes.
func randomOrder(rng *rand.Rand, id string) client.Order {
	o := client.Order{Account: "demo", Instrument: "sim:BTCUSDT", Side: "buy", Type: "limit", TimeInForce: "gtc", Qty: "0.010", ClientOrderID: id}
	if rng.IntN(2) == 0 {
		o.Side = "sell"
	}
	switch rng.IntN(4) {
	case 0:
		o.Type, o.TimeInForce = "market", ""
	case 1:
		o.TimeInForce = "ioc"
	}
	if o.Type == "limit" {
		price := 60000 - 200 - rng.IntN(400)
		if o.Side == "sell" {
			price = 60000 + 200 + rng.IntN(400)
		}
		o.Price = fmt.Sprintf("%d.00", price)
	}
	if rng.IntN(5) == 0 {
		o.Strategy = "alpha"
	}
	return o
}
