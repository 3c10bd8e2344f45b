package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"qcat/core"
	"qcat/core/hist"
	"qcat/core/market"
	"qcat/feed"
	"qcat/feed/binance"
	"qcat/feed/replay"
	"qcat/feed/sim"
)

// feedFlags are the settings of the feeds.
type feedFlags struct {
	Feed []string `help:"What to follow: sim, replay:FILE[@SPEED], binance-usdm:BTCUSDT,… or binance-spot:…; repeat for more. Default: sim." sep:";" placeholder:"SPEC"`

	SimInstruments int    `help:"Instruments of the simulated market: linear perpetuals." default:"3"`
	SimSpot        int    `help:"Spot instruments beside them." default:"0"`
	SimInverse     int    `help:"Inverse perpetuals beside them." default:"0"`
	SimRate        int    `help:"Mean actions a second and instrument; 0: as many as possible." default:"200"`
	SimSeed        uint64 `help:"Seed: the same seed gives the same market." default:"1"`

	ReplayVenue string `help:"Venue that captures were recorded from; told from their frames when left out." default:""`
	ReplayLoop  bool   `help:"Start a capture again when it ends."`

	BinanceSpotWSURL       string `name:"binance-spot-ws-url" help:"WebSocket base URL." default:"${binance_spot_ws}"`
	BinanceSpotRESTURL     string `name:"binance-spot-rest-url" help:"REST base URL." default:"${binance_spot_rest}"`
	BinanceUSDMWSURL       string `name:"binance-usdm-ws-url" help:"WebSocket base URL." default:"${binance_usdm_ws}"`
	BinanceUSDMMarketWSURL string `name:"binance-usdm-market-ws-url" help:"WebSocket base URL of mark prices. Left out: ${binance_usdm_market_ws}, or that of the other streams where another server stands in for the venue."`
	BinanceUSDMRESTURL     string `name:"binance-usdm-rest-url" help:"REST base URL." default:"${binance_usdm_rest}"`
	BinanceUSDMMarks       bool   `name:"binance-usdm-marks" help:"Follow mark prices too." default:"true" negatable:""`
	BinanceDepthSpeed      string `help:"Depth stream's speed: spot 100ms or 1000ms, USD-M 0ms, 100ms, 250ms or 500ms; default the venue's fastest."`
}

// feedVars are the defaults that come from the packages.
var feedVars = map[string]string{
	"binance_spot_ws": binance.SpotWS, "binance_spot_rest": binance.SpotREST,
	"binance_usdm_ws": binance.USDMWS, "binance_usdm_rest": binance.USDMREST,
	"binance_usdm_market_ws": binance.USDMMarketWS,
}

// plan is a feed whose instruments are known and whose lanes are not made yet:
// the quote table is sized in between.
type plan interface {
	// instruments are those that its lanes will own.
	instruments() []core.InstrumentID
	lanes(p *pipes) ([]laneRunner, error)
}

// pipes are what lanes are connected to.
type pipes struct {
	quotes *market.QuoteTable
	clock  core.Clock
	log    *zap.Logger

	limiters map[string]*feed.Limiter // by venue
	names    map[string]int           // of lanes, how often
}

// snapshotSpacing parts the snapshot requests to one venue: 100 a minute, where
// the weight of binance.SnapshotLimit would allow 120.
const snapshotSpacing = 600 * time.Millisecond

// limiter returns the one limiter of a venue, which counts requests by address,
// not by feed.
func (p *pipes) limiter(venue string) *feed.Limiter {
	if p.limiters[venue] == nil {
		if p.limiters == nil {
			p.limiters = map[string]*feed.Limiter{}
		}
		p.limiters[venue] = feed.NewLimiter(snapshotSpacing, p.clock)
	}
	return p.limiters[venue]
}

// laneRunner is one lane and the goroutine that owns it.
type laneRunner struct {
	name   string
	source market.Source
	stats  func() feed.Stats
	run    func(ctx context.Context) error
	decode *hist.Histogram
	book   *hist.Histogram
	// session is nil for feeds that have no connection.
	session *feed.Session
}

// define adds an instrument and gives it its id, or the one it has already.
type define func(core.Instrument) (*core.Instrument, error)

