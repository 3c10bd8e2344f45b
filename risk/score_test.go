package risk

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"

	"qcat/core"
)

// diary is what one would write down to know what everybody has won or lost: all
// fills and all marks. Everything is counted anew from it for every question, in big
// integers.
type diary struct {
	ins   []core.Instrument
	owner []core.AccountID // of strategies
	fills []diaryFill
	marks map[core.InstrumentID]core.Price
	node  map[Scope]*diaryNode
}

type diaryFill struct {
	strategy core.StrategyID
	in       core.InstrumentID
	side     core.Side
	price    core.Price
	qty      core.Qty
	fee      core.Notional
}

// diaryNode is what the past of a node comes to.
type diaryNode struct {
	pnl, open, peak int64
	day             int64
	streak          int
	limit           int64 // of the loss of a day; -1: none
	over            int
	by              core.InstrumentID // whose marks are counted
	since           core.Nanos        // of the first of over
	queued          bool
}

// held is the position, the exact cash as a rational and the costs of a node in one
// instrument.
func (d *diary) held(s Scope, id core.InstrumentID, upTo int) (q int64, cash, cost *big.Rat) {
	in := &d.ins[id]
	cash, cost = new(big.Rat), new(big.Rat)
	for _, f := range d.fills[:upTo] {
		if f.in != id || !at(s, d.owner[f.strategy], f.strategy, id) {
			continue
		}
		v := d.value(in, f.price, f.qty)
		if (f.side == core.Buy) != (in.Kind == core.Inverse) {
			v.Neg(v)
		}
		cash.Add(cash, v)
		q += f.side.Sign() * int64(f.qty)
		cost.Add(cost, scaled(int64(f.fee), in.SettleScale))
	}
	return q, cash, cost
}

func scaled(v int64, scale uint8) *big.Rat {
	return new(big.Rat).SetFrac(big.NewInt(v), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil))
}

// value is what a fill is worth in the settlement currency; of an inverse instrument
// to 24 decimals, half to even, as positions keep it.
func (d *diary) value(in *core.Instrument, p core.Price, q core.Qty) *big.Rat {
	qty, price := scaled(int64(q), in.QtyScale), scaled(int64(p), in.PriceScale)
	if in.Kind != core.Inverse {
		return qty.Mul(qty, price)
	}
	v, _ := core.ExactValue(in, p, q)
	n := new(big.Int).Lsh(big.NewInt(v.Hi), 64)
	n.Add(n, new(big.Int).SetUint64(v.Lo))
	return new(big.Rat).SetFrac(n, new(big.Int).Exp(big.NewInt(10), big.NewInt(24), nil))
}

// pnl of a node in one instrument: cash, costs and the face of an inverse position,
// each rounded down at 8 decimals.
func (d *diary) pnl(s Scope, id core.InstrumentID) int64 {
	in := &d.ins[id]
	q, cash, cost := d.held(s, id, len(d.fills))
	mark := scaled(int64(d.marks[id]), in.PriceScale)
	cost.Neg(cost)
	if in.Kind != core.Inverse {
		held := new(big.Rat).Mul(scaled(q, in.QtyScale), mark)
		return floor8(cash.Add(cash, held)) + floor8(cost)
	}
	face := scaled(-q*in.ContractSize, in.QtyScale)
	return floor8(cash.Mul(cash, mark)) + floor8(cost.Mul(cost, mark)) + floor8(face)
}

func floor8(r *big.Rat) int64 {
	n := new(big.Int).Mul(r.Num(), big.NewInt(core.Pow10(ValueScale)))
	q, _ := new(big.Int).DivMod(n, r.Denom(), new(big.Int))
	return q.Int64()
}

// total of a node: the sum over its instruments.
func (d *diary) total(s Scope) (sum int64) {
	if s.Instrument != 0 {
		return d.pnl(s, s.Instrument)
	}
	for id := core.InstrumentID(1); int(id) < len(d.ins); id++ {
		leaf := s
		leaf.Level, leaf.Instrument = LevelInstrument, id
		sum += d.pnl(leaf, id)
	}
	return sum
}

