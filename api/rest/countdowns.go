package rest

import (
	"slices"

	"qcat/api/wire"
	"qcat/core/engine"
)

// countdowns lists the dead man's switches that are armed, the one that fires first before
// the others, as of one journal sequence: {"seq":n,"countdowns":[…]}.
func (s *Server) countdowns(c exchange) {
	q := s.query(c, "account", "strategy", "instrument")
	want := q.wanted(s.reachOf(c.who))
	if !q.ok {
		return
	}
	all, seq := s.cfg.Engine.Countdowns()
	if !s.shows(c, seq) {
		return
	}
	all = slices.DeleteFunc(all, func(d engine.Countdown) bool { return !want(d.Scope) })
	listAsOf(c, seq, "countdowns", len(all), func(dst []byte, i int) []byte { return wire.AppendCountdown(dst, s.cfg.Directory, &all[i]) })
}
