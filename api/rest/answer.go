package rest

import (
	"strconv"

	"github.com/valyala/fasthttp"

	"qcat/api/auth"
	"qcat/api/wire"
	"qcat/core"
	"qcat/core/engine"
	"qcat/risk"
)

// Codes of problems that only HTTP has.
const (
	codeMalformed = "http.malformed"
	codeHeader    = "http.header_too_large"
	codeTimeout   = "http.timeout"
	codeMethod    = "http.method"
	codeOrigin    = "http.origin"
	codeHost      = "http.host"
	codeFull      = "http.too_many_connections"
	codeEncoding  = "http.encoding"
	codeQuery     = "request.query"
	codePath      = "request.path"
	codeTooLarge  = "request.too_large"
	codeNoAnswer  = "timeout"
	codeInternal  = "internal"
)

// answer sends a JSON body, which is given away.
func answer(c exchange, status int, body []byte) {
	c.SetStatusCode(status)
	c.SetContentType("application/json")
	c.Response.SetBodyRaw(body)
}

// answerCopy sends a JSON body that the caller goes on using.
func answerCopy(c exchange, status int, body []byte) {
	c.SetStatusCode(status)
	c.SetContentType("application/json")
	c.SetBody(body)
}

// problem sends a problem.
func problem(c exchange, p *wire.Problem) { problemBody(c, p.Status, wire.AppendProblem(nil, p)) }

// problemBody sends the body of a problem, which is given away. What is not
// available now may be asked for again soon.
func problemBody(c exchange, status int, body []byte) {
	if status == fasthttp.StatusServiceUnavailable {
		c.Response.Header.Set(fasthttp.HeaderRetryAfter, "1")
	}
	c.SetStatusCode(status)
	c.SetContentType(wire.ProblemType)
	c.Response.SetBodyRaw(body)
}

// problemCopy sends the body of a problem that the caller goes on using.
func problemCopy(c exchange, status int, body []byte) {
	c.SetStatusCode(status)
	c.SetContentType(wire.ProblemType)
	c.SetBody(body)
}

// elementHint is about how many bytes one element of a list has.
const elementHint = 256

// list sends n elements as one JSON array.
func list(c exchange, n int, each func(dst []byte, i int) []byte) {
	answer(c, fasthttp.StatusOK, appendArray(make([]byte, 0, 2+elementHint*n), n, each))
}

// listAsOf sends n elements as of a journal sequence: {"seq":n,"name":[…]}.
func listAsOf(c exchange, seq uint64, name string, n int, each func(dst []byte, i int) []byte) {
	body := append(make([]byte, 0, 64+elementHint*n), `{"seq":`...)
	body = append(wire.AppendUint(body, seq), `,"`...)
	body = append(append(body, name...), `":`...)
	answer(c, fasthttp.StatusOK, append(appendArray(body, n, each), '}'))
}

// appendArray appends n elements as one JSON array.
func appendArray(dst []byte, n int, each func(dst []byte, i int) []byte) []byte {
	dst = append(dst, '[')
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = each(dst, i)
	}
	return append(dst, ']')
}

// unavailable answers that the part of the server that would know cannot tell.
func unavailable(c exchange, code, detail string) {
	problem(c, &wire.Problem{Status: fasthttp.StatusServiceUnavailable, Code: code, Title: "Unavailable", Detail: detail})
}

func badQuery(c exchange, name, detail string) {
	problem(c, &wire.Problem{Status: fasthttp.StatusBadRequest, Code: codeQuery, Title: "The query was not understood",
		Detail: "query parameter " + strconv.Quote(name) + ": " + detail, Field: name})
}

// refuse answers a refusal that needed no engine.
func (s *Server) refuse(c exchange, in *core.Instrument, r risk.Reason) {
	problemBody(c, wire.ReasonStatus(r.Code), wire.AppendReasonProblem(nil, s.cfg.Directory, in, &r))
}

