package rest

import (
	"bytes"

	"github.com/valyala/fasthttp"

	"qcat/api/wire"
)

// cancelOrder cancels the order named by the path.
func (s *Server) cancelOrder(c exchange) {
	k, ok := s.take(c)
	if !ok {
		return
	}
	defer s.calls.put(k)
	if s.readTarget(c, &k.req, wire.CancelFields, (*wire.Request).CheckTarget) {
		s.cancelOne(c, k)
	}
}

// cancelOrders cancels one order, named by order_id or by account and
// client_order_id in query or body, or else everything that account, strategy
// and instrument select: {"cancelled":n}.
func (s *Server) cancelOrders(c exchange) {
	k, ok := s.take(c)
	if !ok {
		return
	}
	defer s.calls.put(k)
	body, ok := bodyOrQuery(c)
	if !ok {
		return
	}
	if e := wire.Decode(body, wire.CancelFields|wire.CancelAllFields, wire.MaxOrderBytes, &k.req); !e.OK() {
		s.misunderstood(c, e)
		return
	}
	if k.req.Has(wire.FieldOrderID) || k.req.Has(wire.FieldClientOrderID) {
		e := k.req.Check(wire.CancelFields, 0)
		if e.OK() {
			e = k.req.CheckTarget()
		}
		if !e.OK() {
			s.misunderstood(c, e)
			return
		}
		s.cancelOne(c, k)
		return
	}
	if res := k.req.ResolveCancelAll(s.cfg.Directory, &k.cmd); !res.OK() {
		s.unresolved(c, &res)
		return
	}
	scope := k.cmd.Scope
	if !s.mayAct(c, actCancelAll, scope) {
		return
	}
	if s.run(c, k, nil) {
		s.answerCancelled(c, k)
	}
	if s.cfg.Gate != nil {
		s.done(c, actCancelAll, s.target(scope), "", string(c.Response.Body()))
	}
}

// cancelOne cancels the order that k.req names.
func (s *Server) cancelOne(c exchange, k *call) {
	if res := k.req.ResolveCancel(s.cfg.Directory, &k.cmd); !res.OK() {
		s.unresolved(c, &res)
		return
	}
	if s.bind(c, k) && s.run(c, k, nil) {
		s.answerOrder(c, k, fasthttp.StatusOK)
	}
}

// bodyOrQuery returns the body, or the query as the object it stands for: a DELETE
// often cannot carry a body. With both it would have to guess which one is meant,
// and the wrong guess cancels everything.
func bodyOrQuery(c exchange) (body []byte, ok bool) {
	if body = bytes.TrimSpace(c.PostBody()); len(body) > 0 {
		return body, noQuery(c, "this request has a body: name what to cancel there")
	}
	body = []byte{'{'}
	for key, value := range c.QueryArgs().All() {
		if len(body) > 1 {
			body = append(body, ',')
		}
		body = append(wire.AppendString(body, string(key)), ':')
		if string(key) == "order_id" && isDigits(value) {
			body = append(body, value...)
		} else {
			body = wire.AppendString(body, string(value))
		}
	}
	return append(body, '}'), true
}

func isDigits(b []byte) bool {
	return len(b) > 0 && bytes.IndexFunc(b, func(r rune) bool { return r < '0' || r > '9' }) < 0
}
