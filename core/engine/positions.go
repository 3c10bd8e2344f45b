package engine

import "qcat/core"

// positionTable keeps the position of every (strategy, instrument, leg) that ever
// filled, in the order of the first fill. The map is only looked up in.
type positionTable struct {
	all []PositionState
	at  map[positionKey]int32

	heldOf counts // positions that are not flat by instrument; follows from all
}

type positionKey struct {
	strategy   core.StrategyID
	instrument core.InstrumentID
	leg        core.Leg
}

func newPositionTable() positionTable {
	return positionTable{at: make(map[positionKey]int32)}
}

// find returns the position, or nil when there never was a fill.
func (t *positionTable) find(s core.StrategyID, i core.InstrumentID, leg core.Leg) *PositionState {
	if at, ok := t.at[positionKey{s, i, leg}]; ok {
		return &t.all[at]
	}
	return nil
}

// moved counts a position that was before and is p now.
func (t *positionTable) moved(p *PositionState, before core.Qty) {
	if n := boolToInt(p.Position.Qty != 0) - boolToInt(before != 0); n != 0 {
		t.heldOf.add(p.Instrument, int32(n))
	}
}

// get returns the position, made flat when there is none. The pointer is good
// until the next get.
func (t *positionTable) get(a core.AccountID, s core.StrategyID, i core.InstrumentID, leg core.Leg) *PositionState {
	if p := t.find(s, i, leg); p != nil {
		return p
	}
	t.at[positionKey{s, i, leg}] = int32(len(t.all))
	t.all = append(t.all, PositionState{Account: a, Strategy: s, Instrument: i, Leg: leg})
	return &t.all[len(t.all)-1]
}
