package risk

import (
	"errors"
	"fmt"
	"math"

	"qcat/core"
	"qcat/core/state"
)

// ErrState is wrapped by the errors of RestoreState and RestoreHold.
var ErrState = errors.New("state of the limit tree")

// RestoreState reads what AppendState appended from the front of b into a tree
// that NewTree made and nothing has been done to, and returns what follows it. The
// tree then appends the same bytes and decides as the first one would. instrument
// gives the definitions as they were last, nil where there is none; the tree keeps
// the pointers.
//
// Errors: ErrState, with what is wrong: bytes missing, something that no tree can
// hold, more pairs than Config.MaxPositions. The tree is then of no use.
func (t *Tree) RestoreState(b []byte, instrument func(core.InstrumentID) *core.Instrument) (rest []byte, err error) {
	if t.version != 1 {
		return nil, fmt.Errorf("%w: the tree is not new", ErrState)
	}
	t.version++
	r := stateReader{state.NewReader(b), t, instrument}
	r.node(&t.firm.node, FirmScope())
	r.Require(t.firm.defined && t.firm.owner == 0, "a firm that is not defined")
	r.accounts()
	r.strategies()
	later := r.instruments()
	r.pairs()
	r.venues()
	r.rates()
	r.derive(later)
	r.ledger()
	r.recent()
	r.scores()
	if !r.OK() {
		what, _ := r.Wrong()
		return nil, fmt.Errorf("%w: %s", ErrState, what)
	}
	t.changes.reserve(t.nodes())
	return r.Left(), nil
}

func (r *stateReader) accounts() {
	r.t.accounts = r.nodes(func(id uint32) Scope { return AccountScope(core.AccountID(id)) })
	for i := range r.t.accounts {
		r.Require(r.t.accounts[i].owner == 0, "an account of an account")
	}
}

func (r *stateReader) strategies() {
	t := r.t
	t.strategies = r.nodes(func(id uint32) Scope { return StrategyScope(core.StrategyID(id)) })
	for i := range t.strategies {
		n := &t.strategies[i]
		r.Require(!n.defined || nodeAt(t.accounts, n.owner) != nil, "a strategy of an unknown account")
	}
}

// derived is what the state says of an instrument that follows from rates and
// venues.
type derived struct {
	mul, div int64
	venue    uint32
}

// instruments reads the instruments and returns what derive has to find.
func (r *stateReader) instruments() []derived {
	t, n := r.t, r.table(1)
	t.instruments = make([]instrument, n)
	all := make([]derived, n)
	for i := range t.instruments {
		if !r.Bit() {
			continue
		}
		id := core.InstrumentID(i)
		in := r.instrument(id)
		if id == 0 || in == nil || in.ID != id {
			r.Fail("an instrument that is not defined")
			break
		}
		x := &t.instruments[i]
		x.in = in
		all[i] = derived{mul: r.I64(), div: r.I64(), venue: r.ID()}
		r.Require(r.I64() == 0, "an instrument's node that is a pair's")
		r.pair(&x.firm, InstrumentScope(0, 0, id))
		r.rolling(x)
	}
	return all
}

// rolling reads the buckets of the period that the instrument's limits say.
func (r *stateReader) rolling(x *instrument) {
	window := r.I64()
	set, _ := r.t.profiles[x.firm.profile].Get(LimitRollingWindow)
	r.Require(window == set, "a rolling collar that no limit asks for")
	x.rolling.restart(set)
	for i := range x.rolling.buckets {
		b := &x.rolling.buckets[i]
		b.epoch, b.lo, b.hi = uint64(r.I64()), core.Price(r.I64()), core.Price(r.I64())
	}
}

// pairs reads the pairs in the order of their slots, which makes them as they were
// made first.
func (r *stateReader) pairs() {
	t, n := r.t, r.slots(pairBytes)
	if n-1 > int(t.pairs.max) {
		r.Fail(fmt.Sprintf("%d positions, of which there may be %d", n-1, t.pairs.max))
		return
	}
	if 2*(n+1) > len(t.pairs.index) {
		t.pairs = newPairs(n, int(t.pairs.max))
	}
	for range n - 1 {
		key := uint64(r.I64())
		s, known := t.pairScope(key)
		if !known || t.pairs.find(key) != 0 {
			r.Fail("a pair of what is not defined, or twice the same")
			return
		}
		r.pair(t.pairs.at(t.makePair(key, s.Instrument)), s)
	}
}

// pairScope is the scope a key stands for, and whether all of it is defined.
func (t *Tree) pairScope(key uint64) (Scope, bool) {
	p := pair{key: key}
	s, reason := t.resolve(p.scope())
	return s, reason.OK() && s.Account != 0
}

