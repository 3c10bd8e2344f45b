package risk

import (
	"bytes"
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"

	"qcat/core"
	"qcat/risk/margin"
)

// ledgerWorld drives a tree and its books through the same calls. Account 1 is in
// one-way mode, account 2 in hedge mode; both need margin. Account 3 needs none.
type ledgerWorld struct {
	t     *testing.T
	rng   *rand.Rand
	tree  *Tree
	books *books
	held  map[scriptPosition]core.Position // of the strategies
	holds []*Hold                          // beside books.orders
	refs  []core.Price
	log   []string
	now   core.Nanos

	admitted, refused int
}

func newLedgerWorld(t *testing.T, rng *rand.Rand) *ledgerWorld {
	base := core.Instrument{Venue: "sim", Quote: "USDT", Settle: "USDT", Kind: core.Linear, ContractSize: 1,
		PriceScale: 2, QtyScale: 3, SettleScale: 8, TickSize: 1, StepSize: 1}
	linear, coarse, spot, inverse := base, base, base, base
	linear.ID, linear.Symbol = 1, "LIN"
	coarse.ID, coarse.Symbol, coarse.SettleScale = 2, "COARSE", 4
	spot.ID, spot.Symbol, spot.Kind, spot.Base, spot.PriceScale, spot.QtyScale = 3, "SPOT", core.Spot, "BTC", 4, 6
	inverse.ID, inverse.Symbol, inverse.Kind, inverse.ContractSize, inverse.QtyScale = 4, "INV", core.Inverse, 10, 0
	inverse.Quote, inverse.Settle = "USD", "BTC"
	ins := []core.Instrument{{}, linear, coarse, spot, inverse}
	w := &ledgerWorld{t: t, rng: rng, tree: NewTree(Config{}), now: 1, held: map[scriptPosition]core.Position{},
		refs: []core.Price{0, 10_000, 250_000, 600_000, 60_000}}
	w.books = &books{ins: ins, deposits: map[bookKey]int64{}, fills: map[legKey][]core.Fill{}, funding: map[legKey]int64{},
		margins: map[legKey]*big.Int{}, marks: make([]core.Price, len(ins)), leverage: map[legKey]int64{},
		isolated: map[legKey]bool{}, tiers: make([][]margin.Tier, len(ins))}
	for i := range ins[1:] {
		w.must(w.tree.DefineInstrument(&ins[i+1]))
	}
	var required Limits
	required.Set(LimitMarginRequired, 1)
	for a := core.AccountID(1); a <= 3; a++ {
		w.must(w.tree.DefineAccount(a))
		w.must(w.tree.DefineStrategy(core.StrategyID(a), a))
		if a < 3 {
			w.must(w.tree.SetLimits(AccountScope(a), required))
		}
	}
	w.must(w.tree.SetHedge(2, true))
	return w
}

func (w *ledgerWorld) must(r Reason) {
	w.t.Helper()
	if !r.OK() {
		w.fatalf("%+v", r)
	}
}

func (w *ledgerWorld) note(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf(format, args...))
	w.log = w.log[max(0, len(w.log)-25):]
}

func (w *ledgerWorld) fatalf(format string, args ...any) {
	w.t.Helper()
	for _, l := range w.log {
		w.t.Log(l)
	}
	w.t.Fatalf(format, args...)
}

func (w *ledgerWorld) step() {
	w.now += 1000
	a, id := core.AccountID(1+w.rng.IntN(3)), core.InstrumentID(1+w.rng.IntN(4))
	switch w.rng.IntN(16) {
	case 0:
		w.transfer(a)
	case 1, 2:
		w.mark(id)
	case 3:
		w.setting(a, id)
	case 4:
		w.fund(a, id)
	case 5, 6:
		w.amend()
	case 7, 8, 9, 10:
		w.order(a, id)
	default:
		w.event()
	}
	w.compare()
	w.remembers()
}

func (w *ledgerWorld) transfer(a core.AccountID) {
	currency := []string{"USDT", "BTC"}[w.rng.IntN(2)]
	amount := w.rng.Int64N(5_000e8) - 1_000e8
	if currency == "BTC" {
		amount /= 1000
	}
	b := w.books.wallet(a, currency)
	free := b.free()
	if b.unrealised.Sign() > 0 {
		free.Sub(free, b.unrealised)
	}
	want := OK
	if amount < 0 && big.NewInt(-amount).Cmp(free) > 0 {
		want = InsufficientFunds
	}
	r := w.tree.Transfer(a, currency, amount)
	w.note("transfer %d %s %d: %v", a, currency, amount, r)
	if near := new(big.Int).Sub(big.NewInt(-amount), free); r.Code != want && near.Abs(near).Cmp(big.NewInt(int64(3*b.inverse))) > 0 {
		w.fatalf("transfer: %v, want %v, free %s", r, want, free)
	}
	if r.OK() {
		w.books.deposits[bookKey{a, currency}] += amount
	}
}

