package rest

import (
	"slices"

	"qcat/api/wire"
	"qcat/core/engine"
	"qcat/risk"
)

// placesAtOnce bounds how much of the limit tree one question walks in one go on
// the engine's goroutine: some tens of microseconds.
const placesAtOnce = 2048

// wanted reads the filters of a question about the limit tree, of which the caller is shown
// what is in reach.
func (q *query) wanted(r *reach) func(risk.Scope) bool {
	account := q.account()
	strategy, instrument := q.strategy(account), q.instrument()
	return func(s risk.Scope) bool {
		return !q.none && r.node(s) && (account == 0 || s.Account == account) &&
			(strategy == 0 || s.Strategy == strategy) && (instrument == 0 || s.Instrument == instrument)
	}
}

// states lists the trading states that were ever set.
func (s *Server) states(c exchange) {
	if q := s.query(c); !q.ok || !s.caughtUp(c) {
		return
	}
	r := s.reachOf(c.who)
	all := slices.DeleteFunc(s.cfg.View.States(), func(st engine.ScopeState) bool { return !r.node(st.Scope) })
	list(c, len(all), func(dst []byte, i int) []byte { return wire.AppendScopeState(dst, s.cfg.Directory, &all[i]) })
}

// setState halts, reduces or resumes a scope: {"cancelled":n}.
func (s *Server) setState(c exchange) {
	k, ok := s.take(c)
	if !ok {
		return
	}
	defer s.calls.put(k)
	if e := wire.DecodeState(c.PostBody(), &k.req); !e.OK() {
		s.misunderstood(c, e)
		return
	}
	if res := k.req.ResolveState(s.cfg.Directory, &k.cmd); !res.OK() {
		s.unresolved(c, &res)
		return
	}
	scope := k.cmd.Scope
	if !s.mayAct(c, actState, scope) {
		return
	}
	was := s.cfg.View.State(scope)
	if s.run(c, k, nil) {
		s.answerCancelled(c, k)
	}
	// Whatever comes of it is written down afterwards: a halt waits for no audit log.
	if s.cfg.Gate != nil {
		s.done(c, actState, s.target(scope), `{"state":"`+was.String()+`"}`, string(c.PostBody()))
	}
}
