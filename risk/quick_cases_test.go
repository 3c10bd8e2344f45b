package risk

import (
	"math"
	"testing"

	"qcat/core"
)

// decides has the quick path and the controls in their order decide on an order, which
// must come to the same wherever the quick path admits, and accepts it when it passes.
func (s *script) decides(t *testing.T, o *Order, ref Reference) (h Hold, r Reason) {
	t.Helper()
	var fast Approved
	quick := s.tree.quick(o, &ref, s.now, &fast)
	c := check{t: s.tree, o: *o, now: s.now}
	c.run(&ref)
	if quick && (!c.fail.OK() || fast != c.approved()) {
		t.Fatalf("the quick path admits %+v\n%+v\nthe controls %+v %+v", o, fast, c.approved(), c.fail)
	}
	if a := c.approved(); c.fail.OK() {
		s.tree.Accept(&a, &h)
	}
	return h, c.fail
}

func (s *script) limitTo(t *testing.T, sc Scope, l Limit, v int64) {
	t.Helper()
	var ls Limits
	ls.Set(l, v)
	if r := s.tree.SetLimits(sc, ls); !r.OK() {
		t.Fatal(r)
	}
}

func buyOf(a core.AccountID, st core.StrategyID, in core.InstrumentID, qty core.Qty, price core.Price) Order {
	return Order{Account: a, Strategy: st, Instrument: in, Side: core.Buy, Type: core.Limit, TIF: core.GTC, Qty: qty, Price: price}
}

// TestStrangersOrderLeavesNothing: an order that names another account's strategy is
// refused, and the strategy's next order still counts at its own account.
func TestStrangersOrderLeavesNothing(t *testing.T) {
	s := newScript()
	s.limitTo(t, InstrumentScope(1, 1, 1), LimitMaxOrderQty, 100) // the strategy has a pair, its account none
	for _, o := range []Order{buyOf(2, 3, 1, 1, 6_000_000), buyOf(2, 1, 1, 1, 6_000_000)} {
		_, r := s.decides(t, &o, s.refs["BTC"])
		if r.OK() != (o.Strategy == 3) {
			t.Fatalf("strategy %d: %+v", o.Strategy, r)
		}
	}
	o := buyOf(1, 1, 1, 1, 6_000_000)
	for range 2 {
		h, r := s.decides(t, &o, s.refs["BTC"])
		if own := s.tree.pairs.find(accountPairKey(1, 1)); !r.OK() || h.account != own {
			t.Fatalf("accepted at pair %d, not %d: %+v", h.account, own, r)
		}
	}
}

// TestFillOfALegThatIsNoMore: a fill that crosses with its order's cancel, and with the
// account's change to one-way mode, leaves a leg open that the pair's margin would net.
func TestFillOfALegThatIsNoMore(t *testing.T) {
	s := newScript()
	s.tree.Transfer(1, "USDT", 1_000_000e8)
	s.tree.SetHedge(1, true)
	o := buyOf(1, 1, 1, 5, 6_000_000)
	o.Side, o.Leg = core.Sell, core.LegShort
	h, r := s.decides(t, &o, s.refs["BTC"])
	if !r.OK() {
		t.Fatal(r)
	}
	s.tree.Release(&h)
	if r := s.tree.SetHedge(1, false); !r.OK() {
		t.Fatal(r)
	}
	if !s.tree.Fill(&h, filled(&h, 5, o.Price), s.now) {
		t.Fatal("the fill was not booked")
	}
	s.limitTo(t, AccountScope(1), LimitMarginRequired, 1)
	o = buyOf(1, 1, 1, 1, 6_000_000)
	if _, r := s.decides(t, &o, s.refs["BTC"]); !r.OK() { // merges the limits
		t.Fatal(r)
	}
	free := s.tree.free(&s.tree.accounts[1], 1, s.tree.instruments[1].settleCurrency)
	if r := s.tree.Transfer(1, "USDT", 400e8-free); !r.OK() {
		t.Fatal(r)
	}
	o = buyOf(1, 1, 1, 8, 6_000_000)
	if _, r := s.decides(t, &o, s.refs["BTC"]); r.Code != InsufficientMargin {
		t.Fatalf("the margin of 8 is more than what is free: %+v", r)
	}
}

// TestFirstPriceIsARate: the reference of the first order in an instrument values the
// currency that comes from it, and what accounts hold of it, from then on.
func TestFirstPriceIsARate(t *testing.T) {
	s := newScript()
	s.tree.Transfer(1, "ACME", 3e8)
	if r := s.tree.SetRateFrom("ACME", 6); !r.OK() {
		t.Fatal(r)
	}
	if got, known := s.tree.equity(atAccount, &s.tree.accounts[1], 1); got != 0 || !known {
		t.Fatalf("worth %d (%v) before there is a price", got, known)
	}
	o := buyOf(1, 1, 6, 1, 1_000)
	if _, r := s.decides(t, &o, s.refs["ACME"]); !r.OK() {
		t.Fatal(r)
	}
	if got, known := s.tree.equity(atAccount, &s.tree.accounts[1], 1); got != 30e8 || !known {
		t.Fatalf("worth %d (%v) at a price of 10", got, known)
	}
}

// TestLargestNotional: an instrument whose own bound is the largest number there is
// still bounds its orders.
func TestLargestNotional(t *testing.T) {
	s := newScript()
	in := *s.tree.instruments[6].in
	in.ID, in.Symbol, in.SettleScale, in.MaxNotional = 7, "FINE", 18, math.MaxInt64
	if r := s.tree.DefineInstrument(&in); !r.OK() {
		t.Fatal(r)
	}
	ref := Reference{Mark: 1_000, MarkTime: s.now}
	o := buyOf(1, 1, 7, 100, 1_000)
	if _, r := s.decides(t, &o, ref); !r.OK() {
		t.Fatal(r)
	}
	o.Qty = 1_000 // 10 USDT: the bound is 9.2
	if _, r := s.decides(t, &o, ref); r.OK() {
		t.Fatal("an order above the bound was admitted")
	}
}
