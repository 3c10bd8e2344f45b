package feed

import "qcat/core"

// pendingMessage is a depth message that waits for a snapshot.
type pendingMessage struct {
	firstID, lastID, prevID   uint64
	exchangeTime, receiveTime core.Nanos
	bids, asks                uint32 // how many levels, bids first
}

// pendingQueue keeps depth messages in the order in which they came, their
// levels copied into memory that is reused. It is bounded in messages and in
// levels; what is oldest gives way. Its memory grows to at most twice the bounds.
type pendingQueue struct {
	maxMessages, maxLevels int

	messages []pendingMessage // those before head are gone
	head     int
	levels   []core.Level // those before base are gone
	base     int
}

// len returns how many messages wait.
func (q *pendingQueue) len() int { return len(q.messages) - q.head }

// clear forgets the messages and keeps the memory.
func (q *pendingQueue) clear() {
	q.messages, q.head = q.messages[:0], 0
	q.levels, q.base = q.levels[:0], 0
}

// front returns the oldest message; there must be one.
func (q *pendingQueue) front() *pendingMessage { return &q.messages[q.head] }

// back returns the newest message; there must be one.
func (q *pendingQueue) back() *pendingMessage { return &q.messages[len(q.messages)-1] }

// push appends a copy of m and returns how many messages had to be dropped for
// it. A message larger than the bound empties the queue and is itself dropped.
func (q *pendingQueue) push(m *Message, rx core.Nanos) (dropped int) {
	need := len(m.Bids) + len(m.Asks)
	if need > q.maxLevels {
		dropped = q.len() + 1
		q.clear()
		return dropped
	}
	for q.len() > 0 && (q.len() >= q.maxMessages || len(q.levels)-q.base+need > q.maxLevels) {
		q.drop()
		dropped++
	}
	q.compact()
	q.levels = append(append(q.levels, m.Bids...), m.Asks...)
	q.messages = append(q.messages, pendingMessage{
		firstID: m.FirstID, lastID: m.LastID, prevID: m.PrevID,
		exchangeTime: m.ExchangeTime, receiveTime: rx,
		bids: uint32(len(m.Bids)), asks: uint32(len(m.Asks)),
	})
	return dropped
}

// drop forgets the oldest message; there must be one.
func (q *pendingQueue) drop() {
	p := q.front()
	q.base += int(p.bids + p.asks)
	q.head++
	if q.head == len(q.messages) {
		q.clear()
	}
}

// pop moves the oldest message into m and returns its receive time. The levels
// of m are valid until the next push.
func (q *pendingQueue) pop(m *Message) core.Nanos {
	p := *q.front()
	split, end := q.base+int(p.bids), q.base+int(p.bids+p.asks)
	m.Kind = MessageDepth
	m.FirstID, m.LastID, m.PrevID = p.firstID, p.lastID, p.prevID
	m.ExchangeTime = p.exchangeTime
	m.Bids, m.Asks = q.levels[q.base:split:split], q.levels[split:end:end]
	q.drop()
	return p.receiveTime
}

// compact moves what is left to the front once more than half is gone, so that
// each message is moved once on average.
func (q *pendingQueue) compact() {
	if q.head > len(q.messages)/2 {
		q.messages, q.head = append(q.messages[:0], q.messages[q.head:]...), 0
	}
	if q.base > len(q.levels)/2 {
		q.levels, q.base = append(q.levels[:0], q.levels[q.base:]...), 0
	}
}
