package engine

import (
	"qcat/core/record"
	"qcat/risk"
)

// The journal holds risk's vocabulary as numbers; these are the two directions.

func scopeToRecord(s risk.Scope) record.Scope {
	return record.Scope{Level: uint8(s.Level), Account: s.Account, Strategy: s.Strategy, Instrument: s.Instrument}
}

func scopeOf(s *record.Scope) risk.Scope {
	return risk.Scope{Level: risk.Level(s.Level), Account: s.Account, Strategy: s.Strategy, Instrument: s.Instrument}
}

func reasonToRecord(r risk.Reason) record.Reason {
	return record.Reason{Code: uint16(r.Code), Unit: uint8(r.Unit), Scope: scopeToRecord(r.Scope), Limit: r.Limit, Value: r.Value}
}

func reasonFromRecord(r *record.Reason) risk.Reason {
	return risk.Reason{Code: risk.Code(r.Code), Unit: risk.Unit(r.Unit), Scope: scopeOf(&r.Scope), Limit: r.Limit, Value: r.Value}
}

// maxLimits is more than there are limits: Limits.Get says no beyond the last.
const maxLimits = 64

func limitsToRecord(s risk.Scope, l *risk.Limits, dst *record.Limits) {
	dst.Scope = scopeToRecord(s)
	dst.Fields = fieldsOf(l, dst.Fields)
}

// fieldsOf returns the limits that are set, in the memory of to.
func fieldsOf(l *risk.Limits, to []record.LimitField) []record.LimitField {
	to = to[:0]
	for id := range risk.Limit(maxLimits) {
		if v, ok := l.Get(id); ok {
			to = append(to, record.LimitField{ID: uint16(id), Value: v})
		}
	}
	return to
}

// limitFields returns the limits that a node has, in the memory of to.
func (m *machine) limitFields(s risk.Scope, to []record.LimitField) []record.LimitField {
	l := m.tree.Limits(s)
	return fieldsOf(&l, to)
}

func limitsOf(r *record.Limits) (l risk.Limits) {
	for _, f := range r.Fields {
		if f.ID < maxLimits {
			l.Set(risk.Limit(f.ID), f.Value)
		}
	}
	return l
}
