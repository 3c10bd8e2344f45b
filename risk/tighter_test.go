package risk

import (
	"math/rand/v2"
	"testing"
)

// Whoever adds a limit says which way it is tighter.
func TestEveryLimitHasASense(t *testing.T) {
	for l := range numLimits {
		s := senses[l]
		if s.way == wayUnsaid {
			t.Errorf("%s: nobody said which way it is tighter", l)
		}
		if isRate(l) != (s.way == wayRate) {
			t.Errorf("%s: a rate is judged as one", l)
		}
	}
}

// waysOfLimits is what the table of docs/limits.md says, written down a second time:
// a tight and a loose value of every limit, and whether none at all is looser than both
// (open), tighter than both (closed), or beside them.
var waysOfLimits = []struct {
	limit        Limit
	tight, loose int64
	none         string
}{
	{LimitCollarBuyUp, 1, 2, "open"}, {LimitCollarBuyDown, 1, 2, "open"},
	{LimitCollarSellUp, 1, 2, "open"}, {LimitCollarSellDown, 1, 2, "open"},
	{LimitRollingUp, 1, 2, "open"}, {LimitRollingDown, 1, 2, "open"}, {LimitRollingWindow, 2, 1, "open"},
	{LimitMaxOrderQty, 1, 2, "open"}, {LimitMinNotional, 2, 1, "open"}, {LimitMaxNotional, 1, 2, "open"},
	{LimitMarketSlippage, 60_000, 40_000, "shared"},
	{LimitMaxOpenOrders, 1, 2, "open"}, {LimitMaxAmends, 1, 2, "open"}, {LimitMaxPosition, 1, 2, "open"},
	{LimitMaxExposureGross, 1, 2, "open"}, {LimitMaxExposureNet, 1, 2, "open"}, {LimitMaxUnfilled, 1, 2, "open"},
	{LimitMessageRate, 1, 2, "open"}, {LimitMessageRatePer, 2e9, 1e9, "with its count"},
	{LimitOrderRate, 1, 2, "open"}, {LimitOrderRatePer, 2e9, 1e9, "with its count"},
	{LimitDuplicateWindow, 2, 1, "open"},
	{LimitPermittedOnly, 1, 0, "open"}, {LimitPermitted, 0, 1, "closed"}, {LimitRestricted, 1, 0, "open"},
	{LimitMaxReferenceAge, 1, 2, "open"},
	{LimitMarginRequired, 1, 0, "open"}, {LimitMaxLeverage, 1, 2, "open"},
	{LimitConcentration, 1, 2, "open"}, {LimitConcentrationFloor, 1, 2, "closed"},
	{LimitMaxLossDaily, 1, 2, "open"}, {LimitMaxDrawdown, 1, 2, "open"}, {LimitConsecutiveLosses, 1, 2, "open"},
	{LimitLossAction, int64(ActionHalt), int64(ActionNotify), "between"}, {LimitLossConfirmations, 2, 3, "closed"},
	{LimitDayStart, 0, 0, "neither"},
	{LimitRepeatedExecutions, 1, 2, "open"}, {LimitRepeatedExecutionsPer, 2e9, 1e9, "with its count"},
	{LimitVolatilityMove, 1, 2, "open"}, {LimitVolatilityWindow, 2, 1, "open"}, {LimitVolatilityCooldown, 2, 1, "open"},
	{LimitMaxClockOffset, 1, 2, "open"},
	{LimitSelfTrade, int64(SelfTradeCancelBoth), int64(SelfTradeCancelOldest), "open"},
	{LimitProtectionFills, 1, 2, "open"}, {LimitProtectionQty, 1, 2, "open"}, {LimitProtectionDelta, 1, 2, "open"},
	{LimitProtectionWindow, 2, 1, "open"}, {LimitProtectionFreeze, 2, 1, "closed"},
	{LimitMaxScenarioLoss, 1, 2, "open"},
	{LimitScenarioPrice, 120_000, 80_000, "shared"}, {LimitScenarioSigmas, 4_000_000, 2_000_000, "shared"},
	{LimitCancelOnDrop, 1, 0, "open"},
}

