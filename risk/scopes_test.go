package risk

import (
	"slices"
	"testing"

	"qcat/core"
)

// TestNextScopesIsScopesInSteps: whatever the size of a step, the nodes are those
// of Scopes, in its order.
func TestNextScopesIsScopesInSteps(t *testing.T) {
	tree := NewTree(Config{})
	in := &core.Instrument{ID: 1, Venue: "sim", Symbol: "X", Settle: "USDT", Quote: "USDT", Kind: core.Linear,
		ContractSize: 1, TickSize: 1, StepSize: 1}
	var limits Limits
	limits.Set(LimitMaxOpenOrders, 1)
	ok := func(r Reason) {
		t.Helper()
		if !r.OK() {
			t.Fatal(r)
		}
	}
	ok(tree.DefineInstrument(in))
	for a := core.AccountID(1); a <= 20; a++ {
		ok(tree.DefineAccount(a))
		ok(tree.DefineStrategy(core.StrategyID(a), a))
		ok(tree.SetLimits(InstrumentScope(a, core.StrategyID(a), in.ID), limits))
	}
	all := slices.Collect(tree.Scopes)
	if len(all) < 1+20+20+1+20 || all[0] != FirmScope() {
		t.Fatalf("%d nodes: %v", len(all), all)
	}
	for _, step := range []int{1, 2, 7, 1000} {
		var got []Scope
		var at ScopeCursor
		for tree.NextScopes(&at, step, func(s Scope) { got = append(got, s) }) {
		}
		if !slices.Equal(got, all) {
			t.Errorf("in steps of %d: %v, want %v", step, got, all)
		}
		if tree.NextScopes(&at, step, func(s Scope) { t.Errorf("%v after the end", s) }) {
			t.Error("more after the end")
		}
	}
	for s := range tree.Scopes {
		if s.Level != LevelFirm {
			t.Errorf("%v after the loop had ended", s)
		}
		break
	}
}