// planFeed reads one specification and defines its instruments. It may ask the
// venue.
func (f *feedFlags) planFeed(ctx context.Context, spec string, add define, clock core.Clock, log *zap.Logger) (plan, error) {
	kind, rest, _ := strings.Cut(spec, ":")
	switch kind {
	case "sim":
		return f.planSim(rest, add)
	case "replay":
		return f.planReplay(spec, add)
	case binance.SpotVenue, binance.USDMVenue:
		return f.planBinance(ctx, kind, rest, add, clock, log)
	}
	return nil, badSetting("feed", "%q is none of sim, replay:FILE[@SPEED], binance-usdm:SYMBOLS and binance-spot:SYMBOLS", spec)
}

// unique returns name, or name-2, name-3, …: lanes are told apart by their names
// in metrics, health and logs.
func (p *pipes) unique(name string) string {
	if p.names == nil {
		p.names = map[string]int{}
	}
	p.names[name]++
	if n := p.names[name]; n > 1 {
		return fmt.Sprintf("%s-%d", name, n)
	}
	return name
}

// laneConfig is what all lanes have in common.
func (p *pipes) laneConfig(name string, maxID core.InstrumentID) (feed.LaneConfig, *laneRunner) {
	name = p.unique(name)
	r := &laneRunner{name: name, decode: new(hist.Histogram), book: new(hist.Histogram)}
	return feed.LaneConfig{
		Name: name, Quotes: p.quotes, Clock: p.clock, MaxInstruments: int(maxID) + 1,
		DecodeTime: r.decode, BookTime: r.book,
	}, r
}

// simPlan is the simulated market.
type simPlan struct {
	settings sim.Settings
	listings []sim.Listing
}

func (f *feedFlags) planSim(rest string, add define) (plan, error) {
	if rest != "" {
		return nil, badSetting("feed", "sim takes no symbols; --sim-instruments says how many there are")
	}
	if f.SimInstruments < 1 {
		return nil, badSetting("sim-instruments", "there must be one at least")
	}
	if f.SimSpot < 0 || f.SimInverse < 0 {
		return nil, badSetting("sim-spot, sim-inverse", "there cannot be fewer than none")
	}
	p := &simPlan{settings: sim.Settings{Seed: f.SimSeed, Rate: f.SimRate},
		listings: slices.Concat(sim.Listings(f.SimInstruments), sim.SpotListings(f.SimSpot), sim.InverseListings(f.SimInverse))}
	for i := range p.listings {
		in, err := add(p.listings[i].Instrument)
		if err != nil {
			return nil, err
		}
		p.listings[i].Instrument = *in
	}
	return p, nil
}

func (s *simPlan) instruments() []core.InstrumentID {
	var ids []core.InstrumentID
	for i := range s.listings {
		ids = append(ids, s.listings[i].Instrument.ID)
	}
	return ids
}

func (s *simPlan) lanes(p *pipes) ([]laneRunner, error) {
	exchange, err := sim.NewExchange(s.settings, s.listings)
	if err != nil {
		return nil, badSetting("feed", "sim: %v", err)
	}
	ids := exchange.Instruments()
	cfg, r := p.laneConfig("sim", ids[len(ids)-1])
	cfg.Continuity, cfg.Instruments, cfg.RequestResync = feed.ContinuityPrev, ids, exchange.RequestSnapshot
	lane, err := feed.NewLane(cfg)
	if err != nil {
		return nil, err
	}
	runner := sim.NewRunner(exchange, lane, p.clock)
	r.source, r.stats = lane.Source(), lane.Stats
	r.run = func(ctx context.Context) error { runner.Run(ctx); return ctx.Err() }
	return []laneRunner{*r}, nil
}

// replayPlan is a recorded capture played as if live.
type replayPlan struct {
	spec    replay.Spec
	binding replay.Binding
	atEnd   replay.AtEnd
}

func (f *feedFlags) planReplay(spec string, add define) (plan, error) {
	parsed, err := replay.ParseSpec(spec)
	if err != nil {
		return nil, badSetting("feed", "%v", err)
	}
	p := &replayPlan{spec: parsed}
	if f.ReplayLoop {
		p.atEnd = replay.Loop
	}
	if p.binding, err = replay.Probe(parsed.Path, bindCapture(f.ReplayVenue, add)); err != nil {
		return nil, badSetting("feed", "%v", err)
	}
	return p, nil
}

func (s *replayPlan) instruments() []core.InstrumentID {
	return []core.InstrumentID{s.binding.Instrument}
}

