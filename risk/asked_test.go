package risk

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"qcat/core"
)

// askedWorld drives two trees through the same calls. The first answers as it is built
// to, remembering, and is asked many things besides; the second is asked each control in
// its order, once, and is now and then made anew from the state of the first.
type askedWorld struct {
	t     *testing.T
	rng   *rand.Rand
	trees [2]*Tree
	ins   []core.Instrument
	now   core.Nanos
	refs  []core.Price
	held  map[scriptPosition]core.Position
	open  []*askedOrder
	log   string

	quick, admitted, refused int
}

type askedOrder struct {
	o     Order
	holds [2]Hold
}

var askedOwners = [...]core.AccountID{0, 1, 1, 2, 3} // of the strategies

func newAskedWorld(t *testing.T, rng *rand.Rand) *askedWorld {
	w := &askedWorld{t: t, rng: rng, trees: [2]*Tree{NewTree(Config{}), NewTree(Config{})}, now: 1_000_000,
		ins: make([]core.Instrument, 1, 6), refs: []core.Price{0}, held: map[scriptPosition]core.Position{}}
	for len(w.ins) < 6 {
		in := core.Instrument{ID: core.InstrumentID(len(w.ins)), Venue: "sim", Symbol: string(rune('A' + len(w.ins))), Kind: core.ContractKind(rng.IntN(3)), ContractSize: 1,
			PriceScale: uint8(rng.IntN(5)), QtyScale: uint8(rng.IntN(5)), SettleScale: []uint8{8, 8, 8, 4, 10, 2}[rng.IntN(6)],
			TickSize: core.Price(1 + rng.IntN(3)), StepSize: core.Qty(1 + rng.IntN(2))}
		in.Quote = []string{"USDT", "USDT", "EUR", "JPY"}[rng.IntN(4)]
		in.Settle, in.Base = in.Quote, []string{"BTC", "ETH"}[rng.IntN(2)]
		if in.Kind == core.Inverse {
			in.Settle, in.ContractSize, in.QtyScale = in.Base, []int64{1, 10, 100}[rng.IntN(3)], uint8(rng.IntN(2))
		}
		if len(w.ins) == 1 {
			in.Kind, in.Quote, in.Settle, in.SettleScale, in.ContractSize = core.Linear, "USDT", "USDT", 8, 1
		}
		if in.Validate() == nil {
			w.ins, w.refs = append(w.ins, in), append(w.refs, core.Price(1000+rng.IntN(100_000)))
		}
	}
	w.both(func(t *Tree) Reason {
		for i := range w.ins[1:] {
			one := w.ins[i+1]
			t.DefineInstrument(&one)
		}
		for s, a := range askedOwners {
			if s > 0 {
				t.DefineAccount(a)
				t.DefineStrategy(core.StrategyID(s), a)
			}
		}
		return Reason{}
	})
	for _, c := range []string{"EUR", "JPY", "BTC"} {
		ppm := core.PPM + rng.Int64N(core.PPM)
		w.both(func(t *Tree) Reason { return t.SetRate(c, ppm) })
	}
	for range 9 {
		w.transfer()
	}
	for range 4 {
		w.limit()
	}
	return w
}

// both calls both trees, which must answer alike.
func (w *askedWorld) both(f func(t *Tree) Reason) bool {
	w.t.Helper()
	a := f(w.trees[0])
	if b := f(w.trees[1]); a != b {
		w.t.Fatalf("%s: %+v, want %+v", w.log, a, b)
	}
	return a.OK()
}

func answers(ok bool) Reason {
	if ok {
		return Reason{}
	}
	return Reason{Code: InvalidSetting}
}

func (w *askedWorld) draw() Order {
	s := core.StrategyID(1 + w.rng.IntN(4))
	id := core.InstrumentID(1 + w.rng.IntN(len(w.ins)-1))
	in := &w.ins[id]
	o := Order{Account: askedOwners[s], Strategy: s, Instrument: id, Side: core.Side(1 + w.rng.IntN(2)), Type: core.Limit, TIF: core.GTC,
		Price: w.refs[id] * core.Price(950+w.rng.IntN(101)) / 1000, Qty: core.Qty(1 + w.rng.IntN(400))}
	if w.rng.IntN(2) == 0 {
		o.Price = w.refs[id]
	}
	o.Price -= o.Price % in.TickSize
	o.Qty = max(in.StepSize, o.Qty-o.Qty%in.StepSize)
	if w.rng.IntN(50) == 0 {
		o.Qty = core.Qty(w.rng.Int64()>>w.rng.IntN(62)) &^ 1
	}
	if w.trees[0].ledger.hedges(o.Account) && in.Kind != core.Spot {
		o.Leg = core.Leg(1 + w.rng.IntN(2))
	}
	return o
}

