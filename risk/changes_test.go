package risk

import (
	"math/rand/v2"
	"slices"
	"testing"

	"qcat/core"
)

// picture is what a reader of NextChanged believes of a tree.
type picture map[Scope]View

func (p picture) take(t *Tree, most int) (left int) {
	return t.NextChanged(most, func(s Scope) { p[s], _ = t.View(s) })
}

// differs returns the first node of which the picture is not what the tree says.
func (p picture) differs(t *Tree) (Scope, bool) {
	for s := range t.Scopes {
		if v, _ := t.View(s); p[s] != v {
			return s, true
		}
	}
	return Scope{}, false
}

// TestChangesTellEverything: whatever happens to a tree, who reads its changes to
// their end knows every node as it is; in slices of any size, each node once.
func TestChangesTellEverything(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	tree, in := changesTree(t)
	know := picture{}
	for s := range tree.Scopes { // what was there before one began to read
		know[s], _ = tree.View(s)
	}
	var holds []*Hold
	for step := range 4000 {
		changesStep(r, tree, in, &holds, core.Nanos(step)*1e6)
		if r.IntN(8) > 0 {
			continue
		}
		for know.take(tree, 1+r.IntN(4)) > 0 && r.IntN(3) > 0 {
		}
		if r.IntN(4) > 0 {
			continue
		}
		for know.take(tree, 1+r.IntN(20)) > 0 {
		}
		if s, differs := know.differs(tree); differs {
			v, _ := tree.View(s)
			t.Fatalf("seed %d, step %d: %+v is told as %+v, is %+v", seed, step, s, know[s], v)
		}
	}
}

// TestChangesComeOnce: a node that changed twice is told once, and again only when
// it changes again; the longest waiting come first.
func TestChangesComeOnce(t *testing.T) {
	tree, _ := changesTree(t)
	var first []Scope
	for tree.NextChanged(100, func(s Scope) { first = append(first, s) }) > 0 {
	}
	if len(first) == 0 || first[0].Level != LevelInstrument {
		t.Fatalf("after the definitions: %v", first)
	}
	tree.SetState(AccountScope(2), StateReducing)
	tree.SetState(FirmScope(), StateReducing)
	tree.SetState(AccountScope(2), StateActive)
	var got []Scope
	if left := tree.NextChanged(1, func(s Scope) { got = append(got, s) }); left != 1 {
		t.Fatalf("%d left of 2", left)
	}
	if left := tree.NextChanged(5, func(s Scope) { got = append(got, s) }); left != 0 {
		t.Fatalf("%d left", left)
	}
	if want := []Scope{AccountScope(2), FirmScope()}; !slices.Equal(got, want) {
		t.Fatalf("told %v, want %v", got, want)
	}
}

// TestScopeCursorPlaces: a place survives being kept as numbers, and numbers that are
// no place are refused.
func TestScopeCursorPlaces(t *testing.T) {
	tree, _ := changesTree(t)
	var whole, parts []Scope
	for s := range tree.Scopes {
		whole = append(whole, s)
	}
	for c, more := (ScopeCursor{}), true; more; {
		more = tree.NextScopes(&c, 2, func(s Scope) { parts = append(parts, s) })
		var ok bool
		if c, ok = ScopeCursorAt(c.Place()); !ok {
			t.Fatal("a place that was given out is none")
		}
	}
	if !slices.Equal(whole, parts) {
		t.Fatalf("walked %v, want %v", parts, whole)
	}
	if _, ok := ScopeCursorAt(sections, 0); ok {
		t.Error("a section too far is a place")
	}
	if _, ok := ScopeCursorAt(0, 1<<33); ok {
		t.Error("an index too far is a place")
	}
}

func changesTree(t *testing.T) (*Tree, *core.Instrument) {
	t.Helper()
	in := &core.Instrument{ID: 1, Venue: "sim", Symbol: "BTCUSDT", Base: "BTC", Quote: "USDT", Settle: "USDT",
		Kind: core.Linear, PriceScale: 2, QtyScale: 3, SettleScale: 8, ContractSize: 1, TickSize: 1, StepSize: 1}
	tree := NewTree(Config{})
	if r := tree.DefineInstrument(in); !r.OK() {
		t.Fatal(r)
	}
	for a := core.AccountID(1); a <= 5; a++ {
		if r := tree.DefineAccount(a); !r.OK() {
			t.Fatal(r)
		}
		if r := tree.DefineStrategy(core.StrategyID(a), a); !r.OK() {
			t.Fatal(r)
		}
	}
	return tree, in
}

// changesStep does one thing that an engine does to a tree.
func changesStep(r *rand.Rand, tree *Tree, in *core.Instrument, holds *[]*Hold, now core.Nanos) {
	ref := Reference{Mark: 10_000, MarkTime: now}
	switch r.IntN(8) {
	case 0:
		tree.Mark(in.ID, core.Price(9_000+r.IntN(2_000)), true, now)
	case 1:
		tree.SetState(AccountScope(core.AccountID(1+r.IntN(5))), TradingState(r.IntN(2)))
	case 2:
		var l Limits
		l.Set(LimitMaxOpenOrders, int64(1000+r.IntN(5)))
		tree.SetLimits(InstrumentScope(core.AccountID(1+r.IntN(5)), 0, in.ID), l)
	case 3, 4, 5:
		a := core.AccountID(1 + r.IntN(5))
		o := Order{Account: a, Strategy: core.StrategyID(a), Instrument: in.ID, Side: core.Side(1 + r.IntN(2)), Type: core.Limit,
			TIF: core.GTC, Price: 10_000, Qty: core.Qty(1 + r.IntN(50))}
		if ok, reason := tree.CheckNew(&o, &ref, now); reason.OK() {
			h := new(Hold)
			tree.Accept(&ok, h)
			*holds = append(*holds, h)
		}
	default:
		if len(*holds) == 0 {
			return
		}
		h := (*holds)[r.IntN(len(*holds))]
		if r.IntN(2) == 0 {
			tree.Release(h)
		} else if h.Leaves() > 0 {
			changesFill(tree, h, h.Leaves(), now)
		}
	}
}

func changesFill(tree *Tree, h *Hold, q core.Qty, now core.Nanos) {
	tree.Fill(h, filled(h, q, 10_000), now)
}
