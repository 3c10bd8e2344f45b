package risk

import (
	"bytes"
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"

	"qcat/core"
)

// source is where a random world takes its choices from: a seeded generator, or
// a fuzzer's bytes.
type source interface{ IntN(n int) int }

// world drives a tree and its naive counterpart through the same calls.
type world struct {
	t     testing.TB
	src   source
	tree  *Tree
	naive *naive
	refs  []core.Price // by instrument id
	holds []*Hold      // beside naive.orders
	now   core.Nanos
	log   []string // the last calls, for the report of a failure
}

func newWorld(t testing.TB, src source) *world {
	base := core.Instrument{Venue: "sim", Quote: "USDT", Settle: "USDT", Kind: core.Linear, ContractSize: 1,
		PriceScale: 2, QtyScale: 3, SettleScale: 8, TickSize: 1, StepSize: 1}
	fine, spot, inverse := base, base, base
	fine.ID, fine.Symbol, fine.PriceScale, fine.QtyScale = 1, "FINE", 6, 7 // values round
	spot.ID, spot.Symbol, spot.Kind = 2, "SPOT", core.Spot
	inverse.ID, inverse.Symbol, inverse.Kind, inverse.ContractSize, inverse.QtyScale = 3, "INV", core.Inverse, 10, 0
	inverse.Settle = "BTC"
	ins := []core.Instrument{{}, fine, spot, inverse}
	owner := []core.AccountID{0, 1, 1, 2, 2}
	w := &world{t: t, src: src, tree: NewTree(Config{}), naive: newNaive(ins, owner), now: 1}
	for i := range ins[1:] {
		w.tree.DefineInstrument(&ins[i+1])
	}
	w.tree.DefineAccount(1)
	w.tree.DefineAccount(2)
	for s, a := range owner[1:] {
		w.tree.DefineStrategy(core.StrategyID(s+1), a)
	}
	w.refs = []core.Price{0, 2_000_000, 10_000, 50_000}
	return w
}

func (w *world) fatalf(format string, args ...any) {
	w.t.Helper()
	for _, l := range w.log {
		w.t.Log(l)
	}
	w.t.Fatalf(format, args...)
}

func (w *world) note(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf(format, args...))
	if len(w.log) > 30 {
		w.log = w.log[1:]
	}
}

// scope picks any node.
func (w *world) scope() Scope {
	s := core.StrategyID(1 + w.src.IntN(4))
	o := Order{Strategy: s, Account: w.naive.owner[s], Instrument: core.InstrumentID(1 + w.src.IntN(3))}
	return naivePath(&o)[w.src.IntN(6)]
}

func (w *world) step() {
	switch w.src.IntN(20) {
	case 0:
		w.setLimits(w.scope(), w.randomLimits())
	case 1:
		s, st := w.scope(), TradingState(max(0, w.src.IntN(12)-9))
		w.note("state %+v %v", s, st)
		w.tree.SetState(s, st)
		w.naive.states[s] = st
	case 2:
		w.mark()
	case 3, 4, 5, 6, 7, 8:
		w.order(w.randomOrder())
	case 9, 10, 11:
		w.amend()
	default:
		w.event()
	}
	w.compare()
}

func (w *world) setLimits(s Scope, ls Limits) {
	if s.Level != LevelInstrument {
		ls.Unset(LimitMaxOrderQty)
		ls.Unset(LimitMaxPosition)
	}
	w.note("limits %+v %v", s, ls)
	if r := w.tree.SetLimits(s, ls); !r.OK() {
		w.fatalf("SetLimits %+v: %v", s, r)
	}
	w.naive.limits[s] = ls
}

func (w *world) randomLimits() (ls Limits) {
	value := func() int64 { return int64(w.src.IntN(5000)) * 1e8 }
	for _, l := range []Limit{LimitMaxNotional, LimitMaxUnfilled, LimitMaxExposureGross, LimitMaxExposureNet} {
		if w.src.IntN(4) == 0 {
			ls.Set(l, value())
		}
	}
	for _, l := range []Limit{LimitMaxOrderQty, LimitMaxPosition} {
		if w.src.IntN(3) == 0 {
			ls.Set(l, int64(w.src.IntN(20_000)))
		}
	}
	if w.src.IntN(4) == 0 {
		ls.Set(LimitMaxOpenOrders, int64(w.src.IntN(12)))
	}
	if w.src.IntN(6) == 0 {
		ls.Set(LimitMaxAmends, int64(w.src.IntN(3)))
	}
	return ls
}