// unresolved answers a request whose names or numbers could not be resolved. Whether an account or
// a strategy beyond the caller's scope is there is not told.
func (s *Server) unresolved(c exchange, res *wire.Resolution) {
	if !mayKnow(c, res) {
		s.turnAway(c, auth.ErrScope)
		return
	}
	body, status := wire.AppendUnresolvedProblem(nil, s.cfg.Directory, res)
	problemBody(c, status, body)
}

// mayKnow reports whether a caller may be told that a name is not there.
func mayKnow(c exchange, res *wire.Resolution) bool {
	switch res.Reason.Code {
	case risk.UnknownAccount:
		return c.who.Touches(string(res.Unknown))
	case risk.UnknownStrategy:
		return c.who.CanAll() || c.who.CanStrategy(string(res.Within), string(res.Unknown))
	}
	return true
}

// misunderstood answers a body that is not what it should be.
func (s *Server) misunderstood(c exchange, e wire.Error) {
	status := fasthttp.StatusBadRequest
	if e.Kind == wire.TooLarge {
		status = fasthttp.StatusRequestEntityTooLarge
	}
	problemBody(c, status, wire.AppendErrorProblem(nil, &e))
}

// run carries out k.cmd and reports whether k.reply is there and admits; what went
// otherwise has been answered. in is the order's instrument, nil if not known.
func (s *Server) run(c exchange, k *call, in *core.Instrument) bool {
	k.cmd.Received = c.began
	switch k.do(s.cfg.Timeout) {
	case overloaded:
		s.overloaded(c)
	case timedOut:
		problem(c, &wire.Problem{Status: fasthttp.StatusGatewayTimeout, Code: codeNoAnswer, Title: "No answer in time",
			Detail: "what became of the request is not known: look it up by its client_order_id, or send it again with the same one"})
	default:
		if k.reply.Reason.OK() || k.cmd.Kind == engine.CmdCheck {
			return true
		}
		k.body = wire.AppendReasonProblem(k.body[:0], s.cfg.Directory, in, &k.reply.Reason)
		problemCopy(c, wire.ReasonStatus(k.reply.Reason.Code), k.body)
	}
	return false
}

func (s *Server) overloaded(c exchange) {
	problem(c, &wire.Problem{Status: fasthttp.StatusServiceUnavailable, Code: wire.CodeOverloaded, Title: "Overloaded",
		Detail: "the command queue is full: nothing was done, try again"})
}

// take returns a call for a command, or answers that there are too many.
func (s *Server) take(c exchange) (*call, bool) {
	k, ok := s.calls.get(c.ConnID())
	if !ok {
		s.overloaded(c)
	}
	return k, ok
}

// answerOrder sends the order of k's reply.
func (s *Server) answerOrder(c exchange, k *call, status int) {
	if k.reply.Duplicate {
		c.Response.Header.Set("Idempotent-Replay", "true")
	}
	k.body = wire.AppendOrderFields(append(k.body[:0], '{'), s.cfg.Directory, &k.reply.Order)
	k.body = append(appendUnrecorded(k.body, &k.reply), '}')
	answerCopy(c, status, k.body)
}

// answerCancelled sends how many orders k's reply says are being cancelled.
func (s *Server) answerCancelled(c exchange, k *call) {
	k.body = strconv.AppendInt(append(k.body[:0], `{"cancelled":`...), int64(k.reply.Cancelled), 10)
	k.body = append(appendUnrecorded(k.body, &k.reply), '}')
	answerCopy(c, fasthttp.StatusOK, k.body)
}

// appendUnrecorded says of a cancel or state change that the journal has no record
// of it, behind other members; of what is recorded, the rule, it says nothing.
func appendUnrecorded(b []byte, r *engine.Reply) []byte {
	if r.Unrecorded {
		b = append(b, `,"unrecorded":true`...)
	}
	return b
}