func (w *askedWorld) reference(o *Order) Reference {
	ref := Reference{Mark: w.refs[o.Instrument], MarkTime: w.now}
	if w.rng.IntN(2) == 0 {
		ref.Mark += core.Price(w.rng.IntN(50))
	}
	return ref
}

// ask asks the first tree what changes nothing.
func (w *askedWorld) ask() {
	t := w.trees[0]
	for range w.rng.IntN(4) {
		o := w.draw()
		if w.rng.IntN(3) == 0 {
			o.Account = core.AccountID(w.rng.IntN(5))
		}
		ref := w.reference(&o)
		at := w.now + core.Nanos(w.rng.IntN(20_000)) - 10_000
		if o.Account == askedOwners[o.Strategy] && w.rng.IntN(2) == 0 {
			w.merge(&o)
		}
		t.Ahead(&o)
		t.Near(&o)
		t.CheckNew(&o, &ref, at)
		t.CheckAll(&o, &ref, at, nil)
	}
}

func (w *askedWorld) order() {
	o := w.draw()
	ref := w.reference(&o)
	var a Approved
	w.merge(&o)
	if w.trees[0].quick(&o, &ref, w.now, &a) {
		w.quick++
	}
	a, r := w.trees[0].CheckNew(&o, &ref, w.now)
	c := check{t: w.trees[1], o: o, now: w.now}
	c.run(&ref)
	b := c.approved()
	if x := a; r.OK() {
		if x.version = b.version; x != b {
			w.t.Fatalf("%s: %+v, want %+v", w.log, a, b)
		}
	}
	if r != c.fail {
		w.t.Fatalf("%s: order %+v\n%+v\nwant %+v", w.log, o, r, c.fail)
	}
	if !r.OK() {
		w.refused++
		return
	}
	w.admitted++
	e := &askedOrder{o: o}
	w.trees[0].Accept(&a, &e.holds[0])
	w.trees[1].Accept(&b, &e.holds[1])
	w.open = append(w.open, e)
}

func (w *askedWorld) restore() {
	w.t.Helper()
	state := w.trees[0].AppendState(nil)
	if !bytes.Equal(state, w.trees[1].AppendState(nil)) {
		w.t.Fatalf("%s: the states differ", w.log)
	}
	if w.rng.IntN(4) != 0 {
		return
	}
	again := NewTree(Config{})
	ins := append([]core.Instrument(nil), w.ins...)
	rest, err := again.RestoreState(state, func(id core.InstrumentID) *core.Instrument { return &ins[id] })
	if err != nil || len(rest) != 0 || !bytes.Equal(again.AppendState(nil), state) {
		w.t.Fatalf("%s: restore: %v, %d bytes left", w.log, err, len(rest))
	}
	for _, e := range w.open {
		if _, err := again.RestoreHold(e.holds[0].AppendState(nil), &e.holds[1]); err != nil {
			w.t.Fatalf("%s: %v", w.log, err)
		}
	}
	w.trees[1] = again
}

// TestAskedEqualsUnasked: whatever a tree was asked before, and whatever it remembers
// of it, it answers as one that was never asked.
func TestAskedEqualsUnasked(t *testing.T) {
	quick, admitted, refused := 0, 0, 0
	for seed := range uint64(15) {
		rng := rand.New(rand.NewPCG(seed, 77))
		w := newAskedWorld(t, rng)
		for i := range 600 {
			w.now += core.Nanos(rng.IntN(2000))
			if rng.IntN(20) == 0 {
				w.now += devMinute
			}
			if rng.IntN(100) == 0 {
				w.now -= core.Nanos(rng.IntN(30_000))
			}
			w.log = fmt.Sprintf("seed %d step %d", seed, i)
			w.ask()
			switch rng.IntN(10) {
			case 0, 1, 2, 3:
				w.order()
			case 4, 5, 6:
				w.event()
			case 7:
				w.setting()
				w.setting()
			case 8:
				w.mark()
				w.edge()
				w.edge()
				w.money()
				w.shut()
			default:
				w.calm()
			}
			w.remembered()
			if i%20 == 19 {
				w.restore()
			}
		}
		quick, admitted, refused = quick+w.quick, admitted+w.admitted, refused+w.refused
	}
	if quick < 500 || admitted < 1000 || refused < 1000 {
		t.Fatalf("%d orders admitted, %d of them quickly, %d refused: the test says little", admitted, quick, refused)
	}
}
