package store_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"qcat/core"
	"qcat/core/engine"
	"qcat/core/record"
	"qcat/risk"
)

const testStart = core.Nanos(1_700_000_000_000_000_000)

// market is a quote table under a lock.
type market struct {
	mu sync.Mutex
	q  map[core.InstrumentID]core.Quote
}

func (m *market) Load(id core.InstrumentID, q *core.Quote) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.q[id]
	*q = v
	return ok
}

func (m *market) set(id core.InstrumentID, q core.Quote) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.q[id] = q
}

// venue keeps what it is sent until the load answers, rightly or not.
type venue struct {
	mu    sync.Mutex
	inbox []core.VenueCommand
}

func (v *venue) Ready() bool { return true }

func (v *venue) Submit(c *core.VenueCommand) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.inbox = append(v.inbox, *c)
	return true
}

func (v *venue) take() []core.VenueCommand {
	v.mu.Lock()
	defer v.mu.Unlock()
	out := v.inbox
	v.inbox = nil
	return out
}

// load drives a real engine with random commands and a venue that does anything,
// through several runs of it, and leaves the records.
type load struct {
	t       *testing.T
	rng     *rand.Rand
	clock   *core.ManualClock
	quotes  *market
	venue   *venue
	journal *engine.MemoryJournal
	e       *engine.Engine
	ids     []core.InstrumentID

	sent      []core.VenueCommand // new orders the venue got, open or not
	exec      uint64
	submitted uint64 // in this run
}

func (l *load) config() engine.Config {
	return engine.Config{Clock: l.clock, Quotes: l.quotes, Journal: l.journal, Directory: core.NewDirectory(),
		Gateways: map[string]engine.Gateway{"sim": l.venue}, MaxOpenOrders: 256, KeepClosedOrders: 60,
		MarkEvery: 2 * time.Second, ReconcileEvery: time.Second}
}

// runLoad makes a journal of about steps commands, with a restart in between now
// and then.
func runLoad(t *testing.T, seed uint64, steps int) [][]byte {
	t.Helper()
	l := &load{t: t, rng: rand.New(rand.NewPCG(seed, 7)), clock: core.NewManualClock(testStart),
		quotes: &market{q: map[core.InstrumentID]core.Quote{}}, venue: &venue{}, journal: engine.NewMemoryJournal(0)}
	runs := 1 + l.rng.IntN(3)
	for range runs {
		l.run(steps / runs)
	}
	return slices.Collect(l.journal.Records())
}

// run is one life of the process.
func (l *load) run(steps int) {
	l.e = engine.New(l.config())
	if err := l.e.Recover(l.journal.Records(), nil); err != nil {
		l.t.Fatal(err)
	}
	l.venue.take() // what was on its way is lost
	l.submitted = 0
	l.define()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.e.Run(ctx) }()
	for range steps {
		l.step()
	}
	l.report(core.ExecReport{Type: core.ExecCancelled, Instrument: l.ids[0], Order: 1 << 40}) // of nobody
	l.settle()
	cancel()
	if err := <-done; err != nil {
		l.t.Fatalf("run: %v", err)
	}
}

