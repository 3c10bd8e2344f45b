package store

import (
	"fmt"
	"strings"
	"time"

	"qcat/core"
	"qcat/core/history"
	"qcat/core/record"
)

// What was done about limits, as audit entries; and as risk events where a node's limits
// became others.

func (p *JournalProjection) foldLimits(l *record.Limits) {
	p.audit("set_limits", l.Scope, "%s", p.change(l.Before, l.Fields, p.instruments[l.Scope.Instrument]))
	p.limitsChanged(&l.Scope, len(l.Fields))
}

// limitsChanged adds the event of a node that has other limits from here on, n of them.
func (p *JournalProjection) limitsChanged(s *record.Scope, n int) {
	e := p.riskEvent(history.RiskLimitsChanged)
	p.about(e, s)
	e.Value = int64(n)
}

func (p *JournalProjection) foldProposal(l *record.Proposal) {
	change := p.change(l.Before, l.Fields, p.instruments[l.Scope.Instrument])
	if l.Until != 0 {
		change += " until " + moment(l.Until)
	}
	by := signed(&l.By, &l.Note)
	switch {
	case l.Reason.Code != 0:
		p.audit("propose_limits", l.Scope, "%s: %s%s", p.refused(&l.Reason), change, by)
	case l.Applied:
		p.audit("propose_limits", l.Scope, "proposal %d, in force: %s%s", l.ID, change, by)
		p.limitsChanged(&l.Scope, len(l.Fields))
	default:
		p.audit("propose_limits", l.Scope, "proposal %d, to be decided: %s%s", l.ID, change, by)
	}
}

func (p *JournalProjection) foldDecision(d *record.Decision) {
	action := "reject_limits"
	if d.Approve {
		action = "approve_limits"
	}
	c, by := &d.Change, signed(&d.By, nil)
	if d.Reason.Code != 0 {
		p.audit(action, c.Scope, "%s: proposal %d%s", p.refused(&d.Reason), d.Proposal, by)
		return
	}
	p.audit(action, c.Scope, "proposal %d: %s%s", d.Proposal, p.change(c.Before, c.After, p.instruments[c.Scope.Instrument]), by)
	if d.Approve {
		p.limitsChanged(&c.Scope, len(c.After))
	}
}

// foldEnded tells of the overrides that a moment ended: one entry and one event, which
// are about the node of the first.
func (p *JournalProjection) foldEnded(ended []record.Change) {
	if len(ended) == 0 {
		return
	}
	texts := make([]string, len(ended))
	for i := range ended {
		c := &ended[i]
		texts[i] = fmt.Sprintf("proposal %d of %s is over: %s", c.Proposal, p.scopeText(&c.Scope),
			p.change(c.Before, c.After, p.instruments[c.Scope.Instrument]))
	}
	p.audit("end_override", ended[0].Scope, "%s", strings.Join(texts, "; "))
	p.limitsChanged(&ended[0].Scope, len(ended[0].After))
}

// foldLapse tells of the proposal that lapsed at a moment. No override ends in the same
// record, whose one entry this is.
func (p *JournalProjection) foldLapse(l *record.Lapse) {
	if l.Proposal != 0 {
		p.audit("lapse_limits", l.Scope, "proposal %d%s lapsed: nobody decided on it in time", l.Proposal, signed(&l.By, nil))
	}
}

// foldBreach tells of a limit that what is held has crossed, and does what the record
// says was cancelled.
func (p *JournalProjection) foldBreach(b *record.Breach) error {
	in := p.instruments[b.Instrument]
	what := p.reason(&record.Reason{Code: b.Code, Unit: b.Unit, Limit: b.Limit, Value: b.Value}, in)
	done := fmt.Sprintf("%s, %d cancels sent", p.action(b.Action), b.Cancelled)
	p.audit("breach", b.Scope, "%s: %s; %s", p.scopeText(&b.Scope), what, done)
	e := p.riskEvent(history.RiskBreached)
	p.about(e, &b.Scope)
	e.Code, e.Unit, e.Limit, e.Value = b.Code, b.Unit, b.Limit, b.Value
	e.Action, e.Cancelled = b.Action, b.Cancelled
	if in != nil {
		e.Instrument, e.Price = b.Instrument, b.Price
	}
	e.Note = fmt.Sprintf("%s; by record %d", done, b.Cause)
	if b.Cancelled == 0 {
		return nil
	}
	return p.cancelScope(&b.Scope, b.Cancelled)
}

// moment is a time as people read it.
func moment(t core.Nanos) string { return time.Unix(0, int64(t)).UTC().Format(time.RFC3339) }
