package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"go.uber.org/zap"

	"qcat/api/rest"
	"qcat/core"
	"qcat/feed/paper"
	"qcat/ringbuf"
)

// serveCmd runs the server.
type serveCmd struct {
	Demo    bool   `help:"Loopback only, simulated market, one account 'demo' with limits: nothing to set up."`
	Listen  string `help:"Address to listen on; beyond loopback with TLS, behind a proxy that is named, or with --insecure-listen." default:"127.0.0.1:8082"`
	DataDir string `help:"Directory that this process alone uses." default:"./data"`

	KillFile string `help:"Signal file: when it appears, what it says is halted (nothing: the firm). Default: KILL in the data directory." placeholder:"FILE"`

	feedFlags  `embed:""`
	paperFlags `embed:""`
	laneFlags  `embed:""`
	logFlags   `embed:""`

	storageFlags `embed:""`
	memoryFlags  `embed:""`
	debugFlags   `embed:""`
	masterFlags  `embed:""`
	accessFlags  `embed:""`

	scheduleFlags `embed:""`
	watchFlags    `embed:""`

	MaxConnections   int           `help:"WebSocket connections that are taken, and HTTP connections." default:"10000"`
	Origins          []string      `help:"Origins of browser pages that may call, beside the server's own." sep:";" placeholder:"URL"`
	CancelOnShutdown bool          `help:"Cancel all open orders when shutting down." default:"true" negatable:""`
	ShutdownTimeout  time.Duration `help:"How long a shutdown may wait for orders and clients." default:"10s"`
	TakeoverWait     time.Duration `help:"How long to wait for the data directory while another server that has it drains; 0: refuse to start at once." default:"0s"`
}

// defaultFeed is followed where none is named.
const defaultFeed = "sim"

// defaultDataDir is where state is kept unless something else is said.
const defaultDataDir = "./data"

// paperFlags are the settings of the paper venue.
type paperFlags struct {
	PaperMakerFee      string        `help:"Fee of a fill that provided liquidity, in percent or bp; negative is a rebate." default:"0.02%"`
	PaperTakerFee      string        `help:"Fee of a fill that took liquidity." default:"0.05%"`
	PaperBaseFees      bool          `help:"Take the fee of a spot buy from what is received, in the base currency, as spot venues do." default:"true" negatable:""`
	PaperFundingRate   string        `help:"Funding that longs pay shorts of derivatives at 00, 08 and 16 o'clock UTC, of what they hold at the mark; negative: they get it." default:"0%"`
	PaperLatency       time.Duration `help:"How long a new order or amend is on its way." default:"0s"`
	PaperCancelLatency time.Duration `help:"How long a cancel is on its way." default:"0s"`
}

// laneFlags say how goroutines wait for work.
type laneFlags struct {
	OrderIdle string `help:"How the engine and the paper venue wait: spin, yield, park or adaptive." default:"adaptive"`
	HubIdle   string `help:"How the fan-out waits." default:"adaptive"`
}

func (f *laneFlags) parse() (order, hub ringbuf.IdleStrategy, err error) {
	if order, err = ringbuf.ParseIdleStrategy(f.OrderIdle); err != nil {
		return order, hub, badSetting("order-idle", "%v", err)
	}
	if hub, err = ringbuf.ParseIdleStrategy(f.HubIdle); err != nil {
		return order, hub, badSetting("hub-idle", "%v", err)
	}
	return order, hub, nil
}

func (f *paperFlags) settings() (paper.Settings, error) {
	s := paper.Settings{OrderLatency: f.PaperLatency, CancelLatency: f.PaperCancelLatency}
	s.Fees.Base = f.PaperBaseFees
	for _, fee := range []struct {
		name, text string
		ppm        *int64
	}{{"paper-maker-fee", f.PaperMakerFee, &s.Fees.MakerPPM}, {"paper-taker-fee", f.PaperTakerFee, &s.Fees.TakerPPM}} {
		v, err := parsePercent(fee.text, 4)
		if err != nil {
			return s, badSetting(fee.name, "%v", err)
		}
		*fee.ppm = v
	}
	return s, nil
}

