package ws

import (
	"sync"

	"qcat/api/hub"
	"qcat/api/wire"
	"qcat/core/engine"
)

// desk is where a connection's orders wait for their answers. It is the engine's
// ReplySink and the connection writer's Source:
//
//	reader ── issue ──► ticket ── Submit ──► engine
//	                                           │ Deliver: a copy, under the lock
//	writer ◄── AppendPending: encoded ◄────────┘
//
// Tickets bound how many orders are on their way. A ticket is free again once its
// answer has been encoded, so that a client that does not read cannot have more.
// A quarter more is kept for cancels: who has too many orders on their way must
// still be able to take back those that stand. Another quarter is for what stops a
// whole scope: neither orders nor cancels that wait may stand in its way.
type desk struct {
	to    engine.ReplyTo
	conn  *hub.Conn
	names wire.Names

	mu      sync.Mutex
	limit   int
	tickets []ticket
	free    []uint32
	replies []engine.Reply // delivered, not encoded
	spare   []engine.Reply // the other buffer of replies
	unheard int            // orders that are issued, and not answered yet
	quiet   chan struct{}  // not nil: closed once unheard is 0

	scratch []byte // writer only
}

// ticket keeps the id of a request until its answer. Its generation makes the
// token of a later use differ.
type ticket struct {
	gen  uint32
	used bool
	kind class
	n    uint8
	id   [wire.MaxIDLen]byte
}

func newDesk(c *hub.Conn, names wire.Names, limit int) *desk {
	return &desk{conn: c, names: names, limit: limit}
}

// class is what a ticket is for: each has room that those before it have not.
type class uint8

const (
	forOrders class = iota
	forCancels
	forStops
)

// classOf is the class of a command.
func classOf(k engine.CommandKind) class {
	switch k {
	case engine.CmdCancel, engine.CmdCountdown:
		return forCancels
	case engine.CmdCancelAll, engine.CmdState:
		return forStops
	}
	return forOrders
}

// issue returns the token of a new ticket, and false when there are too many of all
// kinds together for this class.
func (d *desk) issue(id []byte, kind class) (token uint64, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	limit := d.limit + int(kind)*max(d.limit/4, 1)
	var i uint32
	switch {
	case len(d.tickets)-len(d.free) >= limit:
		return 0, false
	case len(d.free) > 0:
		i = d.free[len(d.free)-1]
		d.free = d.free[:len(d.free)-1]
	default:
		i = uint32(len(d.tickets))
		d.tickets = append(d.tickets, ticket{})
	}
	t := &d.tickets[i]
	t.gen++
	t.used, t.kind = true, kind
	t.n = uint8(copy(t.id[:], id))
	if kind == forOrders {
		d.unheard++
	}
	return uint64(t.gen)<<32 | uint64(i), true
}

// withdraw gives a ticket back that was not used.
func (d *desk) withdraw(token uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.heard(token)
	d.release(token)
}

// heard counts the answer of an order that came, or will not come. d.mu is held.
func (d *desk) heard(token uint64) {
	if t := d.lookup(token); t == nil || t.kind != forOrders {
		return
	}
	if d.unheard--; d.unheard == 0 && d.quiet != nil {
		close(d.quiet)
		d.quiet = nil
	}
}

// settled is closed once the engine has answered every order and amend.
func (d *desk) settled() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	done := make(chan struct{})
	if d.unheard == 0 {
		close(done)
	} else {
		d.quiet = done
	}
	return done
}

// lookup returns the ticket of the token, nil if there is none. d.mu is held.
func (d *desk) lookup(token uint64) *ticket {
	i := uint32(token)
	if int(i) >= len(d.tickets) {
		return nil
	}
	if t := &d.tickets[i]; t.used && t.gen == uint32(token>>32) {
		return t
	}
	return nil
}

// release frees the ticket of the token. d.mu is held.
func (d *desk) release(token uint64) {
	if t := d.lookup(token); t != nil {
		t.used = false
		d.free = append(d.free, uint32(token))
	}
}

// Deliver keeps a copy of r for the writer. Engine goroutine: it copies and
// returns, encoding is not the engine's work.
func (d *desk) Deliver(r *engine.Reply) {
	d.keep(r)
	d.conn.Announce()
}

func (d *desk) keep(r *engine.Reply) {
	d.mu.Lock()
	d.replies = append(d.replies, *r)
	d.heard(r.Token)
	d.mu.Unlock()
}

// AppendPending appends the answers to what was delivered. Writer goroutine.
func (d *desk) AppendPending(dst []byte) []byte {
	d.mu.Lock()
	replies := d.replies
	d.replies = d.spare[:0]
	d.mu.Unlock()
	for i := range replies {
		dst = d.appendReply(dst, &replies[i])
		replies[i] = engine.Reply{}
	}
	d.mu.Lock()
	d.spare = replies[:0]
	d.mu.Unlock()
	return dst
}

// appendReply appends the frame of one answer and frees its ticket.
func (d *desk) appendReply(dst []byte, r *engine.Reply) []byte {
	var id [wire.MaxIDLen]byte
	d.mu.Lock()
	t := d.lookup(r.Token)
	if t == nil {
		d.mu.Unlock()
		return dst // not one of ours
	}
	n := copy(id[:], t.id[:t.n])
	d.release(r.Token)
	d.mu.Unlock()

	b := appendAnswerHead(hub.BeginFrame(d.scratch), id[:n], r.Reason.OK())
	b = AppendReply(b, d.names, r)
	d.scratch = append(b, '}')
	return append(dst, hub.EndFrame(d.scratch, hub.OpText)...)
}

// AppendReply appends the members that answer a command: seq, the journal sequence
// after which it holds, and of an order, cancel or amend the order's own, of what
// stops a scope how many orders are being cancelled, of a countdown its end; or the
// error.
func AppendReply(b []byte, names wire.Names, r *engine.Reply) []byte {
	if !r.Reason.OK() {
		in := names.Instrument(r.Order.Instrument)
		return wire.AppendReason(append(b, `,"error":`...), names, in, &r.Reason)
	}
	b = wire.AppendUint(append(b, `,"seq":`...), r.Seq)
	if r.Duplicate {
		b = append(b, `,"duplicate":true`...)
	}
	if r.Unrecorded {
		b = append(b, `,"unrecorded":true`...)
	}
	switch r.Kind {
	case engine.CmdCancelAll, engine.CmdState:
		return wire.AppendUint(append(b, `,"cancelled":`...), uint64(r.Cancelled))
	case engine.CmdCountdown:
		return wire.AppendDeadline(append(b, ','), r.Deadline)
	}
	return wire.AppendOrderFields(append(b, ','), names, &r.Order)
}
