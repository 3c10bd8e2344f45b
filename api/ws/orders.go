package ws

import (
	"context"
	"time"

	"qcat/api/wire"
	"qcat/core"
	"qcat/core/engine"
	"qcat/risk"
)

var (
	orderFields  = envelope | wire.Fields(wire.FieldOrder) | wire.SocketOrderFields
	cancelFields = envelope | wire.Fields(wire.FieldOrder) | wire.CancelFields
	amendFields  = envelope | wire.Fields(wire.FieldOrder) | wire.AmendFields
)

// order enters a new order.
func (s *session) order() {
	if !s.take(orderFields, wire.OrderNeeds) {
		return
	}
	res := s.req.ResolveOrder(s.cfg.Directory, &s.cmd)
	s.cmd.Session = s.id
	if s.cmd.CancelOnDrop = s.dropped; s.req.Has(wire.FieldCancelOnDisconnect) {
		s.cmd.CancelOnDrop = s.req.CancelOnDisconnect
	}
	if s.reaches(&res) {
		s.submit(&res)
	}
}

// cancel cancels one order.
func (s *session) cancel() {
	if !s.take(cancelFields, 0) || !s.target(s.req.CheckTarget()) {
		return
	}
	res := s.req.ResolveCancel(s.cfg.Directory, &s.cmd)
	if s.reachesTarget() {
		s.submit(&res)
	}
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
	s.cmd = engine.Command{}
	if !s.reachesAccount() {
		return
	}
	o, reason := s.orderOf()
	if !reason.OK() {
		s.refuseReason(nil, &reason)
		return
	}
	res := s.req.ResolveAmend(s.cfg.Directory, s.cfg.Directory.Instrument(o.Instrument), &s.cmd)
	if s.reachesOrder(&o) {
		s.submit(&res)
	}
}

func (s *session) target(e wire.Error) bool {
	if !e.OK() {
		s.failWith(&e)
	}
	return e.OK()
}

// viewTimeout bounds the wait for a read model that is microseconds behind when
// all is well.
const viewTimeout = 5 * time.Second

// orderOf finds the order that the request names. One that nobody knows has no scales to
// read prices in, and no account; before it is called unknown the read model is waited
// for, which may be behind an answer that the client has acted on.
func (s *session) orderOf() (core.Order, risk.Reason) {
	var account core.AccountID
	if !s.req.Has(wire.FieldOrderID) {
		a := s.cfg.Directory.AccountNamed(string(s.req.Account))
		if a == nil {
			return core.Order{}, risk.Reason{Code: risk.UnknownAccount}
		}
		account = a.ID
	}
	o, ok := s.find(account)
	if !ok && s.cfg.Engine != nil {
		s.serve()
		ctx, cancel := context.WithTimeout(context.Background(), viewTimeout)
		defer cancel()
		if s.cfg.Orders.WaitFor(ctx, s.cfg.Engine.Answered()) == nil {
			o, ok = s.find(account)
		}
	}
	if !ok {
		return core.Order{}, risk.Reason{Code: risk.UnknownOrder}
	}
	return o, risk.Reason{}
}

// find looks the request's order up: by its id, or by its client order id where
// an account is given.
func (s *session) find(account core.AccountID) (core.Order, bool) {
	if account == 0 {
		return s.cfg.Orders.Order(s.req.OrderID)
	}
	found := s.cfg.Orders.Orders(engine.OrderFilter{Account: account, ClOrdID: s.req.ClOrdID, Limit: 1})
	if len(found) == 0 {
		return core.Order{}, false
	}
	return found[0], true
}

// submit hands s.cmd to the engine and reports whether it did; if not, it answers why.
func (s *session) submit(res *wire.Resolution) (taken bool) {
	switch {
	case !res.Error.OK():
		s.failWith(&res.Error)
		return false
	case !res.Reason.OK():
		s.begin(s.req.ID, false)
		s.out = wire.AppendUnresolved(append(s.out, `,"error":`...), s.cfg.Directory, res)
		s.finish()
		return false
	case s.cfg.Engine == nil:
		s.noEngine()
		return false
	}
	if s.desk == nil && !s.openDesk() {
		s.fail(s.req.ID, wire.CodeOverloaded, "too many connections send orders", "")
		return false
	}
	class := classOf(s.cmd.Kind)
	token, ok := s.desk.issue(s.req.ID, class)
	if !ok && s.handed { // those that came before it in the same read may all be waiting for this
		s.serve()
		token, ok = s.desk.issue(s.req.ID, class)
	}
	if !ok {
		s.shed("ws.in_flight", "too many orders wait for their answer")
		return false
	}
	s.cmd.Reply, s.cmd.Token, s.cmd.Received = s.desk.to, token, s.cfg.Clock.Now()
	if !s.handOver(token) {
		s.shed(wire.CodeOverloaded, "the order lane is full: try again")
		return false
	}
	s.bad = 0
	return true
}

// shed turns a request away that finds no room. Who sends more than fits is told so,
// however often: it is no mistake, and does not count as a bad request.
func (s *session) shed(code, detail string) {
	s.beginError(s.req.ID, code, detail, "")
	s.finish()
}

// handOver submits s.cmd, or takes its ticket back when it is not taken.
func (s *session) handOver(token uint64) (taken bool) {
	defer func() {
		if !taken {
			s.desk.withdraw(token)
		}
	}()
	taken = s.cfg.Engine.Put(&s.cmd)
	if !taken && s.handed { // the lane may be full of what was handed over here
		s.serve()
		taken = s.cfg.Engine.Put(&s.cmd)
	}
	if !taken {
		return false
	}
	s.handed = true
	return true
}

// serve has the orders carried out that were handed over. It is called before anything
// that waits, the next read as a rule: orders that came in one read then share what it
// costs to be the engine, and their records one write.
func (s *session) serve() {
	if s.handed {
		s.handed = false
		s.cfg.Engine.Serve()
	}
}

func (s *session) openDesk() bool {
	d := newDesk(s.conn, s.cfg.Directory, s.cfg.MaxInFlight)
	to, ok := s.cfg.Engine.RegisterSink(d)
	if ok {
		d.to = to
		s.conn.SetSource(d)
		s.desk = d
		s.conn.OnEnd(s.dropHook())
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
