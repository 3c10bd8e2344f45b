package rest

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"

	"qcat/api/auth"
	"qcat/api/wire"
	"qcat/core/engine"
	"qcat/risk"
)

// limitsAtOnce bounds the nodes whose limits are read in one go on the engine's
// goroutine, with what is used of them.
const limitsAtOnce = 256

// limited is one node with limits, copied out.
type limited struct {
	scope  risk.Scope
	limits risk.Limits
	uses   []risk.Use
}

// limits lists the limits of every node that has any and that account, strategy
// and instrument select, with what is used of them, and the effective ones: the
// tightest on the path of such an order, and where each hangs. What hangs beyond the caller's
// scope is left out of both.
func (s *Server) limits(c exchange) {
	q := s.query(c, "account", "strategy", "instrument")
	account := q.account()
	strategy, instrument := q.strategy(account), q.instrument()
	if !q.ok {
		return
	}
	scope := risk.Scope{Level: risk.LevelFirm, Account: account, Strategy: strategy, Instrument: instrument}
	switch {
	case instrument != 0:
		scope.Level = risk.LevelInstrument
	case strategy != 0:
		scope.Level = risk.LevelStrategy
	case account != 0:
		scope.Level = risk.LevelAccount
	}
	r := s.reachOf(c.who)
	all, effective, seq := s.limitsOf(q.wanted(r), scope, q.none)
	effective = slices.DeleteFunc(effective, func(e risk.EffectiveLimit) bool { return !r.node(e.From) })
	body := strconv.AppendUint([]byte(`{"seq":`), seq, 10)
	answer(c, fasthttp.StatusOK, s.appendLimits(append(body, ','), all, effective))
}

// limitsOf copies the limits out: first which nodes have any, a part of the tree at a
// time, then what they are and what is used of them. Up to limitsAtOnce nodes are read
// together, as of seq; of more it is the sequence of the last.
func (s *Server) limitsOf(want func(risk.Scope) bool, path risk.Scope, none bool) (all []limited, effective []risk.EffectiveLimit, seq uint64) {
	var at risk.ScopeCursor
	for more := !none; more && len(all) < maxListed; {
		s.cfg.Engine.Query(func(t *risk.Tree, _ uint64) {
			more = t.NextScopes(&at, placesAtOnce, func(sc risk.Scope) {
				if l := t.Limits(sc); l.Len() > 0 && want(sc) {
					all = append(all, limited{scope: sc})
				}
			})
		})
	}
	for from, more := 0, true; more; from += limitsAtOnce {
		part := all[from:min(from+limitsAtOnce, len(all))]
		more = from+limitsAtOnce < len(all)
		s.cfg.Engine.Query(func(t *risk.Tree, now uint64) {
			seq = now
			for i := range part {
				part[i].limits = t.Limits(part[i].scope)
				part[i].uses = t.Uses(part[i].scope, s.cfg.Clock.Now(), nil)
			}
			if !more && !none {
				effective = t.Effective(path)
			}
		})
	}
	return all, effective, seq
}

func (s *Server) appendLimits(dst []byte, all []limited, effective []risk.EffectiveLimit) []byte {
	dst = append(dst, `"limits":[`...)
	for i := range all {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = wire.AppendLimitsUsed(dst, s.cfg.Directory, all[i].scope, &all[i].limits, all[i].uses)
	}
	dst = wire.AppendEffectiveLimits(append(dst, `],"effective":`...), s.cfg.Directory, effective)
	return append(dst, '}')
}

// replaceLimits proposes limits of a node in the place of all that it has.
func (s *Server) replaceLimits(c exchange) { s.changeLimits(c, false) }

// amendLimits proposes a change of those limits of a node that are named.
func (s *Server) amendLimits(c exchange) { s.changeLimits(c, true) }

