package engine

import (
	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

const (
	// maxCountdowns bounds the dead man's switches that are armed.
	maxCountdowns = 1 << 14
	// maxTimeout is the longest that one waits, in ns: a day.
	maxTimeout = core.Nanos(24 * 60 * 60 * 1_000_000_000)
	// never is a time after all others.
	never = core.Nanos(1<<63 - 1)
)

// countdown is an armed dead man's switch.
type countdown struct {
	scope   risk.Scope
	timeout core.Nanos
	ends    core.Nanos // when it fires
	// again is when a switch that fired and could not be recorded has its scope
	// cancelled once more. It is not state.
	again core.Nanos
}

// countdownTable keeps the dead man's switches that are armed, one a scope. The map
// is only looked up in.
type countdownTable struct {
	all []countdown
	at  map[risk.Scope]int32
	// soonest is when the first of them fires, or earlier: a renewal leaves it, and
	// whoever finds it past looks at all of them. It is not state.
	soonest core.Nanos
}

func newCountdownTable() countdownTable {
	return countdownTable{at: make(map[risk.Scope]int32), soonest: never}
}

// put arms the switch of a scope, or renews it, and reports whether it is new.
func (t *countdownTable) put(c countdown) (armed bool) {
	t.soonest = min(t.soonest, c.ends)
	if at, ok := t.at[c.scope]; ok {
		t.all[at] = c
		return false
	}
	t.at[c.scope] = int32(len(t.all))
	t.all = append(t.all, c)
	return true
}

// remove disarms the switch of a scope, and reports whether there was one. The last
// takes its place.
func (t *countdownTable) remove(s risk.Scope) (c countdown, ok bool) {
	at, ok := t.at[s]
	if !ok {
		return c, false
	}
	c, last := t.all[at], t.all[len(t.all)-1]
	t.all[at] = last
	t.at[last.scope] = at
	t.all = t.all[:len(t.all)-1]
	delete(t.at, s)
	return c, true
}

// next is the scope whose switch has waited longest for the renewal that did not
// come by now.
func (t *countdownTable) next(now core.Nanos) (risk.Scope, bool) {
	if now < t.soonest {
		return risk.Scope{}, false
	}
	due := countdown{ends: never}
	for i := range t.all {
		if t.all[i].ends < due.ends {
			due = t.all[i]
		}
	}
	t.soonest = due.ends
	return due.scope, due.ends <= now
}

func (m *machine) decideCountdown(c *record.Countdown) {
	scope := scopeOf(&c.Scope)
	reason := m.knownScope(scope)
	_, armed := m.switches.at[scope]
	switch {
	case !reason.OK():
	case c.Timeout < 0 || c.Timeout > maxTimeout:
		reason = risk.Reason{Code: risk.InvalidSetting, Unit: risk.UnitNanos, Scope: scope,
			Limit: int64(maxTimeout), Value: int64(c.Timeout)}
	case c.Timeout > 0 && !armed && len(m.switches.all) >= maxCountdowns:
		reason = risk.Reason{Code: risk.Capacity, Unit: risk.UnitCount, Limit: maxCountdowns, Value: maxCountdowns + 1}
	}
	c.Reason = reasonToRecord(reason)
}

func (m *machine) applyCountdown(c *record.Countdown) {
	if c.Reason.Code != 0 {
		return
	}
	scope := scopeOf(&c.Scope)
	if c.Timeout > 0 {
		if m.switches.put(countdown{scope: scope, timeout: c.Timeout, ends: m.now + c.Timeout}) {
			m.tellCountdown(scope, CountdownArmed, c.Timeout)
		}
		return
	}
	if was, ok := m.switches.remove(scope); ok {
		m.tellCountdown(scope, CountdownDisarmed, was.timeout)
	}
}

// fireCountdown disarms the switch that fires: what is open of its scope is being
// cancelled.
func (m *machine) fireCountdown(s risk.Scope) {
	if was, ok := m.switches.remove(s); ok {
		m.tellCountdown(s, CountdownFired, was.timeout)
	}
}

func (m *machine) tellCountdown(s risk.Scope, what CountdownChange, timeout core.Nanos) {
	ev := m.out.event(EventCountdown)
	ev.Scope, ev.Countdown, ev.Timeout = s, what, timeout
}

func (c *countdown) appendState(b []byte) []byte {
	b = append(b, byte(c.scope.Level))
	b = le.AppendUint32(b, uint32(c.scope.Account))
	b = le.AppendUint32(b, uint32(c.scope.Strategy))
	b = le.AppendUint32(b, uint32(c.scope.Instrument))
	b = le.AppendUint64(b, uint64(c.timeout))
	return le.AppendUint64(b, uint64(c.ends))
}

func (m *machine) readCountdowns(r *stateReader) {
	const size = 1 + 3*4 + 2*8
	n := r.Count(size)
	r.Require(n <= maxCountdowns, "more countdowns than there may be")
	for range n {
		var c countdown
		c.scope.Level, c.scope.Account = risk.Level(r.U8()), core.AccountID(r.U32())
		c.scope.Strategy, c.scope.Instrument = core.StrategyID(r.U32()), core.InstrumentID(r.U32())
		c.timeout, c.ends = r.nanos(), r.nanos()
		_, twice := m.switches.at[c.scope]
		r.Require(!twice && m.knownScope(c.scope).OK() && m.normalScope(c.scope) == c.scope, "the countdown of an unknown scope")
		r.Require(c.timeout > 0 && c.timeout <= maxTimeout, "a countdown of no length")
		if !r.OK() {
			return
		}
		m.switches.put(c)
	}
}
