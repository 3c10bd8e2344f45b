package risk

import (
	"math"

	"qcat/core"
	"qcat/risk/margin"
)

// Each setting comes as a pair: AdmitX says why X would be refused and changes
// nothing, X asks it and then does it.

// AdmitTransfer reports why Transfer would refuse: UnknownAccount, InvalidSetting for
// no amount or no currency, InsufficientFunds when more would be taken than is free
// (profits that are not realised are not), Overflow.
func (t *Tree) AdmitTransfer(a core.AccountID, currency string, amount int64) Reason {
	s := AccountScope(a)
	if nodeAt(t.accounts, uint32(a)) == nil {
		return Reason{Code: UnknownAccount, Scope: s}
	}
	if amount == 0 || amount == math.MinInt64 || currency == "" {
		return Reason{Code: InvalidSetting, Unit: UnitAmount, Scope: s, Value: amount}
	}
	w := t.findWallet(a, currency)
	if amount < 0 {
		free := max(0, narrow(w.withdrawable()))
		if -amount > free {
			return Reason{Code: InsufficientFunds, Unit: UnitAmount, Scope: s, Limit: free, Value: -amount}
		}
	}
	if _, ok := add64(w.deposits, amount); !ok {
		return Reason{Code: Overflow, Unit: UnitAmount, Scope: s, Value: amount}
	}
	return Reason{}
}

// Transfer moves an amount of a currency, at AmountScale, into an account, or out of
// it when it is negative. Refused as AdmitTransfer says.
func (t *Tree) Transfer(a core.AccountID, currency string, amount int64) Reason {
	if r := t.AdmitTransfer(a, currency, amount); !r.OK() {
		return r
	}
	t.version++
	t.touchScope(AccountScope(a))
	t.touchScope(FirmScope())
	g := &t.ledger
	w := g.wallets.at(g.openWallet(a, g.currency(currency)))
	w.deposits += amount
	t.gained(a)
	w.balance = plus(w.balance, wide(amount))
	g.totals[w.currency] = plus(g.totals[w.currency], wide(amount))
	w.called = w.called && w.cross().Cmp(w.maintenance) < 0
	return Reason{}
}

// findWallet returns a copy of an account's wallet, an empty one if there is none.
func (t *Tree) findWallet(a core.AccountID, currency string) wallet {
	for i, name := range t.ledger.currencies {
		if name == currency {
			return *t.ledger.wallets.at(t.ledger.walletOf(a, uint32(i)))
		}
	}
	return wallet{}
}

// marginPair finds what a margin setting is about. It refuses with UnknownAccount,
// UnknownInstrument, InvalidSetting for a spot instrument, or Capacity.
func (t *Tree) marginPair(a core.AccountID, in core.InstrumentID) (Scope, Reason) {
	s, r := t.resolve(InstrumentScope(a, 0, in))
	switch {
	case !r.OK():
		return s, r
	case a == 0:
		return s, Reason{Code: UnknownAccount, Scope: s}
	case t.instruments[in].in.Kind == core.Spot:
		return s, Reason{Code: InvalidSetting, Scope: s}
	case t.pairs.find(accountPairKey(a, in)) == 0 && !t.pairs.room(1):
		return s, Reason{Code: Capacity, Unit: UnitCount, Scope: s, Limit: int64(t.pairs.max), Value: int64(t.pairs.max) + 1}
	}
	return s, Reason{}
}

// marginHolding returns the holding that a setting is about; a copy of what it would
// be if there is none.
func (t *Tree) marginHolding(a core.AccountID, in core.InstrumentID) holding {
	if slot := t.pairs.at(t.pairs.find(accountPairKey(a, in))).holding; slot != 0 {
		return *t.ledger.holdings.at(slot)
	}
	return holding{leverage: margin.DefaultLeverage, account: a, instrument: in}
}

// changeHolding returns the holding that an admitted setting changes.
func (t *Tree) changeHolding(s Scope) *holding {
	t.version++
	t.pair(s, true)
	t.touchScope(s)
	t.touchScope(AccountScope(s.Account))
	return t.holdingOf(t.pairs.find(accountPairKey(s.Account, s.Instrument)), s.Account, s.Instrument)
}

// flat reports whether nothing is held and nothing is open.
func (h *holding) flat() bool { return !h.legs[0].opened() && !h.legs[1].opened() }

// opened reports whether something is held in a leg, or open.
func (l *leg) opened() bool { return l.Qty|l.buy|l.sell != 0 }

