package rest

import (
	"strconv"

	"github.com/valyala/fasthttp"

	"qcat/api/wire"
	"qcat/core"
	"qcat/core/engine"
)

// Status of a component.
type Status string

// The states a component can be in.
const (
	OK       Status = "ok"
	Degraded Status = "degraded" // trading goes on without it
	Down     Status = "down"     // no order can be taken while it is so
)

// Component is one part of the server that /health asks after.
type Component struct {
	Name string
	// Check tells the state and, for a person, why. Any goroutine; must not block.
	Check func() (Status, string)
}

// draining is what is said of a server that stops: no new order is taken any more, and
// another server takes them soon.
const draining = "draining: this server is stopping"

// engineHealth asks the order lane.
func (s *Server) engineHealth() (Status, string) {
	if s.cfg.Draining != nil && s.cfg.Draining() {
		return Down, draining
	}
	if h := s.cfg.Engine.Health(); h != engine.HealthRunning {
		return Down, h.String()
	}
	return OK, ""
}

// health reports component by component; 503 when the server cannot trade.
func (s *Server) health(c exchange) {
	components := append([]Component{{"engine", s.engineHealth}}, s.cfg.Components...)
	answerHealth(c, components, s.cfg.Clock.Now()-s.began)
}

// answerHealth asks every component, and tells the worst state of all.
func answerHealth(c exchange, components []Component, uptime core.Nanos) {
	overall := OK
	parts := make([]byte, 0, 512)
	for i, comp := range components {
		status, why := comp.Check()
		if status == Down || (status == Degraded && overall == OK) {
			overall = status
		}
		if i > 0 {
			parts = append(parts, ',')
		}
		parts = append(wire.AppendString(parts, comp.Name), `:{"status":"`...)
		parts = append(append(parts, status...), '"')
		if why != "" {
			parts = wire.AppendString(append(parts, `,"detail":`...), why)
		}
		parts = append(parts, '}')
	}
	body := append([]byte(`{"status":"`), overall...)
	body = append(body, `","uptime_seconds":`...)
	body = strconv.AppendInt(body, int64(uptime)/1e9, 10)
	body = append(append(append(body, `,"components":{`...), parts...), `}}`...)
	status := fasthttp.StatusOK
	if overall == Down {
		status = fasthttp.StatusServiceUnavailable
		c.Response.Header.Set(fasthttp.HeaderRetryAfter, "1")
	}
	answer(c, status, body)
}

// ready tells whether requests may be sent here: the engine runs, and goes on doing so.
func (s *Server) ready(c exchange) {
	if status, why := s.engineHealth(); status != OK {
		unavailable(c, wire.CodeUnavailable, "engine: "+why)
		return
	}
	answer(c, fasthttp.StatusOK, []byte(`{"ready":true}`))
}

func (s *Server) metrics(c exchange) { s.cfg.Metrics.Handler(c.RequestCtx) }

func (s *Server) socket(c exchange) { s.cfg.Socket(c.RequestCtx) }
