package engine

import "qcat/core"

// stage holds what records promised until they are committed: three queues in
// journal order.
type stage struct {
	venues  fifo[stagedCommand]
	replies fifo[stagedReply]
	events  fifo[Event]

	seq   uint64
	time  core.Nanos
	index uint32
}

type stagedCommand struct {
	seq     uint64
	command core.VenueCommand
}

type stagedReply struct {
	seq   uint64
	to    ReplyTo
	reply Reply
}

// begin starts a record's outputs.
func (s *stage) begin(seq uint64, now core.Nanos) {
	s.seq, s.time, s.index = seq, now, 0
}

// end closes a record's outputs.
func (s *stage) end() {
	if s.index > 0 {
		s.events.back().Last = true
	}
}

// event stages an event of the present record.
func (s *stage) event(kind EventKind) *Event {
	ev := s.events.push()
	*ev = Event{Kind: kind, Seq: s.seq, Time: s.time, Index: s.index}
	s.index++
	return ev
}

// venue stages a command for the gateway of an instrument.
func (s *stage) venue() *core.VenueCommand {
	c := s.venues.push()
	c.seq = s.seq
	return &c.command
}

// len is how many outputs wait.
func (s *stage) len() int { return s.venues.len() + s.replies.len() + s.events.len() }
