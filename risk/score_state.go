package risk

import (
	"math"

	"qcat/core"
)

// appendScores appends profits, trips and the breaches that wait, in a canonical form.
// Sums of stress follow from the rest.
func (t *Tree) appendScores(dst []byte) []byte {
	s := &t.scores
	dst = appendInts(append(dst, bit(s.began)), int64(s.now), int64(s.midnight))
	dst = t.appendScore(dst, &t.firm.node, &s.firm)
	for i := range s.accounts {
		dst = t.appendScore(dst, &t.accounts[i].node, &s.accounts[i])
	}
	for i := range s.strategies {
		dst = t.appendScore(dst, &t.strategies[i].node, &s.strategies[i])
	}
	for i := range t.instruments {
		x := &t.instruments[i]
		if x.in == nil {
			continue
		}
		dst = t.appendTally(dst, &x.firm.node, &x.tally)
		d := &x.deviation
		dst = appendInts(dst, int64(x.mark), d.minute, int64(d.price), d.seen, d.variance)
		if x.surge.window != 0 {
			dst = appendBuckets(dst, &x.surge)
		}
	}
	for slot := uint32(1); slot < t.pairs.n; slot++ {
		dst = t.appendTally(dst, &t.pairs.at(slot).node, t.pairs.tally(slot))
	}
	return t.breaches.append(dst)
}

func appendBuckets(dst []byte, r *rolling) []byte {
	for _, b := range r.buckets {
		dst = appendInts(dst, int64(b.epoch), int64(b.lo), int64(b.hi))
	}
	return dst
}

// What of a score is there: nothing of it takes more than one byte.
const (
	hasScore = 1 << iota
	hasTally
)

// appendTally appends what an instrument's node has won and lost.
func (t *Tree) appendTally(dst []byte, n *node, l *tally) []byte {
	if l.cash == (core.Int128{}) && l.cost == 0 && l.startCash == (core.Int128{}) && l.startCost == 0 {
		return t.appendScore(append(dst, 0), n, &l.score)
	}
	dst = appendInts(append(dst, hasTally), l.cash.Hi, int64(l.cash.Lo), l.cost, l.startCash.Hi, int64(l.startCash.Lo), l.startCost)
	return t.appendScore(dst, n, &l.score)
}

// appendScore appends a node's score, what is known of its trips and what is counted
// of its fills.
func (t *Tree) appendScore(dst []byte, n *node, sc *score) []byte {
	bare := *sc
	bare.slot, bare.flow = 0, 0
	if bare == (score{}) && n.trips == 0 {
		dst = append(dst, 0)
	} else {
		dst = append(dst, hasScore, n.trips, sc.acted, sc.cause)
		dst = appendInts(dst, sc.pnl, sc.open, sc.peak, int64(sc.day), int64(sc.streak),
			int64(sc.over[0]), int64(sc.over[1]), int64(sc.by[0]), int64(sc.by[1]))
		for k := range numTrips {
			if known := &t.trips.slots[sc.slot].at[k]; n.knows(sc, k) {
				dst = appendInts(append(dst, byte(known.Unit)), int64(known.Since), int64(known.Until), known.Limit, known.Value)
			}
		}
	}
	if flowWindow(&t.profiles[n.profile].Limits) != 0 {
		for _, b := range t.flows.slots[sc.flow].buckets {
			dst = appendInts(dst, int64(b.epoch), b.fills, b.qty, b.net)
		}
	}
	return dst
}

// knows reports whether details of a trip are kept: it is set, or the cause of the
// state.
func (n *node) knows(sc *score, k tripKind) bool {
	return n.trips&(1<<k) != 0 || sc.cause == uint8(k)+1
}

func (q *breaches) append(dst []byte) []byte {
	w := q.waiting()
	dst = appendInts(dst, int64(len(w)))
	for i := range w {
		b := &w[i]
		dst = append(dst, byte(b.Scope.Level), byte(b.Unit), byte(b.Action))
		dst = appendInts(dst, int64(b.Scope.Account), int64(b.Scope.Strategy), int64(b.Scope.Instrument), int64(b.Code),
			b.Limit, b.Value, int64(b.Instrument), int64(b.Price), int64(b.Cause), int64(b.Seen))
	}
	return dst
}

// scores reads what appendScores appended, once nodes, pairs and rates are there.
func (r *stateReader) scores() {
	t := r.t
	if !r.OK() {
		return
	}
	t.growScores()
	s := &t.scores
	s.began, s.now, s.midnight = r.Bit(), core.Nanos(r.I64()), core.Nanos(r.I64())
	r.score(ScopeCursor{sectionFirm, 0})
	for i := range s.accounts {
		r.score(ScopeCursor{sectionAccounts, uint32(i)})
	}
	for i := range s.strategies {
		r.score(ScopeCursor{sectionStrategies, uint32(i)})
	}
	for i := range t.instruments {
		if x := &t.instruments[i]; x.in != nil && r.OK() {
			r.tally(ScopeCursor{sectionInstruments, uint32(i)}, &x.tally)
			r.price(x)
		}
	}
	for slot := uint32(1); slot < t.pairs.n && r.OK(); slot++ {
		r.tally(ScopeCursor{sectionPairs, slot}, t.pairs.tally(slot))
	}
	r.breaches()
	r.sums()
}

// price reads what is remembered of an instrument's confirmed marks.
func (r *stateReader) price(x *instrument) {
	x.mark = core.Price(r.UpTo(math.MaxInt64))
	d := &x.deviation
	d.minute, d.price = r.I64(), core.Price(r.UpTo(math.MaxInt64))
	d.seen, d.variance = r.UpTo(devMemory), r.UpTo(devMost*devMost)
	d.derive()
	window, _ := r.t.profiles[x.firm.profile].Get(LimitVolatilityWindow)
	x.surge.restart(window)
	if window != 0 {
		r.buckets(&x.surge)
	}
}

