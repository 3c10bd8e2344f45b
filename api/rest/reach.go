package rest

import (
	"qcat/api/auth"
	"qcat/core"
	"qcat/risk"
)

// reach is what of the firm somebody sees, by ids: asking it costs little, on the engine's
// goroutine too.
type reach struct {
	all        bool
	whole      map[core.AccountID]bool  // accounts with all that is in them
	strategies map[core.StrategyID]bool // of other accounts
	order      []part                   // the same, one by one
}

// part is a piece of a list that is asked for by itself: an account, one strategy of an
// account, or with zeros everything.
type part struct {
	account  core.AccountID
	strategy core.StrategyID
}

// reachOf works out what a caller sees.
func (s *Server) reachOf(p auth.Principal) *reach {
	r := &reach{all: p.CanAll()}
	if r.all {
		return r
	}
	r.whole, r.strategies = map[core.AccountID]bool{}, map[core.StrategyID]bool{}
	partly := map[core.AccountID]string{}
	for _, a := range s.cfg.Directory.Accounts() {
		switch {
		case p.CanAccount(a.Name):
			r.whole[a.ID] = true
			r.order = append(r.order, part{account: a.ID})
		case p.Touches(a.Name):
			partly[a.ID] = a.Name
		}
	}
	if len(partly) == 0 {
		return r
	}
	for _, st := range s.cfg.Directory.Strategies() {
		if name, ok := partly[st.Account]; ok && p.CanStrategy(name, st.Name) {
			r.strategies[st.ID] = true
			r.order = append(r.order, part{account: st.Account, strategy: st.ID})
		}
	}
	return r
}

// account reports whether a whole account is seen; 0 is the firm.
func (r *reach) account(a core.AccountID) bool { return r.all || r.whole[a] }

// sees reports whether a strategy of an account is seen, or with 0 what is the whole account's
// own, or with two zeros the firm's.
func (r *reach) sees(a core.AccountID, st core.StrategyID) bool {
	return r.all || r.whole[a] || st != 0 && r.strategies[st]
}

// node reports whether a node of the limit tree is seen.
func (r *reach) node(sc risk.Scope) bool { return r.sees(sc.Account, sc.Strategy) }

// parts divides what filters select into pieces that are seen: zeros select all.
func (r *reach) parts(account core.AccountID, strategy core.StrategyID) (out []part) {
	if r.sees(account, strategy) {
		return []part{{account, strategy}}
	}
	for _, p := range r.order {
		if (account == 0 || p.account == account) && (strategy == 0 || p.strategy == strategy) {
			out = append(out, p)
		}
	}
	return out
}

// newestOf asks for each part and returns the newest rows of them all.
func newestOf[T any](parts []part, limit int, newer func(x, y *T) int, ask func(part) ([]T, error)) (all []T, err error) {
	for i, p := range parts {
		rows, err := ask(p)
		switch {
		case err != nil:
			return nil, err
		case i == 0:
			all = rows
		default:
			all = mergeNewest(all, rows, limit, newer, first)
		}
	}
	return all, nil
}

// inScope reports whether a caller may act on a node of the limit tree; that of the firm, or of
// an instrument in every account, needs a scope of all. It allocates nothing.
func (s *Server) inScope(p auth.Principal, sc risk.Scope) bool {
	if sc.Account == 0 || p.CanAll() {
		return p.CanAll()
	}
	a := s.cfg.Directory.Account(sc.Account)
	if a == nil {
		return false
	}
	st := s.cfg.Directory.Strategy(sc.Strategy)
	if st == nil {
		return p.CanAccount(a.Name)
	}
	return p.CanStrategy(a.Name, st.Name)
}

// owns reports whether what belongs to a strategy of an account is the caller's.
func (s *Server) owns(p auth.Principal, a core.AccountID, st core.StrategyID) bool {
	return s.inScope(p, risk.Scope{Account: a, Strategy: st})
}

// mayAct answers a request that acts on a node beyond the caller's scope.
func (s *Server) mayAct(c exchange, act string, sc risk.Scope) bool {
	if s.inScope(c.who, sc) {
		return true
	}
	detail := "the account or strategy is not in your scope"
	if sc.Account == 0 {
		detail = "this is about every account, and your scope is not: name an account of yours"
	}
	s.beyond(c, act, s.target(sc), detail)
	return false
}

// target says in the audit log what is acted on: "firm", or account, strategy and instrument
// as far as they are named.
func (s *Server) target(sc risk.Scope) string {
	text := "firm"
	if a := s.cfg.Directory.Account(sc.Account); a != nil {
		text = a.Name
	}
	if st := s.cfg.Directory.Strategy(sc.Strategy); st != nil {
		text += "/" + st.Name
	}
	if in := s.cfg.Directory.Instrument(sc.Instrument); in != nil {
		text += " " + in.Name()
	}
	return text
}
