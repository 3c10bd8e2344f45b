package rest

import (
	"context"

	"qcat/api/wire"
)

// caughtUp waits until the view shows what any client has been told by now, and
// answers 503 when it does not come to that.
func (s *Server) caughtUp(c exchange) bool {
	return s.shows(c, s.cfg.Engine.Answered())
}

// shows waits until the view shows a journal sequence, which is then committed, and
// answers 503 when it does not come to that.
func (s *Server) shows(c exchange, upTo uint64) bool {
	if s.cfg.View.Applied() >= upTo {
		return true
	}
	ctx, cancel := context.WithTimeout(s.life, s.cfg.Timeout)
	defer cancel()
	if err := s.cfg.View.WaitFor(ctx, upTo); err != nil {
		unavailable(c, wire.CodeUnavailable, "the read model: "+err.Error())
		return false
	}
	return true
}
