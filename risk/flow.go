package risk

import "qcat/core"

// flow counts the recent fills of one node in eight buckets of a seventh of a period
// each, as rolling does: it looks back at least the whole period and at most a
// seventh more.
type flow struct {
	window int64 // ns looked back; 0: nothing is counted
	width  core.Nanos
	// What the other buckets of the period come to within [from, until), the time of
	// one bucket. Derived.
	from, until core.Nanos
	at          uint32 // of the bucket whose time it is
	others      flowBucket
	buckets     [rollingBuckets]flowBucket
}

type flowBucket struct {
	epoch uint64 // time / width
	fills int64  // of an instrument; of a strategy or above, orders that first traded
	qty   int64  // filled, both sides
	net   int64  // bought less sold
}

// flows are the counts of all nodes whose limits ask for them.
type flows struct {
	slots []flow // slot 0 is nobody's
}

// restart forgets what was counted.
func (f *flows) restart(slot uint32) {
	if slot != 0 {
		f.slots[slot].restart(f.slots[slot].window)
	}
}

func (f *flow) restart(window int64) {
	*f = flow{}
	if window > 0 {
		f.window = window
		f.width = core.Nanos((window-1)/(rollingBuckets-1) + 1)
	}
}

// add counts a fill and returns the sums of the period that ends with it. Sums that
// do not fit stay at the largest there is.
func (f *flow) add(qty, net core.Qty, now core.Nanos) (sum flowBucket) {
	if f.width == 0 || now < 0 {
		return sum
	}
	if now < f.from || now >= f.until {
		f.begin(uint64(now / f.width))
	}
	b := &f.buckets[f.at]
	b.fills, b.qty, b.net = capped(b.fills, 1), capped(b.qty, int64(qty)), capped(b.net, int64(net))
	return f.others.plus(b)
}

// begin makes a bucket the present one, and sums up the others of its period.
func (f *flow) begin(epoch uint64) {
	f.at = uint32(epoch % rollingBuckets)
	f.from = core.Nanos(epoch) * f.width
	f.until = later(f.from, int64(f.width))
	if b := &f.buckets[f.at]; b.epoch != epoch {
		*b = flowBucket{epoch: epoch}
	}
	f.others = f.period(epoch, f.at)
}

// period sums up the buckets of the period that ends with a bucket, but for one.
func (f *flow) period(epoch uint64, without uint32) (sum flowBucket) {
	for i := range f.buckets {
		if b := &f.buckets[i]; uint32(i) != without && b.epoch <= epoch && epoch-b.epoch < rollingBuckets {
			sum = sum.plus(b)
		}
	}
	return sum
}

// sum returns the sums of the period that ends at now.
func (f *flow) sum(now core.Nanos) (sum flowBucket) {
	if f.width == 0 || now < 0 {
		return sum
	}
	return f.period(uint64(now/f.width), rollingBuckets)
}

// plus adds, and stays at the largest there is where a sum does not fit.
func (s flowBucket) plus(b *flowBucket) flowBucket {
	return flowBucket{fills: capped(s.fills, b.fills), qty: capped(s.qty, b.qty), net: capped(s.net, b.net)}
}

// capped adds, and stays at the largest magnitude where the sum does not fit.
func capped(a, b int64) int64 {
	if s, ok := add64(a, b); ok {
		return s
	}
	if a < 0 {
		return -maxAny
	}
	return maxAny
}

// flowWindow is the period in which the fills of a node with these limits count: of
// repeated executions at a strategy and above, of the protection at an instrument.
func flowWindow(ls *Limits) int64 {
	return max(ls.or(LimitRepeatedExecutionsPer, 0), ls.or(LimitProtectionWindow, 0))
}

// fill counts a fill at the nodes of its path that ask for it.
func (f *flows) fill(t *Tree, s *scoring, b *Booking, first bool) {
	why := event{instrument: s.x.in.ID, price: b.Price}
	for i := range s.seats {
		n := &s.seats[i]
		switch {
		case n.sc.flow == 0:
		case i >= atFirmInstrument:
			t.protects(n, b, &why)
		case first:
			t.repeats(n, &why)
		}
	}
}

// repeats counts an order's first execution and trips the node whose orders traded
// too often, until a person resumes it.
func (t *Tree) repeats(n *seat, why *event) {
	limit, set := t.profiles[n.n.profile].Get(LimitRepeatedExecutions)
	if !set || n.n.trips&(1<<tripRepeated) != 0 {
		return
	}
	sum := t.flows.slots[n.sc.flow].add(0, 0, t.scores.now)
	if sum.fills > limit {
		t.trip(n, tripRepeated, Trip{Unit: UnitCount, Limit: limit, Value: sum.fills, Until: never})
		t.breach(n, tripRepeated, ActionReduce, why)
	}
}

// protects counts a fill of a market maker and trips its instrument when fills,
// quantity or net quantity of the period are too many: its orders are cancelled, and
// none that opens is taken until the freeze is over, or a person resumes it.
func (t *Tree) protects(n *seat, b *Booking, why *event) {
	p := &t.profiles[n.n.profile]
	if n.n.trips&(1<<tripProtection) != 0 {
		return // what still comes in was on its way
	}
	net := b.Qty
	if b.Moves < 0 {
		net = -net
	}
	sum := t.flows.slots[n.sc.flow].add(b.Qty, net, t.scores.now)
	for _, m := range [...]struct {
		limit Limit
		unit  Unit
		value int64
	}{
		{LimitProtectionFills, UnitCount, sum.fills},
		{LimitProtectionQty, UnitQty, sum.qty},
		{LimitProtectionDelta, UnitQty, max(sum.net, -sum.net)},
	} {
		limit, set := p.Get(m.limit)
		if !set || m.value <= limit {
			continue
		}
		until := never
		if freeze, set := p.Get(LimitProtectionFreeze); set {
			until = later(t.scores.now, freeze)
		}
		t.flows.restart(n.sc.flow)
		t.trip(n, tripProtection, Trip{Unit: m.unit, Limit: limit, Value: m.value, Until: until})
		t.breach(n, tripProtection, ActionHalt, why)
		return
	}
}

// later is a time after another, never beyond the last there is.
func later(now core.Nanos, by int64) core.Nanos {
	if at, ok := add64(int64(now), by); ok {
		return core.Nanos(at)
	}
	return never
}
