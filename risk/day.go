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

// dayNumber counts the days that begin at start, so that no moment since 1970 is on
// day 0: that is the day of a node that nothing has happened to.
func dayNumber(now, start core.Nanos) int32 {
	d := now - start
	n := d / dayLength
	if d%dayLength < 0 {
		n--
	}
	return int32(n) + 2
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
	now, next := t.scores.now, never
	look := func(start core.Nanos) {
		next = min(next, core.Nanos(dayNumber(now, start)-1)*dayLength+start)
	}
	last := t.dayStart(0)
	look(last)
	for id := range t.accounts {
		if start := t.dayStart(uint32(id)); t.accounts[id].defined && start != last {
			look(start)
			last = start
		}
	}
	return next
}

// begin notes that there is something whose days count.
func (t *Tree) begin() {
	if !t.scores.began {
		t.scores.began, t.scores.midnight = true, t.nextDay()
	}
}

// dayMoved finds the next beginning of a day again after one has been set elsewhere.
func (t *Tree) dayMoved(before, after *Limits) {
	if t.scores.began && before.or(LimitDayStart, -1) != after.or(LimitDayStart, -1) {
		t.scores.midnight = t.nextDay()
	}
}
