package risk

import "qcat/core"

// Booking is a fill as it changed a strategy's position: what the tree's sums,
// accounts and profits follow.
type Booking struct {
	Qty     core.Qty      // traded, > 0
	Moves   core.Qty      // signed change of the position, a fee in the base currency included
	Price   core.Price    // it traded at
	Cash    core.Int128   // change of the position's exact cash, before fees
	Fee     core.Notional // in the settlement currency; negative is a rebate
	BaseFee core.Notional // in the base currency, at SettleScale; negative is a rebate
}

// BookingOf returns what the fill f did to a position that was before and is after.
func BookingOf(before, after *core.Position, f *core.Fill) Booking {
	cash, _ := after.Cash.Sub(before.Cash) // the value of f: what was added fits
	b := Booking{Qty: f.Qty, Moves: after.Qty - before.Qty, Price: f.Price, Cash: cash}
	if f.FeeIn == core.FeeBase {
		b.BaseFee = f.Fee
	} else {
		b.Fee = f.Fee
	}
	return b
}

// fill is the trade the booking came from, as the account of an order of that side
// books it.
func (b *Booking) fill(side core.Side) core.Fill {
	f := core.Fill{Side: side, Price: b.Price, Qty: b.Qty, Fee: b.Fee}
	if b.BaseFee != 0 {
		f.Fee, f.FeeIn = b.BaseFee, core.FeeBase
	}
	return f
}
