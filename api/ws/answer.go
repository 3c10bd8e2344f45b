package ws

import (
	"qcat/api/hub"
	"qcat/api/wire"
)

// appendAnswerHead appends {"id":…,"ok":…: id is JSON already, null when there
// was none.
func appendAnswerHead(dst, id []byte, ok bool) []byte {
	dst = append(dst, `{"id":`...)
	if len(id) == 0 {
		dst = append(dst, "null"...)
	} else {
		dst = append(dst, id...)
	}
	return wire.AppendBool(append(dst, `,"ok":`...), ok)
}

// begin starts an answer in s.out.
func (s *session) begin(id []byte, ok bool) {
	s.out = appendAnswerHead(hub.BeginFrame(s.out), id, ok)
}

// frameOf ends the answer and returns its frame, a part of s.out.
func (s *session) frameOf() []byte {
	s.out = append(s.out, '}')
	return hub.EndFrame(s.out, hub.OpText)
}

// finish sends the answer. A request that was answered well ends a row of bad ones.
func (s *session) finish() {
	s.bad = 0
	s.conn.Send(s.frameOf())
}

// refuse sends the answer of a request that could not be carried out. Too many
// in a row end the connection: what sends them is not a client.
func (s *session) refuse() {
	s.conn.Send(s.frameOf())
	if s.bad++; s.bad >= s.cfg.MaxBad {
		s.conn.Disconnect(hub.TooManyErrors)
	}
}

// fail answers with an error that has a code and a text.
func (s *session) fail(id []byte, code, detail, field string) {
	s.beginError(id, code, detail, field)
	s.refuse()
}

// beginError is begin of an answer that is an error.
func (s *session) beginError(id []byte, code, detail, field string) {
	s.begin(id, false)
	s.out = wire.AppendString(append(s.out, `,"error":{"code":`...), code)
	s.out = wire.AppendString(append(s.out, `,"detail":`...), detail)
	if field != "" {
		s.out = wire.AppendString(append(s.out, `,"field":`...), field)
	}
	s.out = append(s.out, '}')
}

// failWith answers a request that was not understood. Its id is echoed when it
// was read before the mistake.
func (s *session) failWith(e *wire.Error) {
	s.begin(s.req.ID, false)
	s.out = wire.AppendError(append(s.out, `,"error":`...), e)
	s.refuse()
}
