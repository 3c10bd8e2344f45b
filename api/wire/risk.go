package wire

import (
	"qcat/core"
	"qcat/core/engine"
	"qcat/risk"
)

// AppendState appends a trading state: {"kind":"state","scope","state","reason"}.
func AppendState(dst []byte, d Names, s risk.Scope, st risk.TradingState, note string) []byte {
	dst = append(dst, `{"kind":"state","scope":`...)
	dst = AppendScope(dst, d, s)
	dst = append(dst, `,"state":"`...)
	dst = append(dst, st.String()...)
	dst = append(dst, '"')
	dst = appendKeyString(dst, `,"reason":`, note)
	return append(dst, '}')
}

// AppendRefusal appends an order that was refused:
// {"kind":"refused","reason":{…},"order":{…}}.
func AppendRefusal(dst []byte, d Names, o *core.Order, r *risk.Reason) []byte {
	dst = append(dst, `{"kind":"refused","reason":`...)
	dst = AppendReason(dst, d, d.Instrument(o.Instrument), r)
	dst = append(dst, `,"order":`...)
	dst = AppendOrder(dst, d, o)
	return append(dst, '}')
}

// AppendLimitsChanged appends {"kind":"limits","scope":{…}}: the limits of scope
// are no longer what they were; risk/limits tells what they are.
func AppendLimitsChanged(dst []byte, d Names, s risk.Scope) []byte {
	dst = append(dst, `{"kind":"limits","scope":`...)
	dst = AppendScope(dst, d, s)
	return append(dst, '}')
}

// AppendDeadline appends "deadline":…, when a countdown fires unless it is renewed,
// null for one that is disarmed.
func AppendDeadline(dst []byte, t core.Nanos) []byte {
	if t == 0 {
		return append(dst, `"deadline":null`...)
	}
	return appendKeyInt(dst, `"deadline":`, int64(t))
}

// Private channels. Their data is a projection of the engine's events.
type Private uint8

const (
	Orders Private = iota
	Executions
	Positions
	Risk
	PrivateCount
)

var privateNames = [PrivateCount]string{"orders", "executions", "positions", "risk"}

// String returns the channel's name.
func (p Private) String() string { return privateNames[p] }

// ParsePrivate returns the private channel of that name.
func ParsePrivate(name []byte) (Private, bool) {
	for i, n := range privateNames {
		if n == string(name) {
			return Private(i), true
		}
	}
	return 0, false
}

// Carries reports whether the channel shows this event. An execution shows on
// three: the order it left, the fill, and the position.
func (p Private) Carries(ev *engine.Event) bool {
	switch ev.Kind {
	case engine.EventOrder:
		return p == Orders
	case engine.EventExecution:
		return p == Executions || p == Positions || p == Orders && ev.Order.ID != 0
	case engine.EventRefused, engine.EventState, engine.EventLimits, engine.EventProposal,
		engine.EventBreach, engine.EventAccount, engine.EventCountdown:
		return p == Risk
	}
	return false
}

// AppendPrivate appends the data that the channel shows of the event. The
// channel must carry it.
func AppendPrivate(dst []byte, d Names, p Private, ev *engine.Event) []byte {
	switch p {
	case Orders:
		return AppendOrder(dst, d, &ev.Order)
	case Executions:
		return AppendExecution(dst, d, &ev.Execution)
	case Positions:
		return AppendPosition(dst, d, &ev.Position)
	}
	switch ev.Kind {
	case engine.EventState:
		return AppendState(dst, d, ev.Scope, ev.State, ev.Note.String())
	case engine.EventLimits:
		return AppendLimitsChanged(dst, d, ev.Scope)
	case engine.EventProposal:
		return AppendProposalChange(dst, d, ev)
	case engine.EventBreach:
		return appendBreach(dst, d, ev)
	case engine.EventAccount:
		return appendAccountChange(dst, d, ev)
	case engine.EventCountdown:
		return appendCountdown(dst, d, ev)
	}
	return AppendRefusal(dst, d, &ev.Order, &ev.Reason)
}