// lastTrip replays the round trips of a leaf: those of all fills, and whether the last
// fill ended one and how.
func (d *diary) lastTrip(leaf Scope) (ended, lost bool) {
	id, in := leaf.Instrument, &d.ins[leaf.Instrument]
	began := 0 // of the fills: those before it belong to earlier trips
	rest := new(big.Rat)
	for i := range d.fills {
		f := &d.fills[i]
		ended = false
		if f.in != id || !at(leaf, d.owner[f.strategy], f.strategy, id) {
			continue
		}
		was, _, _ := d.held(leaf, id, i)
		is, cash, cost := d.held(leaf, id, i+1)
		if was == 0 || (is != 0 && (was < 0) == (is < 0)) {
			continue
		}
		_, before, paid := d.held(leaf, id, began)
		cash.Sub(cash, before)
		cost.Sub(cost, paid)
		cash.Sub(cash, rest) // what was still held when it began, at its price
		rest = new(big.Rat)
		if is != 0 {
			v := d.value(in, f.price, core.Qty(max(is, -is)))
			if (is < 0) != (in.Kind == core.Inverse) {
				v.Neg(v)
			}
			cash.Add(cash, v)
			rest = v
		}
		began = i + 1
		ended, lost = true, cash.Cmp(cost) < 0
	}
	return ended, lost
}

// scoreWorld drives a tree and a diary through the same days.
type scoreWorld struct {
	*world
	d *diary
}

func newScoreWorld(t *testing.T, rng *rand.Rand) *scoreWorld {
	w := &scoreWorld{world: newWorld(t, rng)}
	w.d = &diary{ins: w.naive.ins, owner: w.naive.owner, marks: map[core.InstrumentID]core.Price{}, node: map[Scope]*diaryNode{}}
	w.now = core.Nanos(20) * dayLength
	return w
}

func (w *scoreWorld) nodeOf(s Scope) *diaryNode {
	if w.d.node[s] == nil {
		w.d.node[s] = &diaryNode{limit: -1}
	}
	return w.d.node[s]
}

// day begins at six in the morning for account 2 and all below it, at midnight
// elsewhere.
func (w *scoreWorld) day(s Scope) int64 {
	start := int64(0)
	if s.Account == 2 {
		start = 6 * 3600e9
	}
	return (int64(w.now) - start) / int64(dayLength)
}

// happened compares every node after an event that concerned an instrument, and works
// out which breaches it queued.
func (w *scoreWorld) happened(fill *diaryFill, mark core.InstrumentID) {
	w.t.Helper()
	var want []Scope
	for s := range w.tree.Scopes {
		n := w.nodeOf(s)
		if day := w.day(s); day > n.day {
			n.day, n.open = day, n.pnl
		}
		n.pnl = w.d.total(s)
		n.peak = max(n.peak, n.pnl)
		touched := w.touched(s, fill, mark)
		if fill != nil && touched {
			leaf := s
			leaf.Level, leaf.Instrument = LevelInstrument, fill.in
			if ended, lost := w.d.lastTrip(leaf); ended && lost {
				n.streak++
			} else if ended {
				n.streak = 0
			}
		}
		if n.limit < 0 || !touched {
			continue
		}
		if n.open-n.pnl <= n.limit {
			n.over, n.by, n.queued = 0, 0, false
			continue
		}
		if n.over == 0 {
			n.since = w.now
		}
		switch {
		case fill != nil:
			n.over, n.by = max(1, n.over), 0
		case n.by == 0 || n.by == mark || w.now-n.since >= 5_000_000_000:
			n.over, n.by = n.over+1, mark
		}
		v, _ := w.tree.View(s)
		if !n.queued && (n.over >= 3 || v.Gross == 0) {
			n.queued = true
			want = append(want, s)
		}
	}
	w.compareScores()
	w.compareBreaches(want)
}

