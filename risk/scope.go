package risk

import "qcat/core"

var levelNames = [...]string{"none", "firm", "account", "strategy", "instrument"}

// String returns the name used in JSON.
func (l Level) String() string {
	if int(l) < len(levelNames) {
		return levelNames[l]
	}
	return "unknown"
}

// ParseLevel returns the level of that name ("firm" to "instrument") and
// whether there is one.
func ParseLevel(name string) (Level, bool) {
	for i := LevelFirm; int(i) < len(levelNames); i++ {
		if levelNames[i] == name {
			return i, true
		}
	}
	return LevelNone, false
}

// FirmScope names the root.
func FirmScope() Scope { return Scope{Level: LevelFirm} }

// AccountScope names an account.
func AccountScope(a core.AccountID) Scope { return Scope{Level: LevelAccount, Account: a} }

// StrategyScope names a strategy; its account is known to the tree.
func StrategyScope(s core.StrategyID) Scope { return Scope{Level: LevelStrategy, Strategy: s} }

// InstrumentScope names an instrument firm-wide (a and s 0), of an account (s 0)
// or of a strategy (whose account is known to the tree).
func InstrumentScope(a core.AccountID, s core.StrategyID, i core.InstrumentID) Scope {
	return Scope{Level: LevelInstrument, Account: a, Strategy: s, Instrument: i}
}

// resolve fills in the account of a strategy, clears the ids that a level does
// not use and reports what is unknown.
func (t *Tree) resolve(s Scope) (Scope, Reason) {
	switch s.Level {
	case LevelFirm:
		return FirmScope(), Reason{}
	case LevelAccount:
		s = AccountScope(s.Account)
	case LevelStrategy:
		s = Scope{Level: LevelStrategy, Account: s.Account, Strategy: s.Strategy}
	case LevelInstrument:
		if t.instrument(s.Instrument) == nil {
			return s, Reason{Code: UnknownInstrument, Scope: s}
		}
	default:
		return s, Reason{Code: InvalidSetting, Scope: s}
	}
	if s.Level == LevelStrategy || s.Strategy != 0 {
		n := nodeAt(t.strategies, uint32(s.Strategy))
		if n == nil || (s.Account != 0 && s.Account != core.AccountID(n.owner)) {
			return s, Reason{Code: UnknownStrategy, Scope: s}
		}
		s.Account = core.AccountID(n.owner)
	}
	if (s.Level == LevelAccount || s.Account != 0) && nodeAt(t.accounts, uint32(s.Account)) == nil {
		return s, Reason{Code: UnknownAccount, Scope: s}
	}
	return s, Reason{}
}
