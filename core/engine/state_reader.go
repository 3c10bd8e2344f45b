package engine

import (
	"qcat/core"
	"qcat/core/state"
	"qcat/risk"
)

// stateReader reads what the sequencer wrote of a state.
type stateReader struct{ state.Reader }

func newStateReader(b []byte) *stateReader { return &stateReader{state.NewReader(b)} }

// scope reads a node of the limit tree.
func (r *stateReader) scope() risk.Scope {
	return risk.Scope{Level: risk.Level(r.U8()), Account: core.AccountID(r.U32()), Strategy: core.StrategyID(r.U32()),
		Instrument: core.InstrumentID(r.U32())}
}

func (r *stateReader) nanos() core.Nanos { return core.Nanos(r.U64()) }

// leg reads a leg that stands in 64 bits.
func (r *stateReader) leg() core.Leg { return core.Leg(r.UpTo(int64(core.LegShort))) }