func (w *ledgerWorld) mark(id core.InstrumentID) {
	p := max(100, w.refs[id]*core.Price(90+w.rng.IntN(21))/100)
	w.note("mark %d %d", id, p)
	if !w.tree.Mark(id, p, true, w.now) {
		w.fatalf("mark")
	}
	w.refs[id], w.books.marks[id] = p, p
	for { // what a breach would do is not looked at here
		b, more := w.tree.NextBreach()
		if !more {
			return
		}
		w.tree.breaches.drop(&b)
	}
}

func (w *ledgerWorld) setting(a core.AccountID, id core.InstrumentID) {
	k := legKey{a, id, 0}
	switch w.rng.IntN(3) {
	case 0:
		ppm := core.PPM + w.rng.Int64N(20*core.PPM)
		if r := w.tree.SetLeverage(a, id, ppm); r.OK() {
			w.note("leverage %d %d %d", a, id, ppm)
			w.books.leverage[k] = ppm
		}
	case 1:
		on := w.rng.IntN(2) == 0
		if r := w.tree.SetIsolated(a, id, on); r.OK() {
			w.note("isolated %d %d %v", a, id, on)
			w.books.isolated[k] = on
		}
	default:
		if w.rng.IntN(5) > 0 {
			k.leg = w.leg(a, id)
			amount := w.rng.Int64N(200e8) - 100e8
			if r := w.tree.MoveIsolated(a, id, k.leg, amount); r.OK() {
				w.note("move %+v %d", k, amount)
				w.books.margins[k] = new(big.Int).Add(w.books.margins[k], big.NewInt(amount))
			}
			return
		}
		tiers := []margin.Tier{{Floor: 0, Rate: 1 + w.rng.Int64N(9_000), Leverage: 25 * core.PPM}}
		for range w.rng.IntN(3) {
			last := tiers[len(tiers)-1]
			tiers = append(tiers, margin.Tier{Floor: last.Floor + 1 + core.Notional(w.rng.Int64N(500e4)), Rate: last.Rate + w.rng.Int64N(40_000), Leverage: last.Leverage - w.rng.Int64N(8*core.PPM)})
		}
		if r := w.tree.SetTiers(id, tiers); r.OK() {
			w.note("tiers %d %v", id, tiers)
			w.books.tiers[id] = tiers
		}
	}
}

// leg draws a leg of the account's mode.
func (w *ledgerWorld) leg(a core.AccountID, id core.InstrumentID) core.Leg {
	if a != 2 || w.books.ins[id].Kind == core.Spot {
		return core.LegNet
	}
	return core.Leg(1 + w.rng.IntN(2))
}

func (w *ledgerWorld) fund(a core.AccountID, id core.InstrumentID) {
	k := legKey{a, id, w.leg(a, id)}
	paid := w.rng.Int64N(2000) - 1000
	if w.books.ins[id].Kind == core.Spot || len(w.books.fills[k]) == 0 {
		return
	}
	w.note("fund %+v %d", k, paid)
	if !w.tree.Fund(core.StrategyID(a), id, k.leg, core.Notional(paid)) {
		w.fatalf("fund")
	}
	w.books.funding[k] += paid
	if w.books.isolated[legKey{a, id, 0}] && w.books.quantity(k) != 0 {
		w.books.margins[k] = new(big.Int).Sub(w.books.margins[k], roundTo(rat(paid, w.books.ins[id].SettleScale), AmountScale, true))
	}
}

// reduces reports whether an order only reduces its leg, or its net position.
func (w *ledgerWorld) reduces(o *Order, add core.Qty) bool {
	k := legKey{o.Account, o.Instrument, o.Leg}
	q := w.tree.pairs.at(w.tree.pairs.find(accountPairKey(o.Account, o.Instrument))).position
	if o.Leg != core.LegNet {
		if q = w.books.quantity(k); !closesLeg(o) {
			return false
		}
	}
	buy, sell := w.books.open(k)
	if o.Side == core.Buy {
		return q < 0 && q+buy+add <= 0
	}
	return q > 0 && q-sell-add >= 0
}

