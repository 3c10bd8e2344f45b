package rest

import (
	"context"
	"encoding/json"

	"github.com/valyala/fasthttp"
	"go.uber.org/zap"

	"qcat/api/auth"
	"qcat/core/identity"
)

// Actions of the audit log that are done here.
const (
	actLimits    = "limits.change"
	actDecide    = "limits.decide"
	actTransfer  = "transfer"
	actMargin    = "margin.set"
	actFunding   = "funding"
	actState     = "state.set"
	actCancelAll = "orders.cancel_all"
	actCancel    = "orders.cancel"
	actUsers     = "user.create"
	actUser      = "user.change"
	actKeys      = "key.create"
	actKey       = "key.revoke"
	actAudit     = "audit.read"
)

// begun is the outcome of the entry that is written before something is done. The entry
// behind it, of the same action and target, has what came of it; without one the process ended,
// or that entry was lost.
const begun = "begun"

// begin writes down, before it is done, what somebody is about to do: what cannot be written down is
// not done. asked is the request, as JSON. Where nobody is asked who they are nothing is
// written.
func (s *Server) begin(c exchange, act, target, asked string) bool {
	if s.cfg.Gate == nil {
		return true
	}
	e := c.who.Entry(act, target)
	e.Outcome, e.After = begun, asked
	ctx, cancel := context.WithTimeout(s.life, s.cfg.Timeout)
	defer cancel()
	if err := s.cfg.Service.Auditor.Audit(ctx, e); err != nil {
		if s.tellAuth.now(c.began) {
			s.cfg.Log.Error("the audit log cannot be written: nothing is changed", zap.String("action", act), zap.Error(err))
		}
		s.turnAway(c, auth.ErrUnavailable.Saying("the audit log cannot be written: nothing was done"))
		return false
	}
	return true
}

// done writes down what came of an act, by what it was answered. before and after are JSON.
func (s *Server) done(c exchange, act, target, before, after string) {
	if s.cfg.Gate == nil {
		return
	}
	e := c.who.Entry(act, target)
	if e.Outcome = outcomeOf(c); e.Outcome == "ok" {
		e.Before, e.After = before, after
	}
	s.record(e)
}

// outcomeOf is "ok", or the code of the problem that was answered.
func outcomeOf(c exchange) string {
	if c.Response.StatusCode() < fasthttp.StatusBadRequest {
		return "ok"
	}
	var p struct{ Code string }
	if json.Unmarshal(c.Response.Body(), &p) != nil || p.Code == "" {
		return codeInternal
	}
	return p.Code
}

// record writes an entry that nothing waits for. One that finds no room is counted.
func (s *Server) record(e *identity.AuditEntry) {
	if s.cfg.Gate == nil || s.cfg.Recorder.Record(*e) {
		return
	}
	s.unwritten.Add(1)
	if s.tellAudit.now(s.cfg.Clock.Now()) {
		s.cfg.Log.Error("an entry of the audit log was lost", zap.String("actor", e.Actor), zap.String("action", e.Action),
			zap.String("target", e.Target), zap.String("outcome", e.Outcome))
	}
}

// by is who asks for a change: the caller, or where nobody is asked who they are, whoever the
// body names.
func (s *Server) by(c exchange, act, target string, named []byte) (string, bool) {
	if s.cfg.Gate == nil {
		return string(named), true
	}
	name := c.who.Name()
	if len(named) > 0 && string(named) != name {
		s.forbid(c, act, target, auth.ErrForbidden.Saying("by names somebody else: leave it out, it is who asks"))
		return "", false
	}
	return name, true
}
