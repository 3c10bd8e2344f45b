package ws

import (
	"qcat/api/wire"
	"qcat/core"
	"qcat/core/engine"
	"qcat/risk"
)

var (
	orderFields  = envelope | wire.Fields(wire.FieldOrder) | wire.OrderFields
	cancelFields = envelope | wire.Fields(wire.FieldOrder) | wire.CancelFields
	amendFields  = envelope | wire.Fields(wire.FieldOrder) | wire.AmendFields
)

// order enters a new order.
func (s *session) order() {
	if !s.take(orderFields, wire.OrderNeeds) {
		return
	}
	res := s.req.ResolveOrder(s.cfg.Directory, &s.cmd)
	s.submit(&res)
}

// cancel cancels one order.
func (s *session) cancel() {
	if !s.take(cancelFields, 0) || !s.target(s.req.CheckTarget()) {
		return
	}
	res := s.req.ResolveCancel(s.cfg.Directory, &s.cmd)
	s.submit(&res)
}

// amend changes one order.
func (s *session) amend() {
	if !s.take(amendFields, 0) || !s.target(s.req.CheckAmend()) {
		return
	}
	if s.cfg.Orders == nil {
		s.noEngine()
		return
	}
	in, reason := s.instrumentOf()
	if !reason.OK() {
		s.refuseReason(nil, &reason)
		return
	}
	res := s.req.ResolveAmend(s.cfg.Directory, in, &s.cmd)
	s.submit(&res)
}

func (s *session) target(e wire.Error) bool {
	if !e.OK() {
		s.failWith(&e)
	}
	return e.OK()
}

// instrumentOf finds the instrument of the order that the request names. Names
// that do not resolve are left to the engine's answer, except that an order
// nobody knows has no scales to read prices in.
func (s *session) instrumentOf() (*core.Instrument, risk.Reason) {
	unknown := risk.Reason{Code: risk.UnknownOrder}
	if s.req.Has(wire.FieldOrderID) {
		o, ok := s.cfg.Orders.Order(s.req.OrderID)
		if !ok {
			return nil, unknown
		}
		return s.cfg.Directory.Instrument(o.Instrument), risk.Reason{}
	}
	a := s.cfg.Directory.AccountNamed(string(s.req.Account))
	if a == nil {
		return nil, risk.Reason{Code: risk.UnknownAccount}
	}
	found := s.cfg.Orders.Orders(engine.OrderFilter{Account: a.ID, ClOrdID: s.req.ClOrdID, Limit: 1})
	if len(found) == 0 {
		return nil, unknown
	}
	return s.cfg.Directory.Instrument(found[0].Instrument), risk.Reason{}
}

// submit hands s.cmd to the engine, or answers why it cannot be.
func (s *session) submit(res *wire.Resolution) {
	switch {
	case !res.Error.OK():
		s.failWith(&res.Error)
		return
	case !res.Reason.OK():
		s.begin(s.req.ID, false)
		s.out = wire.AppendUnresolved(append(s.out, `,"error":`...), s.cfg.Directory, res)
		s.finish()
		return
	case s.cfg.Engine == nil:
		s.noEngine()
		return
	}
	if s.desk == nil && !s.openDesk() {
		s.fail(s.req.ID, wire.CodeOverloaded, "too many connections send orders", "")
		return
	}
	token, ok := s.desk.issue(s.req.ID)
	if !ok {
		s.fail(s.req.ID, "ws.in_flight", "too many orders wait for their answer", "")
		return
	}
	s.cmd.Reply, s.cmd.Token, s.cmd.Received = s.desk.to, token, s.cfg.Clock.Now()
	if !s.cfg.Engine.Submit(&s.cmd) {
		s.desk.withdraw(token)
		s.fail(s.req.ID, wire.CodeOverloaded, "the order lane is full: try again", "")
		return
	}
	s.bad = 0
}

func (s *session) openDesk() bool {
	d := newDesk(s.conn, s.cfg.Directory, s.cfg.MaxInFlight)
	to, ok := s.cfg.Engine.RegisterSink(d)
	if ok {
		d.to = to
		s.conn.SetSource(d)
		s.desk = d
	}
	return ok
}

func (s *session) noEngine() {
	s.fail(s.req.ID, wire.CodeUnavailable, "this server takes no orders", "op")
}

// refuseReason answers with a refusal that needs no engine. Refusals are answers,
// not mistakes: they do not count as bad requests.
func (s *session) refuseReason(in *core.Instrument, r *risk.Reason) {
	s.begin(s.req.ID, false)
	s.out = wire.AppendReason(append(s.out, `,"error":`...), s.cfg.Directory, in, r)
	s.finish()
}
