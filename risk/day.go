package risk

import "qcat/core"

const dayLength = core.Nanos(maxWindow)

// dayStart is when an account's day begins, after midnight UTC: as it says, else as
// the firm says, else at midnight. Its strategies and instruments follow it; account
// 0 is the firm.
func (t *Tree) dayStart(account uint32) core.Nanos {
	ls := &t.profiles[t.firm.profile].Limits
	if account != 0 {
		if own := &t.profiles[t.accounts[account].profile].Limits; own.set&(1<<LimitDayStart) != 0 {
			ls = own
		}
	}
	return core.Nanos(ls.or(LimitDayStart, 0))
}

// dayNumber counts the days that begin at start.
func dayNumber(now, start core.Nanos) int32 {
	d := now - start
	n := d / dayLength
	if d%dayLength < 0 {
		n--
	}
	return int32(n)
}

// newDay begins a node's day when the tree's time is in a later one than the node's:
// what it has won or lost by then is what the day opens with. Nothing moved it since
// the day began, so that it may be done when something does, or the tree is looked at.
func (t *Tree) newDay(s *seat) {
	if day := dayNumber(t.scores.now, t.dayStart(t.accountOf(s.at))); day > s.sc.day {
		s.sc.day, s.sc.open = day, s.sc.pnl
	}
}

// nextDay is the next moment after the tree's time at which somebody's day begins.
func (t *Tree) nextDay() core.Nanos {
	next := never
	for _, start := range t.dayStarts {
		now := t.scores.now
		at := core.Nanos(dayNumber(now, start)+1)*dayLength + start
		next = min(next, at)
	}
	return next
}

// findDayStarts collects the moments at which days begin, after limits changed.
func (t *Tree) findDayStarts() {
	t.dayStarts = append(t.dayStarts[:0], t.dayStart(0))
	for i := range t.profiles {
		v, set := t.profiles[i].Get(LimitDayStart)
		known := !set
		for _, d := range t.dayStarts {
			known = known || d == core.Nanos(v)
		}
		if !known {
			t.dayStarts = append(t.dayStarts, core.Nanos(v))
		}
	}
}