// AdmitLeverage reports why SetLeverage would refuse: as marginPair; InvalidSetting
// below one or above what the instrument's first bracket allows; NotFlat while an
// isolated position is held, whose margin is set; InsufficientMargin when margin is
// required and the account does not have what the leverage needs more.
func (t *Tree) AdmitLeverage(a core.AccountID, in core.InstrumentID, ppm int64) Reason {
	s, r := t.marginPair(a, in)
	if !r.OK() {
		return r
	}
	x := &t.instruments[in]
	if ppm < core.PPM || x.schedule.Leverage(0, ppm) < ppm {
		return Reason{Code: InvalidSetting, Unit: UnitTimes, Scope: s, Limit: x.schedule.Leverage(0, math.MaxInt64), Value: ppm}
	}
	h := t.marginHolding(a, in)
	if h.isolated && !h.flat() {
		return Reason{Code: NotFlat, Scope: s}
	}
	if x.marked == 0 || !t.marginRequired(a) {
		return Reason{}
	}
	need := core.Int128{}
	h.leverage = ppm
	for i := range h.legs {
		l := &h.legs[i]
		need = plus(need, minus(wide(x.required(&h, l, 0, 0, x.marked)), wide(l.initial)))
	}
	if free := t.ledger.wallets.at(h.settle).free(); need.Sign() > 0 && need.Cmp(free) > 0 {
		return Reason{Code: InsufficientMargin, Unit: UnitAmount, Scope: s, Limit: narrow(free), Value: narrow(need)}
	}
	return Reason{}
}

// SetLeverage sets the leverage of an account in an instrument, in PPM: its initial
// margin is the notional divided by it. margin.DefaultLeverage where it was never set.
// Refused as AdmitLeverage says.
func (t *Tree) SetLeverage(a core.AccountID, in core.InstrumentID, ppm int64) Reason {
	if r := t.AdmitLeverage(a, in, ppm); !r.OK() {
		return r
	}
	h := t.changeHolding(InstrumentScope(a, 0, in))
	h.leverage = ppm
	t.remark(h, 0)
	t.remark(h, 1)
	return Reason{}
}

// AdmitIsolated reports why SetIsolated would refuse: as marginPair; NotFlat while
// something is held or open.
func (t *Tree) AdmitIsolated(a core.AccountID, in core.InstrumentID, on bool) Reason {
	s, r := t.marginPair(a, in)
	if h := t.marginHolding(a, in); r.OK() && h.isolated != on && !h.flat() {
		return Reason{Code: NotFlat, Scope: s}
	}
	return r
}

// SetIsolated lets the positions of an account in an instrument answer with a margin
// of their own, or with the whole wallet (cross, as it is where it was never set).
// Refused as AdmitIsolated says.
func (t *Tree) SetIsolated(a core.AccountID, in core.InstrumentID, on bool) Reason {
	if r := t.AdmitIsolated(a, in, on); !r.OK() {
		return r
	}
	h := t.changeHolding(InstrumentScope(a, 0, in))
	h.isolated = on
	t.instruments[in].asks(h, t.pairs.at(h.pair))
	return Reason{}
}

// AdmitHedge reports why SetHedge would refuse: UnknownAccount; NotFlat while the
// account holds a derivative, or has an order open.
func (t *Tree) AdmitHedge(a core.AccountID, on bool) Reason {
	n := nodeAt(t.accounts, uint32(a))
	if n == nil {
		return Reason{Code: UnknownAccount, Scope: AccountScope(a)}
	}
	if t.ledger.hedges(a) == on {
		return Reason{}
	}
	if n.open > 0 {
		return Reason{Code: NotFlat, Unit: UnitCount, Scope: AccountScope(a), Value: int64(n.open)}
	}
	if int64(a) < int64(len(t.ledger.accounts)) {
		for slot := t.ledger.accounts[a].holding; slot != 0; {
			h := t.ledger.holdings.at(slot)
			if h.base == 0 && !h.flat() {
				return Reason{Code: NotFlat, Scope: InstrumentScope(a, 0, h.instrument)}
			}
			slot = h.next
		}
	}
	return Reason{}
}

// SetHedge puts an account into hedge mode, in which a long and a short position are
// held side by side and every order in a derivative names its leg, or back into
// one-way mode. Refused as AdmitHedge says.
func (t *Tree) SetHedge(a core.AccountID, on bool) Reason {
	if r := t.AdmitHedge(a, on); !r.OK() || t.ledger.hedges(a) == on {
		return r
	}
	t.version++
	t.touchScope(AccountScope(a))
	t.ledger.account(a).hedge = on
	t.ledger.hedged++
	if !on {
		t.ledger.hedged -= 2
	}
	return Reason{}
}

