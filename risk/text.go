package risk

import "qcat/core"

// ReasonText says why something was refused, or which limit was crossed, as a person
// reads it: the code, and what was asked for beside what is allowed where a limit has
// both. in is the instrument that the numbers belong to, or nil. It returns "" for a
// number that is no code.
func ReasonText(code uint16, unit uint8, limit, value int64, in *core.Instrument) string {
	b := []byte(Code(code).String())
	if u := Unit(unit); len(b) > 0 && u != UnitNone {
		b = u.Append(append(b, ": "...), value, in)
		b = u.Append(append(b, ", limit "...), limit, in)
	}
	return string(b)
}

// ActionText is the name of an action, "" for a number that is none.
func ActionText(action uint8) string {
	if int(action) >= len(actionNames) {
		return ""
	}
	return Action(action).String()
}
