package risk

import (
	"math/big"

	"qcat/core"
	"qcat/risk/margin"
)

// books is the ledger as one would explain it: lists of what happened, and every
// balance and margin counted anew from them as fractions.
type books struct {
	ins      []core.Instrument // by id, [0] unused
	deposits map[bookKey]int64
	fills    map[legKey][]core.Fill
	funding  map[legKey]int64 // paid, at SettleScale
	margins  map[legKey]*big.Int
	orders   []*bookOrder
	marks    []core.Price // by id
	leverage map[legKey]int64
	isolated map[legKey]bool // by account and instrument
	tiers    [][]margin.Tier // by id
}

type bookKey struct {
	account  core.AccountID
	currency string
}

type legKey struct {
	account    core.AccountID
	instrument core.InstrumentID
	leg        core.Leg
}

type bookOrder struct {
	naiveOrder
	ref, newRef core.Price
}

func rat(v int64, scale uint8) *big.Rat { return new(big.Rat).SetFrac64(v, core.Pow10(scale)) }

// at rounds to a scale, down or up, and returns the count.
func roundTo(r *big.Rat, scale uint8, up bool) *big.Int {
	n := new(big.Rat).Mul(r, new(big.Rat).SetInt64(core.Pow10(scale)))
	q, rem := new(big.Int).DivMod(n.Num(), n.Denom(), new(big.Int)) // towards minus infinity
	if up && rem.Sign() > 0 {
		q.Add(q, big.NewInt(1))
	}
	return q
}

// amount8 rounds to the instrument's SettleScale and on to the scale of amounts.
func amount8(r *big.Rat, scale uint8, up bool) *big.Int {
	n := new(big.Rat).SetFrac(roundTo(r, scale, up), big.NewInt(core.Pow10(scale)))
	return roundTo(n, AmountScale, up)
}

// value is what a quantity is worth at a price in the settlement currency.
func (b *books) value(id core.InstrumentID, q core.Qty, p core.Price) *big.Rat {
	in := &b.ins[id]
	v, px := rat(int64(q), in.QtyScale), rat(int64(p), in.PriceScale)
	if in.Kind == core.Inverse {
		v.Mul(v, new(big.Rat).SetInt64(in.ContractSize))
		return v.Quo(v, px)
	}
	return v.Mul(v, px)
}

// notional is the value of |q|, rounded as the instrument's is.
func (b *books) notional(id core.InstrumentID, q core.Qty, p core.Price, up bool) *big.Rat {
	in := &b.ins[id]
	return new(big.Rat).SetFrac(roundTo(b.value(id, max(q, -q), p), in.SettleScale, up), big.NewInt(core.Pow10(in.SettleScale)))
}

// folded is a leg's history netted: quantity, the cost of what is open, and what
// reducing realised.
func (b *books) folded(k legKey) (qty *big.Rat, cost, realised *big.Rat) {
	in := &b.ins[k.instrument]
	qty, cost, realised = new(big.Rat), new(big.Rat), new(big.Rat)
	for i := range b.fills[k] {
		f := &b.fills[k][i]
		signed := new(big.Rat).Mul(rat(int64(f.Qty), in.QtyScale), big.NewRat(f.Side.Sign(), 1))
		paid := b.value(k.instrument, f.Qty, f.Price) // of a buy; of inverse ones bought
		if (f.Side == core.Sell) != (in.Kind == core.Inverse) {
			paid.Neg(paid)
		}
		after := new(big.Rat).Add(qty, signed)
		switch {
		case qty.Sign()*signed.Sign() >= 0:
			cost.Add(cost, paid)
		case after.Sign()*qty.Sign() >= 0: // reduced: a part of the cost goes
			part := new(big.Rat).Mul(cost, new(big.Rat).Quo(signed, qty)) // negative of it
			realised.Sub(realised, new(big.Rat).Add(paid, new(big.Rat).Neg(part)))
			cost.Add(cost, part)
		default: // through zero
			closing := new(big.Rat).Mul(paid, new(big.Rat).Neg(new(big.Rat).Quo(qty, signed)))
			realised.Sub(realised, new(big.Rat).Add(closing, cost))
			cost.Sub(paid, closing)
		}
		qty = after
	}
	return qty, cost, realised
}

// quantity is what a leg of a derivative holds, in units.
func (b *books) quantity(k legKey) (q core.Qty) {
	for i := range b.fills[k] {
		q += core.Qty(b.fills[k][i].Side.Sign()) * b.fills[k][i].Qty
	}
	return q
}

func (b *books) open(k legKey) (buy, sell core.Qty) {
	for _, o := range b.orders {
		if o.o.Account == k.account && o.o.Instrument == k.instrument && o.o.Leg == k.leg {
			if o.o.Side == core.Buy {
				buy += o.leaves()
			} else {
				sell += o.leaves()
			}
		}
	}
	return buy, sell
}

