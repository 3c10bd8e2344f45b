package engine

import (
	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

// decideBreach fills in the oldest breach that the limit tree has queued: a record of
// one has no input of its own, so that replay holds its numbers against the tree's.
func (m *machine) decideBreach(r *record.Breach) {
	*r = record.Breach{}
	b, any := m.tree.NextBreach()
	if !any {
		return
	}
	*r = record.Breach{Scope: scopeToRecord(b.Scope), Code: uint16(b.Code), Unit: uint8(b.Unit), Action: uint8(b.Action),
		Limit: b.Limit, Value: b.Value, Instrument: b.Instrument, Price: b.Price, Cause: b.Cause, Seen: b.Seen}
	if cancelsOpen(&b) {
		r.Cancelled = m.countCancellable(b.Scope)
	}
}

// applyBreach does what a breach says: the state of the node, its open orders, and
// the list of what is to be closed.
func (m *machine) applyBreach(r *record.Breach) {
	b, any := m.tree.NextBreach()
	if !any {
		return
	}
	before := m.tree.State(b.Scope)
	m.tree.Act(&b)
	after := m.tree.State(b.Scope)
	m.halted += boolToInt(after == risk.StateHalted) - boolToInt(before == risk.StateHalted)
	ev := m.out.event(EventBreach)
	ev.Scope = b.Scope
	ev.Reason = risk.Reason{Code: b.Code, Unit: b.Unit, Scope: b.Scope, Limit: b.Limit, Value: b.Value}
	ev.Breach = BreachEvent{Action: b.Action, Instrument: b.Instrument, Cancelled: r.Cancelled, Price: b.Price,
		Cause: b.Cause, Seen: b.Seen}
	if after != before {
		m.tellState(b.Scope, after, MakeNote("breach of "+b.Code.String()))
	}
	if cancelsOpen(&b) {
		m.cancelScope(b.Scope)
	}
	if b.Flattens() {
		m.flattens.put(b.Scope)
	}
}

// cancelsOpen reports whether the open orders of the node are cancelled: a market
// maker's are, whatever else happens, for that is what protects it.
func cancelsOpen(b *risk.Breach) bool {
	return b.Cancels() || b.Code == risk.MarketMakerProtection
}

// seenOf is when the price of a mark was received; 0 for other records.
func seenOf(r *record.Record) core.Nanos {
	if r.Type == record.TypeMark {
		return r.Mark.Seen
	}
	return 0
}