func (r *stateReader) venues() {
	r.t.venues = nil
	for range r.Count(2 + 1) {
		r.t.venues = append(r.t.venues, venue{r.name()})
		r.Require(!r.Bit(), "a venue with a flag")
	}
}

func (r *stateReader) rates() {
	r.t.rates = nil
	for range r.Count(2 + 1 + 8) {
		currency := r.name()
		r.Require(!r.Bit(), "a rate with a flag")
		r.t.rates = append(r.t.rates, rate{currency, r.UpTo(math.MaxInt64)})
	}
}

// derive gives the instruments their venue and what a unit of them is worth, which
// must be what the state says.
func (r *stateReader) derive(all []derived) {
	t := r.t
	for i := range all {
		x, w := &t.instruments[i], &all[i]
		if x.in == nil {
			continue
		}
		x.setRate(t.Rate(valued(x.in)))
		r.Require(x.val.mul == w.mul && x.val.div == w.div, "an instrument is not worth what its rate says")
		x.venue = w.venue
		r.Require(int64(w.venue) < int64(len(t.venues)) && t.venues[w.venue].name == x.in.Venue, "an instrument of another venue")
		if !r.OK() {
			return
		}
	}
}

// recent reads the orders that a later one may duplicate.
func (r *stateReader) recent() {
	const entryBytes = 7 * 8
	m := &r.t.recent
	window, sets := r.UpTo(maxWindow), r.UpTo(recentSets)
	n := r.Count(entryBytes)
	r.Require((sets == recentSets && window > 0) || (sets == 0 && window == 0 && n == 0), "duplicates without a window")
	if !r.OK() || sets == 0 {
		return
	}
	m.keep(core.Nanos(window))
	last := int64(-1)
	for range n {
		set, way := r.UpTo(recentSets-1), r.UpTo(recentWays-1)
		e := recentOrder{account: core.AccountID(r.ID()), instrument: core.InstrumentID(r.ID()),
			price: core.Price(r.I64()), qty: core.Qty(r.I64()), time: core.Nanos(r.I64())}
		at := set*recentWays + way
		if e.account == 0 || at <= last || m.set(&e) != &m.sets[set] {
			r.Fail("a recent order out of its place")
			return
		}
		m.sets[set][way], last = e, at
	}
}

// RestoreHold reads what Hold.AppendState appended from the front of b into h and
// returns what follows it. The tree must be the one that the order is reserved in:
// it is asked for the nodes that the hold names.
//
// Errors: ErrState, with what is wrong; h is then of no use.
func (t *Tree) RestoreHold(b []byte, h *Hold) (rest []byte, err error) {
	r := stateReader{state.NewReader(b), t, nil}
	*h = Hold{}
	o := &h.order
	o.Side, o.Type, o.TIF, o.Leg = core.Side(r.U8()), core.OrdType(r.U8()), core.TimeInForce(r.U8()), core.Leg(r.U8())
	o.ReduceOnly, h.open, h.pending = r.Bit(), r.Bit(), r.Bit()
	o.Account, o.Strategy, o.Instrument = core.AccountID(r.ID()), core.StrategyID(r.ID()), core.InstrumentID(r.ID())
	o.Price, o.Qty = core.Price(r.I64()), core.Qty(r.I64())
	h.filled, h.price, h.value = core.Qty(r.I64()), core.Price(r.I64()), r.I64()
	h.newPrice, h.newQty = core.Price(r.I64()), core.Qty(r.I64())
	h.ref, h.newRef, h.funds = core.Price(r.I64()), core.Price(r.I64()), r.I64()
	h.account, h.strategy, h.amends = r.ID(), r.ID(), r.ID()
	if *h != (Hold{}) && r.OK() {
		r.Require(o.Side == core.Buy || o.Side == core.Sell, "an order without a side")
		s := nodeAt(t.strategies, uint32(o.Strategy))
		r.Require(s != nil && s.owner == uint32(o.Account) &&
			t.reserves(h.account, accountPairKey(o.Account, o.Instrument)) &&
			t.reserves(h.strategy, strategyPairKey(o.Strategy, o.Instrument)), "an order that is reserved nowhere")
		r.Require(o.Leg <= core.LegShort, "an order of an unknown leg")
		r.Require(!r.OK() || h.funds == t.instruments[o.Instrument].fundsOf(h), "an order that sets aside what it need not")
	}
	if !r.OK() {
		what, _ := r.Wrong()
		return nil, fmt.Errorf("%w: %s", ErrState, what)
	}
	return r.Left(), nil
}

// reserves reports whether a slot is that of the pair of that key.
func (t *Tree) reserves(slot uint32, key uint64) bool {
	return slot != 0 && slot < t.pairs.n && t.pairs.at(slot).key == key
}