// changeLimits answers 200 with the change when it is in force, 202 when it waits for
// another person.
func (s *Server) changeLimits(c exchange, keep bool) {
	var req wire.Request
	if e := wire.DecodeLimits(c.PostBody(), &req); !e.OK() {
		s.misunderstood(c, e)
		return
	}
	var cmd engine.Command
	if res := req.ResolveScope(s.cfg.Directory, &cmd); !res.OK() {
		s.unresolved(c, &res)
		return
	}
	if !s.mayAct(c, actLimits, cmd.Scope) {
		return
	}
	target := s.target(cmd.Scope)
	by, ok := s.proposer(c, actLimits, target, &req)
	if !ok || !s.begin(c, actLimits, target, string(c.PostBody())) {
		return
	}
	in := s.cfg.Directory.Instrument(cmd.Scope.Instrument)
	p, err := s.cfg.Engine.AmendLimits(cmd.Scope, func(before risk.Limits) (risk.Limits, error) {
		var spec risk.Spec
		if keep {
			spec = before.Spec(in)
		}
		if e := req.ChangeLimits(&spec); !e.OK() {
			return risk.Limits{}, e
		}
		after, err := spec.Resolve(in)
		if err != nil {
			return risk.Limits{}, err
		}
		if l, ok := after.Validate(cmd.Scope); !ok {
			return risk.Limits{}, misplaced(l)
		}
		return after, nil
	}, req.Until, by, string(req.Reason))
	s.answerProposal(c, &p, err)
	s.done(c, actLimits, target, s.limitsText(&p), string(c.Response.Body()))
}

// limitsText is what the limits of a proposal's node were, as JSON; "" of what is no proposal.
func (s *Server) limitsText(p *engine.Proposal) string {
	if p.Status == 0 || p.Status == engine.ProposalRefused {
		return ""
	}
	return string(wire.AppendLimitsUsed(nil, s.cfg.Directory, p.Scope, &p.Before, nil))
}

// proposer is who asks for a change of limits or decides on one; the body must say so where
// nobody is asked who they are.
func (s *Server) proposer(c exchange, act, target string, req *wire.Request) (string, bool) {
	if s.cfg.Gate == nil {
		if e := req.Check(req.Set, wire.Fields(wire.FieldBy)); !e.OK() {
			s.misunderstood(c, e)
			return "", false
		}
	}
	return s.by(c, act, target, req.By)
}

// misplaced is a limit that makes no sense at its node.
type misplaced risk.Limit

func (m misplaced) Error() string {
	return risk.Limit(m).String() + ": makes no sense at this node, without the limits it goes with, or of this size"
}

// answerProposal sends what became of a change of limits, once it is committed.
func (s *Server) answerProposal(c exchange, p *engine.Proposal, err error) {
	var bad wire.Error
	var place misplaced
	switch {
	case errors.As(err, &bad):
		s.misunderstood(c, bad)
	case errors.Is(err, risk.ErrSpec):
		problem(c, &wire.Problem{Status: fasthttp.StatusBadRequest, Code: "request.value", Title: "The request was not understood",
			Detail: err.Error(), Field: "limits"})
	case errors.As(err, &place):
		problem(c, &wire.Problem{Status: fasthttp.StatusUnprocessableEntity, Code: risk.InvalidSetting.String(), Title: "The request was refused",
			Detail: err.Error(), Field: "limits"})
	case errors.Is(err, engine.ErrFull):
		unavailable(c, risk.Capacity.String(), "the journal has no room: nothing has changed")
	case err != nil:
		unavailable(c, wire.CodeUnavailable, "the journal takes no records: nothing has changed")
	case s.committed(c, p.Seq):
		s.answerDecided(c, p)
	}
}

// answerDecided sends a change of limits whose record is committed.
func (s *Server) answerDecided(c exchange, p *engine.Proposal) {
	status := fasthttp.StatusOK
	switch p.Status {
	case engine.ProposalRefused:
		s.refuse(c, nil, p.Reason)
		return
	case engine.ProposalWaiting:
		status = fasthttp.StatusAccepted
	}
	answer(c, status, wire.AppendProposal(nil, s.cfg.Directory, p))
}