func (l *load) define() {
	l.ids = l.ids[:0]
	for i, in := range []core.Instrument{
		{Symbol: "LIN", Settle: "USDT", Kind: core.Linear, PriceScale: 2, QtyScale: 3, SettleScale: 8, ContractSize: 1},
		{Symbol: "INV", Settle: "BTC", Kind: core.Inverse, PriceScale: 1, SettleScale: 8, ContractSize: 100},
		{Symbol: "SPOT", Settle: "USDT", Kind: core.Spot, PriceScale: 4, QtyScale: 4, SettleScale: 8, ContractSize: 1},
	} {
		in.Venue, in.Base, in.Quote, in.TickSize, in.StepSize, in.MinQty = "sim", "B", "USDT", 1, 1, 1
		out, err := l.e.DefineInstrument(in)
		if err != nil {
			l.t.Fatal(err)
		}
		l.ids = append(l.ids, out.ID)
		l.quote(l.ids[i])
	}
	for _, name := range []string{"x", "y", "z"} {
		a, err := l.e.DefineAccount(name)
		if err != nil {
			l.t.Fatal(err)
		}
		if _, err := l.e.DefineStrategy(a.ID, "second"); err != nil {
			l.t.Fatal(err)
		}
		if _, err := l.e.DefineLimits(risk.AccountScope(a.ID), l.limits()); err != nil {
			l.t.Fatal(err)
		}
		l.transfer(a.ID, 1e15)
	}
	if _, _, err := l.e.DefineMargin(record.Margin{Kind: record.MarginHedge, Account: hedged, Value: 1, By: record.MakeText("x")}); err != nil {
		l.t.Fatal(err)
	}
	for _, currency := range []string{"USDT", "BTC"} {
		if _, err := l.e.DefineRate(currency, int64(1_000_000+l.rng.IntN(10))); err != nil {
			l.t.Fatal(err)
		}
	}
}

// hedged is the account in hedge mode.
const hedged = core.AccountID(3)

// limits are random ones of an account, which what it holds may cross.
func (l *load) limits() (limits risk.Limits) {
	limits.Set(risk.LimitMaxOpenOrders, int64(20+l.rng.IntN(20)))
	limits.Set(risk.LimitMaxLossDaily, int64(1+l.rng.IntN(500_000))*100)
	limits.Set(risk.LimitLossAction, int64(risk.ActionNotify)+int64(l.rng.IntN(4)))
	return limits
}

func (l *load) transfer(a core.AccountID, amount int64) {
	currency := [...]string{"USDT", "BTC", "B"}[l.rng.IntN(3)]
	if _, _, err := l.e.DefineTransfer(a, currency, amount, "by x", "a\x00b"); err != nil {
		l.t.Fatal(err)
	}
}

// administer does one of the things that people do.
func (l *load) administer() {
	account := core.AccountID(1 + l.rng.IntN(4)) // the fourth does not exist
	in := l.ids[l.rng.IntN(len(l.ids))]
	var err error
	switch l.rng.IntN(6) {
	case 0:
		l.transfer(account, int64(l.rng.IntN(2_000_000_000))-1_000_000_000)
	case 1:
		_, _, err = l.e.DefineMargin(record.Margin{Kind: record.MarginLeverage, Account: account, Instrument: in, Value: int64(1+l.rng.IntN(9)) * 1e6})
	case 2:
		_, _, err = l.e.DefineFunding(in, int64(l.rng.IntN(2_000_000))-1_000_000, core.Price(9900+l.rng.IntN(200)))
	case 3:
		_, err = l.e.ProposeLimits(risk.AccountScope(account), l.limits(), l.clock.Now()+core.Nanos(1+l.rng.Int64N(9_000_000_000)), "alice", "why")
	case 4:
		_, err = l.e.ProposeLimits(risk.AccountScope(account), l.limits(), 0, "alice", "")
	default:
		waiting, _ := l.e.Proposals()
		for _, p := range waiting {
			if _, err = l.e.DecideProposal(p.ID, l.rng.IntN(3) > 0, [...]string{"alice", "bob"}[l.rng.IntN(2)]); err == nil {
				break
			}
		}
		err = nil // what cannot be decided is refused
	}
	if err != nil && !errors.Is(err, engine.ErrRefused) {
		l.t.Fatal(err)
	}
}

func (l *load) quote(id core.InstrumentID) {
	mid, now := core.Price(9900+l.rng.IntN(200)), l.clock.Now()
	l.quotes.set(id, core.Quote{BidPrice: mid, AskPrice: mid + 2, LastPrice: mid, ReceiveTime: now, LastTime: now})
}

// submit offers c until there is room for it.
func (l *load) submit(c engine.Command) {
	for !l.e.Submit(&c) {
		runtime.Gosched()
	}
	l.submitted++
}

