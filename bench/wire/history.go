package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"

	"qcat/core"
	"qcat/core/engine"
	"qcat/core/market"
	"qcat/persist/journal"
	"qcat/persist/snapshot"
	"qcat/persist/vfs"
)

// A past is a journal that a real engine has written: it sequences, checks and
// records, against a venue that fills, rests, amends and cancels at random. Nothing
// waits for the disk, and the clock runs ahead of the day.
type past struct {
	dir    string // a data directory
	last   uint64 // record
	bytes  int64
	hash   [32]byte // of the state after it
	open   int      // orders
	closed int
	took   time.Duration
}

// minRecords is the least length of a past.
const minRecords = 10_000

// What a past is about.
const (
	pastVenue       = "past" // no feed has it
	pastInstruments = 20
	pastAccounts    = 4
	pastStrategies  = 3 // of each account, its default one included
	pastPrice       = 10_000
	pastPeriod      = 100 * time.Microsecond // between two new orders
	pastAge         = 3 * time.Hour          // when it began
)

// makePast writes at least records into dir, of which open orders rest at the end.
func makePast(ctx context.Context, dir string, records uint64, open int) (p past, err error) {
	began := time.Now()
	log, err := journal.Open(journal.Options{Dir: filepath.Join(dir, "journal"), Name: "journal", Sync: journal.SyncOS, BufferBytes: journal.DefaultSegmentBytes / 2})
	if err != nil {
		return p, err
	}
	defer func() {
		err = errors.Join(err, log.Close())
		p.bytes = log.Gauges().Bytes
	}()
	x := &exchange{rng: rand.New(rand.NewPCG(records, 1)), clock: core.NewManualClock(core.SystemClock().Now() - core.Nanos(pastAge)), rest: open}
	x.engine = engine.New(engine.Config{Journal: log, Clock: x.clock})
	if err := x.define(); err != nil {
		return p, err
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- x.engine.Run(running) }()
	for x.engine.Published() < records && ctx.Err() == nil && log.Err() == nil {
		x.turn()
	}
	stop()
	if err := errors.Join(<-done, ctx.Err()); err != nil {
		return p, err
	}
	p = past{dir: dir, last: x.engine.Seq(), hash: x.engine.StateHash(), open: len(x.resting), closed: x.closed, took: time.Since(began)}
	return p, nil
}

// snapshotAt writes the snapshot of record seq.
func (p *past) snapshotAt(seq uint64) error {
	log, err := journal.OpenReadOnly(filepath.Join(p.dir, "journal"), "journal", vfs.OS{})
	if err != nil {
		return err
	}
	payload, hash, at, err := engine.Shadow(engine.Config{}, nil, log.Records(1, seq))
	if err != nil {
		return err
	}
	if at != seq {
		return fmt.Errorf("the snapshot of record %d is of %d", seq, at)
	}
	_, _, err = snapshot.Write(vfs.OS{}, filepath.Join(p.dir, "snapshots"),
		snapshot.Meta{Log: log.ID(), Seq: seq, Time: core.SystemClock().Now(), Hash: hash}, payload)
	return err
}

// exchange is the clients and the venue of a past; its goroutine is makePast's, but
// for the queue, which the engine fills.
type exchange struct {
	engine *engine.Engine
	clock  *core.ManualClock
	rng    *rand.Rand
	rest   int // orders that may rest

	strategies  []*core.Strategy
	instruments []*core.Instrument
	resting     []resting
	closed      int
	entered     int
	execs       uint64

	mu    sync.Mutex
	queue []core.VenueCommand // from the engine
	taken []core.VenueCommand // the other one of two buffers
}

// resting is an open order as the venue has it.
type resting struct {
	order      core.OrderID
	instrument core.InstrumentID
	price      core.Price
	left       core.Qty
}

// define makes accounts, instruments, quotes and the connection.
func (x *exchange) define() error {
	quotes := market.NewQuoteTable(pastInstruments + 1)
	for i := range pastInstruments {
		in, err := x.engine.DefineInstrument(core.Instrument{Venue: pastVenue, Symbol: "P" + strconv.Itoa(i) + "USDT", Base: "P" + strconv.Itoa(i),
			Quote: "USDT", Settle: "USDT", Kind: core.Linear, PriceScale: 2, QtyScale: 3, SettleScale: 8, ContractSize: 1, TickSize: 1, StepSize: 1, MinQty: 1})
		if err != nil {
			return err
		}
		now := x.clock.Now()
		quotes.Store(in.ID, &core.Quote{BidPrice: pastPrice - 1, AskPrice: pastPrice + 1, BidQty: 1000, AskQty: 1000, LastPrice: pastPrice,
			ReceiveTime: now, LastTime: now, Seq: 1})
		x.instruments = append(x.instruments, in)
	}
	for i := range pastAccounts {
		a, err := x.engine.DefineAccount("past" + strconv.Itoa(i))
		if err != nil {
			return err
		}
		for _, name := range []string{core.DefaultStrategy, "first", "second"}[:pastStrategies] {
			s, err := x.engine.DefineStrategy(a.ID, name)
			if err != nil {
				return err
			}
			x.strategies = append(x.strategies, s)
		}
	}
	return x.engine.Connect(quotes, map[string]engine.Gateway{pastVenue: x})
}

