package rest

import (
	"bytes"
	"strconv"

	"github.com/valyala/fasthttp"

	"qcat/api/wire"
	"qcat/core"
	"qcat/core/engine"
	"qcat/risk"
)

// newOrder enters an order: 201 with the order as accepted. A repetition of a
// client order id with the same content is answered with the first order.
func (s *Server) newOrder(c *fasthttp.RequestCtx, _ string) {
	cmd, in, ok := s.orderCommand(c)
	if !ok {
		return
	}
	s.command(c, &cmd, in, func(r *engine.Reply) {
		if r.Duplicate {
			c.Response.Header.Set("Idempotent-Replay", "true")
		}
		answer(c, fasthttp.StatusCreated, wire.AppendOrder(nil, s.cfg.Directory, &r.Order))
	})
}

// checkOrder answers as newOrder would, and does nothing: 200 with the order as
// it would be accepted, or a refusal that lists every control it would fail.
func (s *Server) checkOrder(c *fasthttp.RequestCtx, _ string) {
	cmd, in, ok := s.orderCommand(c)
	if !ok {
		return
	}
	cmd.Kind = engine.CmdCheck
	s.command(c, &cmd, in, func(r *engine.Reply) {
		if r.Reason.OK() {
			answer(c, fasthttp.StatusOK, wire.AppendOrder(nil, s.cfg.Directory, &r.Order))
			return
		}
		body := wire.AppendReasonProblem(nil, s.cfg.Directory, in, &r.Reason)
		body = append(body[:len(body)-1], `,"refusals":[`...)
		for i := range r.Refusals {
			if i > 0 {
				body = append(body, ',')
			}
			body = wire.AppendReason(body, s.cfg.Directory, in, &r.Refusals[i])
		}
		problemBody(c, wire.ReasonStatus(r.Reason.Code), append(body, `]}`...))
	})
}

// orderCommand reads the body as an order.
func (s *Server) orderCommand(c *fasthttp.RequestCtx) (cmd engine.Command, in *core.Instrument, ok bool) {
	var req wire.Request
	if e := wire.DecodeOrder(c.PostBody(), &req); !e.OK() {
		s.misunderstood(c, e)
		return cmd, nil, false
	}
	res := req.ResolveOrder(s.cfg.Directory, &cmd)
	if !res.OK() {
		s.unresolved(c, &res)
		return cmd, nil, false
	}
	return cmd, res.Instrument, true
}

// amendOrder changes price or quantity of an open order, named by the path or by
// the body.
func (s *Server) amendOrder(c *fasthttp.RequestCtx, tail string) {
	req, ok := s.targetRequest(c, tail, wire.AmendFields, (*wire.Request).CheckAmend)
	if !ok {
		return
	}
	o, ok := s.findTarget(c, &req)
	if !ok {
		return
	}
	in := s.cfg.Directory.Instrument(o.Instrument)
	var cmd engine.Command
	if res := req.ResolveAmend(s.cfg.Directory, in, &cmd); !res.OK() {
		s.unresolved(c, &res)
		return
	}
	s.command(c, &cmd, in, func(r *engine.Reply) {
		answer(c, fasthttp.StatusOK, wire.AppendOrder(nil, s.cfg.Directory, &r.Order))
	})
}

// targetRequest reads a request about one order. An order id in the path counts
// as if it stood in the body.
func (s *Server) targetRequest(c *fasthttp.RequestCtx, tail string, take wire.FieldSet, check func(*wire.Request) wire.Error) (req wire.Request, ok bool) {
	body := c.PostBody()
	if len(body) == 0 {
		body = []byte("{}")
	}
	if e := wire.Decode(body, take, wire.MaxOrderBytes, &req); !e.OK() {
		s.misunderstood(c, e)
		return req, false
	}
	if tail != "" {
		id, err := strconv.ParseUint(tail, 10, 64)
		if err != nil || id == 0 || (req.Has(wire.FieldOrderID) && req.OrderID != core.OrderID(id)) {
			problem(c, &wire.Problem{Status: fasthttp.StatusBadRequest, Code: "request.path", Title: "The path was not understood",
				Detail: "wanted an order id, the same as order_id in the body if that has one", Field: "order_id"})
			return req, false
		}
		req.OrderID = core.OrderID(id)
		req.Set |= wire.Fields(wire.FieldOrderID)
	}
	if e := check(&req); !e.OK() {
		s.misunderstood(c, e)
		return req, false
	}
	return req, true
}

// findTarget looks the order up, for its instrument.
func (s *Server) findTarget(c *fasthttp.RequestCtx, req *wire.Request) (core.Order, bool) {
	if !s.caughtUp(c) {
		return core.Order{}, false
	}
	if req.OrderID != 0 {
		if o, ok := s.cfg.View.Order(req.OrderID); ok {
			return o, true
		}
	} else if a := s.cfg.Directory.AccountNamed(string(req.Account)); a != nil {
		if found := s.cfg.View.Orders(engine.OrderFilter{Account: a.ID, ClOrdID: req.ClOrdID, Limit: 1}); len(found) > 0 {
			return found[0], true
		}
	}
	s.refuse(c, nil, risk.Reason{Code: risk.UnknownOrder})
	return core.Order{}, false
}

