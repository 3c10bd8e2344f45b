package risk

import "qcat/core"

// instrument is what the tree knows of one instrument, its firm-wide node
// included: firm by instrument is a plain slice.
type instrument struct {
	in    *core.Instrument // nil: not defined
	val   valuation
	venue uint32 // index in Tree.venues
	first uint32 // slot of the first pair that holds it; 0: none

	settles bool // val is the settlement currency's own notional, exactly

	firm    pair
	rolling rolling
	money

	ppm       int64      // rate of the currency it is valued in; 0: none
	mark      core.Price // the last confirmed mark, else the first fill; 0: neither yet
	tally     tally      // of firm
	deviation deviation
	surge     rolling // of LimitVolatilityWindow
}

// par are the currencies that count one for one in the risk currency unless
// SetRate says otherwise.
var par = [...]string{"USD", "USDT", "USDC", "FDUSD", "BUSD"}

type rate struct {
	currency string
	ppm      int64
}

// venue is whose orders an instrument's are. That it is down is not the tree's to know:
// its gateway tells at each order (record.Outside.Ready), which the order's record holds
// and the engine refuses by, so that replay asks the record and nothing else.
type venue struct{ name string }

// valued returns the currency an instrument's risk is counted in.
func valued(in *core.Instrument) string {
	if in.Kind == core.Inverse {
		return in.Quote
	}
	return in.Settle
}

// Rate returns what one unit of a currency is worth in the risk currency, in PPM; 0
// if that is not known.
func (t *Tree) Rate(currency string) int64 {
	for i := range t.rates {
		if t.rates[i].currency == currency {
			return t.rates[i].ppm
		}
	}
	return 0
}

// instrument returns the instrument of that id, or nil.
func (t *Tree) instrument(id core.InstrumentID) *instrument {
	if uint32(id) >= uint32(len(t.instruments)) || t.instruments[id].in == nil {
		return nil
	}
	return &t.instruments[id]
}

// DefineInstrument adds an instrument or replaces its filters; its scales and
// what it is cannot change. in must be valid and must not change afterwards: the
// tree keeps the pointer. Refused with UnknownInstrument (no id, or invalid) or
// InvalidSetting (another instrument of that id).
func (t *Tree) DefineInstrument(in *core.Instrument) Reason {
	s := InstrumentScope(0, 0, in.ID)
	if in.ID == 0 || in.ID > maxID || in.Validate() != nil {
		return Reason{Code: UnknownInstrument, Scope: s}
	}
	if old := t.instrument(in.ID); old != nil {
		if !sameContract(old.in, in) {
			return Reason{Code: InvalidSetting, Scope: s}
		}
		t.version++
		old.in = in
		t.limitsChanged()
		return Reason{}
	}
	t.version++
	for uint32(len(t.instruments)) <= uint32(in.ID) {
		t.instruments = append(t.instruments, instrument{})
	}
	x := &t.instruments[in.ID]
	x.in = in
	x.firm.defined = true
	x.setRate(t.Rate(valued(in)))
	x.venue = t.venueOf(in.Venue)
	t.defineMoney(x)
	t.defined(s)
	return Reason{}
}

// setRate values the instrument at a rate of its currency.
func (x *instrument) setRate(ppm int64) {
	x.val, x.ppm = valuationOf(x.in, ppm), ppm
	x.settles = ppm == core.PPM && x.val.div == 1 && !x.val.inverse && x.in.SettleScale == ValueScale
}

func sameContract(a, b *core.Instrument) bool {
	return a.Name() == b.Name() && a.Kind == b.Kind && baseName(a) == baseName(b) && a.ContractSize == b.ContractSize &&
		a.Quote == b.Quote && a.Settle == b.Settle &&
		a.PriceScale == b.PriceScale && a.QtyScale == b.QtyScale && a.SettleScale == b.SettleScale
}

// venueOf returns the index of a venue, made when new.
func (t *Tree) venueOf(name string) uint32 {
	for i := range t.venues {
		if t.venues[i].name == name {
			return uint32(i)
		}
	}
	t.venues = append(t.venues, venue{name: name})
	return uint32(len(t.venues) - 1)
}

// SetRate sets what one unit of a currency is worth in the risk currency, in
// PPM, and values everything held in it anew. Instruments of a currency without
// a rate are refused with NoRate. Refused with InvalidSetting when ppm is not
// positive or Overflow when something held would have no value: nothing changes.
func (t *Tree) SetRate(currency string, ppm int64) Reason {
	if currency == "" || ppm <= 0 {
		return Reason{Code: InvalidSetting, Unit: UnitPPM, Value: ppm}
	}
	if !t.setRate(currency, ppm) {
		return Reason{Code: Overflow, Unit: UnitPPM, Value: ppm}
	}
	t.version++
	t.dropSource(currency)
	t.requote(currency)
	return Reason{}
}