func TestLoosensOfEveryLimit(t *testing.T) {
	seen := map[Limit]bool{}
	for _, w := range waysOfLimits {
		seen[w.limit] = true
		// What the limit belongs to is there before and after.
		var base Limits
		switch w.limit {
		case LimitMessageRate, LimitOrderRate, LimitRepeatedExecutions:
			base.Set(w.limit+1, 1e9)
		case LimitMessageRatePer, LimitOrderRatePer, LimitRepeatedExecutionsPer:
			base.Set(w.limit-1, 10)
		case LimitConcentrationFloor:
			base.Set(LimitConcentration, 1)
		case LimitLossAction, LimitLossConfirmations:
			base.Set(LimitMaxLossDaily, 1)
		case LimitProtectionFreeze:
			base.Set(LimitProtectionWindow, 1)
		}
		with := func(v int64) Limits { l := base; l.Set(w.limit, v); return l }
		tight, loose, none := with(w.tight), with(w.loose), base
		ask := func(before, after Limits, want bool, what string) {
			t.Helper()
			l, got := Loosens(&before, &after)
			if got != want {
				t.Errorf("%s: %s loosens: %v, want %v", w.limit, what, got, want)
			}
			if blamed := l == w.limit || senses[w.limit].way == wayPeriod && l == w.limit-1; got && !blamed {
				t.Errorf("%s: %s is blamed on %s", w.limit, what, l)
			}
		}
		ask(tight, tight, false, "nothing changed")
		if w.none == "neither" {
			ask(with(1), with(2), true, "later")
			ask(with(2), with(1), true, "earlier")
			continue
		}
		ask(tight, loose, true, "the loose value")
		ask(loose, tight, false, "the tight value")
		switch w.none {
		case "open":
			ask(tight, none, true, "to take it away")
			ask(none, tight, false, "to set it")
		case "closed":
			ask(loose, none, false, "to take it away")
			ask(none, loose, true, "to set it")
		case "between":
			ask(tight, none, true, "to take the tight one away")
			ask(loose, none, false, "to take the loose one away")
			ask(none, loose, true, "to set the loose one")
			ask(none, tight, false, "to set the tight one")
		case "shared":
			ask(tight, none, true, "to take the tight one away")
			ask(loose, none, true, "to take the loose one away")
			ask(none, loose, true, "to set the loose one")
			ask(none, tight, false, "to set the tight one")
		}
	}
	for l := range numLimits {
		if !seen[l] {
			t.Errorf("%s is not in the table of this test", l)
		}
	}
}

// What tightens and is then taken back loosens, unless nothing changed, and steps that
// each loosen nothing do not loosen together.
func TestLoosensIsAnOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	random := func() (l Limits) {
		for id := range numLimits {
			if d := &limitDefs[id]; rng.IntN(3) == 0 && senses[id].way != wayPeriod {
				l.Set(id, 1+rng.Int64N(min(d.max, 4)))
				if isRate(id) {
					l.Set(id+1, int64(1+rng.IntN(3))*1e9)
				}
			}
		}
		return l
	}
	chains := 0
	for range 200_000 {
		a, b := random(), random()
		if rng.IntN(2) == 0 { // close to each other, so that some change loosens nothing
			b = a
			if id := Limit(rng.IntN(int(numLimits))); senses[id].way != wayPeriod && senses[id].way != wayRate {
				b.Unset(id)
				b.Set(id, 1+rng.Int64N(min(limitDefs[id].max, 4)))
			}
		}
		if _, yes := Loosens(&a, &a); yes {
			t.Fatal("no change loosens")
		}
		_, there := Loosens(&a, &b)
		c := b
		id := Limit(rng.IntN(int(numLimits)))
		if w := senses[id].way; w != wayPeriod && w != wayRate {
			c.Set(id, 1+rng.Int64N(min(limitDefs[id].max, 4)))
		}
		_, on := Loosens(&b, &c)
		if there || on {
			continue
		}
		chains++
		if l, yes := Loosens(&a, &c); yes {
			t.Fatalf("two steps that loosen nothing loosen %s together:\n%v\n%v\n%v", l, a, b, c)
		}
	}
	if chains < 1000 {
		t.Fatalf("only %d chains", chains)
	}
}
