package risk

import (
	"math/rand/v2"
	"testing"

	"qcat/core"
)

// TestProjectIsWhatAcceptDoes: what is foretold of an order that is then accepted is
// what the nodes have used afterwards; and foretelling changes nothing.
func TestProjectIsWhatAcceptDoes(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 3))
	tree, in := changesTree(t)
	for a := core.AccountID(1); a <= 5; a++ {
		tree.Transfer(a, "USDT", 1_000_000_00000000)
	}
	var holds []*Hold
	accepted := 0
	for step := range 6000 {
		now := core.Nanos(step) * 1e6
		changesStep(r, tree, in, &holds, now)
		o := Order{Account: core.AccountID(1 + r.IntN(5)), Instrument: in.ID, Side: core.Side(1 + r.IntN(2)), Type: core.Limit,
			TIF: core.GTC, Price: core.Price(9_500 + r.IntN(1_000)), Qty: core.Qty(1 + r.IntN(500))}
		o.Strategy = core.StrategyID(o.Account)
		if r.IntN(4) == 0 {
			o.Type, o.TIF, o.Price = core.Market, core.IOC, 0
		}
		ref := Reference{Mark: core.Price(9_500 + r.IntN(1_000)), MarkTime: now}
		before := string(tree.AppendState(nil))
		after := tree.Project(&o, &ref, now)
		if string(tree.AppendState(nil)) != before {
			t.Fatalf("seed %d, step %d: a question changed the tree", seed, step)
		}
		ok, reason := tree.CheckNew(&o, &ref, now)
		if !reason.OK() {
			continue
		}
		accepted++
		h := new(Hold)
		tree.Accept(&ok, h)
		holds = append(holds, h)
		if after.Known != pathLen {
			t.Fatalf("seed %d, step %d: %d levels of an order that was accepted", seed, step, after.Known)
		}
		for _, l := range after.Levels {
			v, _ := tree.View(l.Scope)
			net := v.Long
			if o.Side == core.Sell {
				net = v.Short
			}
			if !l.Valued || l.State != v.State || l.OpenOrders != v.OpenOrders || l.Gross != v.Gross || l.Net != net || l.Unfilled != v.Unfilled {
				t.Fatalf("seed %d, step %d: foretold %+v, is %+v", seed, step, l, v)
			}
			if l.Scope.Level != LevelInstrument && (!l.ScenarioKnown || l.ScenarioLoss != v.ScenarioLoss || l.Scenario != v.WorstScenario) {
				t.Fatalf("seed %d, step %d: foretold %+v, loses %d in %s", seed, step, l, v.ScenarioLoss, v.WorstScenario)
			}
		}
		for _, w := range tree.Wallets(o.Account) {
			m := after.Margin
			if !m.Known || m.Currency != w.Currency || m.Initial != w.Initial || m.Reserved != w.Reserved || m.Free != w.Free {
				t.Fatalf("seed %d, step %d: foretold %+v, is %+v", seed, step, m, w)
			}
		}
	}
	if accepted < 1000 {
		t.Fatalf("only %d orders were accepted", accepted)
	}
}

// TestProjectOfNoOrder: what has no path or is no order has no levels; without a price
// the levels are there, and not valued.
func TestProjectOfNoOrder(t *testing.T) {
	tree, in := changesTree(t)
	good := Order{Account: 1, Strategy: 1, Instrument: in.ID, Side: core.Buy, Type: core.Limit, TIF: core.GTC, Price: 10_000, Qty: 5}
	ref := Reference{Mark: 10_000, MarkTime: 1}
	for name, spoil := range map[string]func(*Order){
		"account":    func(o *Order) { o.Account = 99 },
		"strategy":   func(o *Order) { o.Strategy = 2 },
		"instrument": func(o *Order) { o.Instrument = 99 },
		"terms":      func(o *Order) { o.Qty = 0 },
	} {
		o := good
		spoil(&o)
		if a := tree.Project(&o, &ref, 1); a.Known != 0 {
			t.Errorf("%s: %+v", name, a)
		}
	}
	a := tree.Project(&good, &Reference{}, 1)
	if a.Known != pathLen || a.Levels[0].Valued || a.Levels[0].OpenOrders != 1 {
		t.Errorf("without a price: %+v", a)
	}
	huge := good
	huge.Price, huge.Qty = 1<<62, 1<<62
	if a := tree.Project(&huge, &ref, 1); a.Known != pathLen || a.Levels[0].Valued || a.Levels[0].Gross != 0 {
		t.Errorf("beyond all numbers: %+v", a)
	}
}
