package rest

import (
	"context"

	"qcat/api/wire"
)

// caughtUp waits until the view shows what the engine has published by now and
// what any client has been told, and answers 503 when it does not come to that. A
// reply may reach its client a moment before its events are published.
func (s *Server) caughtUp(c exchange) bool {
	upTo := max(s.cfg.Engine.Published(), s.calls.seen.Load())
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
