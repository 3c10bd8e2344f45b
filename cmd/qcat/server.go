package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"qcat/api/hub"
	"qcat/api/metrics"
	"qcat/api/rest"
	"qcat/api/ws"
	"qcat/core"
	"qcat/core/engine"
	"qcat/core/market"
	"qcat/feed/paper"
	"qcat/risk"
)

// server is everything that runs in `qcat serve`. Data flows from lanes to
// paper venue, hub and quote table, and from the gate through engine and paper
// venue to view and hub; it is stopped in the order of the flow of orders.
type server struct {
	cfg       *serveCmd
	log       *zap.Logger
	clock     core.Clock
	directory *core.Directory

	quotes  *market.QuoteTable
	lanes   []laneRunner
	journal *engine.MemoryJournal
	engine  *engine.Engine
	gate    *gate
	paper   *paper.Venue
	view    *engine.View
	hub     *hub.Hub
	rest    *rest.Server

	feeds, orders, venue, readers, clients stage
}

// stage is a group of goroutines that stop together.
type stage struct {
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

func (g *stage) start(fs ...func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	g.cancel = cancel
	for _, f := range fs {
		g.wg.Go(func() { f(ctx) })
	}
}

func (g *stage) stop() {
	g.cancel()
	g.wg.Wait()
}

// gate is the engine as clients reach it: closed, it takes no new orders.
type gate struct {
	*engine.Engine
	closed atomic.Bool
}

// Submit refuses new orders and amends once the gate is closed; cancels and state
// changes always pass.
func (g *gate) Submit(c *engine.Command) bool {
	if g.closed.Load() && (c.Kind == engine.CmdNew || c.Kind == engine.CmdAmend) {
		return false
	}
	return g.Engine.Submit(c)
}

// hubView is the engine's view as the hub wants it.
type hubView struct{ *engine.View }

// Seq is the journal sequence the view shows.
func (v hubView) Seq() uint64 { return v.Applied() }

// build makes all parts and connects them; nothing runs yet.
func (c *serveCmd) build(ctx context.Context, who sections, log *zap.Logger) (*server, error) {
	orderIdle, hubIdle, err := c.laneFlags.parse()
	if err != nil {
		return nil, err
	}
	settings, err := c.settings()
	if err != nil {
		return nil, err
	}
	s := &server{cfg: c, log: log, clock: core.SystemClock(), directory: core.NewDirectory()}
	if err := s.buildLanes(ctx); err != nil {
		return nil, err
	}
	sources := make([]market.Source, len(s.lanes))
	for i := range s.lanes {
		sources[i] = s.lanes[i].source
	}
	gateways := map[string]engine.Gateway{}
	s.paper, err = paper.New(paper.Config{
		Settings: settings, Directory: s.directory, Sources: sources, Clock: s.clock, Idle: orderIdle,
		Deliver: func(r *core.ExecReport) bool {
			return s.engine.Submit(&engine.Command{Kind: engine.CmdReport, Report: *r})
		},
	})
	if err != nil {
		return nil, err
	}
	for _, in := range s.directory.Instruments() {
		gateways[in.Venue] = s.paper
	}
	s.journal = engine.NewMemoryJournal(journalBytes)
	s.engine = engine.New(engine.Config{
		Directory: s.directory, Clock: s.clock, Quotes: s.quotes, Gateways: gateways, Idle: orderIdle,
		Journal: s.journal,
		Risk:    riskConfig(s.directory),
	})
	if who.builtIn {
		who.keepKnown(s.directory)
	}
	if err := who.define(s.engine); err != nil {
		return nil, err
	}
	s.gate = &gate{Engine: s.engine}
	s.view = engine.NewView(s.engine, engine.ViewConfig{})
	s.hub = hub.New(hub.Config{
		Directory: s.directory, Clock: s.clock, Idle: hubIdle, Sources: sources,
		Events: s.engine.Events(), View: hubView{s.view}, StartSeq: s.engine.Seq(),
	})
	s.buildAPI()
	return s, nil
}

// riskConfig sizes the limit tree. It is part of what a journal's state depends
// on: whoever replays one needs the same.
func riskConfig(dir *core.Directory) risk.Config {
	return risk.Config{Instruments: len(dir.Instruments())}
}

// journalBytes is how much of the order journal is kept in memory.
const journalBytes = 64 << 20

func (s *server) buildLanes(ctx context.Context) error {
	var plans []plan
	owned := map[core.InstrumentID]bool{}
	for _, spec := range s.cfg.Feed {
		p, err := s.cfg.planFeed(ctx, spec, s.directory, s.clock, s.log)
		if err != nil {
			return err
		}
		for _, id := range p.instruments() {
			if owned[id] {
				return badSetting("feed", "%s is followed twice: an instrument has one feed", s.directory.Instrument(id).Name())
			}
			owned[id] = true
		}
		plans = append(plans, p)
	}
	s.quotes = market.NewQuoteTable(len(s.directory.Instruments()) + 1)
	shared := &pipes{quotes: s.quotes, clock: s.clock, log: s.log}
	for _, p := range plans {
		lanes, err := p.lanes(shared)
		if err != nil {
			return err
		}
		s.lanes = append(s.lanes, lanes...)
	}
	return nil
}

func (s *server) buildAPI() {
	socket := ws.New(ws.Config{
		Hub: s.hub, Directory: s.directory, Clock: s.clock, Engine: s.gate, Orders: s.view, Origins: s.cfg.Origins, Log: s.log,
	})
	registry := metrics.New()
	s.register(registry)
	s.rest = rest.New(rest.Config{
		Directory: s.directory, Engine: s.gate, View: s.view, Quotes: s.quotes, Market: s.hub,
		Socket: socket.Handle, Components: s.components(), Metrics: registry, Clock: s.clock, Log: s.log,
		Origins: s.cfg.Origins,
	})
}

// start runs everything; a part that ends by itself with an error says so on
// failed.
func (s *server) start(failed chan<- error) {
	report := func(part string, err error) {
		if err != nil && !errors.Is(err, context.Canceled) {
			select {
			case failed <- badPart{part, err}:
			default:
			}
		}
	}
	s.readers.start(s.view.Run)
	s.clients.start(s.hub.Run)
	s.venue.start(s.paper.Run)
	s.orders.start(func(ctx context.Context) { report("engine", s.engine.Run(ctx)) })
	var run []func(context.Context)
	for i := range s.lanes {
		lane := &s.lanes[i]
		run = append(run, func(ctx context.Context) { report("feed "+lane.name, lane.run(ctx)) })
	}
	s.feeds.start(run...)
}

// badPart is a part of the server that ended with an error.
type badPart struct {
	part string
	err  error
}

func (b badPart) Error() string { return b.part + ": " + b.err.Error() }
func (b badPart) Unwrap() error { return b.err }

// shutdown stops taking orders, cancels what is open if that is set, lets clients
// see it, and then stops the parts along the way of an order.
func (s *server) shutdown() error {
	deadline := time.Now().Add(s.cfg.ShutdownTimeout)
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	s.gate.closed.Store(true)
	if s.cfg.CancelOnShutdown {
		s.cancelAll(ctx)
	}
	s.clients.stop()
	err := s.rest.Shutdown(ctx)
	s.orders.stop()
	s.venue.stop()
	s.feeds.stop()
	s.readers.stop()
	s.log.Info("stopped", zap.Uint64("journal_seq", s.engine.Seq()))
	return err
}

// cancelEvery is how often cancelAll asks again: a cancel overtakes the new orders
// that still wait in the command ring, and misses them.
const cancelEvery = 50 * time.Millisecond

// cancelAll cancels every open order and waits until none is left or ctx is done.
// It looks twice: a client that found the gate open may still be about to hand
// its order over at the first time.
func (s *server) cancelAll(ctx context.Context) {
	var asked time.Time
	told := false
	for none := 0; none < 2; {
		if time.Since(asked) >= cancelEvery && s.engine.Submit(&engine.Command{Kind: engine.CmdCancelAll, Scope: risk.FirmScope()}) {
			asked = time.Now()
		}
		if !s.caughtUp(ctx) || !sleep(ctx, 5*time.Millisecond) {
			s.log.Warn("gave up waiting for open orders to be cancelled")
			return
		}
		open := len(s.view.Orders(engine.OrderFilter{OpenOnly: true}))
		if open == 0 {
			none++
			continue
		}
		if none = 0; !told {
			told = true
			s.log.Info("cancelling open orders", zap.Int("orders", open))
		}
	}
}

// passed is told when the engine has answered.
type passed chan struct{}

// Deliver implements engine.ReplySink.
func (p passed) Deliver(*engine.Reply) {
	select {
	case p <- struct{}{}:
	default:
	}
}

// caughtUp waits until the engine has taken what waits in its command ring now,
// and the view shows it. It reports whether that was so before ctx was done.
func (s *server) caughtUp(ctx context.Context) bool {
	p := make(passed, 1)
	to, ok := s.engine.RegisterSink(p)
	if !ok || s.engine.Health() == engine.HealthStopped {
		return false
	}
	defer s.engine.UnregisterSink(to)
	// An order to be checked takes its turn among the others and changes nothing.
	for !s.engine.Submit(&engine.Command{Kind: engine.CmdCheck, Reply: to}) {
		if !sleep(ctx, time.Millisecond) {
			return false
		}
	}
	select {
	case <-ctx.Done():
		return false
	case <-p:
		return s.view.WaitFor(ctx, s.engine.Answered()) == nil
	}
}

// sleep waits for d and reports whether ctx is still good.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