func (b *books) leverageOf(k legKey) int64 {
	if v, set := b.leverage[legKey{k.account, k.instrument, 0}]; set {
		return v
	}
	return core.PPM
}

// initial is the initial margin of a quantity at a price.
func (b *books) initial(k legKey, q core.Qty, p core.Price) *big.Int {
	if q == 0 {
		return new(big.Int)
	}
	n, lev := b.notional(k.instrument, q, p, true), b.leverageOf(k)
	tiers := b.tiers[k.instrument]
	if tiers == nil {
		tiers = []margin.Tier{margin.DefaultTier}
	}
	for _, t := range tiers {
		if n.Cmp(rat(int64(t.Floor), b.ins[k.instrument].SettleScale)) >= 0 && t.Leverage > 0 {
			lev = min(b.leverageOf(k), t.Leverage)
		}
	}
	return amount8(n.Quo(n, big.NewRat(lev, core.PPM)), b.ins[k.instrument].SettleScale, true)
}

// required is what a leg ties up with its open orders and add more of a side.
func (b *books) required(k legKey, side core.Side, add core.Qty, p core.Price) *big.Int {
	q := b.quantity(k)
	buy, sell := b.open(k)
	if side == core.Buy {
		buy += add
	} else {
		sell += add
	}
	up, down := q+buy, sell-q
	need := b.initial(k, max(up, -up, down, -down), p)
	if b.isolated[legKey{k.account, k.instrument, 0}] {
		need.Sub(need, b.initial(k, max(q, -q), p))
		if need.Sign() < 0 {
			need.SetInt64(0)
		}
	}
	return need
}

func (b *books) maintenance(k legKey) *big.Int {
	q := b.quantity(k)
	if q == 0 {
		return new(big.Int)
	}
	n, need := b.notional(k.instrument, q, b.marks[k.instrument], true), new(big.Rat)
	tiers := b.tiers[k.instrument]
	if tiers == nil {
		tiers = []margin.Tier{margin.DefaultTier}
	}
	for i, t := range tiers {
		from, to := rat(int64(t.Floor), b.ins[k.instrument].SettleScale), n
		if i+1 < len(tiers) {
			if next := rat(int64(tiers[i+1].Floor), b.ins[k.instrument].SettleScale); next.Cmp(n) < 0 {
				to = next
			}
		}
		if part := new(big.Rat).Sub(to, from); part.Sign() > 0 {
			need.Add(need, part.Mul(part, big.NewRat(t.Rate, core.PPM)))
		}
	}
	return amount8(need, b.ins[k.instrument].SettleScale, true)
}

func (b *books) unrealised(k legKey) *big.Int {
	in := &b.ins[k.instrument]
	q := b.quantity(k)
	if q == 0 {
		return new(big.Int)
	}
	_, cost, _ := b.folded(k)
	worth := b.value(k.instrument, q, b.marks[k.instrument])
	if in.Kind == core.Inverse {
		worth.Neg(worth)
	}
	return amount8(worth.Sub(worth, cost), in.SettleScale, false)
}

// fundsOf is what an order on some terms sets aside.
func (b *books) fundsOf(o *Order, leaves core.Qty, price, ref core.Price) *big.Int {
	in := &b.ins[o.Instrument]
	if leaves <= 0 {
		return new(big.Int)
	}
	if in.Kind == core.Spot && o.Side == core.Sell {
		return roundTo(rat(int64(leaves), in.QtyScale), AmountScale, true)
	}
	own, by := b.notional(o.Instrument, leaves, price, true), b.notional(o.Instrument, leaves, ref, false)
	fee := new(big.Rat).Set(own)
	if by.Cmp(own) > 0 {
		fee.Set(by)
	}
	fee.Mul(fee, big.NewRat(TakerFee, core.PPM))
	total := new(big.Rat).SetFrac(roundTo(fee, in.SettleScale, true), big.NewInt(core.Pow10(in.SettleScale)))
	switch {
	case in.Kind == core.Spot:
		total.Add(total, own)
	case o.Side == core.Buy && price > ref, o.Side == core.Sell && price < ref:
		total.Add(total, own.Sub(own, by).Abs(own))
	}
	return amount8(total, in.SettleScale, true)
}

func (b *books) reservedBy(o *bookOrder) *big.Int {
	if !o.open {
		return new(big.Int)
	}
	v := b.fundsOf(&o.o, o.o.Qty-o.filled, o.price, o.ref)
	if o.pending {
		if n := b.fundsOf(&o.o, o.newQty-o.filled, o.newPrice, o.newRef); n.Cmp(v) > 0 {
			v = n
		}
	}
	return v
}

