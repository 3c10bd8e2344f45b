package risk

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"qcat/core"
)

// benchTree is a tree with every control on at every level where it makes sense:
// accounts with one strategy each, held spread over instruments: every account
// holds the instruments (account + k·7919) mod instruments for k < per.
type benchTree struct {
	tree   *Tree
	orders []Order // random accounts, instruments they hold
	ref    Reference
	now    core.Nanos
}

// allLimits sets every limit that makes sense at a scope, wide enough to admit.
func allLimits(at Scope) (ls Limits) {
	const huge = int64(1) << 60
	for l := range numLimits {
		switch d := &limitDefs[l]; d.unit {
		case UnitPPM, UnitTimes:
			ls.Set(l, min(d.max, 1000*core.PPM))
		case UnitNanos:
			ls.Set(l, 1_000_000_000)
		case UnitCount:
			ls.Set(l, maxCount)
		case UnitNone, UnitMode:
			ls.Set(l, 1)
		case UnitAction:
			ls.Set(l, int64(ActionReduce))
		default:
			ls.Set(l, huge)
		}
	}
	for _, l := range []Limit{LimitCollarBuyUp, LimitCollarBuyDown, LimitCollarSellUp, LimitCollarSellDown,
		LimitMarketSlippage, LimitRollingUp, LimitRollingDown, LimitScenarioPrice} {
		ls.Set(l, 100_000)
	}
	ls.Set(LimitMaxReferenceAge, huge)
	ls.Set(LimitDuplicateWindow, 1)
	ls.Set(LimitMinNotional, 1)
	ls.Set(LimitConcentrationFloor, 0) // asked of every order
	ls.Set(LimitScenarioSigmas, 3*core.PPM)
	ls.Unset(LimitRestricted)
	for l, ok := ls.Validate(at); !ok; l, ok = ls.Validate(at) {
		ls.Unset(l)
	}
	return ls
}

func newBenchTree(tb testing.TB, accounts, instruments, per int) *benchTree {
	set := func(r Reason) {
		if !r.OK() {
			tb.Fatal(r)
		}
	}
	b := &benchTree{tree: NewTree(Config{Accounts: accounts, Strategies: accounts, Instruments: instruments, Positions: 2 * accounts * per}),
		ref: Reference{Bid: 5_999_990, Ask: 6_000_010, Mark: 6_000_000}, now: 1e9}
	b.at(b.now)
	t := b.tree
	own := allLimits(InstrumentScope(1, 0, 1)) // of every instrument below the firm
	set(t.SetLimits(FirmScope(), allLimits(FirmScope())))
	for i := 1; i <= instruments; i++ {
		set(t.DefineInstrument(&core.Instrument{ID: core.InstrumentID(i), Venue: "sim", Symbol: fmt.Sprint("S", i),
			Quote: "USDT", Settle: "USDT", Kind: core.Linear, PriceScale: 2, QtyScale: 5, SettleScale: 8, ContractSize: 1,
			TickSize: 10, StepSize: 1, MinPrice: 10, MaxPrice: 1e12, MinQty: 1, MaxQty: 1e12, MinNotional: 1, MaxNotional: 1 << 60,
			BidCollarUp: 100_000, BidCollarDown: 100_000, AskCollarUp: 100_000, AskCollarDown: 100_000}))
		at := InstrumentScope(0, 0, core.InstrumentID(i))
		set(t.SetLimits(at, allLimits(at)))
	}
	for a := 1; a <= accounts; a++ {
		account, strategy := core.AccountID(a), core.StrategyID(a)
		set(t.DefineAccount(account))
		set(t.DefineStrategy(strategy, account))
		set(t.SetLimits(AccountScope(account), allLimits(AccountScope(account))))
		set(t.Transfer(account, "USDT", 1_000_000_000*1e8))
		set(t.SetLimits(StrategyScope(strategy), allLimits(StrategyScope(strategy))))
		for k := range per {
			in := core.InstrumentID((a+k*7919)%instruments + 1)
			set(t.SetLeverage(account, in, 10*core.PPM))
			for _, at := range []Scope{InstrumentScope(account, 0, in), InstrumentScope(account, strategy, in)} {
				set(t.SetLimits(at, own))
			}
		}
	}
	b.trade(accounts, instruments, per)
	return b
}

// trade draws the orders and gives every pair they meet a position.
func (b *benchTree) trade(accounts, instruments, per int) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 1 << 16 {
		a := 1 + rng.IntN(accounts)
		in := core.InstrumentID((a+rng.IntN(per)*7919)%instruments + 1)
		o := Order{Account: core.AccountID(a), Strategy: core.StrategyID(a), Instrument: in,
			Side: core.Side(1 + rng.IntN(2)), Type: core.Limit, TIF: core.GTC,
			Price: core.Price(5_900_000 + 10*rng.IntN(20_000)), Qty: core.Qty(1 + rng.IntN(1000))}
		b.orders = append(b.orders, o)
		if ap, why := b.tree.CheckNew(&o, &b.ref, b.now); why.OK() {
			var h Hold
			b.tree.Accept(&ap, &h)
			b.tree.Fill(&h, filled(&h, o.Qty, o.Price), b.now)
		}
		b.at(b.now + 1000)
	}
	for i := 1; i <= instruments; i++ {
		b.tree.Mark(core.InstrumentID(i), b.ref.Mark, true, b.now)
	}
}

