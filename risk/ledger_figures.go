package risk

import (
	"math"

	"qcat/core"
	"qcat/risk/margin"
)

// money is what the ledger knows of an instrument.
type money struct {
	settleCurrency uint32
	baseCurrency   uint32     // of a spot instrument
	marked         core.Price // the last confirmed mark; before it the first price there was; 0: none
	schedule       margin.Schedule
}

// figuresOf works out what a leg brings into its wallets. What does not fit is the
// largest there is, against the account.
func (x *instrument) figuresOf(h *holding, l *leg) figures {
	f := x.booked(l)
	x.value(h, l, &f)
	return f
}

// booked is what fills, fees and funding brought: no price changes it.
func (x *instrument) booked(l *leg) (f figures) {
	in, p := x.in, &l.Position
	fees, ok1 := amountOf(wide(-int64(p.Fees)), int(in.SettleScale))
	if in.Kind == core.Spot {
		cash, ok2 := amountOf(p.Cash, int(in.PriceScale)+int(in.QtyScale))
		f.settled, f.based = worst(plus(cash, fees), ok1 && ok2), held(in, p)
		return f
	}
	funding, ok2 := amountOf(wide(-int64(p.Funding)), int(in.SettleScale))
	realised, ok3 := amountOf(wide(realisedOf(in, p)), int(in.SettleScale))
	f.settled = worst(plus(realised, plus(fees, funding)), ok1 && ok2 && ok3)
	return f
}

// value works out what follows from the mark and the settings.
func (x *instrument) value(h *holding, l *leg, f *figures) {
	in, p := x.in, &l.Position
	f.initial, f.maintenance, f.unrealised = x.ties(h, l), 0, 0
	if in.Kind == core.Spot || x.marked == 0 || p.Qty == 0 {
		return
	}
	n, ok := in.Notional(x.marked, p.Qty, core.RoundUp)
	if m, fits := x.schedule.Maintenance(n); fits {
		f.maintenance = atLeast(demanded(m, in.SettleScale))
	} else {
		f.maintenance = most
	}
	gain, fits := amountOf(wide(unrealisedOf(in, p, x.marked)), int(in.SettleScale))
	f.unrealised = narrow(worst(gain, fits && ok))
}

// ties is the initial margin of a leg with its open orders.
func (x *instrument) ties(h *holding, l *leg) int64 {
	if x.in.Kind == core.Spot || x.marked == 0 {
		return 0
	}
	return x.required(h, l, 0, 0, x.marked)
}

// worst returns v, or the largest debt where it does not fit.
func worst(v core.Int128, ok bool) core.Int128 {
	if !ok {
		return wide(math.MinInt64)
	}
	return v
}

// held is the base currency that a spot position is, at AmountScale.
func held(in *core.Instrument, p *core.Position) core.Int128 {
	q, scale := wide(int64(p.Qty)), int(in.QtyScale)
	if in.SettleScale > in.QtyScale {
		q = core.MulInt64(int64(p.Qty), core.Pow10(in.SettleScale-in.QtyScale))
		q, scale = plus(q, wide(int64(p.Dust))), int(in.SettleScale)
	}
	v, ok := amountOf(q, scale)
	return worst(v, ok)
}

// realisedOf is what a position has realised, rounded down (towards minus infinity).
func realisedOf(in *core.Instrument, p *core.Position) int64 {
	v, ok := p.Realised(in, core.RoundFloor)
	if !ok {
		return math.MinInt64
	}
	return int64(v)
}

// unrealisedOf is what closing at mark would bring, rounded down.
func unrealisedOf(in *core.Instrument, p *core.Position, mark core.Price) int64 {
	v, ok := p.Unrealised(in, mark, core.RoundFloor)
	if !ok {
		return math.MinInt64
	}
	return int64(v)
}

// required is the initial margin of a leg with buy and sell more open, at a price: that
// of the worse of all buys and all sells filling; of an isolated leg what that takes
// beyond what its position needs, which has its margin.
func (x *instrument) required(h *holding, l *leg, buy, sell core.Qty, price core.Price) int64 {
	up, ok1 := sum3(l.Qty, l.buy, buy)
	down, ok2 := sum3(-l.Qty, l.sell, sell)
	if !ok1 || !ok2 {
		return most
	}
	need := x.initial(max(up, down, -up, -down), h.leverage, price)
	if !h.isolated || need == most {
		return need
	}
	return max(0, need-x.initial(max(l.Qty, -l.Qty), h.leverage, price))
}

// markedOr is the mark holdings are valued at, or the reference where nothing was
// marked yet.
func (x *instrument) markedOr(ref core.Price) core.Price {
	if x.marked != 0 {
		return x.marked
	}
	return ref
}

// initial is the initial margin of a quantity at a price, at AmountScale.
func (x *instrument) initial(q core.Qty, leverage int64, price core.Price) int64 {
	if q == 0 {
		return 0
	}
	n, ok1 := x.in.Notional(price, q, core.RoundUp)
	m, ok2 := x.schedule.Initial(n, leverage)
	v, ok3 := demanded(m, x.in.SettleScale)
	return atLeast(v, ok1 && ok2 && ok3)
}

func sum3(a, b, c core.Qty) (core.Qty, bool) {
	s, ok1 := add64(int64(a), int64(b))
	s, ok2 := add64(s, int64(c))
	return core.Qty(s), ok1 && ok2 && s != math.MinInt64
}
