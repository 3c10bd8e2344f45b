package engine

import (
	"math"
	"strings"

	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

// limitChanges are the proposals that wait and the overrides that run. They are part
// of the state.
type limitChanges struct {
	last    uint32     // the highest id given
	waiting []proposal // ascending by id
	running []override // in the order in which they took effect: of one node, the last is in force
	next    core.Nanos // when the first of them ends; math.MaxInt64: never. Derived

	told Proposal // what became of the proposal of the last record; not part of the state
}

// proposal is one that waits.
type proposal struct {
	id      uint32
	loosens risk.Limit
	scope   risk.Scope
	limits  risk.Limits
	before  risk.Limits // in force when it was made: others make it stale
	until   core.Nanos
	expires core.Nanos
	time    core.Nanos
	by      record.Text
	note    record.Text
}

// override is a change that ends by itself.
type override struct {
	id     uint32
	scope  risk.Scope
	before risk.Limits // what is in force without it
	until  core.Nanos
	time   core.Nanos // when it was proposed
	by     record.Text
	note   record.Text
}

func newLimitChanges() limitChanges { return limitChanges{next: math.MaxInt64} }

// overridden reports whether an override runs at a node.
func (c *limitChanges) overridden(s risk.Scope) bool {
	for i := range c.running {
		if c.running[i].scope == s {
			return true
		}
	}
	return false
}

// find returns the place of a proposal that waits, -1 if there is none.
func (c *limitChanges) find(id uint32) int {
	for i := range c.waiting {
		if c.waiting[i].id == id {
			return i
		}
	}
	return -1
}

// schedule finds out when something ends next.
func (c *limitChanges) schedule() {
	c.next = math.MaxInt64
	for i := range c.waiting {
		c.next = min(c.next, c.waiting[i].expires)
	}
	for i := range c.running {
		c.next = min(c.next, c.running[i].until)
	}
}

// firstEnding returns the override that ends first, the oldest of several, and -1 when
// there is none.
func firstEnding(all []override) int {
	at := -1
	for i := range all {
		if at < 0 || all[i].until < all[at].until {
			at = i
		}
	}
	return at
}

// unstack takes override at out of all. What comes back is what was before it, at the
// node itself when it was the last there, and otherwise below the next one, which stays
// in force.
func unstack(all []override, at int) (rest []override, ended override, top bool) {
	ended, top = all[at], true
	for i := at + 1; i < len(all); i++ {
		if all[i].scope == ended.scope {
			all[i].before, top = ended.before, false
			break
		}
	}
	return append(all[:at], all[at+1:]...), ended, top
}

// loosens holds limits of a node, for as long as they are to last, against everything
// that would be in force there without them: now's, and after each override that ends
// before they do. It returns the first limit that would let more pass.
func (c *limitChanges) loosens(s risk.Scope, now, after *risk.Limits, until core.Nanos) (risk.Limit, bool) {
	if l, yes := risk.Loosens(now, after); yes {
		return l, true
	}
	var stack []override
	for i := range c.running {
		if c.running[i].scope == s {
			stack = append(stack, c.running[i])
		}
	}
	for at := firstEnding(stack); at >= 0; at = firstEnding(stack) {
		if until != 0 && stack[at].until >= until {
			break
		}
		var ended override
		var top bool
		if stack, ended, top = unstack(stack, at); !top {
			continue
		}
		if l, yes := risk.Loosens(&ended.before, after); yes {
			return l, true
		}
	}
	return 0, false
}

// decideProposal says whether a change can be, and whether it waits.
func (m *machine) decideProposal(now core.Nanos, p *record.Proposal) {
	p.ID, p.Applied, p.Reason = 0, false, record.Reason{}
	c, scope, limits := &m.changes, scopeOf(&p.Scope), proposedLimits(p.Fields)
	p.Before = m.limitFields(scope, p.Before)
	reason := m.changeable(scope, &limits)
	switch {
	case !reason.OK():
	case isNobody(&p.By):
		reason = risk.Reason{Code: risk.InvalidSetting, Scope: scope}
	case p.Until != 0 && p.Until <= now:
		reason = risk.Reason{Code: risk.InvalidSetting, Scope: scope} // over before it began
	default:
		present := m.tree.Limits(scope)
		_, loosens := c.loosens(scope, &present, &limits, p.Until)
		p.Applied = !loosens
		reason = c.room(p.Applied, p.Until)
	}
	if !reason.OK() {
		p.Applied, p.Reason = false, reasonToRecord(reason)
		return
	}
	p.ID = c.last + 1
}

// room refuses what there is no place for.
func (c *limitChanges) room(applies bool, until core.Nanos) risk.Reason {
	switch {
	case !applies && len(c.waiting) >= MaxProposals:
		return risk.Reason{Code: risk.Capacity, Unit: risk.UnitCount, Limit: MaxProposals, Value: MaxProposals + 1}
	case applies && until != 0 && len(c.running) >= MaxOverrides:
		return risk.Reason{Code: risk.Capacity, Unit: risk.UnitCount, Limit: MaxOverrides, Value: MaxOverrides + 1}
	}
	return risk.Reason{}
}

// changeable refuses limits that a node cannot have.
func (m *machine) changeable(s risk.Scope, l *risk.Limits) risk.Reason {
	if reason := m.knownScope(s); !reason.OK() {
		return reason
	}
	return m.tree.CheckLimits(s, l)
}

func proposedLimits(fields []record.LimitField) risk.Limits {
	return limitsOf(&record.Limits{Fields: fields})
}

func (m *machine) applyProposal(r *record.Proposal) {
	c, scope := &m.changes, scopeOf(&r.Scope)
	p := proposal{id: r.ID, scope: scope, limits: proposedLimits(r.Fields), before: m.tree.Limits(scope), until: r.Until, time: m.now, by: r.By, note: r.Note}
	if r.Reason.Code != 0 {
		m.tellProposal(&p, ProposalRefused, reasonFromRecord(&r.Reason), &p.by)
		return
	}
	c.last = r.ID
	if r.Applied {
		m.changeLimits(&p)
		m.tellProposal(&p, ProposalApplied, risk.Reason{}, &p.by)
		return
	}
	p.loosens, _ = c.loosens(scope, &p.before, &p.limits, p.until)
	p.expires = m.now + core.Nanos(ProposalPatience)
	if p.until != 0 {
		p.expires = min(p.expires, p.until)
	}
	c.waiting = append(c.waiting, p)
	c.schedule()
	m.tellProposal(&p, ProposalWaiting, risk.Reason{}, &p.by)
}

// decideDecision says whether a decision can be.
func (m *machine) decideDecision(now core.Nanos, d *record.Decision) {
	c := &m.changes
	at := c.find(d.Proposal)
	d.Change = record.Change{Before: d.Change.Before[:0], After: d.Change.After[:0]}
	if at >= 0 {
		p := &c.waiting[at]
		d.Change.Proposal, d.Change.Scope = p.id, scopeToRecord(p.scope)
		d.Change.Before, d.Change.After = m.limitFields(p.scope, d.Change.Before), fieldsOf(&p.limits, d.Change.After)
	}
	var reason risk.Reason
	switch {
	case isNobody(&d.By):
		reason = risk.Reason{Code: risk.InvalidSetting}
	case at < 0 || c.waiting[at].expires <= now:
		reason = risk.Reason{Code: risk.UnknownProposal}
	case d.Approve:
		reason = m.approvable(&c.waiting[at], &d.By)
	}
	d.Reason = reasonToRecord(reason)
}

// isNobody reports whether a name names nobody.
func isNobody(name *record.Text) bool { return strings.TrimSpace(name.String()) == "" }

// samePerson reports whether two names are one person's: another case, or space about
// it, makes nobody another person.
func samePerson(a, b *record.Text) bool {
	return strings.EqualFold(strings.TrimSpace(a.String()), strings.TrimSpace(b.String()))
}

// approvable refuses the approval of a proposal.
func (m *machine) approvable(p *proposal, by *record.Text) risk.Reason {
	switch {
	case samePerson(&p.by, by):
		return risk.Reason{Code: risk.SamePerson, Scope: p.scope}
	case m.tree.Limits(p.scope) != p.before:
		return risk.Reason{Code: risk.StaleProposal, Scope: p.scope}
	}
	if reason := m.changeable(p.scope, &p.limits); !reason.OK() {
		return reason
	}
	return m.changes.room(true, p.until)
}

func (m *machine) applyDecision(d *record.Decision) {
	c := &m.changes
	at := c.find(d.Proposal)
	p := proposal{id: d.Proposal}
	if at >= 0 {
		p = c.waiting[at]
	}
	if d.Reason.Code != 0 {
		m.tellProposal(&p, ProposalRefused, reasonFromRecord(&d.Reason), &d.By)
		return
	}
	c.waiting = append(c.waiting[:at], c.waiting[at+1:]...)
	if !d.Approve {
		c.schedule()
		m.tellProposal(&p, ProposalRejected, risk.Reason{}, &d.By)
		return
	}
	m.changeLimits(&p)
	m.tellProposal(&p, ProposalApplied, risk.Reason{}, &d.By)
}

// changeLimits puts a change into force.
func (m *machine) changeLimits(p *proposal) {
	before := m.tree.Limits(p.scope)
	if !m.setLimits(p.scope, p.limits) {
		return
	}
	c := &m.changes
	if p.until == 0 {
		c.keepLimits(p.scope)
	} else {
		c.running = append(c.running, override{id: p.id, scope: p.scope, before: before, until: p.until, time: p.time, by: p.by, note: p.note})
	}
	c.schedule()
}

// keepLimits forgets the overrides of a node: what was set without an end stays.
func (c *limitChanges) keepLimits(s risk.Scope) {
	kept := c.running[:0]
	for i := range c.running {
		if c.running[i].scope != s {
			kept = append(kept, c.running[i])
		}
	}
	c.running = kept
	c.schedule()
}

// setLimits sets limits that a record says can be set.
func (m *machine) setLimits(s risk.Scope, l risk.Limits) bool {
	if reason := m.tree.SetLimits(s, l); !reason.OK() {
		m.haltFirm("recorded limits could not be set")
		return false
	}
	m.out.event(EventLimits).Scope = s
	return true
}

// maxEnded bounds the overrides that one clock record ends, and with them its length.
// The next one ends the next of them.
const maxEnded = 16

// decideEnds appends the changes that the overrides make that end at now. One that
// has another of its node on top changes nothing.
func (c *limitChanges) decideEnds(t *risk.Tree, now core.Nanos, ended []record.Change) []record.Change {
	if c.next > now {
		return ended
	}
	left := append([]override(nil), c.running...)
	present := func(s risk.Scope) risk.Limits {
		for i := len(ended) - 1; i >= 0; i-- {
			if scopeOf(&ended[i].Scope) == s {
				return proposedLimits(ended[i].After)
			}
		}
		return t.Limits(s)
	}
	for at := firstEnding(left); at >= 0 && left[at].until <= now && len(ended) < maxEnded; at = firstEnding(left) {
		var o override
		var top bool
		left, o, top = unstack(left, at)
		before := present(o.scope)
		after := before
		if top {
			after = o.before
		}
		ended = append(ended, record.Change{Proposal: o.id, Scope: scopeToRecord(o.scope),
			Before: fieldsOf(&before, nil), After: fieldsOf(&after, nil)})
	}
	return ended
}

// endChanges ends what is over, as a clock record says: proposals that nobody decided, and
// overrides in the order of their ends.
func (m *machine) endChanges(now core.Nanos, k *record.Clock) {
	c := &m.changes
	if c.next > now {
		return
	}
	m.lapse(now, k)
	for range maxEnded {
		at := firstEnding(c.running)
		if at < 0 || c.running[at].until > now {
			break
		}
		var ended override
		var top bool
		if c.running, ended, top = unstack(c.running, at); top {
			m.setLimits(ended.scope, ended.before)
		}
		m.tellProposal(&proposal{id: ended.id, scope: ended.scope, until: ended.until, time: ended.time, by: ended.by, note: ended.note},
			ProposalEnded, risk.Reason{}, &ended.by)
	}
	c.schedule()
}

// tellProposal stages the event of what became of a proposal, by whom, and keeps it for
// who asked.
func (m *machine) tellProposal(p *proposal, status ProposalStatus, reason risk.Reason, by *record.Text) {
	ev := m.out.event(EventProposal)
	ev.Scope, ev.Reason, ev.Note = p.scope, reason, MakeNote(p.note.String())
	ev.Proposal = ProposalEvent{ID: p.id, Status: status, Until: p.until, By: *by}
	told := p.shown(status, m.seq)
	told.By, told.Reason = by.String(), reason
	m.changes.told = told
}
