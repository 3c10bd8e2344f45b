package rest

import (
	"strconv"

	"github.com/valyala/fasthttp"

	"qcat/api/wire"
	"qcat/risk"
)

// Bounds of a page of exposures: its nodes are copied in one look at the limit tree,
// during which the order lane does nothing else.
const (
	defaultExposed = 500
	maxExposed     = 1000
)

// exposure lists what each node of the limit tree has used of its limits, a page as of
// one journal sequence: {"seq":n,"scopes":[…]}.
func (s *Server) exposure(c exchange) {
	q := s.query(c, "account", "strategy", "instrument", "limit", "cursor")
	want := q.wanted(s.reachOf(c.who))
	p := page{limit: q.count("limit", defaultExposed, maxExposed), filters: filtersOf(c)}
	at, ok := q.place(&p)
	if !q.ok || !ok {
		return
	}
	scopes, next := s.scopes(want, at, p.limit)
	var levels wire.Levels
	s.cfg.Engine.Query(func(t *risk.Tree, seq uint64) {
		levels.Reset(seq)
		now := s.cfg.Clock.Now()
		for _, sc := range scopes {
			levels.Add(t, sc, now)
		}
	})
	if !s.shows(c, levels.Seq) {
		return
	}
	linkNext(c, &p, next)
	listAsOf(c, levels.Seq, "scopes", levels.Len(), func(dst []byte, i int) []byte { return levels.Append(dst, s.cfg.Directory, i) })
}

// place reads the cursor of a walk through the limit tree.
func (q *query) place(p *page) (at risk.ScopeCursor, ok bool) {
	text := q.text("cursor")
	if text == "" || !q.ok {
		return at, q.ok
	}
	k, wrong := parseCursor(text, p.filters)
	if wrong == "" {
		if at, ok = risk.ScopeCursorAt(k.key, k.minor); !ok {
			wrong = "not one that this server has given out"
		}
	}
	if wrong != "" {
		q.bad("cursor", wrong)
	}
	return at, q.ok
}

// scopes finds the next nodes after a place that are wanted, and where they end if
// more follow. It looks at a part of the tree at a time, so that orders are not held
// up.
func (s *Server) scopes(want func(risk.Scope) bool, at risk.ScopeCursor, limit int) (found []risk.Scope, next cursor) {
	var end risk.ScopeCursor // after the last one found
	for more := true; more && len(found) <= limit; {
		s.cfg.Engine.Query(func(t *risk.Tree, _ uint64) {
			more = t.NextScopes(&at, placesAtOnce, func(sc risk.Scope) {
				if len(found) > limit || !want(sc) {
					return
				}
				if found = append(found, sc); len(found) == limit {
					end = at
				}
			})
		})
	}
	if len(found) > limit {
		key, minor := end.Place()
		return found[:limit], cursor{set: true, key: key, minor: minor}
	}
	return found, next
}

// scenarios lists what each scenario would cost an account, or the firm:
// {"seq":n,"scope":{…},"scenarios":[…]}.
func (s *Server) scenarios(c exchange) {
	q := s.query(c, "account", "strategy")
	account := q.account()
	strategy := q.strategy(account)
	if !q.ok {
		return
	}
	if q.none {
		s.unresolved(c, &wire.Resolution{Reason: risk.Reason{Code: risk.UnknownAccount}, Unknown: []byte(q.text("account"))})
		return
	}
	if account == 0 {
		q.firm()
	} else if strategy == 0 {
		q.wholeAccount()
	}
	if !q.ok {
		return
	}
	scope := risk.FirmScope()
	switch {
	case strategy != 0:
		scope = risk.Scope{Level: risk.LevelStrategy, Account: account, Strategy: strategy}
	case account != 0:
		scope = risk.AccountScope(account)
	}
	var all []risk.Scenario
	var at uint64
	s.cfg.Engine.Query(func(t *risk.Tree, seq uint64) {
		at = seq
		all, _ = t.Scenarios(scope)
	})
	if !s.shows(c, at) {
		return
	}
	body := strconv.AppendUint([]byte(`{"seq":`), at, 10)
	body = wire.AppendScope(append(body, `,"scope":`...), s.cfg.Directory, scope)
	body = appendArray(append(body, `,"scenarios":`...), len(all), func(dst []byte, i int) []byte { return wire.AppendScenario(dst, &all[i]) })
	answer(c, fasthttp.StatusOK, append(body, '}'))
}
