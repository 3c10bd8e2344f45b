package ws

import "qcat/api/wire"

var (
	cancelAllFields = envelope | wire.CancelAllFields
	stateFields     = envelope | wire.StateFields
	countdownFields = envelope | wire.CountdownFields
	enableFields    = envelope | wire.Fields(wire.FieldEnable)
)

// cancelAll cancels every open order of a scope.
func (s *session) cancelAll() {
	if !s.take(cancelAllFields, 0) {
		return
	}
	res := s.req.ResolveCancelAll(s.cfg.Directory, &s.cmd)
	if s.reaches(&res) && s.submit(&res) {
		s.record()
	}
}

// state halts, reduces or resumes a scope.
func (s *session) state() {
	if !s.take(stateFields, wire.StateNeeds) {
		return
	}
	res := s.req.ResolveState(s.cfg.Directory, &s.cmd)
	if s.cfg.Orders != nil {
		s.was = s.cfg.Orders.State(s.cmd.Scope)
	}
	if !s.reaches(&res) || s.resumes() && res.OK() && !s.recordFirst() {
		return
	}
	if s.submit(&res) {
		s.record()
	}
}

// countdown arms, renews or disarms the dead man's switch of a scope.
func (s *session) countdown() {
	if !s.take(countdownFields, wire.CountdownNeeds) {
		return
	}
	res := s.req.ResolveCountdown(s.cfg.Directory, &s.cmd)
	if s.reaches(&res) {
		s.submit(&res)
	}
}

// cancelOnDisconnect says whether orders that are entered from now on, and do not say
// otherwise, are cancelled when the connection ends without a goodbye.
func (s *session) cancelOnDisconnect() {
	if !s.take(enableFields, wire.Fields(wire.FieldEnable)) {
		return
	}
	s.dropped = s.req.Enable
	s.begin(s.req.ID, true)
	s.out = wire.AppendBool(append(s.out, `,"enabled":`...), s.dropped)
	s.finish()
}
