package engine

import "qcat/risk"

// stateTable keeps every trading state that was ever set, the latest of each
// scope, with who set it and why: a restart must not forget why trading was
// halted. It is in the order in which scopes were first set, and the map is only
// looked up in.
type stateTable struct {
	all []ScopeState
	at  map[risk.Scope]int32
}

func newStateTable() stateTable { return stateTable{at: make(map[risk.Scope]int32)} }

func (t *stateTable) put(s ScopeState) {
	at, ok := t.at[s.Scope]
	if !ok {
		t.at[s.Scope] = int32(len(t.all))
		t.all = append(t.all, s)
		return
	}
	t.all[at] = s
}

// tellState stages the event of a trading state and keeps it.
func (m *machine) tellState(s risk.Scope, state risk.TradingState, note Note) {
	ev := m.out.event(EventState)
	ev.Scope, ev.State, ev.Note = s, state, note
	m.states.put(ScopeState{Scope: s, State: state, Note: note, Seq: ev.Seq, Time: ev.Time})
}
