package rest

import (
	"qcat/api/wire"
	"qcat/risk"
)

// placesAtOnce bounds how much of the limit tree one question walks in one go on
// the engine's goroutine: some tens of microseconds.
const placesAtOnce = 2048

// wanted reads the filters of a question about the limit tree.
func (q *query) wanted() func(risk.Scope) bool {
	account := q.account()
	strategy, instrument := q.strategy(account), q.instrument()
	return func(s risk.Scope) bool {
		return !q.none && (account == 0 || s.Account == account) &&
			(strategy == 0 || s.Strategy == strategy) && (instrument == 0 || s.Instrument == instrument)
	}
}

// states lists the trading states that were ever set.
func (s *Server) states(c exchange) {
	if q := s.query(c); !q.ok || !s.caughtUp(c) {
		return
	}
	all := s.cfg.View.States()
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
	if s.run(c, k, nil) {
		s.answerCancelled(c, k)
	}
}