// touched reports whether an event moves the profit of a node: a fill of its path, or
// a mark of what it holds.
func (w *scoreWorld) touched(s Scope, fill *diaryFill, mark core.InstrumentID) bool {
	if fill != nil {
		return at(s, w.d.owner[fill.strategy], fill.strategy, fill.in)
	}
	if mark == 0 || (s.Instrument != 0 && s.Instrument != mark) {
		return false
	}
	leaf := s
	leaf.Level, leaf.Instrument = LevelInstrument, mark
	q, cash, cost := w.d.held(leaf, mark, len(w.d.fills))
	return q != 0 || w.d.ins[mark].Kind == core.Inverse && (cash.Sign() != 0 || cost.Sign() != 0)
}

func (w *scoreWorld) compareScores() {
	w.t.Helper()
	for s := range w.tree.Scopes {
		v, _ := w.tree.View(s)
		n := w.nodeOf(s)
		today := n.pnl - n.open
		if w.day(s) > n.day {
			today = 0
		}
		tripped := n.limit >= 0 && -today > n.limit
		trips := w.tree.Trips(s)
		if v.PnL != n.pnl || v.DayPnL != today || v.Peak != n.peak || v.Drawdown != n.peak-n.pnl || v.Streak != n.streak ||
			tripped != (len(trips) == 1 && trips[0].Code == MaxLossDaily && trips[0].Value == -today && trips[0].Limit == n.limit) {
			w.fatalf("%+v\n tree  pnl %d day %d peak %d drawdown %d streak %d trips %+v\n diary %+v today %d",
				s, v.PnL, v.DayPnL, v.Peak, v.Drawdown, v.Streak, trips, *n, today)
		}
	}
}

// compareBreaches acts on what is queued, which must be what the diary says.
func (w *scoreWorld) compareBreaches(want []Scope) {
	w.t.Helper()
	got := map[Scope]bool{}
	for {
		b, ok := w.tree.NextBreach()
		if !ok {
			break
		}
		if b.Code != MaxLossDaily || b.Action != ActionNotify || got[b.Scope] {
			w.fatalf("breach %+v", b)
		}
		got[b.Scope] = true
		w.tree.Act(&b)
	}
	for _, s := range want {
		if !got[s] {
			w.fatalf("no breach of %+v, got %v", s, got)
		}
	}
	if len(got) != len(want) {
		w.fatalf("breaches %v, want %v", got, want)
	}
}

// TestScoresEqualDiary holds profits, days, best moments, round trips, trips and
// breaches of every node against what all fills and marks say, in big integers, over
// random fills, confirmed and unconfirmed marks and days that pass; now and then the
// tree is taken from its own state.
func TestScoresEqualDiary(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 17))
			w := newScoreWorld(t, rng)
			var six Limits
			six.Set(LimitDayStart, 6*3600e9)
			six.Set(LimitLossConfirmations, 3)
			w.setLimits(AccountScope(2), six)
			for i := range 45 {
				if i%6 == 0 {
					w.limitLoss(w.scope(), int64(rng.IntN(400))*1e8)
				}
				if rng.IntN(2) == 0 {
					w.now += core.Nanos(rng.Int64N(2_000_000_000))
				} else {
					w.now += core.Nanos(rng.Int64N(int64(dayLength) / 5))
				}
				if w.tree.Deadline() <= w.now {
					w.tree.Tick(w.now)
					w.roll()
				}
				w.scoreStep(rng)
				if i%13 == 12 {
					w.restore(Config{})
				}
			}
		})
	}
}

// roll lets days that have begun begin.
func (w *scoreWorld) roll() {
	for s := range w.tree.Scopes {
		if n := w.nodeOf(s); w.day(s) > n.day {
			n.day, n.open, n.over, n.by, n.queued = w.day(s), n.pnl, 0, 0, false
		}
	}
	w.compareScores()
}

func (w *scoreWorld) limitLoss(s Scope, limit int64) {
	ls := w.tree.Limits(s)
	ls.Set(LimitMaxLossDaily, limit)
	ls.Set(LimitLossAction, int64(ActionNotify))
	ls.Set(LimitLossConfirmations, 3)
	n := w.nodeOf(s)
	if n.limit >= 0 || n.open-n.pnl > limit {
		return // a limit that is crossed when it is set trips at the next event
	}
	w.setLimits(s, ls)
	n.limit = limit
}

