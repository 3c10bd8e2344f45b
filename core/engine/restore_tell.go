package engine

import "qcat/core"

// tell describes the whole state by events, as Restore says.
func (m *machine) tell(observe func(*Event)) {
	t := teller{observe: observe, seq: m.seq, time: m.now}
	t.left = len(m.instruments) - 1 + m.accounts + len(m.strategies) - 1 + len(m.states.all) + len(m.switches.all) +
		m.orders.closed.len + m.orders.open.len + len(m.positions.all)
	for _, in := range m.instruments[1:] {
		t.next(EventDefinition).Position.Instrument = in.ID
		t.tell()
	}
	for id := range core.AccountID(m.accounts) {
		t.next(EventDefinition).Position.Account = id + 1
		t.tell()
	}
	for i, account := range m.strategies[1:] {
		ev := t.next(EventDefinition)
		ev.Position.Account, ev.Position.Strategy = account, core.StrategyID(i+1)
		t.tell()
	}
	for i := range m.states.all {
		s, ev := &m.states.all[i], t.next(EventState)
		ev.Scope, ev.State, ev.Note, ev.Seq, ev.Time = s.Scope, s.State, s.Note, s.Seq, s.Time
		t.tell()
	}
	for i := range m.switches.all {
		s, ev := &m.switches.all[i], t.next(EventCountdown)
		ev.Scope, ev.Countdown, ev.Timeout = s.scope, CountdownArmed, s.timeout
		t.tell()
	}
	for _, l := range []*list{&m.orders.closed, &m.orders.open} {
		m.orders.each(l, func(e *entry) {
			t.next(EventOrder).Order = e.order
			t.tell()
		})
	}
	for i := range m.positions.all {
		t.next(EventPosition).Position = m.positions.all[i]
		t.tell()
	}
}

// teller makes the events of a restore out of one.
type teller struct {
	observe func(*Event)
	seq     uint64
	time    core.Nanos
	index   uint32
	left    int // events to come
	event   Event
}

func (t *teller) next(kind EventKind) *Event {
	t.left--
	t.event = Event{Kind: kind, Restored: true, Last: t.left == 0, Index: t.index, Seq: t.seq, Time: t.time}
	t.index++
	return &t.event
}

func (t *teller) tell() { t.observe(&t.event) }
