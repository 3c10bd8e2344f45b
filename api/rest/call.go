package rest

import (
	"context"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"qcat/api/wire"
	"qcat/core"
	"qcat/core/engine"
	"qcat/risk"
)

// call is one command on its way through the engine, and the reply's place.
// Calls are reused with their registration; one that timed out is not.
type call struct {
	to    engine.ReplyTo
	token uint64
	done  chan struct{}
	timer *time.Timer

	mu    sync.Mutex // a late reply may come while the caller gives up
	want  uint64     // the token waited for; 0: nobody waits
	reply engine.Reply
}

// Deliver implements engine.ReplySink.
func (c *call) Deliver(r *engine.Reply) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Token != c.want || c.want == 0 {
		return
	}
	c.want = 0
	c.reply = *r
	c.done <- struct{}{} // has room: one reply a token
}

type callPool struct {
	engine Engine
	pool   sync.Pool
}

func (p *callPool) get() (*call, bool) {
	if c, _ := p.pool.Get().(*call); c != nil {
		return c, true
	}
	c := &call{done: make(chan struct{}, 1), timer: time.NewTimer(time.Hour)}
	var ok bool
	c.to, ok = p.engine.RegisterSink(c)
	return c, ok
}

// outcome is how a command ended.
type outcome uint8

const (
	answered outcome = iota
	overloaded
	timedOut
)

// do submits cmd and waits for the answer. The reply is valid until the next call.
func (p *callPool) do(cmd *engine.Command, timeout time.Duration, use func(r *engine.Reply)) outcome {
	c, ok := p.get()
	if !ok {
		return overloaded
	}
	c.token++
	c.mu.Lock()
	c.want = c.token
	c.mu.Unlock()
	cmd.Reply, cmd.Token = c.to, c.token
	if !p.engine.Submit(cmd) {
		c.want = 0
		p.pool.Put(c)
		return overloaded
	}
	c.timer.Reset(timeout)
	select {
	case <-c.done:
	case <-c.timer.C:
		c.mu.Lock()
		late := c.want != 0
		c.want = 0
		c.mu.Unlock()
		if late {
			p.engine.UnregisterSink(c.to)
			return timedOut
		}
		<-c.done
	}
	c.timer.Stop()
	use(&c.reply)
	p.pool.Put(c)
	return answered
}

// command runs cmd and lets respond answer; what went wrong on the way is
// answered here. respond must not keep r.
func (s *Server) command(c *fasthttp.RequestCtx, cmd *engine.Command, in *core.Instrument, respond func(r *engine.Reply)) {
	cmd.Received = s.cfg.Clock.Now()
	switch s.calls.do(cmd, s.cfg.Timeout, func(r *engine.Reply) {
		if !r.Reason.OK() && cmd.Kind != engine.CmdCheck {
			s.refuse(c, in, r.Reason)
			return
		}
		respond(r)
	}) {
	case answered:
	case overloaded:
		c.Response.Header.Set(fasthttp.HeaderRetryAfter, "1")
		problem(c, &wire.Problem{Status: fasthttp.StatusServiceUnavailable, Code: wire.CodeOverloaded,
			Title: "Overloaded", Detail: "the command queue is full: nothing was sent, try again"})
	case timedOut:
		problem(c, &wire.Problem{Status: fasthttp.StatusGatewayTimeout, Code: "timeout", Title: "No answer in time",
			Detail: "what became of the request is not known: look it up by its client_order_id, or send it again with the same one"})
	}
}

// refuse answers a refusal.
func (s *Server) refuse(c *fasthttp.RequestCtx, in *core.Instrument, r risk.Reason) {
	problemBody(c, wire.ReasonStatus(r.Code), wire.AppendReasonProblem(nil, s.cfg.Directory, in, &r))
}

// unresolved answers a request whose names or numbers could not be resolved.
func (s *Server) unresolved(c *fasthttp.RequestCtx, res *wire.Resolution) {
	body, status := wire.AppendUnresolvedProblem(nil, s.cfg.Directory, res)
	problemBody(c, status, body)
}

// misunderstood answers a body that is not what it should be.
func (s *Server) misunderstood(c *fasthttp.RequestCtx, e wire.Error) {
	status := fasthttp.StatusBadRequest
	if e.Kind == wire.TooLarge {
		status = fasthttp.StatusRequestEntityTooLarge
	}
	problemBody(c, status, wire.AppendErrorProblem(nil, &e))
}

// caughtUp waits until the view shows what the engine has published by now, and
// answers 503 when it does not come to that.
func (s *Server) caughtUp(c *fasthttp.RequestCtx) bool {
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.Timeout)
	defer cancel()
	if err := s.cfg.View.WaitFor(ctx, s.cfg.Engine.Published()); err != nil {
		problem(c, &wire.Problem{Status: fasthttp.StatusServiceUnavailable, Code: wire.CodeUnavailable, Title: "Unavailable", Detail: "the read model: " + err.Error()})
		return false
	}
	return true
}
