package rest

import (
	"context"
	"strconv"

	"github.com/valyala/fasthttp"

	"qcat/api/auth"
	"qcat/api/wire"
	"qcat/core"
	"qcat/core/engine"
	"qcat/risk"
)

// newOrder enters an order: 201 with the order as accepted. A repetition of a
// client order id with the same content is answered with the first order.
func (s *Server) newOrder(c exchange) {
	k, ok := s.take(c)
	if !ok {
		return
	}
	defer s.calls.put(k)
	if in, ok := s.readOrder(c, k); ok && s.run(c, k, in) {
		s.answerOrder(c, k, fasthttp.StatusCreated)
	}
}

// readOrder reads the body as an order into k.cmd.
func (s *Server) readOrder(c exchange, k *call) (in *core.Instrument, ok bool) {
	if e := wire.DecodeOrder(c.PostBody(), &k.req); !e.OK() {
		s.misunderstood(c, e)
		return nil, false
	}
	res := k.req.ResolveOrder(s.cfg.Directory, &k.cmd)
	if !res.OK() {
		s.unresolved(c, &res)
		return nil, false
	}
	if !s.owns(c.who, k.cmd.Account, k.cmd.Strategy) {
		s.turnAway(c, auth.ErrScope)
		return nil, false
	}
	return res.Instrument, true
}

// amendOrder changes price or quantity of an open order, named by the path or by
// the body.
func (s *Server) amendOrder(c exchange) {
	k, ok := s.take(c)
	if !ok {
		return
	}
	defer s.calls.put(k)
	if !s.readTarget(c, &k.req, wire.AmendFields, (*wire.Request).CheckAmend) {
		return
	}
	o, in, ok := s.amended(c, &k.req)
	if !ok {
		return
	}
	if res := k.req.ResolveAmend(s.cfg.Directory, in, &k.cmd); !res.OK() {
		s.unresolved(c, &res)
		return
	}
	k.cmd.Account, k.cmd.Order = o.Account, o.ID // of the order that was looked at, and no other
	if s.run(c, k, in) {
		s.answerOrder(c, k, fasthttp.StatusOK)
	}
}

// readTarget reads a request about one order. An order id in the path counts as if
// it stood in the body.
func (s *Server) readTarget(c exchange, req *wire.Request, take wire.FieldSet, check func(*wire.Request) wire.Error) bool {
	body := c.PostBody()
	if len(body) == 0 {
		body = emptyObject
	}
	if e := wire.Decode(body, take, wire.MaxOrderBytes, req); !e.OK() {
		s.misunderstood(c, e)
		return false
	}
	if c.tail != "" {
		id, ok := orderID(c.tail)
		if !ok || (req.Has(wire.FieldOrderID) && req.OrderID != id) {
			problem(c, &wire.Problem{Status: fasthttp.StatusBadRequest, Code: codePath, Title: "The path was not understood",
				Detail: "wanted an order id, the same as order_id in the body if that has one", Field: "order_id"})
			return false
		}
		req.OrderID = id
		req.Set |= wire.Fields(wire.FieldOrderID)
	}
	if e := check(req); !e.OK() {
		s.misunderstood(c, e)
		return false
	}
	return true
}

var emptyObject = []byte("{}")

// orderID reads the id of an order, which is never 0.
func orderID(text string) (core.OrderID, bool) {
	id, err := strconv.ParseUint(text, 10, 64)
	return core.OrderID(id), err == nil && id != 0
}

// amended looks the order up that an amend names: it must be the caller's, and the new terms are
// in the decimals of its instrument.
func (s *Server) amended(c exchange, req *wire.Request) (o core.Order, in *core.Instrument, ok bool) {
	var account core.AccountID
	if req.Has(wire.FieldAccount) {
		a := s.cfg.Directory.AccountNamed(string(req.Account))
		if a == nil {
			s.unresolved(c, &wire.Resolution{Reason: risk.Reason{Code: risk.UnknownAccount}, Unknown: req.Account})
			return o, nil, false
		}
		account = a.ID
		if !s.touches(c, account) {
			return o, nil, false
		}
	}
	if !s.caughtUp(c) {
		return o, nil, false
	}
	o, found := s.named(req, account)
	in = s.cfg.Directory.Instrument(o.Instrument)
	switch {
	case !found || in == nil:
		s.refuse(c, nil, risk.Reason{Code: risk.UnknownOrder})
	case !s.owns(c.who, o.Account, o.Strategy):
		s.turnAway(c, auth.ErrScope)
	default:
		return o, in, true
	}
	return o, nil, false
}

