package risk

import (
	"math"

	"qcat/core"
	"qcat/risk/margin"
)

// Wallet is what an account has of one currency, by value, at AmountScale.
type Wallet struct {
	Account  core.AccountID
	Currency string

	Balance     int64 // transfers, and what fills, fees and funding brought
	Deposits    int64 // transfers alone
	Reserved    int64 // set aside by open orders
	Isolated    int64 // margin of isolated positions, part of Balance
	Unrealised  int64 // of cross positions
	Apart       int64 // unrealised of isolated positions
	Initial     int64 // initial margin, open orders included
	Maintenance int64 // maintenance margin of cross positions
	Free        int64 // what new orders may tie up
	Equity      int64 // Balance and everything unrealised
	Called      bool  // equity is below the maintenance margin
}

// AccountView is what an account is worth, by value. Values are in the risk currency,
// 10^-ValueScale.
type AccountView struct {
	Account core.AccountID
	Hedge   bool

	// Equity is what the account is worth; Known says whether that can be said: a debt
	// in a currency without a rate has no value.
	Equity int64
	Known  bool

	Initial, Maintenance, Unrealised int64
	Gross                            int64
	Leverage                         int64 // Gross/Equity in PPM, rounded up; MaxInt64 without equity
	MarginRatio                      int64 // Maintenance/Equity in PPM, likewise
}

// Holding is one position of an account with its margin, by value. Amounts are at
// AmountScale of the settlement currency.
type Holding struct {
	Account    core.AccountID
	Instrument core.InstrumentID
	Leg        core.Leg
	Position   core.Position

	OpenBuy, OpenSell core.Qty
	Leverage          int64 // PPM
	Isolated          bool
	Margin            int64      // of an isolated position
	Mark              core.Price // it is valued at; 0: none yet
	Initial           int64      // initial margin, open orders included
	Maintenance       int64
	Unrealised        int64
	Liquidation       core.Price // 0: there is none
	Called            bool
}

