package risk

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"qcat/core"
)

// remembers holds what the tree remembers for the next check against what it would
// work out anew, having asked all of it at random times before.
func (w *ledgerWorld) remembers() {
	w.t.Helper()
	t := w.tree
	for a := range t.accounts {
		b, id := &t.accounts[a], core.AccountID(a)
		if !b.defined {
			continue
		}
		w.equity(atAccount, b, id)
		for currency := range t.ledger.currencies {
			c := uint32(currency)
			if got, want := t.free(b, id, c), narrow(t.ledger.wallets.at(t.ledger.walletOf(id, c)).free()); got != want {
				w.fatalf("account %d has %d of currency %d free, remembered as %d", a, want, c, got)
			}
			if w.rng.IntN(3) == 0 {
				break // this one is remembered
			}
		}
	}
	w.equity(atFirm, &t.firm, 0)
	for slot := uint32(1); slot < t.pairs.n; slot++ {
		if p := t.pairs.at(slot); p.leverage != 0 {
			w.tied(p)
		}
	}
}

func (w *ledgerWorld) equity(at int, b *branch, id core.AccountID) {
	w.t.Helper()
	got, known := w.tree.equity(at, b, id)
	exact, can := w.tree.worthOf(at, id)
	if want := narrow(exact); known != can || known && got != want {
		w.fatalf("account %d is worth %d (%v), remembered as %d (%v)", id, want, can, got, known)
	}
}

// tied holds what a pair says of its holding's margin against the holding.
func (w *ledgerWorld) tied(p *pair) {
	w.t.Helper()
	h := w.tree.ledger.holdings.at(p.holding)
	l := &h.legs[0]
	if h.isolated || int64(p.leverage) != h.leverage || w.tree.instruments[h.instrument].in.Kind == core.Spot || p.initial != l.initial {
		w.fatalf("a pair says leverage %d, margin %d of the holding %+v", p.leverage, p.initial, h)
	}
	if !w.tree.ledger.hedges(h.account) && (p.position != l.Qty || p.buy != l.buy || p.sell != l.sell || h.legs[1].Qty|h.legs[1].buy|h.legs[1].sell != 0) {
		w.fatalf("the pair %+v holds other than its account, %+v", p, h)
	}
}

func TestWindowEqualsThrottle(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for range 200_000 {
		var ls Limits
		if rng.IntN(8) != 0 {
			ls.Set(LimitMessageRate, int64(rng.IntN(5)))
			ls.Set(LimitMessageRatePer, 1+rng.Int64N(1000))
		}
		th := newThrottle(ls, LimitMessageRate, LimitMessageRatePer)
		now := core.Nanos(rng.Int64N(5000))
		tat := now + core.Nanos(rng.Int64N(5000)-2500)
		if got, want := th.window().admit(tat, now), th.admits(tat, now); got != want {
			t.Fatalf("%+v with TAT %d at %d: %v, want %v", th, tat, now, got, want)
		}
	}
}

// TestLimitsBeginAnew: when the numbers of merged limits are used up, none of an
// earlier limit is taken for a later one.
func TestLimitsBeginAnew(t *testing.T) {
	s := newScript()
	o := Order{Account: 1, Strategy: 1, Instrument: 1, Side: core.Buy, Type: core.Limit, TIF: core.GTC, Price: 6_000_000, Qty: 1}
	ref := s.refs["BTC"]
	enter := func() {
		t.Helper()
		a, r := s.tree.CheckNew(&o, &ref, s.now)
		if !r.OK() {
			t.Fatal(r)
		}
		var h Hold
		s.tree.Accept(&a, &h)
	}
	s.tree.oldest = math.MaxUint32 / 2
	enter()
	_, slot := s.tree.pairs.findPath(&o)
	strategy := s.tree.pairs.at(s.tree.pairs.find(strategyPairKey(1, 1)))
	if s.tree.mergedOf(strategy) == nil || slot == 0 {
		t.Fatal("nothing was merged for an order that was accepted")
	}
	var ls Limits
	ls.Set(LimitMaxOrderQty, 1)
	s.tree.SetLimits(InstrumentScope(1, 1, 1), ls)
	if s.tree.oldest != 1 || strategy.merged != 0 || s.tree.mergedOf(strategy) != nil {
		t.Fatalf("numbers go on at %d, the pair has %d", s.tree.oldest, strategy.merged)
	}
	enter()
	o.Qty = 2
	if _, r := s.tree.CheckNew(&o, &ref, s.now); r.Code != MaxQty {
		t.Fatalf("the new limit is not asked: %+v", r)
	}
}

