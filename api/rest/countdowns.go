package rest

import (
	"slices"
	"strconv"

	"github.com/valyala/fasthttp"

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
	body := strconv.AppendUint([]byte(`{"seq":`), seq, 10)
	body = append(body, `,"countdowns":[`...)
	for i := range all {
		if i > 0 {
			body = append(body, ',')
		}
		body = wire.AppendCountdown(body, s.cfg.Directory, &all[i])
	}
	answer(c, fasthttp.StatusOK, append(body, `]}`...))
}
