package engine

import (
	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

func (m *machine) decideState(s *record.State) {
	s.Cancelled = 0
	scope := scopeOf(&s.Scope)
	s.Reason = reasonToRecord(m.knownScope(scope))
	if s.Reason.Code == 0 && s.State > uint8(risk.StateHalted) {
		s.Reason = record.Reason{Code: uint16(risk.InvalidSetting)}
	}
	if s.Reason.Code == 0 && s.CancelOpen {
		s.Cancelled = m.countCancellable(scope)
	}
}

func (m *machine) applyState(s *record.State) {
	scope := scopeOf(&s.Scope)
	if s.Reason.Code != 0 {
		return
	}
	before, after := m.tree.State(scope), risk.TradingState(s.State)
	if reason := m.tree.SetState(scope, after); !reason.OK() {
		m.haltFirm("a trading state could not be set")
	} else {
		m.halted += boolToInt(after == risk.StateHalted) - boolToInt(before == risk.StateHalted)
	}
	if after == risk.StateActive {
		m.flattens.remove(scope)
	}
	m.tellState(scope, after, MakeNote(string(s.Note[:s.NoteLen])))
	if s.CancelOpen {
		m.cancelScope(scope)
	}
}

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// isHalted reports whether any node on the order's path is halted.
func (m *machine) isHalted(o *core.Order) bool {
	if m.halted == 0 {
		return false
	}
	for _, s := range [...]risk.Scope{
		{Level: risk.LevelFirm},
		{Level: risk.LevelAccount, Account: o.Account},
		{Level: risk.LevelStrategy, Account: o.Account, Strategy: o.Strategy},
		{Level: risk.LevelInstrument, Instrument: o.Instrument},
		{Level: risk.LevelInstrument, Account: o.Account, Instrument: o.Instrument},
		{Level: risk.LevelInstrument, Account: o.Account, Strategy: o.Strategy, Instrument: o.Instrument},
	} {
		if m.tree.State(s) == risk.StateHalted {
			return true
		}
	}
	return false
}

// normalScope drops the ids its level does not use and adds the account that a
// strategy implies.
func (m *machine) normalScope(s risk.Scope) risk.Scope {
	switch s.Level {
	case risk.LevelFirm:
		return risk.Scope{Level: s.Level}
	case risk.LevelAccount:
		return risk.Scope{Level: s.Level, Account: s.Account}
	case risk.LevelStrategy:
		s.Instrument = 0
	}
	if s.Strategy != 0 && s.Account == 0 && int64(s.Strategy) < int64(len(m.strategies)) {
		s.Account = m.strategies[s.Strategy]
	}
	return s
}

// knownScope refuses a scope that names what is not defined.
func (m *machine) knownScope(s risk.Scope) risk.Reason {
	var code risk.Code
	switch {
	case s.Level == risk.LevelNone || s.Level > risk.LevelInstrument:
		code = risk.InvalidSetting
	case s.Level == risk.LevelAccount && s.Account == 0, int64(s.Account) > int64(m.accounts):
		code = risk.UnknownAccount
	case s.Level == risk.LevelStrategy && s.Strategy == 0, int64(s.Strategy) >= int64(len(m.strategies)),
		s.Strategy != 0 && m.strategies[s.Strategy] != s.Account:
		code = risk.UnknownStrategy
	case s.Level == risk.LevelInstrument && m.instrument(s.Instrument) == nil:
		code = risk.UnknownInstrument
	}
	if code == risk.OK {
		return risk.Reason{}
	}
	return risk.Reason{Code: code, Scope: s}
}

// applyDefinition adds what a definition record defines, or gives an instrument
// other filters. Ids ascend without gaps, which the sequencer and Recover both
// ensure.
func (m *machine) applyDefinition(r *record.Record) {
	switch r.Type {
	case record.TypeInstrument:
		in := r.Instrument.Definition
		if int64(in.ID) < int64(len(m.instruments)) {
			m.instruments[in.ID] = &in
		} else {
			m.instruments = append(m.instruments, &in)
		}
		m.tree.DefineInstrument(&in)
		m.out.event(EventDefinition).Position.Instrument = in.ID
	case record.TypeAccount:
		m.accounts = int(r.Account.ID)
		m.tree.DefineAccount(r.Account.ID)
		m.out.event(EventDefinition).Position.Account = r.Account.ID
	case record.TypeStrategy:
		m.strategies = append(m.strategies, r.Strategy.Account)
		m.tree.DefineStrategy(r.Strategy.ID, r.Strategy.Account)
		ev := m.out.event(EventDefinition)
		ev.Position.Account, ev.Position.Strategy = r.Strategy.Account, r.Strategy.ID
	case record.TypeLimits:
		scope := scopeOf(&r.Limits.Scope)
		if m.setLimits(scope, limitsOf(&r.Limits)) {
			m.changes.keepLimits(scope)
		}
	}
}
