package engine

import (
	"math/bits"

	"qcat/core/record"
	"qcat/risk"
)

// shown is a proposal as it is told.
func (p *proposal) shown(status ProposalStatus, seq uint64) Proposal {
	return Proposal{ID: p.id, Status: status, Loosens: p.loosens, Scope: p.scope, Limits: p.limits, Before: p.before,
		Until: p.until, Expires: p.expires, Time: p.time, By: p.by.String(), Note: p.note.String(), Seq: seq}
}

// list shows what waits, then what runs.
func (c *limitChanges) list(m *machine) (all []Proposal) {
	for i := range c.waiting {
		all = append(all, c.waiting[i].shown(ProposalWaiting, m.seq))
	}
	for i := range c.running {
		o := &c.running[i]
		p := proposal{id: o.id, scope: o.scope, limits: c.inForce(m, i), before: o.before, until: o.until, time: o.time, by: o.by, note: o.note}
		all = append(all, p.shown(ProposalRunning, m.seq))
	}
	return all
}

// inForce is what override at set: what the next one of its node found, or the node has.
func (c *limitChanges) inForce(m *machine, at int) risk.Limits {
	s := c.running[at].scope
	for i := at + 1; i < len(c.running); i++ {
		if c.running[i].scope == s {
			return c.running[i].before
		}
	}
	return m.tree.Limits(s)
}

// appendState writes the changes in canonical form.
func (c *limitChanges) appendState(w *stateWriter) {
	w.u64(uint64(c.last), uint64(len(c.waiting)))
	for i := range c.waiting {
		p := &c.waiting[i]
		w.change(p.id, p.scope, &p.by, &p.note)
		w.u64(uint64(p.loosens), uint64(p.until), uint64(p.expires), uint64(p.time))
		w.b = p.before.Append(p.limits.Append(w.b))
		w.spill()
	}
	w.u64(uint64(len(c.running)))
	for i := range c.running {
		o := &c.running[i]
		w.change(o.id, o.scope, &o.by, &o.note)
		w.u64(uint64(o.until), uint64(o.time))
		w.b = o.before.Append(w.b)
		w.spill()
	}
}

// change writes what both kinds begin with.
func (w *stateWriter) change(id uint32, s risk.Scope, by, note *record.Text) {
	w.b = le.AppendUint32(w.b, id)
	w.b = append(w.b, byte(s.Level))
	w.b = le.AppendUint32(w.b, uint32(s.Account))
	w.b = le.AppendUint32(w.b, uint32(s.Strategy))
	w.b = le.AppendUint32(w.b, uint32(s.Instrument))
	for _, t := range []*record.Text{by, note} {
		w.b = append(append(w.b, t.Len), t.B[:t.Len]...)
	}
}

// readChanges reads what appendState wrote.
func (m *machine) readChanges(r *stateReader) {
	const size = 4 + 1 + 3*4 + 2 // less than any takes
	c := &m.changes
	c.last = r.ID()
	n := r.Count(size)
	r.Require(n <= MaxProposals, "more proposals than can wait")
	for last := uint32(0); n > 0 && r.OK(); n-- {
		var p proposal
		p.id, p.scope, p.by, p.note = r.change(m)
		p.loosens = risk.Limit(r.UpTo(int64(risk.NumLimits - 1)))
		p.until, p.expires, p.time = r.nanos(), r.nanos(), r.nanos()
		p.limits, p.before = r.limits(), r.limits()
		r.Require(p.id > last && p.id <= c.last, "a proposal out of its order")
		r.Require(r.OK() && m.changeable(p.scope, &p.limits).OK() && m.changeable(p.scope, &p.before).OK(), "a proposal of limits that cannot be")
		last = p.id
		c.waiting = append(c.waiting, p)
	}
	n = r.Count(size)
	r.Require(n <= MaxOverrides, "more overrides than can run")
	for ; n > 0 && r.OK(); n-- {
		var o override
		o.id, o.scope, o.by, o.note = r.change(m)
		o.until, o.time, o.before = r.nanos(), r.nanos(), r.limits()
		r.Require(o.id != 0 && o.id <= c.last && o.until > 0, "an override that was not proposed")
		r.Require(r.OK() && m.changeable(o.scope, &o.before).OK(), "an override of limits that cannot be")
		c.running = append(c.running, o)
	}
	c.schedule()
}

func (r *stateReader) change(m *machine) (id uint32, s risk.Scope, by, note record.Text) {
	id = r.U32()
	s = r.scope()
	by, note = r.text(), r.text()
	r.Require(m.knownScope(s).OK() && m.normalScope(s) == s && by.Len > 0, "a change of an unknown node, or by nobody")
	return id, s, by, note
}

// text reads a short text.
func (r *stateReader) text() (t record.Text) {
	t.Len = r.U8()
	if r.Require(t.Len <= record.MaxNoteLen, "too long a text"); !r.OK() {
		return record.Text{}
	}
	copy(t.B[:], r.Take(int(t.Len)))
	return t
}

// limits reads a set of limits.
func (r *stateReader) limits() (l risk.Limits) {
	if len(r.Left()) < 8 {
		r.Fail("bytes are missing")
		return l
	}
	l, ok := risk.DecodeLimits(r.Take(8 + 8*bits.OnesCount64(le.Uint64(r.Left()))))
	r.Require(ok, "limits that there are not")
	return l
}
