package rest

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"

	"go.uber.org/zap"

	"qcat/api/wire"
	"qcat/core"
	"qcat/core/engine"
	"qcat/core/history"
)

// errNoHistory says that the server keeps nothing beyond its memory.
var errNoHistory = errors.New("this server keeps no history")

// noHistory answers that the store cannot tell. What a database says of itself is
// for the log, not for clients.
func (s *Server) noHistory(c exchange, err error) {
	detail := "the store that would answer does not; trading goes on"
	switch {
	case errors.Is(err, errNoHistory):
		detail = errNoHistory.Error()
	case errors.Is(err, errBehind):
		detail = "the store has not caught up with what happened: some of it can be asked for later only"
	case errors.Is(err, context.DeadlineExceeded):
		detail = "the store did not answer within " + s.cfg.Timeout.String()
	}
	if detail != errNoHistory.Error() && s.tellHistory.now(s.cfg.Clock.Now()) {
		s.cfg.Log.Warn("history cannot be read", zap.Error(err))
	}
	unavailable(c, wire.CodeHistory, detail)
}

// followed is the journal sequence that the store has come to.
func (s *Server) followed() uint64 {
	if s.cfg.HistorySeq == nil {
		return math.MaxUint64
	}
	return s.cfg.HistorySeq()
}

// orderPage returns what matches of the view and the store.
func (s *Server) orderPage(ctx context.Context, f engine.OrderFilter) ([]core.Order, error) {
	p := orderParts{view: s.cfg.View.OrderPage, known: s.cfg.View.Order, since: s.cfg.View.CompleteSince, followed: s.followed}
	if s.cfg.History != nil {
		p.store = func(f engine.OrderFilter) ([]core.Order, error) {
			rows, err := s.cfg.History.Orders(ctx, history.OrderQuery{Account: f.Account, Strategy: f.Strategy, Instrument: f.Instrument,
				Side: f.Side, Status: f.Status, OpenOnly: f.OpenOnly, ClOrdID: f.ClOrdID, From: f.From, To: f.To, Before: f.Before, Limit: f.Limit})
			return strip(rows, func(r *history.Order) core.Order { return r.Order }), err
		}
	}
	return p.page(f)
}

// pastOrder looks an order up that the view does not have.
func (s *Server) pastOrder(id core.OrderID) (o core.Order, found bool, err error) {
	if id > maxID-1 {
		return o, false, nil
	}
	ctx, cancel := context.WithTimeout(s.life, s.cfg.Timeout)
	defer cancel()
	rows, err := s.orderPage(ctx, engine.OrderFilter{Before: id + 1, Limit: 1})
	if err != nil || len(rows) == 0 || rows[0].ID != id {
		return o, false, err
	}
	return rows[0], true, nil
}

// executionPage returns what matches of the view and the store.
func (s *Server) executionPage(ctx context.Context, f engine.ExecutionFilter) ([]core.Execution, error) {
	p := executionParts{view: s.cfg.View.ExecutionPage, since: s.cfg.View.CompleteSince, followed: s.followed}
	if s.cfg.History != nil {
		p.store = func(f engine.ExecutionFilter) ([]core.Execution, error) {
			rows, err := s.cfg.History.Executions(ctx, history.ExecutionQuery{Account: f.Account, Strategy: f.Strategy,
				Instrument: f.Instrument, Order: f.Order, From: f.From, To: f.To, Before: f.Before, Limit: f.Limit})
			return strip(rows, func(r *history.Execution) core.Execution { return r.Execution }), err
		}
	}
	return p.page(f)
}

// strip takes the rows' sequences off.
func strip[R, T any](rows []R, f func(*R) T) []T {
	out := make([]T, len(rows))
	for i := range rows {
		out[i] = f(&rows[i])
	}
	return out
}

// fromStore runs a question to the store, one that nothing else can answer.
func fromStore[R any](s *Server, ask func(ctx context.Context, r history.Reader) ([]R, error)) ([]R, error) {
	if s.cfg.History == nil {
		return nil, errNoHistory
	}
	ctx, cancel := context.WithTimeout(s.life, s.cfg.Timeout)
	defer cancel()
	return ask(ctx, s.cfg.History)
}