// Wallets returns the wallets of an account in the order in which they were opened.
func (t *Tree) Wallets(a core.AccountID) []Wallet {
	var out []Wallet
	if int64(a) >= int64(len(t.ledger.accounts)) {
		return nil
	}
	for slot := t.ledger.accounts[a].wallet; slot != 0; {
		w := t.ledger.wallets.at(slot)
		out = append(out, Wallet{
			Account: a, Currency: t.ledger.currencies[w.currency],
			Balance: narrow(w.balance), Deposits: w.deposits, Reserved: narrow(w.reserved), Isolated: narrow(w.isolated),
			Unrealised: narrow(w.unrealised), Apart: narrow(w.apart), Initial: narrow(w.initial),
			Maintenance: narrow(w.maintenance), Free: narrow(w.free()), Equity: narrow(w.equity()), Called: w.called,
		})
		slot = w.next
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// Account returns what an account is worth and whether there is such an account.
func (t *Tree) Account(a core.AccountID) (AccountView, bool) {
	n := nodeAt(t.accounts, uint32(a))
	if n == nil {
		return AccountView{}, false
	}
	equity, known := t.equityOf(a)
	v := AccountView{Account: a, Hedge: t.ledger.hedges(a), Equity: narrow(equity), Known: known, Gross: n.gross}
	if int64(a) < int64(len(t.ledger.accounts)) {
		for slot := t.ledger.accounts[a].wallet; slot != 0; {
			w := t.ledger.wallets.at(slot)
			v.add(t, w)
			slot = w.next
		}
	}
	v.Leverage, v.MarginRatio = timesOf(v.Gross, equity, known), timesOf(v.Maintenance, equity, known)
	return v, true
}

// add adds a wallet's sums to the account's; what has no value leaves Known false.
func (v *AccountView) add(t *Tree, w *wallet) {
	for _, k := range [...]struct {
		sum    *int64
		amount core.Int128
		demand bool
	}{
		{&v.Initial, w.initial, true}, {&v.Maintenance, w.maintenance, true},
		{&v.Unrealised, plus(w.unrealised, w.apart), false},
	} {
		amount := k.amount
		if k.demand {
			amount = amount.Neg() // rounded up
		}
		value, ok := t.inRisk(amount, w.currency)
		if k.demand {
			value = value.Neg()
		}
		v.Known = v.Known && (ok || k.amount.Sign() == 0)
		*k.sum = narrow(plus(wide(*k.sum), value))
	}
}

// timesOf is value/equity in PPM, rounded up, MaxInt64 without equity.
func timesOf(value int64, equity core.Int128, known bool) int64 {
	if value == 0 {
		return 0
	}
	if !known || equity.Sign() <= 0 {
		return math.MaxInt64
	}
	return atLeast(core.MulDiv(value, core.PPM, narrow(equity), core.RoundUp))
}

// Equity returns what the firm or an account is worth in the risk currency, and
// whether that can be said.
func (t *Tree) Equity(s Scope) (int64, bool) {
	var v core.Int128
	ok := false
	switch s.Level {
	case LevelFirm:
		v, ok = t.firmEquity()
	case LevelAccount:
		v, ok = t.equityOf(s.Account)
	}
	return narrow(v), ok
}

// Holdings returns what an account holds or has set in instruments, in the order in
// which it first did; in hedge mode both legs of each.
func (t *Tree) Holdings(a core.AccountID) []Holding {
	var slots []uint32
	if int64(a) >= int64(len(t.ledger.accounts)) {
		return nil
	}
	for slot := t.ledger.accounts[a].holding; slot != 0; slot = t.ledger.holdings.at(slot).next {
		slots = append(slots, slot)
	}
	var out []Holding
	for i := len(slots) - 1; i >= 0; i-- {
		h := t.ledger.holdings.at(slots[i])
		if !t.ledger.hedges(a) || h.base != 0 {
			out = append(out, t.holdingView(h, core.LegNet))
			continue
		}
		out = append(out, t.holdingView(h, core.LegLong), t.holdingView(h, core.LegShort))
	}
	return out
}

func (t *Tree) holdingView(h *holding, leg core.Leg) Holding {
	x, l := &t.instruments[h.instrument], &h.legs[legOf(leg)]
	v := Holding{
		Account: h.account, Instrument: h.instrument, Leg: leg, Position: l.Position,
		OpenBuy: l.buy, OpenSell: l.sell, Leverage: h.leverage, Isolated: h.isolated, Margin: l.margin, Mark: x.marked,
		Initial: l.initial, Maintenance: l.maintenance, Unrealised: l.unrealised, Called: l.called,
	}
	v.Liquidation, _ = x.schedule.EarlyLiquidation(x.in, &l.Position, t.answers(h, l))
	return v
}

// answers is what answers for a leg's maintenance margin besides its own unrealised
// profit, at SettleScale, rounded down: the margin of an isolated one; of a cross one
// what the wallet has, with the profits of the other legs and less their maintenance
// margins.
func (t *Tree) answers(h *holding, l *leg) core.Notional {
	v := wide(l.margin)
	if !h.isolated {
		w := t.ledger.wallets.at(h.settle)
		v = minus(minus(w.cross(), wide(l.unrealised)), minus(w.maintenance, wide(l.maintenance)))
	}
	scale := t.instruments[h.instrument].in.SettleScale
	if scale < AmountScale {
		return core.Notional(narrow(div128(v, uint64(core.Pow10(AmountScale-scale)))))
	}
	out, ok := mul128(v, uint64(core.Pow10(scale-AmountScale)))
	return core.Notional(narrow(worst(out, ok)))
}

// Tiers returns the maintenance margin brackets of an instrument: margin.DefaultTier
// where none were set.
func (t *Tree) Tiers(in core.InstrumentID) []margin.Tier {
	x := t.instrument(in)
	if x == nil {
		return nil
	}
	if tiers := x.schedule.Tiers(); len(tiers) > 0 {
		return append([]margin.Tier(nil), tiers...)
	}
	return []margin.Tier{margin.DefaultTier}
}

// Setting is how an account trades an instrument: its leverage in PPM, and whether its
// positions are isolated.
func (t *Tree) Setting(a core.AccountID, in core.InstrumentID) (leverage int64, isolated bool) {
	h := t.marginHolding(a, in)
	return h.leverage, h.isolated
}
