package order

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"qcat/api/metrics"
	"qcat/api/rest"
	"qcat/core"
	"qcat/core/engine"
	"qcat/core/market"
	"qcat/core/record"
	"qcat/persist/journal"
	"qcat/risk"
)

// qcat is the server as far as an order goes: HTTP, engine, limits, journal, view.
type qcat struct {
	ln      net.Listener
	dir     string
	log     *journal.Log
	rest    *rest.Server
	alone   *untouched           // the handler alone; nil: the whole server
	stop    []context.CancelFunc // in the order to stop in: engine, view
	running sync.WaitGroup
	failed  chan error
}

// venue cancels every order at once, as one cancels an IOC that nobody meets: nothing
// piles up. The engine calls it, and takes a copy of what it submits.
type venue struct {
	submit func(*engine.Command) bool
	report engine.Command
}

// Ready implements engine.Gateway.
func (v *venue) Ready() bool { return true }

// Submit implements engine.Gateway.
func (v *venue) Submit(c *core.VenueCommand) bool {
	if c.Op != core.VenueNew {
		return true
	}
	v.report.Kind = engine.CmdReport
	v.report.Report = core.ExecReport{Type: core.ExecCancelled, Order: c.Order, Instrument: c.Instrument, Time: c.Time}
	return v.submit(&v.report)
}

// startServer is the server whose journal syncs as mode says; alone leaves its handler
// with an engine that does nothing.
func startServer(mode journal.SyncMode, alone bool) func(dir string) (target, error) {
	return func(dir string) (target, error) {
		log, err := journal.Open(journal.Options{Dir: dir, Sync: mode, BufferBytes: 8 << 20})
		if err != nil {
			return nil, err
		}
		s := &qcat{dir: dir, log: log, failed: make(chan error, 2)}
		if err := s.start(alone); err != nil {
			return nil, errors.Join(err, log.Close())
		}
		return s, nil
	}
}

func (s *qcat) start(alone bool) error {
	directory, quotes, gateway := core.NewDirectory(), market.NewQuoteTable(8), &venue{}
	e := engine.New(engine.Config{Directory: directory, Quotes: quotes, Journal: s.log, Gateways: map[string]engine.Gateway{"sim": gateway}})
	gateway.submit = e.Submit
	view := engine.NewView(e, engine.ViewConfig{})
	if err := define(e, quotes); err != nil {
		return err
	}
	var orders rest.Engine = e
	if alone {
		s.alone = newUntouched(e)
		orders = s.alone
	}
	s.rest = rest.New(rest.Config{Directory: directory, Engine: orders, View: view, Quotes: quotes, Metrics: metrics.New()})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.ln = ln
	running, stopOrders := context.WithCancel(context.Background())
	reader, stopReader := context.WithCancel(context.Background())
	s.stop = []context.CancelFunc{stopOrders, stopReader}
	s.running.Go(func() { view.Run(reader) })
	s.running.Go(func() {
		s.failed <- e.Run(running)
		stopReader()
	})
	s.running.Go(func() { s.failed <- s.rest.Serve(ln) })
	for began := time.Now(); e.Health() != engine.HealthRunning; time.Sleep(time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			return errors.Join(errors.New("the engine does not run"), s.close(0))
		}
	}
	return nil
}

// define makes an instrument with a price and an account whose orders are asked for
// limits on every level.
func define(e *engine.Engine, quotes *market.QuoteTable) error {
	in, err := e.DefineInstrument(core.Instrument{Venue: "sim", Symbol: "BTCUSDT", Base: "BTC", Quote: "USDT", Settle: "USDT",
		Kind: core.Linear, PriceScale: 2, QtyScale: 3, SettleScale: 8, ContractSize: 1, TickSize: 1, StepSize: 1, MinQty: 1})
	if err != nil {
		return err
	}
	now := core.SystemClock().Now()
	quotes.Store(in.ID, &core.Quote{BidPrice: 6_000_000, AskPrice: 6_000_010, BidQty: 1000, AskQty: 1000, LastPrice: 6_000_000,
		ReceiveTime: now, LastTime: now, Seq: 1})
	account, err := e.DefineAccount("demo")
	if err != nil {
		return err
	}
	strategy, err := e.DefineStrategy(account.ID, "alpha")
	if err != nil {
		return err
	}
	const wide = int64(1) << 60
	for _, at := range []risk.Scope{risk.FirmScope(), risk.AccountScope(account.ID), risk.StrategyScope(strategy.ID),
		risk.InstrumentScope(account.ID, strategy.ID, in.ID)} {
		var l risk.Limits
		l.Set(risk.LimitMaxNotional, wide)
		l.Set(risk.LimitMaxExposureGross, wide)
		l.Set(risk.LimitMaxOpenOrders, 1<<20)
		l.Set(risk.LimitCollarBuyUp, 100_000)
		l.Set(risk.LimitCollarBuyDown, 100_000)
		if _, err := e.DefineLimits(at, l); err != nil {
			return err
		}
	}
	return nil
}

func (s *qcat) addr() string { return s.ln.Addr().String() }

func (s *qcat) close(acknowledged int) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := s.rest.Shutdown(ctx)
	s.stop[0]()
	s.running.Wait()
	err = errors.Join(err, <-s.failed, <-s.failed, s.log.Close())
	n, e := accepted(s.dir)
	if s.alone != nil {
		n = int(s.alone.orders.Load()) //nolint:gosec // those of a turn
	}
	if e == nil && n != acknowledged {
		e = fmt.Errorf("%d orders are in the journal and %d were acknowledged", n, acknowledged)
	}
	return errors.Join(err, e)
}

// accepted counts the orders in a journal that were not refused.
func accepted(dir string) (n int, err error) {
	log, err := journal.Open(journal.Options{Dir: dir})
	if err != nil {
		return 0, err
	}
	var r record.Record
	for rec, err := range log.Records(1, log.Committed()) {
		if err == nil {
			err = record.Decode(rec, &r)
		}
		if err != nil {
			return n, errors.Join(err, log.Close())
		}
		if r.Type == record.TypeNew && r.New.Reason.Code == 0 {
			n++
		}
	}
	return n, log.Close()
}