// named looks up the order that a request names, by its id or by its name within an account.
func (s *Server) named(req *wire.Request, account core.AccountID) (core.Order, bool) {
	if req.OrderID != 0 {
		o, found := s.cfg.View.Order(req.OrderID)
		return o, found && (account == 0 || o.Account == account)
	}
	if some := s.cfg.View.Orders(engine.OrderFilter{Account: account, ClOrdID: req.ClOrdID, Limit: 1}); len(some) > 0 {
		return some[0], true
	}
	return core.Order{}, false
}

// touches answers a request that names an account of which the caller has nothing.
func (s *Server) touches(c exchange, id core.AccountID) bool {
	a := s.cfg.Directory.Account(id)
	if a != nil && c.who.Touches(a.Name) {
		return true
	}
	s.turnAway(c, auth.ErrScope)
	return false
}

// bind holds a cancel to what the caller may touch: to an account that is wholly theirs, or to one order
// that is. Only for the latter the order is looked up, so that who names an account can cancel
// while the read model stands still.
func (s *Server) bind(c exchange, k *call) bool {
	if c.who.CanAll() {
		return true
	}
	account := k.cmd.Account
	if account != 0 {
		if s.owns(c.who, account, 0) {
			return true
		}
		if !s.touches(c, account) {
			return false
		}
	}
	o, found := s.named(&k.req, account)
	if !found {
		if !s.caughtUp(c) {
			return false
		}
		o, found = s.named(&k.req, account)
	}
	switch {
	case !found:
		s.refuse(c, nil, risk.Reason{Code: risk.UnknownOrder})
	case !s.owns(c.who, o.Account, o.Strategy):
		s.turnAway(c, auth.ErrScope)
	default:
		k.cmd.Account, k.cmd.Order = o.Account, o.ID
		return true
	}
	return false
}

// listOrders lists orders, highest id first.
func (s *Server) listOrders(c exchange) {
	q, p := s.paged(c, defaultListed, maxListed, "account", "strategy", "instrument", "side", "status", "order_id", "client_order_id")
	f := engine.OrderFilter{Account: q.account(), Instrument: q.instrument(), Side: q.side(), ClOrdID: q.clOrdID(),
		From: p.from, To: p.to, Before: core.OrderID(p.cursor.key), Limit: p.limit + 1}
	f.Strategy = q.strategy(f.Account)
	f.Status, f.OpenOnly = q.status()
	id := q.orderID("order_id")
	if !q.ok || !s.caughtUp(c) {
		return
	}
	orders, err := s.selectOrders(s.reachOf(c.who), id, &f, q.none)
	if err != nil {
		s.noHistory(c, err)
		return
	}
	orders, next := cut(orders, p.limit, func(o *core.Order) cursor { return cursor{set: true, key: uint64(o.ID)} })
	listPage(c, &p, next, len(orders), func(dst []byte, i int) []byte { return wire.AppendOrder(dst, s.cfg.Directory, &orders[i]) })
}

// selectOrders returns what the filter selects of what is in reach, the order of that id alone
// if it is not 0.
func (s *Server) selectOrders(r *reach, id core.OrderID, f *engine.OrderFilter, none bool) ([]core.Order, error) {
	switch {
	case none:
		return nil, nil
	case id != 0:
		o, found, err := s.findOrder(id)
		if err != nil || !found || !f.Matches(&o) || !r.sees(o.Account, o.Strategy) {
			return nil, err
		}
		return []core.Order{o}, nil
	case f.ClOrdID.Len() > 0 && f.Account != 0:
		f.Limit = 1 // the last that had this name
	}
	ctx, cancel := context.WithTimeout(s.life, s.cfg.Timeout)
	defer cancel()
	return newestOf(r.parts(f.Account, f.Strategy), f.Limit, newerOrder, func(of part) ([]core.Order, error) {
		f.Account, f.Strategy = of.account, of.strategy
		return s.orderPage(ctx, *f)
	})
}

// findOrder looks an order up, in the view and then in the store.
func (s *Server) findOrder(id core.OrderID) (core.Order, bool, error) {
	if o, found := s.cfg.View.Order(id); found {
		return o, true, nil
	}
	return s.pastOrder(id)
}

// getOrder answers with one order.
func (s *Server) getOrder(c exchange) {
	id, ok := orderID(c.tail)
	if ok && !s.caughtUp(c) {
		return
	}
	var o core.Order
	if ok {
		var err error
		if o, ok, err = s.findOrder(id); err != nil {
			s.noHistory(c, err)
			return
		}
	}
	if !ok {
		s.refuse(c, nil, risk.Reason{Code: risk.UnknownOrder})
		return
	}
	if !s.owns(c.who, o.Account, o.Strategy) {
		s.turnAway(c, auth.ErrScope)
		return
	}
	answer(c, fasthttp.StatusOK, wire.AppendOrder(nil, s.cfg.Directory, &o))
}