func (r *stateReader) buckets(w *rolling) {
	w.from, w.until = 0, 0
	for i := range w.buckets {
		b := &w.buckets[i]
		b.epoch, b.lo, b.hi = uint64(r.I64()), core.Price(r.I64()), core.Price(r.I64())
	}
}

func (r *stateReader) tally(at ScopeCursor, l *tally) {
	what := r.U8()
	r.Require(what == 0 || what == hasTally, "a tally that is neither there nor not")
	if what != 0 {
		l.cash = core.Int128{Hi: r.I64(), Lo: uint64(r.I64())}
		l.cost = r.I64()
		l.startCash = core.Int128{Hi: r.I64(), Lo: uint64(r.I64())}
		l.startCost = r.I64()
		r.Require(*l != (tally{}), "a tally that says nothing")
	}
	r.score(at)
}

func (r *stateReader) score(at ScopeCursor) {
	t := r.t
	s := t.seat(at)
	what := r.U8()
	r.Require(what == 0 || what == hasScore, "a score that is neither there nor not")
	if what != 0 {
		s.n.trips, s.sc.acted, s.sc.cause = r.U8(), r.U8(), r.U8()
		r.Require((s.n.trips|s.sc.acted)>>numTrips == 0 && s.sc.cause <= uint8(numTrips), "an unknown trip")
		r.Require(s.sc.cause == 0 || s.n.state != StateActive, "a cause of no state")
		s.sc.pnl, s.sc.open, s.sc.peak = r.I64(), r.I64(), r.I64()
		s.sc.day, s.sc.streak = r.i32(), r.i32()
		s.sc.over = [2]int32{r.i32(), r.i32()}
		s.sc.by = [2]core.InstrumentID{core.InstrumentID(r.ID()), core.InstrumentID(r.ID())}
		bare := *s.sc
		r.Require(bare != (score{}) || s.n.trips != 0, "a score that says nothing")
		for k := range numTrips {
			if r.OK() && s.n.knows(s.sc, k) {
				v := Trip{Unit: Unit(r.U8())}
				since := core.Nanos(r.I64())
				v.Until, v.Limit, v.Value = core.Nanos(r.I64()), r.I64(), r.I64()
				t.remember(&s, k, v)
				t.trips.slots[s.sc.slot].at[k].Since = since
				t.trips.deadline = min(t.trips.deadline, v.Until)
			}
		}
	}
	r.Require(s.n.defined || (what == 0), "a score of nobody")
	if window := flowWindow(&t.profiles[s.n.profile].Limits); window != 0 {
		t.flows.follow(s.sc, window)
		f := &t.flows.slots[s.sc.flow]
		for i := range f.buckets {
			f.buckets[i] = flowBucket{uint64(r.I64()), r.I64(), r.I64(), r.I64()}
		}
	}
}

// i32 reads a number of 32 bits, with its sign, that stands in 64.
func (r *stateReader) i32() int32 {
	v := r.I64()
	r.Require(v == int64(int32(v)), "a number is out of its range")
	return int32(v)
}

func (r *stateReader) breaches() {
	q := &r.t.breaches
	for range r.Count(3 + 10*8) {
		b := Breach{Scope: Scope{Level: Level(r.U8())}, Unit: Unit(r.U8()), Action: Action(r.U8())}
		b.Scope.Account, b.Scope.Strategy = core.AccountID(r.ID()), core.StrategyID(r.ID())
		b.Scope.Instrument = core.InstrumentID(r.ID())
		b.Code, b.Limit, b.Value = Code(r.UpTo(math.MaxUint16)), r.I64(), r.I64()
		b.Instrument, b.Price = core.InstrumentID(r.ID()), core.Price(r.I64())
		b.Cause, b.Seen = uint64(r.I64()), core.Nanos(r.I64())
		_, reason := r.t.resolve(b.Scope)
		_, known := tripOf(b.Code)
		r.Require(reason.OK() && known && b.Action <= ActionFlatten, "a breach of nothing")
		q.queue = append(q.queue, b)
	}
}

// sums holds every profit against what it is made of, and finds the stress of all.
func (r *stateReader) sums() {
	t := r.t
	pnl := func(x *instrument, p *pair, l *tally) int64 {
		v, ok := x.worthOf(l.cash, l.cost, p.position, x.mark)
		r.Require(ok && v == l.pnl, "a profit is not what its fills and its mark say")
		return v
	}
	var firm int64
	accounts, strategies := make([]int64, len(t.accounts)), make([]int64, len(t.strategies))
	for i := range t.instruments {
		x := &t.instruments[i]
		if x.in == nil || !r.OK() {
			continue
		}
		firm += pnl(x, &x.firm, &x.tally)
		sigma := x.deviation.sigma
		t.firm.stress.move(stress{}, deviated(sigma, x.firm.long, x.firm.short))
		for s := x.first; s != 0; s = t.pairs.at(s).next {
			p := t.pairs.at(s)
			v := pnl(x, p, t.pairs.tally(s))
			if at := parentAt(p); at.section == sectionAccounts {
				accounts[at.index] += v
			} else {
				strategies[at.index] += v
			}
			t.parent(p).stress.move(stress{}, deviated(sigma, p.long, p.short))
		}
	}
	ok := firm == t.scores.firm.pnl
	for i := range accounts {
		ok = ok && accounts[i] == t.scores.accounts[i].pnl
	}
	for i := range strategies {
		ok = ok && strategies[i] == t.scores.strategies[i].pnl
	}
	r.Require(ok, "a profit is not the sum of its instruments'")
}
