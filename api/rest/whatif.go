package rest

import (
	"github.com/valyala/fasthttp"

	"qcat/api/auth"
	"qcat/api/wire"
	"qcat/core"
	"qcat/core/engine"
	"qcat/risk"
)

const checkPath = "/api/v1/orders/check"

// check answers what a new order would be answered, or many of them.
func (s *Server) check(c exchange) {
	if wire.IsBatch(c.PostBody()) {
		s.checkOrders(c)
		return
	}
	s.checkOrder(c)
}

// checkOrder answers as newOrder would, and does nothing: 200 with the order as
// it would be accepted, or a refusal that lists every control it would fail; either
// with what would have been used after it.
func (s *Server) checkOrder(c exchange) {
	k, ok := s.take(c)
	if !ok {
		return
	}
	defer s.calls.put(k)
	in, ok := s.readOrder(c, k)
	if !ok {
		return
	}
	k.cmd.Kind = engine.CmdCheck
	if !s.run(c, k, in) {
		return
	}
	r := &k.reply
	s.shown(c, r.After)
	if r.Reason.OK() {
		if r.Duplicate {
			c.Response.Header.Set("Idempotent-Replay", "true")
		}
		k.body = wire.AppendOrderFields(append(k.body[:0], '{'), s.cfg.Directory, &r.Order)
		k.body = s.appendAfter(k.body, r)
		answerCopy(c, fasthttp.StatusOK, k.body)
		return
	}
	body := wire.AppendReasonProblem(k.body[:0], s.cfg.Directory, in, &r.Reason)
	body = wire.AppendRefusals(append(body[:len(body)-1], ','), s.cfg.Directory, in, r.Refusals)
	k.body = s.appendAfter(body, r)
	problemCopy(c, wire.ReasonStatus(r.Reason.Code), k.body)
}

// appendAfter closes an answer with what would have been used, and as of when.
func (s *Server) appendAfter(b []byte, r *engine.Reply) []byte {
	b = wire.AppendAfter(append(b, `,"after":`...), s.cfg.Directory, r.After)
	return append(wire.AppendUint(append(b, `,"seq":`...), r.Seq), '}')
}

// asked is one of many orders: its place among those that the engine is asked about,
// or why it is not one of them.
type asked struct {
	res wire.Resolution
	at  int
}

// checkOrders answers of each order of a batch what checkOrder would, all of them as
// of one journal sequence and each as if the others were not.
func (s *Server) checkOrders(c exchange) {
	var all []asked
	var cmds []engine.Command
	var req wire.Request
	e := wire.DecodeBatch(c.PostBody(), engine.MaxWhatIfs, &req, func(r *wire.Request) {
		var cmd engine.Command
		a := asked{res: r.ResolveOrder(s.cfg.Directory, &cmd), at: len(cmds)}
		if a.res.OK() {
			cmds = append(cmds, cmd)
		}
		all = append(all, a)
	})
	if !e.OK() {
		s.misunderstood(c, e)
		return
	}
	if !s.mayCheck(c, all, cmds) {
		s.turnAway(c, auth.ErrScope.Saying("an order is for an account or strategy that is not in your scope"))
		return
	}
	replies := make([]engine.Reply, len(cmds))
	seq := s.cfg.Engine.WhatIf(cmds, replies)
	if !s.shows(c, seq) {
		return
	}
	listAsOf(c, seq, "results", len(all), func(dst []byte, i int) []byte {
		a := &all[i]
		if !a.res.OK() {
			return wire.AppendUnresolvedWhatIf(dst, s.cfg.Directory, &a.res)
		}
		s.shown(c, replies[a.at].After)
		return wire.AppendWhatIf(dst, s.cfg.Directory, s.instrumentNamedBy(&cmds[a.at]), &replies[a.at])
	})
}

// mayCheck reports whether all of a batch is the caller's to ask about.
func (s *Server) mayCheck(c exchange, all []asked, cmds []engine.Command) bool {
	if c.who.CanAll() {
		return true
	}
	for i := range all {
		if a := &all[i]; a.res.OK() {
			if !s.owns(c.who, cmds[a.at].Account, cmds[a.at].Strategy) {
				return false
			}
		} else if !mayKnow(c, &a.res) {
			return false
		}
	}
	return true
}

// shown leaves in what would be used what the caller sees: of the nodes those in their scope, and
// the margin of an account that is wholly theirs.
func (s *Server) shown(c exchange, a *risk.After) {
	if a == nil || c.who.CanAll() {
		return
	}
	kept := 0
	for i := range a.Known {
		if l := &a.Levels[i]; s.inScope(c.who, l.Scope) {
			a.Levels[kept] = *l
			kept++
		}
		if l := &a.Levels[i]; l.Scope.Account != 0 && !s.owns(c.who, l.Scope.Account, 0) {
			a.Margin.Known = false
		}
	}
	a.Known = kept
}

func (s *Server) instrumentNamedBy(cmd *engine.Command) *core.Instrument {
	return s.cfg.Directory.Instrument(cmd.Instrument)
}
