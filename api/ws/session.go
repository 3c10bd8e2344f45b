package ws

import (
	"errors"
	"net/netip"
	"unicode/utf8"

	"qcat/api/auth"
	"qcat/api/hub"
	"qcat/api/limit"
	"qcat/api/wire"
	"qcat/core"
	"qcat/core/engine"
	"qcat/core/frame"
	"qcat/risk"
)

// session is one connection: everything here belongs to its reader goroutine,
// but the desk, which has its own lock.
type session struct {
	srv  *Server
	cfg  *Config
	conn *hub.Conn

	req wire.Request
	cmd engine.Command
	out []byte // the answer being built
	bad int    // bad requests in a row

	desk   *desk // nil until the first order
	handed bool  // orders were handed over, and Serve is to be called

	id      core.SessionID
	dropped bool // orders are cancelled with the connection unless they say otherwise
	left    bool // the client said goodbye

	from    netip.Addr        // where the client is
	address limit.Key         // by which it is counted
	counted bool              // it is
	who     auth.Principal    // nobody at first, if there is a Gate
	mine    bool              // it is somebody's, and counted as theirs
	proofs  int               // of identity that were refused
	over    int               // messages beyond the rate
	was     risk.TradingState // of the node whose state is being set
}

// run reads until the connection ends.
func (s *session) run(r *frame.Reader) {
	for {
		m, err := r.Next()
		if err != nil {
			var fe *frame.Error
			if errors.As(err, &fe) {
				s.conn.Disconnect(hub.Disconnect{Code: fe.Code, Text: fe.Text})
			}
			return
		}
		s.conn.Seen()
		if !s.frame(m) {
			return
		}
	}
}

// frame handles one message or control frame, and reports whether to go on.
func (s *session) frame(m frame.Message) bool {
	switch m.Op {
	case hub.OpText:
		if !utf8.Valid(m.Data) {
			s.conn.Disconnect(hub.InvalidPayload)
			return false
		}
		s.request(m.Data)
	case hub.OpBinary:
		s.fail(nil, "ws.binary", "requests are text frames", "")
	case hub.OpPing:
		if _, ok := s.counts(false); ok {
			s.out = hub.AppendControl(s.out[:0], hub.OpPong, m.Data)
			s.conn.Send(s.out)
		}
	case hub.OpPong:
	case hub.OpClose:
		d := closeReply(m.Data)
		s.left = len(m.Data) > 0 && d.Code == hub.NormalClosure.Code
		s.conn.Disconnect(d)
		return false
	}
	return !s.left
}

// closeReply is what to answer a closing frame with: its own code, if that is one
// that may be sent.
func closeReply(payload []byte) hub.Disconnect {
	code, _, err := frame.ParseClose(payload)
	switch {
	case err != nil:
		return hub.ProtocolError
	case code == frame.CodeNone:
		return hub.NormalClosure
	}
	return hub.Disconnect{Code: code}
}

// request decodes one message and carries it out.
func (s *session) request(data []byte) {
	if e := wire.Decode(data, wire.SocketFields, s.cfg.MaxMessage, &s.req); !e.OK() {
		s.failWith(&e)
		return
	}
	s.carryOut()
}

var (
	envelope        = wire.Fields(wire.FieldOp, wire.FieldID)
	subscribeFields = envelope | wire.Fields(wire.FieldChannels, wire.FieldFromSeq, wire.FieldFromIdx)
)

// take holds the request's fields against those its op has.
func (s *session) take(fields, need wire.FieldSet) bool {
	if e := s.req.Check(fields, need); !e.OK() {
		s.failWith(&e)
		return false
	}
	return true
}

func (s *session) ping() {
	if !s.take(envelope, 0) {
		return
	}
	s.begin(s.req.ID, true)
	s.out = append(s.out, `,"time":`...)
	s.out = wire.AppendNanos(s.out, s.cfg.Clock.Now())
	s.finish()
}

// channelsHint stands behind the name of a channel that there is not.
const channelsHint = "; there are bbo:, trade:, depth: and candle.1m: with an instrument behind them (venue:symbol), orders, executions, positions and risk"

// channels reads the request's channels, and answers when one does not exist.
func (s *session) channels() ([]hub.Channel, bool) {
	list := make([]hub.Channel, 0, s.req.ChannelCount())
	for name := range s.req.Channels() {
		ch, ok := hub.ParseChannel(s.cfg.Directory, name)
		if !ok {
			s.fail(s.req.ID, "ws.unknown_channel", "no such channel: "+string(name)+channelsHint, "channels")
			return nil, false
		}
		list = append(list, ch)
	}
	return list, true
}

func (s *session) subscribe() {
	if !s.take(subscribeFields, wire.Fields(wire.FieldChannels)) {
		return
	}
	list, ok := s.channels()
	if !ok {
		return
	}
	from := hub.From{Set: s.req.Has(wire.FieldFromSeq), Seq: s.req.FromSeq,
		HasIdx: s.req.Has(wire.FieldFromIdx), Idx: uint32(s.req.FromIdx)}
	s.serve()
	err := s.conn.Subscribe(list, from, func(resumed bool) []byte {
		s.begin(s.req.ID, true)
		s.appendChannels()
		if from.Set {
			s.out = wire.AppendBool(append(s.out, `,"resumed":`...), resumed)
			if !resumed {
				s.out = append(s.out, `,"code":"history_gone"`...)
			}
		}
		return append([]byte(nil), s.frameOf()...)
	})
	if err != nil {
		s.failHub(err)
		return
	}
	s.bad = 0
}

func (s *session) unsubscribe() {
	if !s.take(envelope|wire.Fields(wire.FieldChannels), wire.Fields(wire.FieldChannels)) {
		return
	}
	list, ok := s.channels()
	if !ok {
		return
	}
	s.begin(s.req.ID, true)
	s.appendChannels()
	if err := s.conn.Unsubscribe(list, append([]byte(nil), s.frameOf()...)); err != nil {
		s.failHub(err)
		return
	}
	s.bad = 0
}

func (s *session) appendChannels() {
	s.out = append(s.out, `,"channels":[`...)
	first := true
	for name := range s.req.Channels() {
		if !first {
			s.out = append(s.out, ',')
		}
		first = false
		s.out = wire.AppendString(s.out, string(name))
	}
	s.out = append(s.out, ']')
}

func (s *session) failHub(err error) {
	code := wire.CodeOverloaded
	switch {
	case errors.Is(err, hub.ErrSubscriptions):
		code = "ws.too_many_subscriptions"
	case errors.Is(err, hub.ErrNoEngine):
		code = wire.CodeUnavailable
	}
	s.fail(s.req.ID, code, err.Error(), "channels")
}