// AdmitMoveIsolated reports why MoveIsolated would refuse: as marginPair; WrongLeg;
// InvalidSetting when the position is not isolated, there is none, or the amount is
// none; InsufficientMargin when the wallet does not have it free, or the position
// would keep less than its initial margin.
func (t *Tree) AdmitMoveIsolated(a core.AccountID, in core.InstrumentID, leg core.Leg, amount int64) Reason {
	s, r := t.marginPair(a, in)
	if !r.OK() {
		return r
	}
	if leg > core.LegShort || (leg != core.LegNet) != t.ledger.hedges(a) {
		return Reason{Code: WrongLeg, Scope: s}
	}
	h := t.marginHolding(a, in)
	l := &h.legs[legOf(leg)]
	sum, ok := add64(l.margin, amount)
	if !h.isolated || l.Qty == 0 || amount == 0 || amount == math.MinInt64 || !ok {
		return Reason{Code: InvalidSetting, Unit: UnitAmount, Scope: s, Value: amount}
	}
	if amount > 0 {
		if free := t.ledger.wallets.at(h.settle).withdrawable(); wide(amount).Cmp(free) > 0 {
			return Reason{Code: InsufficientMargin, Unit: UnitAmount, Scope: s, Limit: narrow(free), Value: amount}
		}
		return Reason{}
	}
	x := &t.instruments[in]
	need := x.initial(max(l.Qty, -l.Qty), h.leverage, x.marked)
	if spare := narrow(minus(plus(wide(l.margin), wide(min(0, l.unrealised))), wide(need))); wide(sum).Cmp(wide(0)) < 0 || -amount > spare {
		return Reason{Code: InsufficientMargin, Unit: UnitAmount, Scope: s, Limit: max(0, spare), Value: -amount}
	}
	return Reason{}
}

// MoveIsolated adds an amount of the settlement currency, at AmountScale, to the margin
// of an isolated position, or takes it back when it is negative. Refused as
// AdmitMoveIsolated says.
func (t *Tree) MoveIsolated(a core.AccountID, in core.InstrumentID, leg core.Leg, amount int64) Reason {
	if r := t.AdmitMoveIsolated(a, in, leg, amount); !r.OK() {
		return r
	}
	h := t.changeHolding(InstrumentScope(a, 0, in))
	l := &h.legs[legOf(leg)]
	t.setMargin(h, l, l.margin+amount)
	t.callMargin(h)
	return Reason{}
}

// AdmitTiers reports why SetTiers would refuse: UnknownInstrument, InvalidSetting for
// a spot instrument or brackets that margin.NewSchedule does not take.
func (t *Tree) AdmitTiers(in core.InstrumentID, tiers []margin.Tier) Reason {
	x := t.instrument(in)
	if x == nil {
		return Reason{Code: UnknownInstrument, Scope: InstrumentScope(0, 0, in)}
	}
	if _, ok := margin.NewSchedule(tiers); !ok || x.in.Kind == core.Spot {
		return Reason{Code: InvalidSetting, Scope: InstrumentScope(0, 0, in)}
	}
	return Reason{}
}

// SetTiers replaces the maintenance margin brackets of an instrument, as its venue
// publishes them, and values what is held by them. Without any, margin.DefaultTier
// holds. Refused as AdmitTiers says.
func (t *Tree) SetTiers(in core.InstrumentID, tiers []margin.Tier) Reason {
	if r := t.AdmitTiers(in, tiers); !r.OK() {
		return r
	}
	t.version++
	x := &t.instruments[in]
	x.schedule, _ = margin.NewSchedule(tiers)
	t.touchHeld(in)
	t.revalueHoldings(x, true)
	return Reason{}
}

// Fund books a funding payment of a strategy's position in its account's ledger, and
// in its profits: positive is paid. It comes out of the margin of an isolated leg. It reports false,
// and changes nothing, when there is no such position or a sum does not fit.
func (t *Tree) Fund(s core.StrategyID, in core.InstrumentID, side core.Leg, paid core.Notional) bool {
	n := nodeAt(t.strategies, uint32(s))
	if n == nil || t.instrument(in) == nil {
		return false
	}
	slot := t.pairs.at(t.pairs.find(accountPairKey(core.AccountID(n.owner), in))).holding
	if slot == 0 || side > core.LegShort {
		return false
	}
	h := t.ledger.holdings.at(slot)
	i := legOf(side)
	l := &h.legs[i]
	amount, ok := demanded(paid, t.instruments[in].in.SettleScale)
	left, fits := add64(l.margin, -amount)
	after := l.Position
	if !ok || !fits || !after.Fund(paid) || !t.charge(s, in, paid) {
		return false
	}
	t.version++
	l.Position = after
	t.touchScope(InstrumentScope(h.account, 0, in))
	t.touchScope(AccountScope(h.account))
	if h.isolated && l.Qty != 0 {
		t.setMargin(h, l, left)
	}
	t.update(h, i)
	t.callMargin(h)
	return true
}
