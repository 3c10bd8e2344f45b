package risk

// limitsSet lets what is evaluated on events follow new limits of a node at a resolved
// scope: what they count is counted in their own period, and what they no longer
// forbid keeps nobody from opening. A tighter limit is met at the next event, and so is
// a stricter action, also where a milder one has been taken already.
func (t *Tree) limitsSet(s Scope, before *Limits) {
	at, _ := t.place(s)
	n := t.seat(at)
	ls := &t.profiles[n.n.profile].Limits
	if at.section == sectionFirm || at.section == sectionAccounts {
		t.dayMoved(before, ls)
	}
	if at.section == sectionInstruments {
		if x, w := &t.instruments[at.index], ls.or(LimitVolatilityWindow, 0); x.surge.window != w {
			x.surge.restart(w)
		}
	}
	t.flows.follow(n.sc, flowWindow(ls))
	if lossAction(ls) > lossAction(before) {
		n.sc.acted &^= lossTrips
	}
	for k := range numTrips {
		if n.n.trips&(1<<k) != 0 && !crossed(k, ls, n.sc) {
			t.clear(&n, k)
		}
	}
}

// crossed reports whether a node that is tripped still is by these limits.
func crossed(k tripKind, ls *Limits, sc *score) bool {
	above := func(l Limit, v int64) bool {
		limit, set := ls.Get(l)
		return set && v > limit
	}
	set := func(l Limit) bool {
		_, ok := ls.Get(l)
		return ok
	}
	switch k {
	case tripLoss:
		return above(LimitMaxLossDaily, lost(sc.open, sc.pnl))
	case tripDrawdown:
		return above(LimitMaxDrawdown, lost(sc.peak, sc.pnl))
	case tripStreak:
		return above(LimitConsecutiveLosses, int64(sc.streak))
	case tripRepeated:
		return set(LimitRepeatedExecutions)
	case tripVolatility:
		return set(LimitVolatilityMove)
	case tripProtection:
		return set(LimitProtectionWindow)
	}
	return true // margin is not a matter of this node's limits
}

// follow gives a node whose fills are to be counted a place to count them.
func (f *flows) follow(sc *score, window int64) {
	if sc.flow == 0 {
		if window == 0 {
			return
		}
		sc.flow = uint32(len(f.slots))
		f.slots = append(f.slots, flow{})
	}
	if own := &f.slots[sc.flow]; own.window != window {
		own.restart(window)
	}
}
