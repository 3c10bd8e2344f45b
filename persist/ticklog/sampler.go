package ticklog

import "qcat/core"

// sampler keeps the last quote of each instrument until its interval is over. An
// interval begins with the first quote after the one before has ended, so that an
// instrument has at most one record an interval, and a quote waits for one
// interval at most. All intervals are equally long: they end in the order in which
// they began, and the queue needs no sorting.
type sampler struct {
	every core.Nanos
	slots []sample            // by instrument id
	queue []core.InstrumentID // ring of those that wait; as long as slots
	first int
	count int
}

type sample struct {
	event core.Event
	due   core.Nanos // 0: none waits
}

// keep makes *ev the instrument's quote and reports whether it replaced one that
// no record will show. It allocates when an instrument is seen for the first time.
func (s *sampler) keep(ev *core.Event, now core.Nanos) (replaced bool) {
	if int(ev.Instrument) >= len(s.slots) {
		s.grow(int(ev.Instrument) + 1)
	}
	slot := &s.slots[ev.Instrument]
	slot.event = *ev
	if slot.due != 0 {
		return true
	}
	slot.due = max(now+s.every, 1)
	s.queue[(s.first+s.count)%len(s.queue)] = ev.Instrument
	s.count++
	return false
}

// grow makes room for n ids, at least twice as many as before.
func (s *sampler) grow(n int) {
	n = max(n, 2*len(s.slots), 64)
	queue := make([]core.InstrumentID, n)
	for i := range s.count {
		queue[i] = s.queue[(s.first+i)%len(s.queue)]
	}
	s.queue, s.first = queue, 0
	s.slots = append(make([]sample, 0, n), s.slots...)[:n]
}

// due takes out a quote whose interval is over at now, or returns nil. It is valid
// until the next keep.
func (s *sampler) due(now core.Nanos) *core.Event {
	at, ok := s.next()
	if !ok || at > now {
		return nil
	}
	slot := &s.slots[s.queue[s.first]]
	slot.due = 0
	s.first = (s.first + 1) % len(s.queue)
	s.count--
	return &slot.event
}

// next is when the first interval ends, and false when no quote waits.
func (s *sampler) next() (core.Nanos, bool) {
	if s.count == 0 {
		return 0, false
	}
	return s.slots[s.queue[s.first]].due, true
}