// affords says what the ledger must answer to an order that does not reduce.
func (w *ledgerWorld) affords(o *Order, was *bookOrder, price, ref core.Price, add core.Qty) (ok, close bool) {
	b, k := w.books, legKey{o.Account, o.Instrument, o.Leg}
	need := b.fundsOf(o, o.Qty, price, ref)
	if was != nil {
		before := b.reservedBy(was)
		if need = b.fundsOf(o, o.Qty-was.filled, price, ref); need.Cmp(before) < 0 {
			need.Set(before)
		}
		need.Sub(need, before)
	}
	if b.ins[o.Instrument].Kind != core.Spot {
		at := b.marks[o.Instrument]
		if at == 0 {
			at = ref
		}
		need.Add(need, b.required(k, o.Side, add, at)).Sub(need, b.required(k, o.Side, 0, at))
	}
	wallet := b.wallet(o.Account, b.payer(o))
	d := new(big.Int).Sub(wallet.free(), need)
	return need.Sign() <= 0 || d.Sign() >= 0, new(big.Int).Abs(d).Cmp(big.NewInt(int64(3*wallet.inverse))) <= 0
}

func (w *ledgerWorld) order(a core.AccountID, id core.InstrumentID) {
	o := Order{Account: a, Strategy: core.StrategyID(a), Instrument: id, Leg: w.leg(a, id), Side: core.Side(1 + w.rng.IntN(2)),
		Type: core.Limit, TIF: core.GTC, Qty: core.Qty(1 + w.rng.IntN(3000))}
	o.Price = max(1, w.refs[id]*core.Price(950+w.rng.IntN(101))/1000)
	ref := Reference{Mark: w.refs[id], MarkTime: w.now}
	got, r := w.tree.CheckNew(&o, &ref, w.now)
	w.judge(&o, nil, o.Price, ref.Mark, o.Qty, r)
	if !r.OK() {
		return
	}
	h := &Hold{}
	w.tree.Accept(&got, h)
	w.holds = append(w.holds, h)
	w.books.orders = append(w.books.orders, &bookOrder{naiveOrder{o: o, price: o.Price, open: true}, ref.Mark, 0})
	if w.books.marks[id] == 0 {
		w.books.marks[id] = ref.Mark
	}
}

// judge holds a decision against what the books say.
func (w *ledgerWorld) judge(o *Order, was *bookOrder, price, ref core.Price, add core.Qty, r Reason) {
	w.t.Helper()
	shrinks := was != nil && add == 0 && (o.Side == core.Buy) == (price < was.o.Price || price == was.o.Price) && (o.Side == core.Buy || price >= was.o.Price)
	exempt := w.reduces(o, add) || shrinks
	affords, near := w.affords(o, was, price, ref, add)
	w.note("order %+v amends %v price %d ref %d add %d: %v (exempt %v affords %v)", *o, was != nil, price, ref, add, r, exempt, affords)
	want := OK
	switch {
	case closesLeg(o) && !exempt:
		want = ReduceOnly
	case o.Account < 3 && !exempt && !affords && w.books.ins[o.Instrument].Kind == core.Spot:
		want = InsufficientFunds
	case o.Account < 3 && !exempt && !affords:
		want = InsufficientMargin
	}
	if r.Code != want && !near {
		w.fatalf("got %+v, want %v", r, want)
	}
	if r.OK() {
		w.admitted++
	} else {
		w.refused++
	}
}

func (w *ledgerWorld) pick() int {
	if n := len(w.holds); n > 0 {
		return n - 1 - w.rng.IntN(min(n, 10))
	}
	return -1
}

func (w *ledgerWorld) amend() {
	i := w.pick()
	if i < 0 || !w.holds[i].Open() || w.holds[i].Pending() {
		return
	}
	h, m := w.holds[i], w.books.orders[i]
	o := m.o
	o.Qty, o.Price = m.filled+core.Qty(1+w.rng.IntN(3000)), max(1, w.refs[o.Instrument]*core.Price(950+w.rng.IntN(101))/1000)
	ref := Reference{Mark: w.refs[o.Instrument], MarkTime: w.now}
	got, r := w.tree.CheckAmend(h, Amend{Price: o.Price, Qty: o.Qty}, &ref, w.now)
	w.judge(&o, m, o.Price, ref.Mark, max(0, o.Qty-m.o.Qty), r)
	if r.OK() {
		w.tree.Accept(&got, h)
		m.pending, m.newPrice, m.newQty, m.newRef = true, o.Price, o.Qty, ref.Mark
	}
}