func (s *replayPlan) lanes(p *pipes) ([]laneRunner, error) {
	cfg, r := p.laneConfig("replay", s.binding.Instrument)
	player, err := replay.NewPlayer(replay.PlayerConfig{
		Path: s.spec.Path, Binding: s.binding, Lane: cfg, Speed: s.spec.Speed, AtEnd: s.atEnd, Clock: p.clock,
	})
	if err != nil {
		return nil, err
	}
	r.source, r.stats = player.Source(), player.Stats
	r.run = func(ctx context.Context) error {
		err := player.Run(ctx)
		if err == nil {
			p.log.Info("capture ended", zap.String("file", s.spec.Path), zap.Uint64("frames", player.Position().Frames))
		}
		return err
	}
	return []laneRunner{*r}, nil
}

// binancePlan is a live venue.
type binancePlan struct {
	adapter *binance.Adapter
	listed  []*core.Instrument
}

func (b *binancePlan) instruments() []core.InstrumentID {
	var ids []core.InstrumentID
	for _, in := range b.listed {
		ids = append(ids, in.ID)
	}
	return ids
}

// rulesTimeout bounds asking a venue for its trading rules, rulesRetry is the
// pause after a failure that may pass by itself.
const (
	rulesTimeout = time.Minute
	rulesRetry   = 2 * time.Second
)

// askRules asks until the venue answers, for rulesTimeout: it may be starting, or
// want to be left alone for a while. What it refuses is not asked again.
func askRules(ctx context.Context, adapter *binance.Adapter, names []string, log *zap.Logger) ([]core.Instrument, error) {
	ctx, cancel := context.WithTimeout(ctx, rulesTimeout)
	defer cancel()
	for {
		rules, err := adapter.REST().Instruments(ctx, names)
		var limited *feed.RateLimitError
		var failed *url.Error // of the connection, not of the answer
		pause := rulesRetry
		switch {
		case err == nil:
			return rules, nil
		case errors.As(err, &limited):
			pause = max(pause, limited.RetryAfter)
		case !errors.As(err, &failed):
			return nil, err
		}
		log.Warn("no trading rules yet, trying again", zap.Error(err), zap.Duration("pause", pause))
		if !sleep(ctx, pause) {
			return nil, err
		}
	}
}

func (f *feedFlags) planBinance(ctx context.Context, venue, symbols string, add define, clock core.Clock, log *zap.Logger) (plan, error) {
	market, _ := binance.MarketOf(venue)
	opts := binance.Options{Market: market, DepthSpeed: f.BinanceDepthSpeed, Clock: clock, WS: f.BinanceSpotWSURL, REST: f.BinanceSpotRESTURL}
	if market == binance.USDM {
		opts.WS, opts.REST = f.BinanceUSDMWSURL, f.BinanceUSDMRESTURL
		opts.MarketWS, opts.NoMarkPrice = f.BinanceUSDMMarketWSURL, !f.BinanceUSDMMarks
	}
	names := strings.FieldsFunc(strings.ToUpper(symbols), func(r rune) bool { return r == ',' || r == ' ' })
	if len(names) == 0 {
		return nil, badSetting("feed", "%s needs symbols, such as %s:BTCUSDT,ETHUSDT", venue, venue)
	}
	adapter, err := binance.NewAdapter(opts)
	if err != nil {
		return nil, badSetting("feed", "%v", err)
	}
	rules, err := askRules(ctx, adapter, names, log)
	if err != nil {
		return nil, fmt.Errorf("%s: trading rules: %w", venue, err)
	}
	p := &binancePlan{adapter: adapter}
	for i := range rules {
		in, err := add(rules[i])
		if err != nil {
			return nil, err
		}
		p.listed = append(p.listed, in)
	}
	return p, nil
}

func (b *binancePlan) lanes(p *pipes) ([]laneRunner, error) {
	var out []laneRunner
	limiter := p.limiter(b.adapter.Market().Venue())
	for i, conn := range b.adapter.Connections(b.listed) {
		decoder, err := conn.NewDecoder()
		if err != nil {
			return nil, err
		}
		var ids []core.InstrumentID
		maxID := core.InstrumentID(0)
		for _, in := range conn.Instruments() {
			ids, maxID = append(ids, in.ID), max(maxID, in.ID)
		}
		name := fmt.Sprintf("%s-%d", b.adapter.Market(), i)
		cfg, r := p.laneConfig(name, maxID)
		cfg.Decoder, cfg.Continuity, cfg.Instruments = decoder, b.adapter.Market().Continuity(), ids
		session, err := feed.NewSession(feed.SessionConfig{Venue: conn, Lane: cfg, Limiter: limiter, Clock: p.clock, Log: p.log.Named(name)})
		if err != nil {
			return nil, err
		}
		r.source, r.stats, r.run, r.session = session.Source(), session.Stats, session.Run, session
		out = append(out, *r)
	}
	return out, nil
}