// settle waits until everything that was submitted is sequenced.
func (l *load) settle() {
	for l.e.Stats().Commands.Load() < l.submitted {
		runtime.Gosched()
	}
	l.e.Seq()
}

func (l *load) step() {
	l.clock.Advance(time.Duration(l.rng.IntN(300)) * time.Millisecond)
	for _, id := range l.ids {
		l.quote(id)
	}
	if l.rng.IntN(12) == 0 {
		l.administer()
	}
	l.submit(l.command())
	if l.rng.IntN(3) > 0 {
		l.settle()
	}
	for _, c := range l.venue.take() {
		l.answer(&c)
	}
	for range l.rng.IntN(3) {
		l.trade()
	}
}

// command is a random one.
func (l *load) command() engine.Command {
	account := core.AccountID(1 + l.rng.IntN(4)) // the fourth does not exist
	c := engine.Command{Account: account, Strategy: core.StrategyID(2*account - 1 + core.AccountID(l.rng.IntN(2))),
		Instrument: l.ids[l.rng.IntN(len(l.ids))], Order: core.OrderID(1 + l.rng.IntN(len(l.sent)+4)),
		Side: core.Side(1 + l.rng.IntN(2)), Type: core.Limit, TIF: core.GTC, Price: core.Price(9900 + l.rng.IntN(200)),
		Qty: core.Qty(1 + l.rng.IntN(50))}
	c.Session = core.SessionID(l.rng.IntN(4))
	if account == hedged {
		c.Leg = core.LegLong + core.Leg(l.rng.IntN(2))
	}
	c.ClOrdID, _ = core.MakeClOrdID([]byte{'c', byte('a' + l.rng.IntN(26)), byte('a' + l.rng.IntN(26))})
	if l.rng.IntN(3) > 0 && len(l.sent) > 0 { // one of the last
		c.Order = l.sent[len(l.sent)-1-l.rng.IntN(min(20, len(l.sent)))].Order
	}
	switch k := l.rng.IntN(100); {
	case k < 50:
		c.Kind, c.Order, c.CancelOnDrop = engine.CmdNew, 0, c.Session == 1
		switch {
		case k < 20:
			c.TIF, c.ExpireTime = core.GTD, l.clock.Now()+core.Nanos(l.rng.Int64N(20_000_000_000))
		case k < 24:
			c.Type, c.TIF, c.Price = core.Market, core.IOC, 0
		case k < 26:
			c.Instrument = 99
		}
	case k < 68:
		c.Kind, c.Account = engine.CmdCancel, core.AccountID(l.rng.IntN(2))*account
	case k < 88:
		c.Kind, c.Account = engine.CmdAmend, 0
		if l.rng.IntN(2) == 0 {
			c.Price = 0
		}
	case k < 89:
		c.Kind, c.Scope, c.Session = engine.CmdCancelAll, risk.InstrumentScope(0, 0, c.Instrument), 0
	case k < 90:
		c.Kind, c.Scope = engine.CmdCancelAll, risk.FirmScope()
	case k < 91:
		c.Kind, c.Scope, c.Timeout = engine.CmdCountdown, risk.AccountScope(account), core.Nanos(1+l.rng.Int64N(3_000_000_000))
	case k < 93:
		c.Kind, c.Scope, c.CancelOpen = engine.CmdState, risk.StrategyScope(c.Strategy), l.rng.IntN(2) == 0
		c.State, c.Note = risk.TradingState(l.rng.IntN(3)), engine.MakeNote("by x:\x00 \xff")
	default:
		c.Kind, c.Scope = engine.CmdState, risk.FirmScope()
		if k < 95 {
			c.Scope = risk.StrategyScope(c.Strategy)
		} else if k < 98 {
			c.Scope = risk.AccountScope(account)
		}
	}
	return c
}

func (l *load) report(r core.ExecReport) {
	l.exec++
	r.VenueExecID, r.Time = l.exec, l.clock.Now()
	for range 1 + l.rng.IntN(10)/9 {
		l.submit(engine.Command{Kind: engine.CmdReport, Report: r})
	}
}