// at is a moment at which every price is fresh and the venue's clock is ours.
func (b *benchTree) at(now core.Nanos) {
	b.now = now
	b.ref.Time, b.ref.VenueTime, b.ref.MarkTime = now, now, now
}

// benchShapes are the axes over three decades: accounts at 10 instruments, and
// instruments held by 100 accounts.
var benchShapes = []struct{ accounts, instruments, per int }{
	{10, 10, 10}, {1_000, 10, 10}, {100_000, 10, 10}, {100, 10, 10}, {100, 100, 100}, {100, 1_000, 1_000},
}

// BenchmarkCheckNew decides on limit orders of random accounts in random
// instruments that they hold, every limit there is set on every node where it makes
// sense: margin, leverage, concentration, losses, breakers, protection and scenarios
// too, with a rested mark of everything and a billion in every account. Each order must
// be admitted.
func BenchmarkCheckNew(b *testing.B) {
	for _, s := range benchShapes {
		var x *benchTree // built once: a check changes nothing
		b.Run(fmt.Sprintf("accounts=%d/instruments=%d", s.accounts, s.per), func(b *testing.B) {
			if x == nil {
				x = newBenchTree(b, s.accounts, s.instruments, s.per)
				x.at(x.now + 2e9) // nothing is a duplicate, every bucket full
			}
			b.ReportAllocs()
			b.ResetTimer()
			refused := 0
			for i := range b.N {
				if _, r := x.tree.CheckNew(&x.orders[i&(1<<16-1)], &x.ref, x.now); !r.OK() {
					refused++
				}
			}
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "checks/s")
			if refused != 0 {
				b.Fatalf("%d of %d orders refused", refused, b.N)
			}
		})
	}
}

// BenchmarkCheckQueued is BenchmarkCheckNew as the engine checks what waits in its
// ring: the memory of the next orders is asked for ahead.
func BenchmarkCheckQueued(b *testing.B) {
	for _, s := range benchShapes {
		var x *benchTree
		b.Run(fmt.Sprintf("accounts=%d/instruments=%d", s.accounts, s.per), func(b *testing.B) {
			if x == nil {
				x = newBenchTree(b, s.accounts, s.instruments, s.per)
				x.at(x.now + 2e9)
			}
			b.ReportAllocs()
			b.ResetTimer()
			refused := 0
			for i := range b.N {
				x.tree.Ahead(&x.orders[(i+8)&(1<<16-1)])
				x.tree.Near(&x.orders[(i+4)&(1<<16-1)])
				if _, r := x.tree.CheckNew(&x.orders[i&(1<<16-1)], &x.ref, x.now); !r.OK() {
					refused++
				}
			}
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "checks/s")
			if refused != 0 {
				b.Fatalf("%d of %d orders refused", refused, b.N)
			}
		})
	}
}

// BenchmarkCheckUnset is BenchmarkCheckNew without a limit anywhere: what the
// formats, the reference and the sums cost.
func BenchmarkCheckUnset(b *testing.B) {
	x := newBenchTree(b, 1_000, 10, 10)
	for s := range x.tree.Scopes {
		x.tree.SetLimits(s, Limits{})
	}
	var h Hold
	for i := range x.orders { // an order has been accepted since the limits changed
		if a, r := x.tree.CheckNew(&x.orders[i], &x.ref, x.now); r.OK() {
			x.tree.Accept(&a, &h)
			x.tree.Release(&h)
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		if _, r := x.tree.CheckNew(&x.orders[i&(1<<16-1)], &x.ref, x.now); !r.OK() {
			b.Fatal(r)
		}
	}
}

// BenchmarkLife is an order's life: check, accept, half filled, the rest
// released. Half of 1 000 accounts' positions must be what was filled.
func BenchmarkLife(b *testing.B) {
	x := newBenchTree(b, 1_000, 10, 10)
	var h Hold
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		o := &x.orders[i&(1<<16-1)]
		x.at(x.now + 1000)
		a, r := x.tree.CheckNew(o, &x.ref, x.now)
		if !r.OK() {
			b.Fatal(r)
		}
		x.tree.Accept(&a, &h)
		x.tree.Fill(&h, filled(&h, (o.Qty+1)/2, o.Price), x.now)
		x.tree.Release(&h)
	}
	b.StopTimer()
	if v, _ := x.tree.View(FirmScope()); v.OpenOrders != 0 || v.Unfilled != 0 {
		b.Fatalf("left open: %+v", v)
	}
}