func (w *world) mark() {
	id := core.InstrumentID(1 + w.src.IntN(3))
	p := w.refs[id] * core.Price(80+w.src.IntN(41)) / 100
	p = max(20, p-p%20)
	if w.src.IntN(2) == 0 { // the market moves, nobody marks
		w.note("reference %d %d", id, p)
		w.refs[id] = p
		return
	}
	w.note("mark %d %d", id, p)
	if !w.tree.Mark(id, p, true, w.now) {
		w.fatalf("Mark failed")
	}
	w.refs[id] = p
	for s := range w.tree.Scopes {
		if s.Instrument == id {
			w.naive.prices[s] = p
		}
	}
}

func (w *world) randomOrder() Order {
	s := core.StrategyID(1 + w.src.IntN(4))
	o := Order{Strategy: s, Account: w.naive.owner[s], Instrument: core.InstrumentID(1 + w.src.IntN(3)),
		Side: core.Side(1 + w.src.IntN(2)), Type: core.Limit, TIF: core.GTC}
	o.Qty = core.Qty(1 + w.src.IntN(8_000))
	if w.src.IntN(5) == 0 {
		o.Type, o.TIF = core.Market, core.IOC
	} else {
		o.Price = w.price(o.Instrument)
	}
	return o
}

func (w *world) price(id core.InstrumentID) core.Price {
	return max(1, w.refs[id]*core.Price(900+w.src.IntN(201))/1000)
}

func (w *world) order(o Order) bool {
	ref := Reference{Mark: w.refs[o.Instrument], MarkTime: w.now}
	a, got := w.tree.CheckNew(&o, &ref, w.now)
	w.note("order %+v ref %d: %v", o, ref.Mark, got)
	if want := w.naive.check(o, nil, ref.Mark); got != want {
		w.fatalf("order %+v\n got  %+v\n want %+v", o, got, want)
	}
	if !got.OK() {
		return false
	}
	price := o.Price
	if o.Type == core.Market {
		price = ref.Mark + ref.Mark/20
	}
	*w.naive = *w.naive.with(o, nil, price, ref.Mark)
	h := &Hold{}
	w.tree.Accept(&a, h)
	w.holds = append(w.holds, h)
	return true
}

// pick returns the index of any order, -1 if there is none; mostly a young one.
func (w *world) pick() int {
	n := len(w.holds)
	if n == 0 {
		return -1
	}
	return n - 1 - w.src.IntN(min(n, 12))
}

func (w *world) amend() {
	i := w.pick()
	if i < 0 {
		return
	}
	h, m := w.holds[i], w.naive.orders[i]
	if !h.Open() || h.Pending() || m.o.Type == core.Market {
		return
	}
	o := m.o
	o.Price, o.Qty = w.price(o.Instrument), m.filled+core.Qty(1+w.src.IntN(8_000))
	ref := Reference{Mark: w.refs[o.Instrument], MarkTime: w.now}
	a, got := w.tree.CheckAmend(h, Amend{Price: o.Price, Qty: o.Qty}, &ref, w.now)
	w.note("amend %d of %+v to %+v ref %d: %v", i, m.o, o, ref.Mark, got)
	if want := w.naive.check(o, m, ref.Mark); got != want {
		w.fatalf("amend %+v\n got  %+v\n want %+v", o, got, want)
	}
	if got.OK() {
		*w.naive = *w.naive.with(o, m, o.Price, ref.Mark)
		w.tree.Accept(&a, h)
	}
}

// event is a fill, a release, or the answer to an amendment, now and then one
// that comes too late.
func (w *world) event() {
	i := w.pick()
	if i < 0 {
		return
	}
	h, m := w.holds[i], w.naive.orders[i]
	y := *m // orders are shared between the naive worlds of a check: copy
	m = &y
	w.naive.orders[i] = m
	switch w.src.IntN(5) {
	case 0:
		w.note("release %d", i)
		w.tree.Release(h)
		m.open, m.pending = false, false
	case 1:
		w.note("reject %d", i)
		w.tree.RejectAmend(h)
		m.pending = false
	case 2:
		if !m.pending {
			return
		}
		w.note("confirm %d", i)
		w.tree.ConfirmAmend(h, m.newPrice, m.newQty)
		m.o.Price, m.o.Qty, m.price, m.pending = m.newPrice, m.newQty, m.newPrice, false
	default:
		q := core.Qty(1 + w.src.IntN(int(max(1, h.Leaves()))))
		if !h.Open() && w.src.IntN(20) != 0 {
			return
		}
		w.note("fill %d by %d", i, q)
		w.tree.Fill(h, filled(h, q, w.refs[m.o.Instrument]), w.now)
		m.filled += q
		w.naive.positions[naivePair{m.o.Strategy, m.o.Instrument}] += core.Qty(m.o.Side.Sign()) * q
	}
	if m.leaves() == 0 {
		m.open, m.pending = false, false
	}
}

