package life

import (
	"testing"

	"qcat/core"
	"qcat/risk"
)

// limits of every node of the path that its kind of node may have.
var limits = map[risk.Limit]int64{
	risk.LimitMaxNotional: 1 << 50, risk.LimitMaxOpenOrders: 1 << 20, risk.LimitMaxExposureGross: 1 << 60,
	risk.LimitMaxExposureNet: 1 << 60, risk.LimitMaxUnfilled: 1 << 60,
	risk.LimitCollarBuyUp: 100_000, risk.LimitCollarBuyDown: 100_000,
	risk.LimitCollarSellUp: 100_000, risk.LimitCollarSellDown: 100_000,
}

// bench is a firm of ten accounts with a strategy each, which may trade one instrument.
type bench struct {
	b    *testing.B
	tree *risk.Tree
	ref  risk.Reference
	now  core.Nanos
}

func newBench(b *testing.B) *bench {
	const accounts = 10
	x := &bench{b: b, now: 1e9, tree: risk.NewTree(risk.Config{Accounts: accounts, Strategies: accounts, Instruments: 1, Positions: 2 * accounts})}
	x.must(x.tree.DefineInstrument(&core.Instrument{ID: 1, Venue: "sim", Symbol: "BTCUSDT", Base: "BTC", Quote: "USDT", Settle: "USDT", Kind: core.Linear,
		PriceScale: 2, QtyScale: 5, SettleScale: 8, ContractSize: 1, TickSize: 10, StepSize: 1, MinPrice: 10, MaxPrice: 1e12,
		MinQty: 1, MaxQty: 1e12, MinNotional: 1, MaxNotional: 1 << 60}))
	x.limit(risk.FirmScope())
	for i := range accounts {
		account, strategy := core.AccountID(i+1), core.StrategyID(i+1)
		x.must(x.tree.DefineAccount(account))
		x.must(x.tree.DefineStrategy(strategy, account))
		x.must(x.tree.Transfer(account, "USDT", 1_000_000_000*1e8))
		x.limit(risk.AccountScope(account))
		x.limit(risk.StrategyScope(strategy))
	}
	x.at(x.now)
	return x
}

func (x *bench) must(r risk.Reason) {
	if !r.OK() {
		x.b.Fatal(r)
	}
}

func (x *bench) limit(at risk.Scope) {
	var ls risk.Limits
	for l, v := range limits {
		ls.Set(l, v)
	}
	x.must(x.tree.SetLimits(at, ls))
}

// at is a moment at which every price is fresh.
func (x *bench) at(now core.Nanos) {
	x.now = now
	x.ref = risk.Reference{Bid: 5_999_990, Ask: 6_000_010, Mark: 6_000_000, Time: now, MarkTime: now, VenueTime: now}
}

// BenchmarkLife checks, accepts, half fills and releases orders of ten accounts in turn,
// buys and sells alternating, with limits on firm, account and strategy. Nothing may be
// left open.
func BenchmarkLife(b *testing.B) {
	x := newBench(b)
	o := risk.Order{Instrument: 1, Type: core.Limit, TIF: core.GTC, Qty: 100, Price: 6_000_000}
	var h risk.Hold
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		x.at(x.now + 1_000_000)
		o.Account, o.Strategy = core.AccountID(1+n/2%10), core.StrategyID(1+n/2%10)
		o.Side = core.Side(1 + n%2)
		a, r := x.tree.CheckNew(&o, &x.ref, x.now)
		x.must(r)
		x.tree.Accept(&a, &h)
		x.tree.Fill(&h, &risk.Booking{Qty: 50, Moves: core.Qty(o.Side.Sign()) * 50, Price: o.Price}, x.now)
		x.tree.Release(&h)
		n++
	}
	if v, ok := x.tree.View(risk.FirmScope()); !ok || v.OpenOrders != 0 || v.Unfilled != 0 {
		b.Fatalf("left open: %+v", v)
	}
}
