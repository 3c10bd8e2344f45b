package engine

import (
	"fmt"
	"time"

	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

// Proposal is a change of the limits of one node that somebody asked for, and what
// became of it.
type Proposal struct {
	ID     uint32 // ascending; 0 of one that is not recorded
	Status ProposalStatus
	// Loosens is the limit for which it waits or waited: the first that would let
	// more pass.
	Loosens risk.Limit
	Scope   risk.Scope
	Limits  risk.Limits // what the node's limits are to be, all of them
	Before  risk.Limits // what they are, or of a running override what comes back
	Until   core.Nanos  // when the limits before come back; 0: never
	Expires core.Nanos  // of one that waits: when nobody can approve it any more
	Time    core.Nanos  // when it was proposed
	By      string
	Note    string
	Seq     uint64 // of the record after which this holds
	Reason  risk.Reason
}

// ProposalStatus is what became of a proposal.
type ProposalStatus uint8

const (
	ProposalUnchanged ProposalStatus = iota + 1 // the limits are these already: nothing is recorded
	ProposalWaiting                             // it loosens and waits for another person
	ProposalApplied                             // it is in force
	ProposalRunning                             // it is in force until Until, and then ends by itself
	ProposalEnded                               // an override that is over: what was before came back
	ProposalRejected
	ProposalExpired // nobody decided in time
	ProposalRefused // it, or a decision on it, was refused for Reason
)

var proposalStatusNames = [...]string{"", "unchanged", "waiting", "applied", "running", "ended", "rejected", "expired", "refused"}

// String returns the name used in JSON.
func (s ProposalStatus) String() string {
	if int(s) < len(proposalStatusNames) {
		return proposalStatusNames[s]
	}
	return "unknown"
}

// ProposalPatience is how long a proposal waits for a decision; one of limits that end
// before waits until then.
const ProposalPatience = 24 * time.Hour

// Bounds of the changes that wait and of the overrides that run at a time: one more is
// refused with risk.Capacity.
const (
	MaxProposals = 256
	MaxOverrides = 256
)

// ProposeLimits asks for other limits of a node. A change that loosens none of them
// takes effect at once; one that loosens any waits until another person approves it.
// With until not 0 the change is an override, which ends then by itself.
//
// What a change is held against is what would be in force without it, as long as it
// lasts: the limits now and, where overrides run that end before it does, what would
// come back then. Overrides of a node stack up: the last one is in force; one that
// ends lets come back what was in force without it. A change without an end takes the
// place of all of them.
//
// by is who asks, and must not be empty; note is why. The proposal holds once its Seq
// is committed: View.WaitFor(Seq). Its Status is ProposalRefused when it was refused
// for its Reason, which changes nothing: an unknown node, limits that make no sense
// there, no name or one longer than record.MaxNoteLen, an end that has passed, too
// many that wait or run. Not to be called from a ReplySink.
//
// Errors: the journal's, as when it is full: nothing has changed then.
func (e *Engine) ProposeLimits(s risk.Scope, l risk.Limits, until core.Nanos, by, note string) (Proposal, error) {
	return e.AmendLimits(s, func(risk.Limits) (risk.Limits, error) { return l, nil }, until, by, note)
}

// AmendLimits is ProposeLimits of what change makes of the limits that the node has:
// nobody else changes them in between. change runs on the engine's goroutine and must
// be quick. It is not called for a node that does not exist.
//
// Errors: those of change, with nothing done; the journal's.
func (e *Engine) AmendLimits(s risk.Scope, change func(risk.Limits) (risk.Limits, error), until core.Nanos, by, note string) (p Proposal, err error) {
	e.onEngine(func() {
		s = e.m.normalScope(s)
		before := e.m.tree.Limits(s)
		p = Proposal{Status: ProposalUnchanged, Scope: s, Before: before, Until: until, By: by, Note: note, Seq: e.m.seq}
		if p.Reason = e.m.knownScope(s); p.Reason.OK() && len(by) > record.MaxNoteLen {
			p.Reason = risk.Reason{Code: risk.InvalidSetting, Scope: s}
		}
		if !p.Reason.OK() {
			p.Status = ProposalRefused
			return
		}
		if p.Limits, err = change(before); err != nil || before == p.Limits && !e.m.changes.overridden(s) {
			return
		}
		e.rec.Type = record.TypeProposal
		e.rec.Proposal = record.Proposal{Until: until, By: record.MakeText(by), Note: record.MakeText(note),
			Scope: scopeToRecord(s), Fields: fieldsOf(&p.Limits, e.rec.Proposal.Fields), Before: e.rec.Proposal.Before}
		if _, err = e.define(); err == nil {
			p = e.m.changes.told
		}
	})
	return p, err
}

// DecideProposal approves or rejects a proposal that waits. Who proposed it may reject
// it and not approve it; names that differ in case, or in the space about them, are
// one person's.
//
// The Status of the answer is ProposalRefused, and nothing has changed, when its
// Reason says so: risk.SamePerson, risk.UnknownProposal (decided, expired, or never
// made), risk.StaleProposal (the limits of the node are no longer those that the
// change was proposed for), risk.InvalidSetting (no name, or one that is too long).
// As with ProposeLimits it holds once Seq is committed.
//
// Errors: the journal's.
func (e *Engine) DecideProposal(id uint32, approve bool, by string) (p Proposal, err error) {
	if len(by) > record.MaxNoteLen {
		return Proposal{ID: id, Status: ProposalRefused, Reason: risk.Reason{Code: risk.InvalidSetting}}, nil
	}
	e.onEngine(func() {
		e.rec.Type = record.TypeDecision
		e.rec.Decision = record.Decision{Proposal: id, Approve: approve, By: record.MakeText(by), Change: e.rec.Decision.Change}
		if _, err = e.define(); err == nil {
			p = e.m.changes.told
		}
	})
	return p, err
}

// Proposals returns the changes that wait, then the overrides that run, each in the
// order of their ids, and the journal sequence they are as of.
func (e *Engine) Proposals() (all []Proposal, seq uint64) {
	e.onEngine(func() { all, seq = e.m.changes.list(e.m), e.m.seq })
	return all, seq
}

// String says what a proposal is, for logs and tests.
func (p *Proposal) String() string {
	return fmt.Sprintf("proposal %d of %s: %s", p.ID, p.By, p.Status)
}

// ProposalEvent is what an event tells of a proposal.
type ProposalEvent struct {
	ID     uint32 // 0 of one that was refused
	Status ProposalStatus
	By     record.Text // who proposed, decided or was refused
	_      [6]uint8
	Until  core.Nanos // of an override, when it ends; 0: it is none
}
