package risk

import "qcat/core"

// told notes the time of an event. It never goes back: while a clock that stepped
// back catches up, time stands still.
func (t *Tree) told(now core.Nanos) { t.scores.now = max(t.scores.now, now) }

// Deadline returns when Tick has something to do next: the end of a cool-down or of
// a freeze, or the beginning of a day; MaxInt64 when nothing is due ever.
func (t *Tree) Deadline() core.Nanos {
	at := t.trips.deadline
	if t.scores.began {
		at = min(at, t.scores.midnight)
	}
	return at
}

// Tick tells the tree the time: cool-downs and freezes that are over end, and where a
// day has begun, what was lost the day before keeps nobody from opening.
func (t *Tree) Tick(now core.Nanos) {
	t.version++
	t.told(now)
	now = t.scores.now
	t.scores.midnight = t.nextDay()
	t.trips.deadline = never
	for i := range t.trips.slots {
		e := &t.trips.slots[i]
		if !e.used {
			continue
		}
		s := t.seat(e.place)
		if s.n.trips&(1<<tripLoss) != 0 {
			day := s.sc.day
			if t.newDay(&s); s.sc.day != day {
				t.clear(&s, tripLoss)
			}
		}
		for k := range numTrips {
			if s.n.trips&(1<<k) == 0 {
				continue
			}
			if until := e.at[k].Until; until <= now {
				t.clear(&s, k)
			} else {
				t.trips.deadline = min(t.trips.deadline, until)
			}
		}
	}
}