// Run implements the command.
func (c *serveCmd) Run(e *env) error {
	if err := errors.Join(c.checkAccess(), c.validate(), c.checkMemory(), c.checkDebug(), c.checkTakeover()); err != nil {
		return err
	}
	if c.MaxConnections < 1 {
		return badSetting("max-connections", "there must be one at least")
	}
	for _, o := range c.Origins {
		if u, err := url.Parse(o); err != nil || u.Host == "" || o != u.Scheme+"://"+u.Host {
			return badSetting("origins", "%q is not of the form https://host[:port]", o)
		}
	}
	logs, err := c.open(e.stderr)
	if err != nil {
		return err
	}
	defer func() { _ = logs.close() }() // nobody is left to tell
	log := logs.Logger
	defer reopenOnSignal(logs.file, log)()
	if len(c.Feed) == 0 {
		c.Feed = []string{defaultFeed}
	}
	who := e.file.sections
	if c.Demo && len(who.Accounts) == 0 {
		who = demoSections()
		who.builtIn = true
	}
	pair, err := c.certificate(log)
	if err != nil {
		return err
	}
	dir, err := c.takeDataDir(e.ctx, log)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }() // the process ends, and with it the lock
	ln, err := net.Listen("tcp", c.Listen)
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return badSetting("listen", "%v: by another QCAT, perhaps; --listen takes another address", err)
		}
		return badSetting("listen", "%v", err)
	}
	stopProfiles, err := c.serveProfiles(log)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	defer stopProfiles()
	c.applyMemory(log)
	s := c.newServer(log)
	s.settings, s.file, s.certificate = e.settings, e.file.digest, pair
	s.keepCalls(logs)
	if err := s.buildWhileAnswering(e.ctx, who, ln); err != nil {
		return errors.Join(err, s.close(), ln.Close())
	}
	if len(who.Accounts) == 0 {
		log.Warn("no accounts are configured: every order will be refused (see accounts in deploy/configs/config.yaml, or --demo)")
	}
	e.file.sections = sections{}
	debug.FreeOSMemory() // of a file with many accounts it is most that the process has
	if c.Demo {
		printWelcome(e.stdout, ln.Addr().String(), s.directory)
	}
	return s.run(e.ctx, ln)
}

// buildWhileAnswering builds the server, and tells on ln how far it is meanwhile.
func (s *server) buildWhileAnswering(ctx context.Context, who sections, ln net.Listener) error {
	starting := rest.Starting{Components: []rest.Component{{Name: "start", Check: s.progress.check}}, Metrics: s.metrics, Clock: s.clock, Log: s.log,
		Secure: s.secure, MayScrape: s.cfg.mayScrape}
	answering, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- starting.Serve(answering, ln.(*net.TCPListener)) }()
	err := s.build(ctx, who)
	stop()
	return errors.Join(err, <-served)
}

// loopback refuses an address that others could reach, and says why it must not be one.
func loopback(setting, addr, why string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return badSetting(setting, "%q is not host:port", addr)
	}
	if host == "localhost" {
		return nil
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		return nil
	}
	return badSetting(setting, "%s is not a loopback address: %s", addr, why)
}

// printWelcome says what to try next.
func printWelcome(w io.Writer, addr string, dir *core.Directory) {
	exe := "qcat"
	if p, err := os.Executable(); err == nil {
		exe = p
		if wd, err := os.Getwd(); err == nil {
			if rel, err := filepath.Rel(wd, p); err == nil && !strings.HasPrefix(rel, "..") {
				exe = rel
			}
		}
	}
	watchAddr := ""
	if addr != defaultAddr {
		watchAddr = " --addr " + addr
	}
	in := dir.Instruments()[0]
	fmt.Fprintf(w, `
QCAT is running on http://%[1]s with %[2]d instruments and the account "demo". Three things to try:

  1. Watch the market:
     %[3]s watch%[4]s bbo:%[5]s trade:%[5]s

  2. Buy at the market, and look at what you hold:
     curl -s %[1]s/api/v1/orders -d '{"account":"demo","instrument":"%[5]s","side":"buy","type":"market","qty":"%[6]s"}'
     curl -s %[1]s/api/v1/positions

  3. Stop everything, send the order of 2 again to see it refused, and go on:
     %[3]s halt%[4]s --reason drill
     %[3]s resume%[4]s --reason "drill over"

Everything that it takes: http://%[1]s/swagger, and docs/api.md. Ctrl-C stops the server.

`, addr, len(dir.Instruments()), exe, watchAddr, in.Name(), core.FormatDecimal(int64(in.StepSize)*10, in.QtyScale))
}

// run serves until ctx is done, then shuts down in order.
func (s *server) run(ctx context.Context, ln net.Listener) error {
	failed := make(chan error, 1)
	s.start(failed)
	kill := &killSwitch{path: s.cfg.killFile(), engine: s.engine, clock: s.clock, log: s.log}
	if err := kill.first(ctx); err != nil {
		return errors.Join(err, ln.Close(), s.shutdown())
	}
	if s.calls != nil {
		s.callers.start(s.calls.Run)
	}
	s.watchers.start(append(s.guards(), kill.run, s.funding.run, s.fullest.Run, s.noteJournal)...)
	for !s.paper.Ready() && sleep(ctx, time.Millisecond) { // its goroutine has been started: the first order must find it
	}
	go func() {
		if err := s.rest.Serve(s.secure(ln)); err != nil {
			failed <- fmt.Errorf("http: %w", err)
		}
	}()
	s.log.Info("serving", zap.String("address", ln.Addr().String()), zap.Int("instruments", len(s.directory.Instruments())), zap.String("version", version))
	var err error
	select {
	case <-ctx.Done():
		s.log.Info("shutting down")
	case err = <-failed:
		s.log.Error("stopping", zap.Error(err))
	}
	return errors.Join(err, s.shutdown())
}
