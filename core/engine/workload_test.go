package engine

import (
	"bytes"
	"math/rand/v2"
	"time"

	"qcat/core"
	"qcat/risk"
)

// workload drives a harness through everything that leaves a record, by chance,
// one command at a time: orders of all kinds, repeated client order ids, amends,
// cancels of one, of a scope and by a kill, venue reports right and wrong, expiry,
// limits, rates, marks, halts and resumes with notes, new definitions and, between
// two runs, other filters. Its tables are small, so that closed orders are
// forgotten and open ones meet the bound.
type workload struct {
	*harness
	rng    *rand.Rand
	exec   uint64
	sent   []Command // named orders, to be sent again
	titles int
	// duplicates says that limits on identical orders are set too: the memory for
	// these makes the state large and the comparison of many states slow.
	duplicates bool
}

const (
	workloadOpen   = 16
	workloadClosed = 12
)

func newWorkload(h *harness, seed uint64) *workload {
	w := &workload{harness: h, rng: rand.New(rand.NewPCG(seed, 17))}
	w.atRest(func() {
		inverse := testInstrument("sim", "BTCUSD")
		inverse.Kind, inverse.Settle, inverse.ContractSize, inverse.QtyScale = core.Inverse, "BTC", 100, 0
		euro := testInstrument("sim", "BTCEUR")
		euro.Quote, euro.Settle = "EUR", "EUR"
		for _, in := range []core.Instrument{inverse, euro} {
			if _, err := h.e.DefineInstrument(in); err != nil {
				h.t.Fatal(err)
			}
		}
		if _, err := h.e.DefineRate("EUR", 1_080_000); err != nil {
			h.t.Fatal(err)
		}
		w.defineMore()
	})
	return w
}

// smallTables bounds the state of a workload.
func smallTables(c *Config) { c.MaxOpenOrders, c.KeepClosedOrders = workloadOpen, workloadClosed }

// atRest calls f while nobody runs the engine, so that it may define things.
func (w *workload) atRest(f func()) {
	w.e.stop()
	f()
	w.e.running = true
	w.run()
}

// restartWith goes on with an engine that was made by make of what the journal has,
// after other filters have been defined.
func (w *workload) restartWith(recover func(h *harness, e *Engine) error) {
	w.t.Helper()
	h := w.harness.restart()
	fresh := h.cfg
	fresh.Directory = core.NewDirectory()
	h.cfg, h.e = fresh, New(fresh)
	h.reply, _ = h.e.RegisterSink(h.sink)
	h.events = h.e.Events().NewReader()
	if err := recover(h, h.e); err != nil {
		w.t.Fatal(err)
	}
	def := testInstrument("sim", "BTCUSDT")
	def.MaxQty = core.Qty(100 + w.rng.IntN(100))
	if _, err := h.e.DefineInstrument(def); err != nil {
		w.t.Fatal(err)
	}
	w.harness = h.begin()
}

func (w *workload) defineMore() {
	w.titles++
	name := []byte{'a', byte('a' + w.titles/26), byte('a' + w.titles%26)}
	if a, err := w.e.DefineAccount(string(name)); err != nil {
		w.t.Fatal(err)
	} else if _, err := w.e.DefineStrategy(a.ID, "second"); err != nil {
		w.t.Fatal(err)
	}
}

func (w *workload) steps(n int) {
	for range n {
		w.step()
	}
}

func (w *workload) step() {
	w.clock.Advance(time.Duration(w.rng.IntN(2_000_000)))
	id := core.InstrumentID(1 + w.rng.IntN(len(w.e.m.instruments)-1))
	if w.rng.IntN(3) == 0 {
		mid := core.Price(9_950 + w.rng.IntN(100))
		w.quote(id, mid, mid+2)
	}
	switch k := w.rng.IntN(100); {
	case k < 6:
		w.stop(id)
	case k < 34:
		w.submit(w.newOrder(id))
	case k < 64:
		w.reportOf(w.anyOrder())
	case k < 74:
		w.submit(Command{Kind: CmdAmend, Order: w.anyOrder(), Price: core.Price(9_900 + w.rng.IntN(200)), Qty: core.Qty(w.rng.IntN(60))})
	case k < 84:
		w.submit(Command{Kind: CmdCancel, Order: w.anyOrder()})
	case k < 86:
		w.submit(Command{Kind: CmdCancel, Account: 1, ClOrdID: w.name()})
	case k < 87:
		w.submit(Command{Kind: CmdCancelAll, Scope: w.scope(id)})
	case k < 89:
		c := Command{Kind: CmdState, Scope: w.scope(id), State: risk.TradingState(w.rng.IntN(3)), CancelOpen: w.rng.IntN(4) == 0}
		c.Note = MakeNote(string(bytes.Repeat([]byte{byte('a' + w.rng.IntN(26))}, w.rng.IntN(NoteLen+1))))
		w.submit(c)
	case k < 93:
		w.submit(Command{Kind: CmdState, Scope: w.e.m.states.pick(w.rng), State: risk.StateActive, Note: MakeNote("resumed")})
	case k < 96:
		w.atRest(func() { w.define(id) })
	case k < 99:
		w.atRest(func() { w.change(w.scope(id)) })
	default:
		w.clock.Advance(time.Second) // what is due expires, rejected cancels are tried again
	}
	w.run()
}

// pick is a scope whose state was set, or the firm.
func (t *stateTable) pick(rng *rand.Rand) risk.Scope {
	if len(t.all) == 0 {
		return risk.FirmScope()
	}
	return t.all[rng.IntN(len(t.all))].Scope
}

