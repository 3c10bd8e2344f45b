package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"

	"qcat/api/calls"
	"qcat/api/hub"
	"qcat/api/limit"
	"qcat/api/metrics"
	"qcat/api/rest"
	"qcat/api/ws"
	"qcat/core"
	"qcat/core/engine"
	"qcat/core/market"
	"qcat/feed/paper"
	"qcat/persist/backup/schedule"
	"qcat/persist/journal"
	"qcat/persist/redis"
	"qcat/persist/snapshot"
	"qcat/persist/ticklog"
	"qcat/persist/vfs"
	"qcat/ringbuf"
)

// server is everything that runs in `qcat serve`. Data flows from lanes to
// paper venue, hub, tick log and quote table, and from the gate through engine and
// journal to paper venue, view, hub and stores; it is stopped in the order of the
// flow of orders.
type server struct {
	cfg       *serveCmd
	log       *zap.Logger
	clock     *runClock
	directory *core.Directory
	metrics   *metrics.Registry
	calls     *calls.Log // nil: requests are not logged
	progress  *progress
	disk      vfs.FS // of the journal and the snapshots

	quotes     *market.QuoteTable
	lanes      []laneRunner
	journal    *journal.Log
	journalLag *journal.Lag
	engine     *engine.Engine
	gate       *gate
	paper      *paper.Venue
	funding    *funding
	view       *engine.View
	hub        *hub.Hub
	fullest    *engine.Fullest
	rest       *rest.Server

	guard       *guard       // nil: nobody is asked
	certificate *certificate // nil: there is no TLS
	settings    []setting    // as the audit log is told of them
	file        string       // digest of the configuration

	archive      *archive
	ticks        *ticklog.Writer // nil: market data is not kept
	redis        *redis.Cache    // nil: none is wanted
	keeper       *snapshot.Keeper
	snapshotAt   snapshot.Meta // what the start found
	snapshotHold *journal.Hold
	backups      *schedule.Keeper

	feeds, orders, venue, readers, clients, recorders, mirrors, stores, watchers, callers, saving stage
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

// stop ends them; it may come twice, and before start.
func (g *stage) stop() {
	if g.cancel == nil {
		return
	}
	g.cancel()
	g.wg.Wait()
}

// end has them stop, and waits for nobody: stop does.
func (g *stage) end() {
	if g.cancel != nil {
		g.cancel()
	}
}

// gate is the engine as clients reach it: closed, it takes no new orders.
type gate struct {
	*engine.Engine
	closed atomic.Bool
}

// passes reports whether c may go to the engine: new orders and amends not once the gate
// is closed, cancels and state changes always. Every way in asks it.
func (g *gate) passes(c *engine.Command) bool {
	return !g.closed.Load() || (c.Kind != engine.CmdNew && c.Kind != engine.CmdAmend)
}

// Submit is the engine's, of what passes.
func (g *gate) Submit(c *engine.Command) bool { return g.passes(c) && g.Engine.Submit(c) }

// Put is the engine's, of what passes.
func (g *gate) Put(c *engine.Command) bool { return g.passes(c) && g.Engine.Put(c) }

// Execute is the engine's, of what passes.
func (g *gate) Execute(c *engine.Command) bool { return g.passes(c) && g.Engine.Execute(c) }

// hubView is the engine's view as the hub wants it.
type hubView struct{ *engine.View }

// Seq is the journal sequence the view shows.
func (v hubView) Seq() uint64 { return v.Applied() }

// newServer returns what a start needs before it knows its state.
func (c *serveCmd) newServer(log *zap.Logger) *server {
	s := &server{cfg: c, log: log, clock: &runClock{machine: core.SystemClock()}, directory: core.NewDirectory(), metrics: metrics.New(), disk: vfs.OS{}}
	s.progress = newProgress(s.clock, log)
	s.progress.register(s.metrics)
	return s
}

// build recovers the state, makes all parts and connects them; nothing but the
// journal's committer runs yet.
//
// The order matters: ids come from the journal first; what feeds and settings add
// to them is committed before a tick or a row may carry it.
func (s *server) build(ctx context.Context, who sections) error {
	orderIdle, hubIdle, err := s.cfg.laneFlags.parse()
	if err != nil {
		return err
	}
	if err := s.openJournal(); err != nil {
		return err
	}
	s.goOnInTime()
	cfg := stateConfig()
	cfg.Directory, cfg.Clock, cfg.Idle, cfg.Journal = s.directory, s.clock, orderIdle, s.journal
	s.engine = engine.New(cfg)
	s.view = engine.NewView(s.engine, engine.ViewConfig{})
	if err := s.recover(ctx); err != nil {
		return err
	}
	s.progress.begin("asking the venues for their instruments", "", 0)
	if err := s.buildLanes(ctx); err != nil {
		return err
	}
	if err := s.buildVenue(orderIdle); err != nil {
		return err
	}
	if who.builtIn {
		who.keepKnown(s.directory)
	}
	who.later = func(err error) { s.log.Warn("a setting of the configuration cannot be made now", zap.Error(err)) }
	if err := who.define(s.engine); err != nil {
		return err
	}
	if n, err := who.othersInForce(s.engine); err != nil {
		return err
	} else if n > 0 && !who.builtIn {
		s.log.Warn("the limits in force are not those of the configuration, which only seeds them: "+
			"compare with qcat limits diff, change with qcat limits apply", zap.Int("nodes", n))
	}
	if err := s.engine.Settle(ctx); err != nil {
		return err
	}
	s.progress.begin("opening the store", "", 0)
	if err := s.buildArchive(ctx); err != nil {
		return err
	}
	if err := s.buildGuard(ctx); err != nil {
		return err
	}
	if err := s.buildMirror(); err != nil {
		return err
	}
	if err := s.buildKeeper(); err != nil {
		return err
	}
	if err := s.buildBackups(); err != nil {
		return err
	}
	s.gate, s.fullest, s.journalLag = &gate{Engine: s.engine}, engine.NewFullest(s.engine), journal.NewLag(s.journal, s.clock)
	s.hub = hub.New(hub.Config{
		Exposure:  s.engine,
		Directory: s.directory, Clock: s.clock, Idle: hubIdle, Sources: s.sources(),
		Events: s.engine.Events(), View: hubView{s.view}, StartSeq: s.engine.Seq(), MaxConnections: s.cfg.MaxConnections,
	})
	s.buildAPI()
	return nil
}

// sources are the lanes' events.
func (s *server) sources() []market.Source {
	sources := make([]market.Source, len(s.lanes))
	for i := range s.lanes {
		sources[i] = s.lanes[i].source
	}
	return sources
}

// buildVenue makes the paper venue and connects the engine to it and to the
// quotes: it trades every venue's instruments, those of earlier feeds too.
func (s *server) buildVenue(idle ringbuf.IdleStrategy) error {
	settings, err := s.cfg.settings()
	if err != nil {
		return err
	}
	if s.funding, err = s.newFunding(); err != nil {
		return err
	}
	s.paper, err = paper.New(paper.Config{
		Settings: settings, Directory: s.directory, Sources: s.sources(), Clock: s.clock, Idle: idle,
		Deliver: func(r *core.ExecReport) bool {
			return s.engine.Submit(&engine.Command{Kind: engine.CmdReport, Report: *r})
		},
	})
	if err != nil {
		return err
	}
	gateways := map[string]engine.Gateway{}
	for _, in := range s.directory.Instruments() {
		gateways[in.Venue] = s.paper
	}
	return s.engine.Connect(s.quotes, gateways)
}

func (s *server) buildLanes(ctx context.Context) error {
	var plans []plan
	owned := map[core.InstrumentID]bool{}
	for _, spec := range s.cfg.Feed {
		p, err := s.cfg.planFeed(ctx, spec, s.engine.DefineInstrument, s.clock, s.log)
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
	clients, addresses, cancels := s.cfg.limiters()
	sockets := ws.Config{
		Hub: s.hub, Directory: s.directory, Clock: s.clock, Engine: s.gate, Orders: s.view, Origins: s.cfg.Origins, Log: s.log, Calls: s.calls,
		Proxies: s.cfg.TrustedProxies,
	}
	requests := rest.Config{
		Directory: s.directory, Engine: s.gate, View: s.view, Quotes: s.quotes, Market: s.hub,
		Components: s.components(), Metrics: s.metrics, Calls: s.calls, Clock: s.clock, Log: s.log,
		Origins: s.cfg.Origins, History: s.archive, HistorySeq: s.archive.storedSeq, HistoryTime: s.archive.storedTime,
		MaxConnections: s.cfg.MaxConnections, Proxies: s.cfg.TrustedProxies, Scrapers: s.cfg.ScrapeFrom,
	}
	if g := s.guard; g != nil {
		sockets.Gate, sockets.Auditor, sockets.Recorder = g.gate, g.ledger, g.recorder
		sockets.Clients, sockets.Addresses, sockets.Cancels = clients, addresses, cancels
		requests.Gate, requests.Service, requests.Recorder = g.gate, g.service, g.recorder
		requests.Clients, requests.Addresses, requests.Cancels = clients, addresses, cancels
	}
	requests.Socket = ws.New(sockets).Handle
	s.register(s.metrics)
	s.registerGuard(s.metrics, map[string]*limit.Limiter{"client": clients, "address": addresses, "cancel": cancels})
	s.rest = rest.New(requests)
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
	s.stores.start(s.archive.run, s.keeper.Run)
	if s.ticks != nil {
		s.recorders.start(s.ticks.Run)
	}
	if s.redis != nil {
		s.mirrors.start(s.redis.Run)
	}
	s.saving.start(s.backups.Run)
}

// badPart is a part of the server that ended with an error.
type badPart struct {
	part string
	err  error
}

func (b badPart) Error() string { return b.part + ": " + b.err.Error() }
func (b badPart) Unwrap() error { return b.err }