func (w *scoreWorld) scoreStep(rng *rand.Rand) {
	id := core.InstrumentID(1 + rng.IntN(3))
	price := max(20, w.refs[id]*core.Price(900+rng.IntN(201))/1000)
	switch rng.IntN(3) {
	case 0:
		confirmed := rng.IntN(4) != 0
		w.note("mark %d %d %v", id, price, confirmed)
		if !w.tree.Mark(id, price, confirmed, w.now) {
			w.fatalf("mark")
		}
		if confirmed {
			w.d.marks[id] = price
			w.happened(nil, id)
		} else {
			w.roll2()
		}
	default:
		f := diaryFill{strategy: core.StrategyID(1 + rng.IntN(4)), in: id, side: core.Side(1 + rng.IntN(2)), price: price,
			qty: core.Qty(1+rng.IntN(4)) * []core.Qty{0, 20_000_000, 1_000, 100}[id], fee: core.Notional(rng.IntN(3)-1) * 50}
		w.fill(&f)
	}
}

// roll2 holds the nodes against the diary after something that concerned none.
func (w *scoreWorld) roll2() { w.compareScores(); w.compareBreaches(nil) }

// fill sends an order past every limit and fills it.
func (w *scoreWorld) fill(f *diaryFill) {
	o := Order{Account: w.d.owner[f.strategy], Strategy: f.strategy, Instrument: f.in, Side: f.side, Type: core.Limit, TIF: core.GTC,
		Price: f.price, Qty: f.qty}
	w.note("fill %+v", *f)
	h := &Hold{order: o, price: f.price, ref: f.price, open: true}
	w.open(h)
	in := &w.d.ins[f.in]
	var before, after core.Position
	cf := core.Fill{Side: f.side, Price: f.price, Qty: f.qty, Fee: f.fee}
	if !after.Apply(in, &cf) {
		w.fatalf("apply")
	}
	b := BookingOf(&before, &after, &cf)
	if !w.tree.Fill(h, &b, w.now) {
		w.fatalf("fill")
	}
	w.d.fills = append(w.d.fills, *f)
	if w.d.marks[f.in] == 0 {
		w.d.marks[f.in] = f.price
	}
	w.happened(f, 0)
}

// open accepts an order that trips would refuse: it was on its way when they came.
func (w *scoreWorld) open(h *Hold) {
	a := Approved{order: h.order, version: w.tree.version, now: w.now, price: h.price, ref: h.price,
		account:  w.tree.pairs.find(accountPairKey(h.order.Account, h.order.Instrument)),
		strategy: w.tree.pairs.find(strategyPairKey(h.order.Strategy, h.order.Instrument))}
	unit, _ := w.tree.instruments[h.order.Instrument].val.unit(h.price)
	a.reserves, _ = w.tree.instruments[h.order.Instrument].val.value(h.order.Qty, unit)
	w.tree.Accept(&a, h)
}

// TestScoresOfSplitFills shows that a profit does not depend on how a trade comes in:
// in one fill or in many.
func TestScoresOfSplitFills(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	whole, parts := newScoreWorld(t, rng), newScoreWorld(t, rng)
	for range 40 {
		f := diaryFill{strategy: 1, in: core.InstrumentID(1 + rng.IntN(2)), side: core.Side(1 + rng.IntN(2)),
			price: core.Price(10_000 + rng.IntN(100)), qty: core.Qty(3+rng.IntN(9)) * 1000}
		whole.fill(&f)
		for left := f.qty; left > 0; {
			g := f
			g.qty = min(left, core.Qty(1+rng.IntN(4000)))
			left -= g.qty
			parts.fill(&g)
		}
	}
	for s := range whole.tree.Scopes {
		a, _ := whole.tree.View(s)
		b, _ := parts.tree.View(s)
		if a.PnL != b.PnL {
			t.Fatalf("%+v: %d in one, %d in parts", s, a.PnL, b.PnL)
		}
	}
}
