package ws

import (
	"time"

	"go.uber.org/zap"

	"qcat/api/hub"
	"qcat/core/engine"
	"qcat/risk"
)

const (
	// stopRetry is how long a session that ended waits before it offers its cancel to
	// a full ring again.
	stopRetry = time.Millisecond
	// stopPatience is how long one waits for what it submitted to be answered. Beyond
	// it the order lane does not run, and a start cancels what is left.
	stopPatience = 30 * time.Second
)

// logout ends the connection as its client wishes: its orders stay. What is read
// after it is not looked at.
func (s *session) logout() {
	if !s.take(envelope, 0) {
		return
	}
	s.begin(s.req.ID, true)
	s.finish()
	s.left = true
	s.conn.Disconnect(hub.NormalClosure)
}

// graceful reports whether the client ended the connection, by a logout or with the
// code of a normal closure, before anything else did.
func (s *session) graceful() bool {
	return s.left && s.conn.Reason().Code == hub.NormalClosure.Code
}

// end gives back what the session holds of others. Orders that were to end with it
// are cancelled, unless its client said goodbye.
func (s *session) end() {
	if s.desk == nil {
		return
	}
	if !s.graceful() {
		s.drop()
	}
	s.cfg.Engine.UnregisterSink(s.desk.to)
}

// drop has the session's orders cancelled: at once, and again when the last command
// that it had submitted is answered, since the cancel overtakes orders that still
// wait for the engine.
func (s *session) drop() {
	began := time.Now()
	settled := s.desk.settled()
	if !s.submitDrop(began) {
		return
	}
	select {
	case <-settled:
		return // all of them were before the cancel, or never were
	default:
	}
	select {
	case <-settled:
		s.submitDrop(began)
	case <-time.After(stopPatience):
		s.cfg.Log.Error("a connection ended and its last orders were not answered: they are open until they are cancelled",
			zap.Uint64("session", uint64(s.id)))
	}
}

// dropHook has the session's orders cancelled the moment the server gives the
// connection up, which its reader may see only when the peer hangs up. It tries once:
// end tries until it is taken.
func (s *session) dropHook() func(hub.Disconnect) {
	lane, c := s.cfg.Engine, s.dropCommand()
	return func(d hub.Disconnect) {
		if d.Code != hub.NormalClosure.Code {
			lane.Submit(&c)
		}
	}
}

// dropCommand is the cancel of what was to end with the session. Nobody waits for its
// answer: what it cancels is told as events.
func (s *session) dropCommand() engine.Command {
	return engine.Command{Kind: engine.CmdCancelAll, Scope: risk.FirmScope(), Session: s.id}
}

// submitDrop hands the cancel over, however often that takes.
func (s *session) submitDrop(began time.Time) bool {
	c := s.dropCommand()
	for !s.cfg.Engine.Submit(&c) {
		if time.Since(began) > stopPatience {
			s.cfg.Log.Error("a connection ended and the engine does not take the cancel of its orders",
				zap.Uint64("session", uint64(s.id)))
			return false
		}
		time.Sleep(stopRetry)
	}
	return true
}
