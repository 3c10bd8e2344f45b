package hub

import "fmt"

// Disconnect is why the server ended a connection: the code and text of the
// closing frame. Codes are stable.
//
//	code        who caused it      what the client does
//	1000–1011   RFC 6455           as the RFC says
//	4000–4499   the moment         reconnects after a back-off, and resumes private
//	                               channels from its last seq
//	4500–4999   the client itself  does not reconnect before a person has looked
//
// A connection may also end without a closing frame: whoever stopped reading
// cannot be told anything. A client treats that like a 4000; wire.Reconnect is the rule in code.
type Disconnect struct {
	Code uint16
	Text string
}

// Reasons.
var (
	NormalClosure  = Disconnect{1000, "bye"}
	ProtocolError  = Disconnect{1002, "protocol error"}
	InvalidPayload = Disconnect{1007, "text is not UTF-8"}
	InternalError  = Disconnect{1011, "internal error"}

	// Shutdown: the server is stopping. Reconnect, with jitter.
	Shutdown = Disconnect{4001, "server is shutting down"}
	// SlowConsumer: more was pending for a private channel than the hard bound
	// allows. Resume from the last seq.
	SlowConsumer = Disconnect{4002, "too slow: resume from the last seq"}
	// WriteTimeout: nothing could be written for too long.
	WriteTimeout = Disconnect{4003, "write timeout"}
	// IdleTimeout: no frame came for too long, not even a pong.
	IdleTimeout = Disconnect{4004, "no answer to pings"}
	// EventsLost: the server itself fell behind and lost private events. Subscribe
	// anew, without from_seq: a snapshot follows.
	EventsLost = Disconnect{4005, "events lost: subscribe without from_seq"}
	// ConnectionLimit: the server has as many connections as it takes.
	ConnectionLimit = Disconnect{4006, "too many connections"}

	// TooManyMessages: the client goes on sending more than its rate allows.
	TooManyMessages = Disconnect{4007, "too many messages"}

	// TooManyErrors: most of what the client sent was not understood.
	TooManyErrors = Disconnect{4501, "too many bad requests"}
	// SessionEnded: who the connection belonged to logged out, or was disabled, given
	// another role or another password, or the session or key was revoked or has expired.
	SessionEnded = Disconnect{4502, "session ended: log in again"}
	// AuthTimeout: the connection belonged to nobody for too long.
	AuthTimeout = Disconnect{4503, "nobody has logged in"}
	// NotAllowed: what was shown to prove who the client is proved nothing.
	NotAllowed = Disconnect{4504, "not allowed"}
)

// Disconnects lists all reasons with codes of ours, for documents and tests.
var Disconnects = []Disconnect{Shutdown, SlowConsumer, WriteTimeout, IdleTimeout, EventsLost, ConnectionLimit, TooManyMessages,
	TooManyErrors, SessionEnded, AuthTimeout, NotAllowed}

// String returns "4002 too slow: …".
func (d Disconnect) String() string { return fmt.Sprintf("%d %s", d.Code, d.Text) }