// TestRatesBeginAnew: when the numbers of rates are used up, no equity is taken for
// one of today.
func TestRatesBeginAnew(t *testing.T) {
	s := newScript()
	s.tree.Transfer(1, "USDT", 100e8)
	s.tree.valuing = math.MaxUint32
	s.tree.accounts[1].standing = standing{valuing: 1, known: true, equity: 7}
	if r := s.tree.SetRate("USDT", 2*core.PPM); !r.OK() {
		t.Fatal(r)
	}
	if got, known := s.tree.equity(atAccount, &s.tree.accounts[1], 1); !known || got != 200e8 {
		t.Fatalf("equity %d (%v) at the new rate", got, known)
	}
}

// TestAheadDecidesNothing: memory may be asked for on behalf of any order, also one of
// nobody, and nothing changes.
func TestAheadDecidesNothing(t *testing.T) {
	x := newBenchTree(t, 10, 10, 10)
	before := x.tree.AppendState(nil)
	rng := rand.New(rand.NewPCG(6, 6))
	for range 10_000 {
		o := x.orders[rng.IntN(len(x.orders))]
		switch rng.IntN(4) {
		case 0:
			o.Account, o.Strategy = core.AccountID(rng.Uint32()), core.StrategyID(rng.Uint32())
		case 1:
			o.Instrument, o.Qty = core.InstrumentID(rng.Uint32()), core.Qty(rng.Int64())
		}
		x.tree.Ahead(&o)
		x.tree.Near(&o)
	}
	NewTree(Config{}).Near(&x.orders[0])
	NewTree(Config{}).Ahead(&x.orders[0])
	if !bytes.Equal(before, x.tree.AppendState(nil)) {
		t.Fatal("the state has changed")
	}
}

// TestRecentKeepsTheNewest: a set drops the order that was accepted first, and one that
// comes again is young again.
func TestRecentKeepsTheNewest(t *testing.T) {
	var r recent
	r.keep(1000)
	k := recentOrder{account: 1, instrument: 1, price: 1, qty: 1}
	set := r.set(&k)
	var same []recentOrder // of one set
	for qty := core.Qty(1); len(same) < recentWays+1; qty++ {
		if k.qty = qty; r.set(&k) == set {
			same = append(same, k)
		}
	}
	for i := range recentWays {
		same[i].time = core.Nanos(i)
		r.record(&same[i])
	}
	same[0].time = 10
	r.record(&same[0]) // again: now the second is the oldest
	same[recentWays].time = 2000
	r.record(&same[recentWays])
	for i := range same {
		if _, found, _ := r.look(&same[i]); found != (i != 1) {
			t.Errorf("order %d is remembered: %v", i, found)
		}
	}
}

// TestMovedMarginIsNotFree: margin that a person gives to an isolated position is free
// no more.
func TestMovedMarginIsNotFree(t *testing.T) {
	s := newScript()
	id := s.tree.instruments[1].in.ID
	s.tree.Transfer(1, s.tree.instruments[1].in.Settle, 100_000e8)
	if r := s.tree.SetIsolated(1, id, true); !r.OK() {
		t.Fatal(r)
	}
	ref := s.refs["BTC"]
	o := Order{Account: 1, Strategy: 1, Instrument: id, Side: core.Buy, Type: core.Limit, TIF: core.GTC, Price: 6_000_000, Qty: 1}
	a, r := s.tree.CheckNew(&o, &ref, s.now)
	if !r.OK() {
		t.Fatal(r)
	}
	var h Hold
	s.tree.Accept(&a, &h)
	s.tree.Fill(&h, filled(&h, 1, o.Price), s.now)
	currency := s.tree.instruments[1].settleCurrency
	before := s.tree.free(&s.tree.accounts[1], 1, currency)
	if r := s.tree.MoveIsolated(1, id, core.LegNet, 5e8); !r.OK() {
		t.Fatal(r)
	}
	if after := s.tree.free(&s.tree.accounts[1], 1, currency); after != before-5e8 {
		t.Fatalf("%d free before, %d after", before, after)
	}
}
