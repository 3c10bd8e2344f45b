package risk

import (
	"bytes"
	"math"
	"testing"

	"qcat/core"
)

// TestWhatIsMissingRefuses takes away one thing at a time that a good order needs: it
// is refused with that thing's own code, by a check that changes nothing, and admitted
// again once the thing is back.
func TestWhatIsMissingRefuses(t *testing.T) {
	const at = core.Nanos(60e9)
	for _, tt := range []struct {
		name string
		code Code
		take func(tree *Tree, o *Order, r *Reference)
	}{
		{"the account", UnknownAccount, func(_ *Tree, o *Order, _ *Reference) { o.Account = 7 }},
		{"any account", UnknownAccount, func(_ *Tree, o *Order, _ *Reference) { o.Account = 0 }},
		{"the strategy", UnknownStrategy, func(_ *Tree, o *Order, _ *Reference) { o.Strategy = 7 }},
		{"a strategy of its own", UnknownStrategy, func(_ *Tree, o *Order, _ *Reference) { o.Strategy = 2 }},
		{"the instrument", UnknownInstrument, func(_ *Tree, o *Order, _ *Reference) { o.Instrument = 7 }},
		{"the rate", NoRate, func(_ *Tree, o *Order, _ *Reference) { o.Instrument = 2 }},
		{"a quantity", InvalidOrder, func(_ *Tree, o *Order, _ *Reference) { o.Qty = 0 }},
		{"a side", InvalidOrder, func(_ *Tree, o *Order, _ *Reference) { o.Side = 0 }},
		{"a price", InvalidOrder, func(_ *Tree, o *Order, _ *Reference) { o.Price = 0 }},
		{"every price of the market", StaleReference, func(_ *Tree, _ *Order, r *Reference) { *r = Reference{} }},
		{"a fresh price", StaleReference, func(_ *Tree, _ *Order, r *Reference) { r.MarkTime, r.Time = at-11e9, at-11e9 }},
		{"a live book", StaleReference, func(_ *Tree, _ *Order, r *Reference) { r.Flags |= core.FlagStale }},
		{"an uncrossed book", CrossedReference, func(_ *Tree, _ *Order, r *Reference) { r.Flags |= core.FlagCrossed }},
		{"room in 64 bits", Overflow, func(_ *Tree, o *Order, r *Reference) {
			o.Qty, o.Price, r.Mark = math.MaxInt64/2, math.MaxInt64/2, math.MaxInt64/2
		}},
		{"leave to trade", Halted, func(tree *Tree, _ *Order, _ *Reference) { tree.SetState(StrategyScope(1), StateHalted) }},
		{"leave to open", Reducing, func(tree *Tree, _ *Order, _ *Reference) { tree.SetState(AccountScope(1), StateReducing) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tree := NewTree(Config{})
			ins := safetyInstruments()[:1]
			ins = append(ins, ins[0])
			ins[1].ID, ins[1].Symbol, ins[1].Quote, ins[1].Settle = 2, "YEN", "JPY", "JPY"
			for i := range ins {
				tree.DefineInstrument(&ins[i])
			}
			tree.DefineAccount(1)
			tree.DefineAccount(2)
			tree.DefineStrategy(1, 1)
			tree.DefineStrategy(2, 2)
			var ls Limits
			ls.Set(LimitMaxReferenceAge, 10e9)
			tree.SetLimits(FirmScope(), ls)
			good := Order{Account: 1, Strategy: 1, Instrument: 1, Side: core.Buy, Type: core.Limit, TIF: core.GTC, Price: 2_000_000, Qty: 1_000}
			market := Reference{Bid: 1_999_999, Ask: 2_000_001, Mark: 2_000_000, Time: at, MarkTime: at}
			if _, why := tree.CheckNew(&good, &market, at); !why.OK() {
				t.Fatalf("a good order: %+v", why)
			}

			o, r := good, market
			tt.take(tree, &o, &r)
			before := tree.AppendState(nil)
			_, why := tree.CheckNew(&o, &r, at)
			all := tree.CheckAll(&o, &r, at, nil)
			if why.Code != tt.code {
				t.Errorf("refused with %+v, want %s", why, tt.code)
			}
			if len(all) == 0 || all[0] != why {
				t.Errorf("every refusal: %+v, the first: %+v", all, why)
			}
			if !bytes.Equal(before, tree.AppendState(nil)) {
				t.Error("the check changed the state")
			}
			for _, s := range []Scope{StrategyScope(1), AccountScope(1)} {
				tree.SetState(s, StateActive)
			}
			if _, why := tree.CheckNew(&good, &market, at); !why.OK() {
				t.Errorf("a good order afterwards: %+v", why)
			}
		})
	}
}