// committed waits until the record of that sequence is, and answers 504 when it does
// not come to that.
func (s *Server) committed(c exchange, seq uint64) bool {
	ctx, cancel := context.WithTimeout(s.life, s.cfg.Timeout)
	defer cancel()
	if err := s.cfg.View.WaitFor(ctx, seq); err != nil {
		problem(c, &wire.Problem{Status: fasthttp.StatusGatewayTimeout, Code: codeNoAnswer, Title: "No answer in time",
			Detail: "whether the change is recorded is not known: look at risk/limits and risk/limits/proposals"})
		return false
	}
	return true
}

// proposals lists the changes of limits that wait for another person, then the
// overrides that run: {"seq":n,"proposals":[…]}.
func (s *Server) proposals(c exchange) {
	if q := s.query(c); !q.ok {
		return
	}
	r := s.reachOf(c.who)
	all, seq := s.cfg.Engine.Proposals()
	all = slices.DeleteFunc(all, func(p engine.Proposal) bool { return !r.node(p.Scope) })
	listAsOf(c, seq, "proposals", len(all), func(dst []byte, i int) []byte { return wire.AppendProposal(dst, s.cfg.Directory, &all[i]) })
}

// decideProposal approves or rejects a change that waits.
func (s *Server) decideProposal(c exchange) {
	id, err := strconv.ParseUint(c.tail, 10, 32)
	if err != nil || id == 0 {
		problem(c, &wire.Problem{Status: fasthttp.StatusBadRequest, Code: codePath, Title: "The path was not understood",
			Detail: "the last part of the path must be the number of a proposal"})
		return
	}
	var req wire.Request
	if e := wire.DecodeDecision(c.PostBody(), &req); !e.OK() {
		s.misunderstood(c, e)
		return
	}
	target, ok := s.mayDecide(c, uint32(id))
	if !ok {
		return
	}
	by, ok := s.proposer(c, actDecide, target, &req)
	if !ok || req.Approve && !s.apart(c, uint32(id), target) || !s.begin(c, actDecide, target, string(c.PostBody())) {
		return
	}
	p, err := s.cfg.Engine.DecideProposal(uint32(id), req.Approve, by)
	s.answerProposal(c, &p, err)
	s.done(c, actDecide, target, s.limitsText(&p), string(c.Response.Body()))
}

// apart reports whether the caller is certainly another person than who proposed. A proposal that is
// not there yet cannot be approved: nobody knows whose it will be. The engine itself looks
// whether it is the same name.
func (s *Server) apart(c exchange, id uint32, target string) bool {
	if s.cfg.Gate == nil {
		return true
	}
	all, _ := s.cfg.Engine.Proposals()
	at := slices.IndexFunc(all, func(p engine.Proposal) bool { return p.ID == id })
	if at < 0 {
		s.refuse(c, nil, risk.Reason{Code: risk.UnknownProposal})
		return false
	}
	if strings.EqualFold(all[at].By, c.who.Name()) {
		return true
	}
	ctx, cancel := context.WithTimeout(s.life, s.cfg.Timeout)
	defer cancel()
	if err := s.cfg.Service.Apart(ctx, c.who, all[at].By, all[at].Time); err != nil {
		s.forbid(c, actDecide, target, auth.Refusal(err))
		return false
	}
	return true
}

// mayDecide looks up what a proposal is about. To somebody whose scope is not everything, one that is
// not there yet cannot be decided on: nobody knows what it will be about.
func (s *Server) mayDecide(c exchange, id uint32) (target string, ok bool) {
	target = "proposal " + strconv.FormatUint(uint64(id), 10)
	if c.who.CanAll() {
		return target, true
	}
	all, _ := s.cfg.Engine.Proposals()
	for i := range all {
		if all[i].ID == id {
			return target, s.mayAct(c, actDecide, all[i].Scope)
		}
	}
	s.refuse(c, nil, risk.Reason{Code: risk.UnknownProposal})
	return target, false
}