// answer is what the venue makes of a command; now and then nothing.
func (l *load) answer(c *core.VenueCommand) {
	r := core.ExecReport{Order: c.Order, Instrument: c.Instrument}
	k := l.rng.IntN(20)
	if c.Op == core.VenueNew {
		l.sent = append(l.sent, *c)
	}
	if k == 0 {
		return
	}
	reasons := [...]core.VenueReason{core.VenueReasonInvalid, core.VenueReasonUnknownOrder}
	r.VenueCode = uint16(reasons[l.rng.IntN(2)])
	switch c.Op {
	case core.VenueNew:
		if r.Type = core.ExecNew; k < 3 {
			r.Type = core.ExecRejected
		}
	case core.VenueCancel:
		if r.Type = core.ExecCancelled; k < 8 {
			r.Type = core.ExecCancelRejected
		}
	case core.VenueAmend:
		switch r.Type = core.ExecReplaced; {
		case k < 6:
			r.Type = core.ExecReplaceRejected
		case k < 10:
			r.Price, r.Qty = c.Price+1, c.Qty+1
		}
	default: // what do you know of it
		r.Type = [...]core.ExecType{core.ExecNew, core.ExecNew, core.ExecCancelled, core.ExecExpired}[l.rng.IntN(4)]
	}
	l.report(r)
}

// trade reports something of an order the venue once got, whatever became of it.
func (l *load) trade() {
	if len(l.sent) == 0 {
		return
	}
	back := 30
	if l.rng.IntN(40) == 0 {
		back = len(l.sent) // likely one that is not kept any more
	}
	o := l.sent[len(l.sent)-1-l.rng.IntN(min(back, len(l.sent)))]
	r := core.ExecReport{Type: core.ExecTrade, Order: o.Order, Instrument: o.Instrument, Liquidity: core.Liquidity(l.rng.IntN(3)),
		LastPx: core.Price(9900 + l.rng.IntN(200)), LastQty: core.Qty(1 + l.rng.IntN(20)), Fee: core.Notional(l.rng.IntN(90) - 30)}
	if o.Instrument == l.ids[2] {
		r.FeeIn = core.FeeCurrency(l.rng.IntN(2))
	}
	switch l.rng.IntN(60) {
	case 0:
		r.LastQty = -1 // cannot be booked
	case 1:
		r.Type = core.ExecExpired
	case 2:
		r.Type = core.ExecCancelled
	}
	l.report(r)
	if r.LastQty < 0 { // the firm is halted
		l.submit(engine.Command{Kind: engine.CmdState, Scope: risk.FirmScope(), State: risk.StateActive})
	}
}

// countTypes is how many records there are of each kind that matters here.
func countTypes(t *testing.T, records [][]byte) map[string]int {
	t.Helper()
	counts := map[string]int{}
	var r record.Record
	for _, b := range records {
		if err := record.Decode(b, &r); err != nil {
			t.Fatal(err)
		}
		counts[r.Type.String()]++
		if r.Type == record.TypeNew {
			counts["new "+risk.Code(r.New.Reason.Code).String()]++
		}
		if r.Type == record.TypeReport {
			c := &r.Report
			counts[[...]string{"", "applied", "repeated", "stray", "late", "invalid"}[c.Disposition]]++
			if c.Disposition == record.Late && c.Report.Type == core.ExecTrade {
				counts["late fill"]++
			}
		}
		if r.Type == record.TypeClock && r.Clock.Expired > 0 {
			counts["due"]++
		}
		if r.Type == record.TypeCancelAll && r.CancelAll.Cancelled > 0 {
			counts["cancelled "+r.CancelAll.Cause.String()]++
		}
		if r.Type == record.TypeClock && len(r.Clock.Ended) > 0 {
			counts["ended"]++
		}
		if r.Type == record.TypeFunding && r.Funding.Paid > 0 {
			counts["funded"]++
		}
		if r.Type == record.TypeRestart && r.Restart.Unknown > 0 {
			counts["unknown"]++
		}
	}
	return counts
}
