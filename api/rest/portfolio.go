package rest

import (
	"cmp"
	"context"
	"slices"

	"qcat/api/wire"
	"qcat/core"
	"qcat/core/engine"
	"qcat/risk"
)

// executions lists fills, newest first.
func (s *Server) executions(c exchange) {
	q, p := s.paged(c, defaultListed, maxListed, "account", "strategy", "instrument", "order_id")
	f := engine.ExecutionFilter{Account: q.account(), Instrument: q.instrument(), Order: q.orderID("order_id"),
		From: p.from, To: p.to, Before: p.cursor.key, Limit: p.limit + 1}
	f.Strategy = q.strategy(f.Account)
	if !q.ok || !s.caughtUp(c) {
		return
	}
	var fills []core.Execution
	if !q.none {
		ctx, cancel := context.WithTimeout(s.life, s.cfg.Timeout)
		defer cancel()
		var err error
		fills, err = newestOf(s.reachOf(c.who).parts(f.Account, f.Strategy), f.Limit,
			func(x, y *core.Execution) int { return cmp.Compare(y.ID, x.ID) },
			func(of part) ([]core.Execution, error) {
				f.Account, f.Strategy = of.account, of.strategy
				return s.executionPage(ctx, f)
			})
		if err != nil {
			s.noHistory(c, err)
			return
		}
	}
	fills, next := cut(fills, p.limit, func(x *core.Execution) cursor { return cursor{set: true, key: x.ID} })
	listPage(c, &p, next, len(fills), func(dst []byte, i int) []byte { return wire.AppendExecution(dst, s.cfg.Directory, &fills[i]) })
}

// positions lists positions with what they are worth now.
func (s *Server) positions(c exchange) {
	q := s.query(c, "account", "strategy", "instrument", "open")
	f := engine.PositionFilter{Account: q.account(), Instrument: q.instrument(), OpenOnly: q.flag("open")}
	f.Strategy = q.strategy(f.Account)
	if !q.ok || !s.caughtUp(c) {
		return
	}
	r := s.reachOf(c.who)
	var held []engine.PositionView
	if !q.none {
		held = slices.DeleteFunc(s.cfg.View.Positions(f), func(p engine.PositionView) bool { return !r.sees(p.Account, p.Strategy) })
	}
	margin := s.holdings(held, r)
	list(c, len(held), func(dst []byte, i int) []byte {
		return wire.AppendPositionView(dst, s.cfg.Directory, &held[i], margin.of(&held[i].PositionState))
	})
}

// holdings are the margins of accounts' positions.
type holdings map[core.AccountID][]risk.Holding

// holdings reads the margins of the accounts that some positions are of, one account a
// time so that orders are not held up. Margin is the account's: who sees a strategy of it alone
// is not shown it.
func (s *Server) holdings(held []engine.PositionView, r *reach) holdings {
	all := holdings{}
	for i := range held {
		id := held[i].Account
		if _, known := all[id]; known || !r.account(id) {
			continue
		}
		s.cfg.Engine.Query(func(t *risk.Tree, _ uint64) { all[id] = t.Holdings(id) })
	}
	return all
}

// of returns the margin of a strategy's position: that of its account.
func (h holdings) of(p *engine.PositionState) *risk.Holding {
	for i := range h[p.Account] {
		if m := &h[p.Account][i]; m.Instrument == p.Instrument && m.Leg == p.Leg {
			return m
		}
	}
	return nil
}

// accounts lists the accounts with what they are worth.
func (s *Server) accounts(c exchange) {
	q := s.query(c, "account")
	id := q.wholeAccount()
	if !q.ok || !s.caughtUp(c) {
		return
	}
	r := s.reachOf(c.who)
	all := s.cfg.Directory.Accounts()
	kept := all[:0]
	for _, a := range all {
		if !q.none && (id == 0 || a.ID == id) && r.account(a.ID) {
			kept = append(kept, a)
		}
	}
	list(c, len(kept), func(dst []byte, i int) []byte {
		a := wire.Account{Account: kept[i], State: s.cfg.View.State(risk.AccountScope(kept[i].ID)), Totals: s.cfg.View.Account(kept[i].ID)}
		s.cfg.Engine.Query(func(t *risk.Tree, _ uint64) {
			a.View, _ = t.Account(kept[i].ID)
			a.Wallets = t.Wallets(kept[i].ID)
		})
		return wire.AppendAccount(dst, &a)
	})
}

// strategies lists the strategies and their trading states.
func (s *Server) strategies(c exchange) {
	q := s.query(c, "account")
	id := q.account()
	if !q.ok || !s.caughtUp(c) {
		return
	}
	r := s.reachOf(c.who)
	all := s.cfg.Directory.Strategies()
	kept := all[:0]
	for _, st := range all {
		if !q.none && (id == 0 || st.Account == id) && r.sees(st.Account, st.ID) {
			kept = append(kept, st)
		}
	}
	list(c, len(kept), func(dst []byte, i int) []byte {
		state := s.cfg.View.State(risk.Scope{Level: risk.LevelStrategy, Account: kept[i].Account, Strategy: kept[i].ID})
		return wire.AppendStrategy(dst, s.cfg.Directory, kept[i], state)
	})
}
