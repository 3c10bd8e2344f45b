package engine

import (
	"qcat/core"
	"qcat/risk"
)

// flattening is a node whose positions are to be closed, until a person resumes it.
type flattening struct {
	scope risk.Scope
	// refused counts the closing orders that were refused, here or by the venue, since
	// the last that traded.
	refused uint32
}

// flattenTable keeps the nodes that are flattened, in the order in which their breaches
// were acted on. It is state: a restart goes on closing. The map is only looked up in.
type flattenTable struct {
	all []flattening
	at  map[risk.Scope]int32
}

func newFlattenTable() flattenTable { return flattenTable{at: make(map[risk.Scope]int32)} }

func (t *flattenTable) put(s risk.Scope) {
	if _, there := t.at[s]; !there {
		t.at[s] = int32(len(t.all))
		t.all = append(t.all, flattening{scope: s})
	}
}

// remove forgets a node, if it is there; the last takes its place.
func (t *flattenTable) remove(s risk.Scope) {
	at, there := t.at[s]
	if !there {
		return
	}
	last := t.all[len(t.all)-1]
	t.all[at] = last
	t.at[last.scope] = at
	t.all = t.all[:len(t.all)-1]
	delete(t.at, s)
}

// covering returns the widest node that is flattened and on the path of an account's
// strategy in an instrument, or nil.
func (t *flattenTable) covering(a core.AccountID, s core.StrategyID, in core.InstrumentID) *flattening {
	if len(t.all) == 0 {
		return nil
	}
	for _, scope := range pathOf(a, s, in) {
		if at, there := t.at[scope]; there {
			return &t.all[at]
		}
	}
	return nil
}

// pathOf is the scopes of the nodes that an order meets.
func pathOf(a core.AccountID, s core.StrategyID, in core.InstrumentID) [6]risk.Scope {
	return [6]risk.Scope{
		{Level: risk.LevelFirm},
		{Level: risk.LevelAccount, Account: a},
		{Level: risk.LevelInstrument, Instrument: in},
		{Level: risk.LevelInstrument, Account: a, Instrument: in},
		{Level: risk.LevelStrategy, Account: a, Strategy: s},
		{Level: risk.LevelInstrument, Account: a, Strategy: s, Instrument: in},
	}
}

// heldUpFirst is how many closing orders in a row are refused before somebody is
// told; every tenfold of it is told again.
const heldUpFirst = 3

// heldUp counts a closing order that was refused for a reason, by this system or by
// its venue, and tells when there are many.
func (m *machine) heldUp(o *core.Order, reason risk.Reason) {
	f := m.flattens.covering(o.Account, o.Strategy, o.Instrument)
	if f == nil || f.refused == 1<<32-1 {
		return
	}
	f.refused++
	for at := uint64(heldUpFirst); at <= uint64(f.refused); at *= 10 {
		if at == uint64(f.refused) {
			ev := m.out.event(EventFlatten)
			ev.Scope, ev.Order, ev.Reason = f.scope, *o, reason
			ev.Breach = BreachEvent{Action: risk.ActionFlatten, Instrument: o.Instrument, Cancelled: f.refused}
		}
	}
}

// closingTraded forgets the refusals before a closing order that traded.
func (m *machine) closingTraded(o *core.Order) {
	if f := m.flattens.covering(o.Account, o.Strategy, o.Instrument); f != nil {
		f.refused = 0
	}
}

// closingEnded looks at a closing order that its venue ended.
func (m *machine) closingEnded(e *entry) {
	if e.closing && !e.order.Status.Open() && e.order.CumQty == 0 {
		m.heldUp(&e.order, risk.Reason{Code: risk.VenueUnavailable})
	}
}

// The state of flattened nodes: count, then of each its scope and the refusals.

func (t *flattenTable) appendState(w *stateWriter) {
	w.u64(uint64(len(t.all)))
	for i := range t.all {
		s := &t.all[i].scope
		w.b = append(w.b, byte(s.Level))
		for _, v := range [...]uint32{uint32(s.Account), uint32(s.Strategy), uint32(s.Instrument), t.all[i].refused} {
			w.b = le.AppendUint32(w.b, v)
		}
		w.spill()
	}
}

const flatteningBytes = 13 + 4

func (m *machine) readFlattens(r *stateReader) {
	for range r.Count(flatteningBytes) {
		f := flattening{scope: r.scope(), refused: r.U32()}
		_, twice := m.flattens.at[f.scope]
		r.Require(!twice && m.knownScope(f.scope).OK() && m.normalScope(f.scope) == f.scope, "an unknown scope that is flattened")
		if !r.OK() {
			return
		}
		m.flattens.put(f.scope)
		m.flattens.all[len(m.flattens.all)-1].refused = f.refused
	}
}