// compare holds every node against the naive sums.
func (w *world) compare() {
	w.t.Helper()
	for s := range w.tree.Scopes {
		v, _ := w.tree.View(s)
		gross, long, short := w.naive.exposure(s)
		count, unfilled := w.naive.open(s)
		same := int64(v.OpenOrders) == count && is(v.Unfilled, unfilled) && is(v.Gross, gross) &&
			is(v.Long, long) && is(v.Short, short) && v.State == w.naive.states[s] && v.Limits == w.naive.limits[s]
		if s.Level == LevelInstrument {
			position, buy, sell := w.naive.quantities(s)
			same = same && v.Position == position && v.OpenBuy == buy && v.OpenSell == sell
		}
		if !same {
			w.fatalf("%+v\n tree %+v\n naive open %d unfilled %v gross %v long %v short %v", s, v, count, unfilled, gross, long, short)
		}
	}
}

func is(v int64, b *big.Int) bool { return b.IsInt64() && b.Int64() == v }

// flatten shows that every account gets out of every position: everything open
// is cancelled, every limit is zero, the firm is reducing, and orders that reduce
// still pass until nothing is left.
func (w *world) flatten() {
	for i, h := range w.holds {
		w.tree.Release(h)
		y := *w.naive.orders[i]
		y.open, y.pending = false, false
		w.naive.orders[i] = &y
	}
	var zero Limits
	for _, l := range []Limit{LimitMaxOrderQty, LimitMaxNotional, LimitMaxOpenOrders, LimitMaxPosition,
		LimitMaxExposureGross, LimitMaxExposureNet, LimitMaxUnfilled} {
		zero.Set(l, 0)
	}
	for s := range w.tree.Scopes {
		w.setLimits(s, zero)
		w.tree.SetState(s, StateReducing)
		w.naive.states[s] = StateReducing
	}
	for account := core.AccountID(1); account <= 2; account++ {
		for id := core.InstrumentID(1); id <= 3; id++ {
			w.flattenOne(account, id)
		}
	}
	w.compare()
}

func (w *world) flattenOne(account core.AccountID, id core.InstrumentID) {
	for {
		total, _, _ := w.naive.quantities(InstrumentScope(account, 0, id))
		if total == 0 {
			return
		}
		side, sign := core.Sell, core.Qty(1)
		if total < 0 {
			side, sign = core.Buy, -1
		}
		o := Order{Account: account, Instrument: id, Side: side, Type: core.Market, TIF: core.IOC, ReduceOnly: true}
		for s := core.StrategyID(1); s <= 4; s++ {
			if held := sign * w.naive.positions[naivePair{s, id}]; w.naive.owner[s] == account && held > 0 {
				o.Strategy, o.Qty = s, min(held, sign*total)
			}
		}
		if !w.order(o) {
			w.fatalf("the way out is shut: account %d instrument %d position %d", account, id, total)
		}
		i := len(w.holds) - 1
		w.tree.Fill(w.holds[i], filled(w.holds[i], o.Qty, w.refs[id]), w.now)
		y := *w.naive.orders[i]
		y.filled, y.open = o.Qty, false
		w.naive.orders[i] = &y
		w.naive.positions[naivePair{o.Strategy, id}] += core.Qty(side.Sign()) * o.Qty
	}
}

// TestTreeEqualsNaive holds decisions and sums against the naive tree over
// random calls, and ends every run by getting out of everything.
func TestTreeEqualsNaive(t *testing.T) {
	runs, steps := 40, 250
	if testing.Short() {
		runs = 10
	}
	for run := range runs {
		seed := uint64(run) + 1
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			w := newWorld(t, rand.New(rand.NewPCG(seed, seed)))
			for range steps {
				w.step()
			}
			w.flatten()
		})
	}
}

// TestSameCallsSameState replays one run into a second tree, sized otherwise,
// and compares the canonical states.
func TestSameCallsSameState(t *testing.T) {
	state := func(c Config) []byte {
		w := newWorld(t, rand.New(rand.NewPCG(7, 7)))
		fresh := NewTree(c)
		for i := range w.naive.ins[1:] {
			fresh.DefineInstrument(&w.naive.ins[i+1])
		}
		fresh.DefineAccount(1)
		fresh.DefineAccount(2)
		for s, a := range w.naive.owner[1:] {
			fresh.DefineStrategy(core.StrategyID(s+1), a)
		}
		w.tree = fresh
		for range 400 {
			w.step()
		}
		b := w.tree.AppendState(nil)
		for _, h := range w.holds {
			b = h.AppendState(b)
		}
		return b
	}
	a, b := state(Config{}), state(Config{Accounts: 100, Strategies: 100, Instruments: 100, Positions: 5000})
	if !bytes.Equal(a, b) {
		t.Fatal("the same calls made different states")
	}
}