func (w *ledgerWorld) event() {
	i := w.pick()
	if i < 0 {
		return
	}
	h, m := w.holds[i], w.books.orders[i]
	switch w.rng.IntN(6) {
	case 0:
		w.note("release %d", i)
		w.tree.Release(h)
		m.open, m.pending = false, false
	case 1:
		if m.pending {
			w.note("reject %d", i)
			w.tree.RejectAmend(h)
			m.pending = false
		}
	case 2:
		if m.pending {
			w.note("confirm %d", i)
			w.tree.ConfirmAmend(h, m.newPrice, m.newQty)
			m.o.Price, m.o.Qty, m.price, m.ref, m.pending = m.newPrice, m.newQty, m.newPrice, m.newRef, false
		}
	default:
		if h.Open() || w.rng.IntN(20) == 0 {
			w.fill(h, m, core.Qty(1+w.rng.IntN(int(max(1, h.Leaves())))))
		}
	}
	if m.leaves() == 0 {
		m.open, m.pending = false, false
	}
}

func (w *ledgerWorld) fill(h *Hold, m *bookOrder, q core.Qty) {
	in := &w.books.ins[m.o.Instrument]
	f := core.Fill{Side: m.o.Side, Qty: q, Price: m.o.Price, Fee: core.Notional(w.rng.Int64N(4000) - 1000)}
	if in.Kind == core.Spot && w.rng.IntN(2) == 0 {
		f.FeeIn = core.FeeBase
	}
	key := scriptPosition{m.o.Strategy, m.o.Instrument, m.o.Leg}
	before := w.held[key]
	after := before
	if !after.Apply(in, &f) {
		w.fatalf("a fill that no position takes")
	}
	w.held[key] = after
	booking := BookingOf(&before, &after, &f)
	w.note("fill %+v of %+v", f, m.o)
	if !w.tree.Fill(h, &booking, w.now) {
		w.fatalf("fill")
	}
	k := legKey{m.o.Account, m.o.Instrument, m.o.Leg}
	w.books.moveMargin(k, w.books.quantity(k), &f)
	w.books.fills[k] = append(w.books.fills[k], f)
	m.filled += q
}

// compare holds every wallet against the books, exactly; where an inverse position
// has a part, within a unit of each.
func (w *ledgerWorld) compare() {
	w.t.Helper()
	for a := core.AccountID(1); a <= 3; a++ {
		for _, got := range w.tree.Wallets(a) {
			want := w.books.wallet(a, got.Currency)
			for _, k := range []struct {
				name string
				got  int64
				want *big.Int
				tol  int
			}{
				{"balance", got.Balance, want.balance, want.inverse}, {"reserved", got.Reserved, want.reserved, 0},
				{"isolated", got.Isolated, want.isolated, 0}, {"unrealised", got.Unrealised, want.unrealised, want.inverse},
				{"apart", got.Apart, want.apart, want.inverse}, {"initial", got.Initial, want.initial, 0},
				{"maintenance", got.Maintenance, want.maintenance, 0}, {"free", got.Free, want.free(), 2 * want.inverse},
			} {
				if d := new(big.Int).Sub(big.NewInt(k.got), k.want); d.Abs(d).Cmp(big.NewInt(int64(k.tol))) > 0 {
					w.fatalf("account %d %s: %s %d, want %s\n%+v", a, got.Currency, k.name, k.got, k.want, got)
				}
			}
		}
	}
}

// TestLedgerEqualsBooks holds the ledger's sums and decisions against the books over
// random calls, and ends each run by restoring the tree from its state.
func TestLedgerEqualsBooks(t *testing.T) {
	admitted, refused := 0, 0
	for seed := range uint64(25) {
		w := newLedgerWorld(t, rand.New(rand.NewPCG(seed, 41)))
		for range 200 {
			w.step()
		}
		admitted, refused = admitted+w.admitted, refused+w.refused
		state := w.tree.AppendState(nil)
		again := NewTree(Config{})
		rest, err := again.RestoreState(state, func(id core.InstrumentID) *core.Instrument { return &w.books.ins[id] })
		if err != nil || len(rest) != 0 || !bytes.Equal(again.AppendState(nil), state) {
			t.Fatalf("seed %d: restore: %v, %d bytes left", seed, err, len(rest))
		}
		if again.ledger.hedged != w.tree.ledger.hedged {
			t.Fatalf("seed %d: %d accounts hedge, want %d", seed, again.ledger.hedged, w.tree.ledger.hedged)
		}
		for i := range again.ledger.totals {
			if again.ledger.totals[i] != w.tree.ledger.totals[i] {
				t.Fatalf("seed %d: total of %s", seed, again.ledger.currencies[i])
			}
		}
	}
	if admitted < 300 || refused < 100 {
		t.Fatalf("%d orders admitted, %d refused: the test says little", admitted, refused)
	}
}