// equity lists what an account had made, minute by minute, newest first.
func (s *Server) equity(c exchange) {
	q, p := s.paged(c, defaultListed, maxListed, "account")
	if q.ok && q.text("account") == "" {
		q.bad("account", "is needed")
	}
	account := q.wholeAccount()
	if !q.ok {
		return
	}
	var rows []history.Equity
	if !q.none {
		var err error
		rows, err = fromStore(s, func(ctx context.Context, r history.Reader) ([]history.Equity, error) {
			return r.Equity(ctx, history.EquityQuery{Account: account, From: p.from, To: p.to, Before: core.Nanos(p.cursor.key), Limit: p.limit})
		})
		if err != nil {
			s.noHistory(c, err)
			return
		}
	}
	var next cursor
	if n := len(rows); n >= p.limit { // a page does not end within a minute: it may be longer
		next = cursor{set: true, key: uint64(rows[n-1].Time)}
	}
	listPage(c, &p, next, len(rows), func(dst []byte, i int) []byte { return wire.AppendEquity(dst, s.cfg.Directory, &rows[i]) })
}

// transfers lists what was moved into accounts and out of them, newest first.
func (s *Server) transfers(c exchange) {
	q, p := s.paged(c, defaultListed, maxListed, "account", "currency")
	tq := history.TransferQuery{Account: q.wholeAccount(), Currency: q.text("currency"), From: p.from, To: p.to, Before: p.cursor.key, Limit: p.limit + 1}
	if !q.ok {
		return
	}
	rows, err := pageOf(s, q, wholeParts(s.reachOf(c.who).parts(tq.Account, 0)), tq.Limit,
		func(x, y *history.Transfer) int { return cmp.Compare(y.Seq, x.Seq) },
		func(ctx context.Context, r history.Reader, of part) ([]history.Transfer, error) {
			tq.Account = of.account
			return r.Transfers(ctx, tq)
		})
	if err != nil {
		s.noHistory(c, err)
		return
	}
	rows, next := cut(rows, p.limit, func(t *history.Transfer) cursor { return cursor{set: true, key: t.Seq} })
	listPage(c, &p, next, len(rows), func(dst []byte, i int) []byte { return wire.AppendTransfer(dst, s.cfg.Directory, &rows[i]) })
}

// wholeParts leaves out the parts that are a strategy: what an account as a whole has is not
// theirs.
func wholeParts(all []part) []part {
	return slices.DeleteFunc(all, func(p part) bool { return p.strategy != 0 })
}

// pageOf asks the store for each part of a list and returns the newest rows of all.
func pageOf[R any](s *Server, q *query, parts []part, limit int, newer func(x, y *R) int,
	ask func(ctx context.Context, r history.Reader, of part) ([]R, error)) ([]R, error) {
	if q.none {
		return nil, nil
	}
	return fromStore(s, func(ctx context.Context, r history.Reader) ([]R, error) {
		return newestOf(parts, limit, newer, func(of part) ([]R, error) { return ask(ctx, r, of) })
	})
}

// riskEvents lists refusals, breaches, changes of state and limits, and restarts,
// newest first.
func (s *Server) riskEvents(c exchange) {
	q, p := s.paged(c, defaultListed, maxListed, "kind", "account")
	eq := p.events()
	if text := q.text("kind"); text != "" {
		var ok bool
		if eq.Kind, ok = history.ParseRiskEventKind(text); !ok {
			q.bad("kind", "wanted order_refused, amend_refused, cancel_refused, state_changed, limits_changed, report_stray, report_invalid, restarted, breached or countdown_ended")
		}
	}
	eq.Account = q.account()
	if !q.ok {
		return
	}
	rows, err := pageOf(s, q, s.reachOf(c.who).parts(eq.Account, 0), eq.Limit,
		func(x, y *history.RiskEvent) int { return cmp.Compare(y.Seq, x.Seq) },
		func(ctx context.Context, r history.Reader, of part) ([]history.RiskEvent, error) {
			eq.Account, eq.Strategy = of.account, of.strategy
			return r.RiskEvents(ctx, eq)
		})
	if err != nil {
		s.noHistory(c, err)
		return
	}
	rows, next := cut(rows, p.limit, func(e *history.RiskEvent) cursor { return cursor{set: true, key: e.Seq} })
	listPage(c, &p, next, len(rows), func(dst []byte, i int) []byte { return wire.AppendRiskEvent(dst, s.cfg.Directory, &rows[i]) })
}

// events is the page as a question about events: one more than it holds.
func (p *page) events() history.EventQuery {
	return history.EventQuery{From: p.from, To: p.to, Before: p.cursor.key, Limit: p.limit + 1}
}