// Ready implements engine.Gateway.
func (x *exchange) Ready() bool { return true }

// Submit implements engine.Gateway.
func (x *exchange) Submit(c *core.VenueCommand) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.queue = append(x.queue, *c)
	return true
}

// turn answers what the engine has sent, enters an order, and cancels or changes
// another when enough rest.
func (x *exchange) turn() {
	x.mu.Lock()
	x.queue, x.taken = x.taken[:0], x.queue
	x.mu.Unlock()
	for i := range x.taken {
		x.answer(&x.taken[i])
	}
	x.clock.Advance(pastPeriod)
	x.enter()
	if len(x.resting) > x.rest {
		x.disturb()
	}
}

// enter sends an order of one of the strategies in turn.
func (x *exchange) enter() {
	s := x.strategies[x.entered%len(x.strategies)]
	x.entered++
	c := engine.Command{Kind: engine.CmdNew, Account: s.Account, Strategy: s.ID, Instrument: x.instruments[x.rng.IntN(len(x.instruments))].ID,
		Side: core.Side(1 + x.rng.IntN(2)), Type: core.Limit, TIF: core.GTC, Price: core.Price(pastPrice - 50 + x.rng.IntN(100)), Qty: core.Qty(1 + x.rng.IntN(20))}
	if x.entered%2 == 0 {
		c.ClOrdID, _ = core.MakeClOrdID(strconv.AppendInt([]byte("past-"), int64(x.entered), 36)) // it is short enough
	}
	x.submit(&c)
}

// disturb cancels, amends or fills a resting order.
func (x *exchange) disturb() {
	at := x.rng.IntN(len(x.resting))
	o := &x.resting[at]
	switch x.rng.IntN(10) {
	case 0, 1:
		x.submit(&engine.Command{Kind: engine.CmdAmend, Order: o.order, Price: o.price + core.Price(x.rng.IntN(3)) - 1})
		return
	case 2, 3, 4:
		x.fill(o, o.left)
		x.closed++
	default:
		x.submit(&engine.Command{Kind: engine.CmdCancel, Order: o.order})
	}
	x.resting[at] = x.resting[len(x.resting)-1]
	x.resting = x.resting[:len(x.resting)-1]
}

// answer is the venue's side of a command.
func (x *exchange) answer(c *core.VenueCommand) {
	switch c.Op {
	case core.VenueNew:
		x.acknowledge(c)
	case core.VenueCancel:
		x.report(core.ExecReport{Type: core.ExecCancelled, Order: c.Order, Instrument: c.Instrument})
		x.closed++
	case core.VenueAmend:
		x.report(core.ExecReport{Type: core.ExecReplaced, Order: c.Order, Instrument: c.Instrument, Price: c.Price, Qty: c.Qty})
	}
}

// acknowledge rejects one new order in fifty; of the others a half fills at once, in
// one to three parts, and the rest rests, some of it partly filled.
func (x *exchange) acknowledge(c *core.VenueCommand) {
	o := resting{c.Order, c.Instrument, c.Price, c.Qty}
	k := x.rng.IntN(50)
	if k == 0 {
		x.report(core.ExecReport{Type: core.ExecRejected, Order: c.Order, Instrument: c.Instrument})
		x.closed++
		return
	}
	x.report(core.ExecReport{Type: core.ExecNew, Order: c.Order, Instrument: c.Instrument})
	for part := x.rng.IntN(3); part > 0 && o.left > 1; part-- {
		x.fill(&o, 1+core.Qty(x.rng.Int64N(int64(o.left-1))))
	}
	if k > 25 {
		x.fill(&o, o.left)
		x.closed++
		return
	}
	x.resting = append(x.resting, o)
}

func (x *exchange) fill(o *resting, qty core.Qty) {
	o.left -= qty
	x.report(core.ExecReport{Type: core.ExecTrade, Order: o.order, Instrument: o.instrument, LastPx: o.price, LastQty: qty,
		Fee: core.Notional(x.rng.IntN(1000)), Liquidity: core.Maker})
}

func (x *exchange) report(r core.ExecReport) {
	x.execs++
	r.VenueExecID, r.Time = x.execs, x.clock.Now()
	x.submit(&engine.Command{Kind: engine.CmdReport, Report: r})
}

// submit waits while a ring is full.
func (x *exchange) submit(c *engine.Command) {
	for !x.engine.Submit(c) {
		runtime.Gosched()
	}
}
