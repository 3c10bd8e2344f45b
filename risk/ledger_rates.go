package risk

import "qcat/core"

// rateSource is a currency that is valued by the mark of an instrument that buys it.
type rateSource struct {
	currency   string
	instrument core.InstrumentID
}

// defineMoney gives a new instrument its currencies.
func (t *Tree) defineMoney(x *instrument) {
	x.settleCurrency = t.ledger.currency(x.in.Settle)
	if x.in.Kind == core.Spot {
		x.baseCurrency = t.ledger.currency(baseName(x.in))
	}
}

// AdmitRateFrom reports why SetRateFrom would refuse: UnknownInstrument, or
// InvalidSetting when the instrument does not buy the currency, or its own quote
// currency has no rate that was set.
func (t *Tree) AdmitRateFrom(currency string, in core.InstrumentID) Reason {
	x := t.instrument(in)
	s := InstrumentScope(0, 0, in)
	switch {
	case x == nil:
		return Reason{Code: UnknownInstrument, Scope: s}
	case currency == "" || baseName(x.in) != currency || x.in.Quote == currency ||
		t.sourceOf(x.in.Quote) != nil || t.Rate(x.in.Quote) == 0:
		return Reason{Code: InvalidSetting, Scope: s}
	}
	return Reason{}
}

// SetRateFrom values a currency by the mark of an instrument that buys it, times the
// rate of the instrument's quote currency, from its next mark on; at once where there
// is one. SetRate ends it. Refused as AdmitRateFrom says.
func (t *Tree) SetRateFrom(currency string, in core.InstrumentID) Reason {
	if r := t.AdmitRateFrom(currency, in); !r.OK() {
		return r
	}
	t.version++
	if s := t.sourceOf(currency); s != nil {
		s.instrument = in
	} else {
		t.sources = append(t.sources, rateSource{currency, in})
	}
	t.markRates(in)
	return Reason{}
}

// IsRate reports whether the mark of an instrument values a currency.
func (t *Tree) IsRate(in core.InstrumentID) bool {
	for i := range t.sources {
		if t.sources[i].instrument == in {
			return true
		}
	}
	return false
}

// RateFrom returns the instrument whose mark values a currency; 0 when its rate was
// set, or is not known.
func (t *Tree) RateFrom(currency string) core.InstrumentID {
	if s := t.sourceOf(currency); s != nil {
		return s.instrument
	}
	return 0
}

// sourceOf returns where a currency's rate comes from, nil if it was set.
func (t *Tree) sourceOf(currency string) *rateSource {
	for i := range t.sources {
		if t.sources[i].currency == currency {
			return &t.sources[i]
		}
	}
	return nil
}

// dropSource ends the valuation of a currency by an instrument.
func (t *Tree) dropSource(currency string) {
	for i := range t.sources {
		if t.sources[i].currency == currency {
			t.sources = append(t.sources[:i], t.sources[i+1:]...)
			t.revalued()
			return
		}
	}
}

// markRates sets the rates that come from an instrument's mark, rounded up to a PPM:
// what limits count. A rate that would overflow something stays as it was.
func (t *Tree) markRates(in core.InstrumentID) {
	for i := range t.sources {
		if s := &t.sources[i]; s.instrument == in {
			t.revalued() // amounts are valued by the mark, which the rate is rounded from
			x := &t.instruments[in]
			ppm, ok := core.MulDiv(int64(x.marked), t.Rate(x.in.Quote), core.Pow10(x.in.PriceScale), core.RoundUp)
			if ok && ppm > 0 && t.setRate(s.currency, ppm) {
				t.requote(s.currency)
			}
		}
	}
}

// requote sets the rates that come from instruments quoted in a currency. It ends: a
// source is only taken whose quote currency has none.
func (t *Tree) requote(currency string) {
	for i := range t.sources {
		if in := t.sources[i].instrument; t.instruments[in].in.Quote == currency {
			t.markRates(in)
		}
	}
}

// inRisk values an amount of a currency in the risk currency, rounded down (towards
// minus infinity): exactly by the mark where the rate comes from one. An amount of a
// currency without a rate is worth nothing; a debt in it is worth nothing that could
// be said.
func (t *Tree) inRisk(amount core.Int128, currency uint32) (core.Int128, bool) {
	if amount.Sign() == 0 {
		return amount, true // most currencies: nobody has any
	}
	name := t.ledger.currencies[currency]
	if s := t.sourceOf(name); s != nil {
		x := &t.instruments[s.instrument]
		v, ok1 := mul128(amount, uint64(x.marked))
		v, ok2 := mul128(v, uint64(t.Rate(x.in.Quote)))
		if x.marked > 0 && ok1 && ok2 {
			return div128(div128(v, uint64(core.Pow10(x.in.PriceScale))), core.PPM), true
		}
		return core.Int128{}, amount.Sign() >= 0 && x.marked == 0
	}
	rate := t.Rate(name)
	if rate == 0 {
		return core.Int128{}, amount.Sign() >= 0
	}
	v, ok := mul128(amount, uint64(rate))
	return div128(v, core.PPM), ok
}

// equityOf is what an account is worth in the risk currency: its wallets with
// everything unrealised. It reports false when that cannot be said.
func (t *Tree) equityOf(a core.AccountID) (core.Int128, bool) {
	var sum core.Int128
	if int64(a) >= int64(len(t.ledger.accounts)) {
		return sum, true
	}
	for slot := t.ledger.accounts[a].wallet; slot != 0; {
		w := t.ledger.wallets.at(slot)
		v, ok := t.inRisk(w.equity(), w.currency)
		if !ok {
			return sum, false
		}
		sum, slot = plus(sum, v), w.next
	}
	return sum, true
}

// firmEquity is equityOf of all accounts together.
func (t *Tree) firmEquity() (core.Int128, bool) {
	var sum core.Int128
	for i := range t.ledger.totals {
		v, ok := t.inRisk(t.ledger.totals[i], uint32(i))
		if !ok {
			return sum, false
		}
		sum = plus(sum, v)
	}
	return sum, true
}