// payer is the currency that an order sets funds aside in.
func (b *books) payer(o *Order) string {
	if in := &b.ins[o.Instrument]; in.Kind == core.Spot && o.Side == core.Sell {
		return in.Base
	}
	return b.ins[o.Instrument].Settle
}

// bookWallet is a wallet in integers of any size.
type bookWallet struct {
	balance, reserved, isolated, unrealised, apart, initial, maintenance *big.Int
	inverse                                                              int // legs whose sums carry the rounding of a quotient
}

func (w *bookWallet) free() *big.Int {
	f := new(big.Int).Sub(w.balance, w.isolated)
	f.Add(f, w.unrealised)
	f.Sub(f, w.initial)
	return f.Sub(f, w.reserved)
}

// wallet counts everything an account has in a currency.
func (b *books) wallet(a core.AccountID, currency string) *bookWallet {
	w := &bookWallet{balance: big.NewInt(b.deposits[bookKey{a, currency}]), reserved: new(big.Int), isolated: new(big.Int),
		unrealised: new(big.Int), apart: new(big.Int), initial: new(big.Int), maintenance: new(big.Int)}
	for _, o := range b.orders {
		if o.o.Account == a && b.payer(&o.o) == currency {
			w.reserved.Add(w.reserved, b.reservedBy(o))
		}
	}
	for id := 1; id < len(b.ins); id++ {
		for leg := core.LegNet; leg <= core.LegShort; leg++ {
			b.addLeg(w, legKey{a, core.InstrumentID(id), leg}, currency)
		}
	}
	return w
}

func (b *books) addLeg(w *bookWallet, k legKey, currency string) {
	in := &b.ins[k.instrument]
	fees, base, cash := new(big.Rat), new(big.Rat), new(big.Rat)
	for i := range b.fills[k] {
		f := &b.fills[k][i]
		signed := new(big.Rat).Mul(rat(int64(f.Qty), in.QtyScale), big.NewRat(f.Side.Sign(), 1))
		base.Add(base, signed)
		cash.Sub(cash, signed.Mul(signed, rat(int64(f.Price), in.PriceScale)))
		if f.FeeIn == core.FeeBase {
			base.Sub(base, rat(int64(f.Fee), in.SettleScale))
		} else {
			fees.Add(fees, rat(int64(f.Fee), in.SettleScale))
		}
	}
	fee := roundTo(fees.Neg(fees), AmountScale, false)
	if in.Kind == core.Spot {
		if currency == in.Base {
			w.balance.Add(w.balance, roundTo(base, AmountScale, false))
		} else if currency == in.Settle {
			w.balance.Add(w.balance, fee).Add(w.balance, roundTo(cash, AmountScale, false))
		}
		return
	}
	if currency != in.Settle {
		return
	}
	_, _, realised := b.folded(k)
	w.balance.Add(w.balance, fee).Add(w.balance, amount8(realised, in.SettleScale, false))
	w.balance.Add(w.balance, roundTo(rat(-b.funding[k], in.SettleScale), AmountScale, false))
	if in.Kind == core.Inverse && len(b.fills[k]) > 0 {
		w.inverse++
	}
	if b.marks[k.instrument] == 0 {
		return
	}
	w.initial.Add(w.initial, b.required(k, core.Buy, 0, b.marks[k.instrument]))
	if b.isolated[legKey{k.account, k.instrument, 0}] {
		w.apart.Add(w.apart, b.unrealised(k))
		if m := b.margins[k]; m != nil {
			w.isolated.Add(w.isolated, m)
		}
		return
	}
	w.unrealised.Add(w.unrealised, b.unrealised(k))
	w.maintenance.Add(w.maintenance, b.maintenance(k))
}

// moveMargin carries a fill into the margin of an isolated leg; q is what it held.
func (b *books) moveMargin(k legKey, q core.Qty, f *core.Fill) {
	if !b.isolated[legKey{k.account, k.instrument, 0}] {
		return
	}
	kept, after := b.margins[k], q+core.Qty(f.Side.Sign())*f.Qty
	if kept == nil {
		kept = new(big.Int)
	}
	before, now := max(q, -q), max(after, -after)
	switch {
	case q == 0 || (q < 0) != (after < 0):
		kept = b.initial(k, now, f.Price)
	case now < before:
		part := new(big.Rat).SetFrac(new(big.Int).Mul(kept, big.NewInt(int64(now))), big.NewInt(int64(before)))
		kept = roundTo(part, 0, false)
	default:
		kept = new(big.Int).Add(kept, b.initial(k, now-before, f.Price))
	}
	b.margins[k] = kept
}