// setRate values what is held in a currency at a rate and remembers it. It reports
// false, and changes nothing, on overflow.
func (t *Tree) setRate(currency string, ppm int64) bool {
	if old := t.Rate(currency); !t.revalue(currency, ppm) {
		t.revalue(currency, old)
		return false
	}
	for i := range t.rates {
		if t.rates[i].currency == currency {
			t.rates[i].ppm = ppm
			t.revalued()
			return true
		}
	}
	t.rates = append(t.rates, rate{currency, ppm})
	t.revalued()
	return true
}

// revalue values the instruments of a currency at a rate, those of id order
// before the first that overflows.
func (t *Tree) revalue(currency string, ppm int64) bool {
	for i := range t.instruments {
		x := &t.instruments[i]
		if x.in == nil || valued(x.in) != currency {
			continue
		}
		held := x.firm.price
		val, settles, was := x.val, x.settles, x.ppm
		x.setRate(ppm)
		if held > 0 && !t.mark(x, held, x.mark, true) {
			x.val, x.settles, x.ppm = val, settles, was
			return false
		}
	}
	return true
}

// Mark values all positions and open orders of an instrument at price and
// remembers it as a reference of the rolling collar. It reports false, and
// changes nothing, when price is not positive or a value would overflow. Only a
// confirmed price (fresh, uncrossed, near the one before) counts for profit and loss
// and for what they trip: one bad tick never does. Cost is linear in the pairs that
// hold the instrument: call it on a timer, not per quote.
func (t *Tree) Mark(id core.InstrumentID, price core.Price, confirmed bool, now core.Nanos) bool {
	x := t.instrument(id)
	if x == nil || price <= 0 {
		return false
	}
	scored := price
	if !confirmed {
		scored = 0
	}
	before := t.scores.now
	t.told(now)
	if !t.mark(x, price, scored, false) {
		t.scores.now = before
		return false
	}
	t.version++
	x.rolling.observe(price, now)
	t.ledgerMark(x, price, confirmed)
	if confirmed {
		t.deviates(x, price, now)
		t.surges(x, price, now)
	}
	return true
}

// mark values what is held at price, and profits at scored unless that is 0: those
// that a price changes, or all because the rate has changed. It tries all pairs before
// it changes the first.
func (t *Tree) mark(x *instrument, price, scored core.Price, all bool) bool {
	unit, ok := x.val.unit(price)
	if !ok || !fits(&x.firm, &t.firm.node, x.val, unit) {
		return false
	}
	for s := x.first; s != 0; s = t.pairs.at(s).next {
		if p := t.pairs.at(s); !fits(p, &t.parent(p).node, x.val, unit) {
			return false
		}
	}
	if scored != 0 && !t.tryMark(x, scored, all) {
		return false
	}
	t.touchHeld(x.in.ID)
	t.value(x, &x.firm, &t.firm, price, unit)
	for s := x.first; s != 0; s = t.pairs.at(s).next {
		p := t.pairs.at(s)
		t.value(x, p, t.parent(p), price, unit)
	}
	if scored != 0 {
		t.scoreMark(x, scored, all)
	}
	return true
}

// parent returns the account or strategy a pair belongs to.
func (t *Tree) parent(p *pair) *branch {
	id := uint32(p.key>>32) & maxID
	if p.key&strategyKey != 0 {
		return &t.strategies[id]
	}
	return &t.accounts[id]
}

// fits reports whether a pair has a value at a unit and its parent can hold it.
func fits(p *pair, parent *node, v valuation, unit int64) bool {
	_, _, gross, ok := p.worth(v, unit)
	if !ok {
		return false
	}
	_, ok = add64(parent.gross-p.gross, gross)
	return ok
}

// worth returns what a pair is worth if all its buys fill, if all its sells
// fill, and in the worse case.
func (p *pair) worth(v valuation, unit int64) (long, short, gross int64, ok bool) {
	return worth(v, unit, p.position, p.buy, p.sell)
}

func worth(v valuation, unit int64, position, buy, sell core.Qty) (long, short, gross int64, ok bool) {
	up, ok1 := add64(int64(position), int64(buy))
	down, ok2 := add64(int64(position), -int64(sell))
	long, ok3 := v.signed(core.Qty(up), unit)
	short, ok4 := v.signed(core.Qty(down), unit)
	return long, short, max(long, -short), ok1 && ok2 && ok3 && ok4
}

// value sets a pair's values and carries the difference to its parent. What it
// sets was found to fit before.
func (p *pair) value(parent *node, v valuation, price core.Price, unit int64) {
	long, short, gross, ok := p.worth(v, unit)
	if !ok {
		return
	}
	parent.long += long - p.long
	parent.short += short - p.short
	parent.gross += gross - p.gross
	p.long, p.short, p.gross, p.price = long, short, gross, price
}
