package ws

import (
	"context"
	"time"

	"go.uber.org/zap"

	"qcat/api/auth"
	"qcat/api/wire"
	"qcat/core/engine"
	"qcat/core/identity"
)

// auditPatience bounds the wait for an entry without which nothing is done.
const auditPatience = 5 * time.Second

// action is what the audit log calls the request, "" for what it is not told of.
func (s *session) action() string {
	switch string(s.req.Op) {
	case "cancel_all":
		return "orders.cancel_all"
	case "state":
		return "state.set"
	}
	return ""
}

// begun is the outcome of an entry that is written before what it says is done; another,
// with what came of it, follows.
const begun = "begun"

// entry is what the audit log is told of s.cmd.
func (s *session) entry() *identity.AuditEntry {
	e := s.who.Entry(s.action(), s.about())
	b := wire.AppendScope([]byte(`{"scope":`), s.cfg.Directory, s.cmd.Scope)
	if s.cmd.Kind == engine.CmdState {
		e.Before = `{"state":"` + s.was.String() + `"}`
		b = wire.AppendString(append(b, `,"state":`...), s.cmd.State.String())
		b = wire.AppendString(append(b, `,"reason":`...), s.cmd.Note.String())
		b = wire.AppendBool(append(b, `,"cancel_open":`...), s.cmd.CancelOpen)
	}
	e.After = string(append(b, '}'))
	return e
}

// about says what the request is about, in the names that it has: "firm", "desk1/alpha".
func (s *session) about() string {
	text := "firm"
	if s.req.Has(wire.FieldAccount) {
		text = string(s.req.Account)
	}
	if s.req.Has(wire.FieldStrategy) {
		text += "/" + string(s.req.Strategy)
	}
	if s.req.Has(wire.FieldInstrument) {
		text += " " + string(s.req.Instrument)
	}
	return text
}

// record tells the audit log of a stop that was handed over: it waits for nothing.
func (s *session) record() {
	if s.cfg.Recorder != nil && s.cfg.Gate != nil {
		s.write(s.entry())
	}
}

// recordRefusal tells the audit log that somebody known may not do what it is told of.
func (s *session) recordRefusal(err error) {
	if s.cfg.Recorder == nil || s.cfg.Gate == nil || !s.mine || s.action() == "" {
		return
	}
	e := s.who.Entry(s.action(), s.about())
	e.Outcome = auth.Refusal(err).Code
	s.write(e)
}

func (s *session) write(e *identity.AuditEntry) {
	if !s.cfg.Recorder.Record(*e) {
		s.srv.unrecorded.Add(1)
		s.cfg.Log.Error("the audit log has no room for what was done",
			zap.String("actor", e.Actor), zap.String("action", e.Action), zap.String("target", e.Target))
	}
}

// recordFirst tells the audit log of what must not be done unless it is written down, and
// reports whether it was; if not, it answers.
func (s *session) recordFirst() bool {
	if s.cfg.Auditor == nil || s.cfg.Gate == nil {
		return true
	}
	s.serve()
	ctx, cancel := context.WithTimeout(context.Background(), auditPatience)
	defer cancel()
	e := s.entry()
	e.Outcome = begun
	err := s.cfg.Auditor.Audit(ctx, e)
	if err == nil {
		return true
	}
	s.cfg.Log.Error("the audit log cannot be written: a node is not set active", zap.Error(err))
	s.forbid(errNotWritten)
	return false
}

// errNotWritten refuses what was not done because it could not be written down.
var errNotWritten = &auth.Error{Code: auth.ErrUnavailable.Code, Status: auth.ErrUnavailable.Status,
	Text: "the audit log cannot be written, so nothing was done", Wait: time.Second}
