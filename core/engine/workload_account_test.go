package engine

import (
	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

// money moves an amount, books funding, or changes how an account answers for what it
// holds; or it limits what a node may lose and says what happens then. Most of what it
// asks is admitted, some is not.
func (w *workload) money(s risk.Scope, id core.InstrumentID) {
	a := core.AccountID(1 + w.rng.IntN(w.e.m.accounts))
	var err error
	switch w.rng.IntN(6) {
	case 0:
		_, _, err = w.e.DefineTransfer(a, "USDT", int64(w.rng.IntN(2e9))-5e8, "anna", "because")
	case 1:
		_, _, err = w.e.DefineFunding(id, int64(w.rng.IntN(2e6))-1e6, core.Price(9_900+w.rng.IntN(200)))
	case 2:
		set := record.Margin{Kind: record.MarginKind(1 + w.rng.IntN(4)), Account: a, Instrument: id, Value: int64(w.rng.IntN(2))}
		if set.Kind == record.MarginLeverage {
			set.Value = int64(1+w.rng.IntN(10)) * core.PPM
		}
		_, _, err = w.e.DefineMargin(set)
	case 3:
		tiers := []record.Tier{{Rate: 10_000, Leverage: 20 * core.PPM}, {Floor: 1e8, Rate: int64(10_001 + w.rng.IntN(9)), Leverage: 5 * core.PPM}}
		_, _, err = w.e.DefineTiers(id, tiers)
	default:
		err = w.loseLess(s)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// loseLess limits what a node may lose so tightly that the next prices cross it.
func (w *workload) loseLess(s risk.Scope) error {
	l := w.e.m.tree.Limits(s)
	l.Set([]risk.Limit{risk.LimitMaxLossDaily, risk.LimitMaxDrawdown}[w.rng.IntN(2)], int64(w.rng.IntN(1e6)))
	l.Set(risk.LimitLossAction, int64(risk.ActionNotify)+int64(w.rng.IntN(4)))
	l.Set(risk.LimitLossConfirmations, int64(1+w.rng.IntN(3)))
	if s.Level == risk.LevelInstrument && s.Account != 0 {
		l.Set(risk.LimitProtectionFills, int64(1+w.rng.IntN(3)))
		l.Set(risk.LimitProtectionWindow, 1e9)
		l.Set(risk.LimitProtectionFreeze, 1e8)
	}
	_, err := w.e.DefineLimits(s, l)
	return err
}
