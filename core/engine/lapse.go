package engine

import (
	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

// decideLapse returns the proposal that lapses at now, the oldest of those that nobody
// decided in time. A clock record has one at most, and none beside overrides that end: who
// reads the journal makes one entry a record. The next record has the next of them.
func (c *limitChanges) decideLapse(now core.Nanos, ended []record.Change) record.Lapse {
	if c.next > now || len(ended) > 0 {
		return record.Lapse{}
	}
	for i := range c.waiting {
		if p := &c.waiting[i]; p.expires <= now {
			return record.Lapse{Proposal: p.id, Scope: scopeToRecord(p.scope), By: p.by}
		}
	}
	return record.Lapse{}
}

// lapse takes away the proposal that a clock record names, or all that are due where the
// record is of the kind that names none.
func (m *machine) lapse(now core.Nanos, k *record.Clock) {
	c := &m.changes
	for i := 0; i < len(c.waiting); {
		p := c.waiting[i]
		if p.expires > now || (k.TellsLapse && p.id != k.Lapsed.Proposal) {
			i++
			continue
		}
		c.waiting = append(c.waiting[:i], c.waiting[i+1:]...)
		m.tellProposal(&p, ProposalExpired, risk.Reason{}, &p.by)
	}
}
