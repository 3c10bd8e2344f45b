package engine

import (
	"qcat/core"
	"qcat/core/record"
)

// The canonical form of the state, as docs/format/snapshot.md describes it: what
// StateHash hashes, what a snapshot holds and what restore reads. Little-endian;
// every list is preceded by its length.
const (
	stateMagic   = "QCATSTAT"
	stateVersion = 2
)

// stateWriter puts a state together and hands it on in pieces.
type stateWriter struct {
	b    []byte
	emit func(b []byte) // b is good until it returns
}

// spillBytes is how much comes together before it is handed on.
const spillBytes = 1 << 16

func (w *stateWriter) spill() {
	if len(w.b) >= spillBytes {
		w.flush()
	}
}

func (w *stateWriter) flush() {
	w.emit(w.b)
	w.b = w.b[:0]
}

func (w *stateWriter) u64(vs ...uint64) {
	for _, v := range vs {
		w.b = le.AppendUint64(w.b, v)
	}
}

// writeState hands the whole state to emit, in pieces.
func (m *machine) writeState(emit func(b []byte)) {
	w := &stateWriter{b: make([]byte, 0, 2*spillBytes), emit: emit}
	w.b = le.AppendUint32(append(w.b, stateMagic...), stateVersion)
	w.u64(m.seq, uint64(m.now), uint64(m.lastOrder), m.lastExec, uint64(m.digest), uint64(m.halted))
	m.writeDefinitions(w)
	w.b = m.tree.AppendState(w.b)
	w.u64(uint64(len(m.states.all)))
	for i := range m.states.all {
		w.b = m.states.all[i].appendState(w.b)
		w.spill()
	}
	w.u64(uint64(len(m.switches.all)))
	for i := range m.switches.all {
		w.b = m.switches.all[i].appendState(w.b)
		w.spill()
	}
	for _, l := range []*list{&m.orders.open, &m.orders.closed} {
		w.u64(uint64(l.len))
		m.orders.each(l, func(e *entry) {
			w.b = e.appendState(w.b)
			w.spill()
		})
	}
	w.u64(uint64(len(m.positions.all)))
	for i := range m.positions.all {
		w.b = appendPosition(w.b, &m.positions.all[i])
		w.spill()
	}
	m.changes.appendState(w)
	m.flattens.appendState(w)
	w.flush()
}

// writeDefinitions writes what is defined, by id, each as the record that would
// define it so: of an instrument as it was defined last.
func (m *machine) writeDefinitions(w *stateWriter) {
	var r record.Record
	put := func(t record.Type) {
		r.Type = t
		at := len(w.b)
		w.b = r.Append(le.AppendUint16(w.b, 0))
		le.PutUint16(w.b[at:], uint16(len(w.b)-at-2))
		w.spill()
	}
	w.u64(uint64(len(m.instruments) - 1))
	for _, in := range m.instruments[1:] {
		r.Instrument.Definition = *in
		put(record.TypeInstrument)
	}
	w.u64(uint64(m.accounts))
	for id := range m.accounts {
		a := m.dir.Account(core.AccountID(id + 1))
		r.Account = record.Account{ID: a.ID, Name: a.Name}
		put(record.TypeAccount)
	}
	w.u64(uint64(len(m.strategies) - 1))
	for id := range m.strategies[1:] {
		s := m.dir.Strategy(core.StrategyID(id + 1))
		r.Strategy = record.Strategy{ID: s.ID, Account: s.Account, Name: s.Name}
		put(record.TypeStrategy)
	}
}

func appendBools(b []byte, flags ...bool) []byte {
	for _, f := range flags {
		b = append(b, byte(boolToInt(f)))
	}
	return b
}

func (e *entry) appendState(b []byte) []byte {
	o := &e.order
	b = append(b, byte(o.Side), byte(o.Type), byte(o.TIF), byte(o.Status), byte(o.Leg))
	b = appendBools(b, o.ReduceOnly, o.VenueAcked, o.PendingCxl, o.PendingRepl, o.Unknown, o.CancelOnDrop, e.doomed, e.expiring, e.closing, e.heapAt > 0)
	due := core.Nanos(0)
	if e.heapAt > 0 {
		due = e.due
	}
	for _, v := range [...]uint64{uint64(o.ID), uint64(o.Account), uint64(o.Strategy), uint64(o.Instrument), uint64(o.Session),
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
	for _, v := range [...]uint64{uint64(p.Account), uint64(p.Strategy), uint64(p.Instrument), uint64(p.Leg), uint64(q.Qty),
		q.EntryDen, uint64(q.EntryNum.Hi), q.EntryNum.Lo, uint64(q.Cash.Hi), q.Cash.Lo,
		uint64(q.Fees), uint64(q.Funding), uint64(q.Volume), q.Fills, uint64(q.BaseFees), uint64(q.Dust)} {
		b = le.AppendUint64(b, v)
	}
	return b
}

func (s *ScopeState) appendState(b []byte) []byte {
	b = append(b, byte(s.Scope.Level), byte(s.State), s.Note.n)
	b = append(b, s.Note.b[:s.Note.n]...)
	b = le.AppendUint32(b, uint32(s.Scope.Account))
	b = le.AppendUint32(b, uint32(s.Scope.Strategy))
	b = le.AppendUint32(b, uint32(s.Scope.Instrument))
	b = le.AppendUint64(b, s.Seq)
	return le.AppendUint64(b, uint64(s.Time))
}