func (w *workload) scope(id core.InstrumentID) risk.Scope {
	s := core.StrategyID(1 + w.rng.IntN(len(w.e.m.strategies)-1))
	a := w.e.m.strategies[s]
	return []risk.Scope{risk.FirmScope(), risk.AccountScope(a), {Level: risk.LevelStrategy, Account: a, Strategy: s},
		risk.InstrumentScope(0, 0, id), risk.InstrumentScope(a, 0, id), risk.InstrumentScope(a, s, id)}[w.rng.IntN(6)]
}

func (w *workload) newOrder(id core.InstrumentID) Command {
	s := core.StrategyID(1 + w.rng.IntN(len(w.e.m.strategies)-1))
	c := Command{Kind: CmdNew, Account: w.e.m.strategies[s], Strategy: s, Instrument: id, Side: core.Side(1 + w.rng.IntN(2)),
		Type: core.Limit, TIF: core.TimeInForce(1 + w.rng.IntN(5)), Price: core.Price(9_900 + w.rng.IntN(200)),
		Qty: core.Qty(1 + w.rng.IntN(50)), ReduceOnly: w.rng.IntN(20) == 0}
	if w.rng.IntN(10) == 0 {
		c.Type, c.TIF, c.Price = core.Market, core.IOC, 0
	}
	if w.rng.IntN(3) == 0 && c.Type == core.Limit {
		c.TIF = core.GTD
	}
	if c.TIF == core.GTD { // several at the same time
		c.ExpireTime = (w.clock.Now()/5_000_000 + core.Nanos(w.rng.IntN(12))) * 5_000_000
	}
	switch n := len(w.sent); {
	case n > 0 && w.rng.IntN(10) == 0:
		return w.sent[max(0, n-1-w.rng.IntN(10))] // once more
	case w.rng.IntN(2) == 0:
		c.ClOrdID = w.name()
		w.sent = append(w.sent, c)
	}
	return c
}

// name is one of a few client order ids.
func (w *workload) name() core.ClOrdID {
	n := w.rng.IntN(100)
	id, _ := core.MakeClOrdID([]byte{'n', byte('0' + n/10), byte('0' + n%10)})
	return id
}

// anyOrder is an order id: open more often than not, or closed, forgotten or not
// given yet.
func (w *workload) anyOrder() core.OrderID {
	if open := &w.e.m.orders.open; open.len > 0 && w.rng.IntN(3) > 0 {
		slot := open.head
		for range w.rng.IntN(open.len) {
			slot = w.e.m.orders.at(slot).next
		}
		return w.e.m.orders.at(slot).order.ID
	}
	last := int(w.e.m.lastOrder)
	return core.OrderID(max(1, last-w.rng.IntN(workloadOpen+workloadClosed)+1))
}

func (w *workload) reportOf(id core.OrderID) {
	w.exec++
	r := core.ExecReport{Type: core.ExecType(1 + w.rng.IntN(8)), Order: id, Instrument: 1, VenueExecID: w.exec, Time: w.clock.Now()}
	e := w.e.m.orders.find(id)
	if e == nil {
		r.Type = core.ExecCancelled // a fill of it would halt the firm
	} else {
		r.Instrument = e.order.Instrument
		switch open := e.order.Status.Open(); {
		case open && e.order.PendingRepl && w.rng.IntN(2) == 0:
			r.Type = core.ExecReplaced
		case open && w.rng.IntN(3) == 0:
			r.Type = core.ExecTrade
		}
	}
	switch r.Type {
	case core.ExecTrade:
		r.LastPx, r.LastQty = core.Price(9_900+w.rng.IntN(200)), core.Qty(1+w.rng.IntN(30))
		r.Fee, r.Liquidity = core.Notional(w.rng.IntN(9)-3), core.Maker
	case core.ExecCancelRejected, core.ExecReplaceRejected:
		r.VenueCode = uint16(w.rng.IntN(3))
	case core.ExecReplaced:
		r.Price, r.Qty = core.Price(w.rng.IntN(2)*9_990), core.Qty(w.rng.IntN(2)*20)
	}
	if w.rng.IntN(15) == 0 {
		r.VenueExecID = w.exec / 2 // maybe seen
	}
	w.submit(Command{Kind: CmdReport, Report: r})
}

// define changes limits or rates, or adds an account.
func (w *workload) define(id core.InstrumentID) {
	var l risk.Limits
	s := w.scope(id)
	if w.rng.IntN(3) == 0 {
		w.money(s, id)
		return
	}
	switch w.rng.IntN(6) {
	case 0:
		if w.titles < 8 {
			w.defineMore()
		}
		return
	case 1:
		if _, err := w.e.DefineRate("EUR", int64(1_000_000+w.rng.IntN(200_000))); err != nil {
			w.t.Fatal(err)
		}
		return
	case 2:
		s = risk.InstrumentScope(0, 0, id)
		l.Set(risk.LimitRollingUp, 50_000)
		l.Set(risk.LimitRollingWindow, 1e9)
	case 3:
		l.Set(risk.LimitMessageRate, int64(1+w.rng.IntN(20)))
		l.Set(risk.LimitMessageRatePer, 1e8)
	case 4:
		if w.duplicates {
			l.Set(risk.LimitDuplicateWindow, 1e7)
		}
		l.Set(risk.LimitMaxOpenOrders, int64(5+w.rng.IntN(30)))
	}
	if _, err := w.e.DefineLimits(s, l); err != nil {
		w.t.Fatal(err)
	}
}
