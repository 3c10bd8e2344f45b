package risk

import "math/bits"

// viewScore fills in what a view tells of profits, trips and scenarios.
func (t *Tree) viewScore(v *View, n *node) {
	at, _ := t.place(v.Scope)
	sc := t.seat(at).sc
	v.PnL, v.Peak, v.Drawdown, v.Streak = sc.pnl, sc.peak, lost(sc.peak, sc.pnl), int(sc.streak)
	if dayNumber(t.scores.now, t.dayStart(t.accountOf(at))) <= sc.day {
		v.DayPnL = sc.pnl - sc.open
	}
	v.Trips = bits.OnesCount8(n.trips)
	if sc.cause != 0 {
		v.Cause = tripCodes[sc.cause-1]
	}
	v.WorstScenario, v.ScenarioLoss = t.worstScenario(v.Scope)
}