// cancelOrder cancels the order named by the path.
func (s *Server) cancelOrder(c *fasthttp.RequestCtx, tail string) {
	req, ok := s.targetRequest(c, tail, wire.CancelFields, (*wire.Request).CheckTarget)
	if !ok {
		return
	}
	var cmd engine.Command
	if res := req.ResolveCancel(s.cfg.Directory, &cmd); !res.OK() {
		s.unresolved(c, &res)
		return
	}
	s.command(c, &cmd, nil, func(r *engine.Reply) {
		answer(c, fasthttp.StatusOK, wire.AppendOrder(nil, s.cfg.Directory, &r.Order))
	})
}

// cancelOrders cancels one order, named by order_id or by account and
// client_order_id in query or body, or else everything that account, strategy
// and instrument select: {"cancelled":n}.
func (s *Server) cancelOrders(c *fasthttp.RequestCtx, _ string) {
	var req wire.Request
	if e := wire.Decode(s.bodyOrQuery(c), wire.CancelFields|wire.CancelAllFields, wire.MaxOrderBytes, &req); !e.OK() {
		s.misunderstood(c, e)
		return
	}
	var cmd engine.Command
	if req.Has(wire.FieldOrderID) || req.Has(wire.FieldClientOrderID) {
		if e := req.CheckTarget(); !e.OK() {
			s.misunderstood(c, e)
			return
		}
		if res := req.ResolveCancel(s.cfg.Directory, &cmd); !res.OK() {
			s.unresolved(c, &res)
			return
		}
		s.command(c, &cmd, nil, func(r *engine.Reply) {
			answer(c, fasthttp.StatusOK, wire.AppendOrder(nil, s.cfg.Directory, &r.Order))
		})
		return
	}
	if res := req.ResolveCancelAll(s.cfg.Directory, &cmd); !res.OK() {
		s.unresolved(c, &res)
		return
	}
	s.command(c, &cmd, nil, func(r *engine.Reply) { s.answerCancelled(c, r) })
}

func (s *Server) answerCancelled(c *fasthttp.RequestCtx, r *engine.Reply) {
	body := append(make([]byte, 0, 32), `{"cancelled":`...)
	answer(c, fasthttp.StatusOK, append(strconv.AppendInt(body, int64(r.Cancelled), 10), '}'))
}

// bodyOrQuery returns the body, or the query as the object it stands for: a
// DELETE often cannot carry a body.
func (s *Server) bodyOrQuery(c *fasthttp.RequestCtx) []byte {
	if body := c.PostBody(); len(bytes.TrimSpace(body)) > 0 {
		return body
	}
	out := []byte{'{'}
	for key, value := range c.QueryArgs().All() {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(wire.AppendString(out, string(key)), ':')
		if string(key) == "order_id" && isDigits(value) {
			out = append(out, value...)
		} else {
			out = wire.AppendString(out, string(value))
		}
	}
	return append(out, '}')
}

func isDigits(b []byte) bool {
	return len(b) > 0 && bytes.IndexFunc(b, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// listOrders lists orders, newest first.
func (s *Server) listOrders(c *fasthttp.RequestCtx, _ string) {
	q := s.query(c, "account", "strategy", "instrument", "side", "status", "order_id", "client_order_id", "limit")
	f := engine.OrderFilter{Account: q.account(), Instrument: q.instrument(), Side: q.side(),
		ClOrdID: q.clOrdID(), Limit: q.count("limit", defaultListed, maxListed)}
	f.Strategy = q.strategy(f.Account)
	f.Status, f.OpenOnly = q.status()
	id := q.orderID("order_id")
	if !q.ok || !s.caughtUp(c) {
		return
	}
	var orders []core.Order
	switch {
	case q.none:
	case id != 0:
		if o, ok := s.cfg.View.Order(id); ok && f.Matches(&o) {
			orders = []core.Order{o}
		}
	default:
		orders = s.cfg.View.Orders(f)
	}
	list(c, len(orders), func(dst []byte, i int) []byte { return wire.AppendOrder(dst, s.cfg.Directory, &orders[i]) })
}

// getOrder answers with one order.
func (s *Server) getOrder(c *fasthttp.RequestCtx, tail string) {
	id, err := strconv.ParseUint(tail, 10, 64)
	if err == nil && !s.caughtUp(c) {
		return
	}
	o, ok := s.cfg.View.Order(core.OrderID(id))
	if err != nil || !ok {
		s.refuse(c, nil, risk.Reason{Code: risk.UnknownOrder})
		return
	}
	answer(c, fasthttp.StatusOK, wire.AppendOrder(nil, s.cfg.Directory, &o))
}
