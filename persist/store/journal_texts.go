package store

import (
	"fmt"
	"strconv"
	"strings"

	"qcat/core"
	"qcat/core/history"
	"qcat/core/record"
)

// Texts say what the numbers of the limit tree in records mean, for people who read the
// audit. in is the instrument that a number belongs to, or nil. A text that is nil, or
// returns "", leaves the number. What two projections of one journal make is equal only
// if both have the same.
type Texts struct {
	Limit  func(limit uint16, value int64, in *core.Instrument) string                   // "max_qty 1.500"
	Reason func(code uint16, unit uint8, limit, value int64, in *core.Instrument) string // "risk.max_qty: 2.000, limit 1.500"
	Action func(action uint8) string                                                     // "halt"
}

// limit says which limit is what, in two words.
func (p *JournalProjection) limit(id uint16, value int64, in *core.Instrument) (name, is string) {
	if p.text.Limit != nil {
		if text := p.text.Limit(id, value, in); text != "" {
			name, is, _ = strings.Cut(clean(text), " ")
			return name, is
		}
	}
	return "limit_" + strconv.Itoa(int(id)), strconv.FormatInt(value, 10)
}

// unset stands for a limit that a node does not have.
const unset = "unset"

// change says which limits of a node become what. Both lists ascend by number.
func (p *JournalProjection) change(before, after []record.LimitField, in *core.Instrument) string {
	var b strings.Builder
	say := func(name, was, is string) {
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(name + " " + was + " → " + is)
	}
	for len(before) > 0 || len(after) > 0 {
		switch {
		case len(after) == 0 || (len(before) > 0 && before[0].ID < after[0].ID):
			name, was := p.limit(before[0].ID, before[0].Value, in)
			say(name, was, unset)
			before = before[1:]
		case len(before) == 0 || after[0].ID < before[0].ID:
			name, is := p.limit(after[0].ID, after[0].Value, in)
			say(name, unset, is)
			after = after[1:]
		default:
			if was, is := before[0], after[0]; was != is {
				name, from := p.limit(was.ID, was.Value, in)
				_, to := p.limit(is.ID, is.Value, in)
				say(name, from, to)
			}
			before, after = before[1:], after[1:]
		}
	}
	if b.Len() == 0 {
		return "nothing changes"
	}
	return b.String()
}

// reason says why something was refused, or which limit was crossed.
func (p *JournalProjection) reason(r *record.Reason, in *core.Instrument) string {
	if p.text.Reason != nil {
		if text := p.text.Reason(r.Code, r.Unit, r.Limit, r.Value, in); text != "" {
			return clean(text)
		}
	}
	return fmt.Sprintf("code %d", r.Code)
}

// refused says that something was refused, and why.
func (p *JournalProjection) refused(r *record.Reason) string {
	return "refused with " + p.reason(r, p.instruments[r.Scope.Instrument])
}

// action says what a breach does.
func (p *JournalProjection) action(a uint8) string {
	if p.text.Action != nil {
		if text := p.text.Action(a); text != "" {
			return clean(text)
		}
	}
	return fmt.Sprintf("action %d", a)
}

// scopeText names a node of the limit tree.
func (p *JournalProjection) scopeText(s *record.Scope) string {
	words := []string{"firm"}
	if s.Account != 0 {
		words[0] = "account " + p.accountName(s.Account)
	}
	if s.Strategy != 0 {
		name, ok := p.strategies[s.Strategy]
		if !ok {
			name = strconv.FormatUint(uint64(s.Strategy), 10)
		}
		words = append(words, "strategy "+name)
	}
	if s.Instrument != 0 {
		words = append(words, p.instrumentName(s.Instrument))
	}
	return strings.Join(words, ", ")
}

func (p *JournalProjection) accountName(id core.AccountID) string {
	if name, ok := p.accounts[id]; ok {
		return name
	}
	return strconv.FormatUint(uint64(id), 10)
}

func (p *JournalProjection) instrumentName(id core.InstrumentID) string {
	if in := p.instruments[id]; in != nil {
		return clean(in.Name())
	}
	return "instrument " + strconv.FormatUint(uint64(id), 10)
}

// amount is an amount of an account's currency without zeros at its end.
func amount(v int64) string { return trimmed(v, history.AmountScale) }

// trimmed is a decimal without zeros at its end.
func trimmed(v int64, decimals uint8) string {
	text := core.FormatDecimal(v, decimals)
	if strings.ContainsRune(text, '.') {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// signed says who did something, and why if he said so.
func signed(by, note *record.Text) string {
	text := ""
	if by.Len > 0 {
		text = " by " + clean(by.String())
	}
	if note != nil && note.Len > 0 {
		text += ": " + clean(note.String())
	}
	return text
}
