package engine

import (
	"crypto/sha256"
	"slices"

	"qcat/core"
)

// StateHash is the SHA-256 of the whole state in a canonical form: counters,
// definitions, orders open and closed in their order, positions in the order of
// their first fill, and the limit tree's own form. It is what I3 compares. While
// the engine runs it stops the lane for as long as it takes: for tests and for
// the end of a run.
//
// A running checksum of the records stands among the counters: a record that was
// changed where it left no other trace changes the hash all the same.
func (e *Engine) StateHash() (hash [32]byte) {
	e.onEngine(func() { hash = sha256.Sum256(e.m.appendState(nil)) })
	return hash
}

// Seq is the sequence of the last record applied.
func (e *Engine) Seq() (seq uint64) {
	e.onEngine(func() { seq = e.m.seq })
	return seq
}

func (m *machine) appendState(b []byte) []byte {
	for _, v := range []uint64{m.seq, uint64(m.now), uint64(m.lastOrder), m.lastExec, uint64(m.digest), uint64(m.halted),
		uint64(len(m.instruments)), uint64(m.accounts), uint64(len(m.strategies))} {
		b = le.AppendUint64(b, v)
	}
	for _, in := range m.instruments[1:] {
		b = appendString(b, in.Name())
	}
	for _, account := range m.strategies[1:] {
		b = le.AppendUint32(b, uint32(account))
	}
	for _, id := range m.traded {
		b = le.AppendUint32(b, uint32(id))
	}
	for _, l := range []*list{&m.orders.open, &m.orders.closed} {
		b = le.AppendUint64(b, uint64(l.len))
		m.orders.each(l, func(e *entry) { b = e.appendState(b) })
	}
	b = le.AppendUint64(b, uint64(len(m.positions.all)))
	for i := range m.positions.all {
		b = appendPosition(b, &m.positions.all[i])
	}
	return m.tree.AppendState(b)
}

func appendString(b []byte, s string) []byte {
	return append(le.AppendUint32(b, uint32(len(s))), s...)
}

func appendBools(b []byte, flags ...bool) []byte {
	for _, f := range flags {
		b = append(b, byte(boolToInt(f)))
	}
	return b
}

func (e *entry) appendState(b []byte) []byte {
	o := &e.order
	b = append(b, byte(o.Side), byte(o.Type), byte(o.TIF), byte(o.Status))
	b = appendBools(b, o.ReduceOnly, o.VenueAcked, o.PendingCxl, o.PendingRepl, o.Unknown, e.expiring, e.heapAt > 0)
	due := core.Nanos(0)
	if e.heapAt > 0 {
		due = e.due
	}
	for _, v := range []uint64{uint64(o.ID), uint64(o.Account), uint64(o.Strategy), uint64(o.Instrument),
		uint64(o.Price), uint64(o.Qty), uint64(o.CumQty), uint64(o.CumCost.Hi), o.CumCost.Lo,
		uint64(o.NewPrice), uint64(o.NewQty), uint64(o.Amends), uint64(o.Reason), uint64(o.ExpireTime),
		uint64(o.CreateTime), uint64(o.UpdateTime), uint64(e.firstPrice), uint64(e.firstQty), e.venueExec, uint64(due)} {
		b = le.AppendUint64(b, v)
	}
	b = append(b, byte(o.ClOrdID.Len()))
	return e.hold.AppendState(o.ClOrdID.Append(b))
}

func appendPosition(b []byte, p *PositionState) []byte {
	q := &p.Position
	for _, v := range []uint64{uint64(p.Account), uint64(p.Strategy), uint64(p.Instrument), uint64(q.Qty),
		q.EntryDen, uint64(q.EntryNum.Hi), q.EntryNum.Lo, uint64(q.Cash.Hi), q.Cash.Lo,
		uint64(q.Fees), uint64(q.Volume), q.Fills} {
		b = le.AppendUint64(b, v)
	}
	return b
}

// Positions returns a copy of all positions, in the order of their first fill.
func (e *Engine) Positions() (all []PositionState) {
	e.onEngine(func() { all = slices.Clone(e.m.positions.all) })
	return all
}
