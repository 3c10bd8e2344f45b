package risk

import (
	"math"

	"qcat/core"
	"qcat/risk/margin"
)

// ledger is the money of the accounts: a wallet for every currency an account has,
// and a holding for every instrument it trades. Everything in it follows from the
// calls made and the marks; nothing is looked for when an order is checked.
//
// A wallet's sums equal the sums over what settles in it, exactly: a change carries the
// difference, whatever the number of instruments held.
type ledger struct {
	currencies []string // by number, in the order in which they were met
	totals     []core.Int128
	accounts   []accountLedger // by id
	wallets    slab[wallet]
	holdings   slab[holding]
	hedged     int // accounts in hedge mode
}

// accountLedger is where an account's lists begin.
type accountLedger struct {
	wallet  uint32 // the newest; 0: none
	holding uint32
	hedge   bool
}

// wallet is what an account has of one currency, at AmountScale.
type wallet struct {
	account  core.AccountID
	currency uint32
	next     uint32 // of the account; 0: last
	called   bool   // its equity is below the maintenance margin, which has been told

	deposits    int64       // Σ transfers
	balance     core.Int128 // deposits and what fills, fees and funding brought
	reserved    core.Int128 // by open orders: what spot orders would pay, fees and price losses of others
	initial     core.Int128 // Σ initial margin, worst case; of isolated legs what their orders need
	maintenance core.Int128 // Σ maintenance margin of cross legs
	unrealised  core.Int128 // Σ of cross legs
	isolated    core.Int128 // Σ margin of isolated legs
	apart       core.Int128 // Σ unrealised of isolated legs
}

// holding is an account's own, netted position in one instrument.
type holding struct {
	legs       [2]leg // the net or the long one; the short one
	leverage   int64  // PPM
	account    core.AccountID
	instrument core.InstrumentID
	settle     uint32 // wallet
	base       uint32 // wallet; of a spot instrument
	next       uint32 // of the account
	pair       uint32 // slot of the account's pair
	isolated   bool
}

// leg is one position of a holding with its open orders. What stands below margin is
// derived: it follows from what stands above, the mark and the settings.
type leg struct {
	core.Position
	buy, sell core.Qty // open
	margin    int64    // of an isolated leg
	called    bool     // its margin is below the maintenance margin, which has been told

	figures
}

// figures are what a leg brings into its wallets, at AmountScale.
type figures struct {
	initial, maintenance, unrealised int64
	settled                          core.Int128 // balance of the settlement currency that came of fills, fees and funding
	based                            core.Int128 // of the base currency; of a spot instrument
}

func newLedger() ledger {
	return ledger{accounts: make([]accountLedger, 1), wallets: newSlab[wallet](), holdings: newSlab[holding]()}
}

// legOf is which of a holding's legs an order is for.
func legOf(l core.Leg) int {
	if l == core.LegShort {
		return 1
	}
	return 0
}

// currency returns the number of a currency, given when it is met first.
func (g *ledger) currency(name string) uint32 {
	for i, c := range g.currencies {
		if c == name {
			return uint32(i)
		}
	}
	g.currencies = append(g.currencies, name)
	g.totals = append(g.totals, core.Int128{})
	return uint32(len(g.currencies) - 1)
}

// account returns the ledger of an account.
func (g *ledger) account(a core.AccountID) *accountLedger {
	for int64(len(g.accounts)) <= int64(a) {
		g.accounts = append(g.accounts, accountLedger{})
	}
	return &g.accounts[a]
}

// hedges reports whether an account is in hedge mode.
func (g *ledger) hedges(a core.AccountID) bool {
	return g.hedged > 0 && int64(a) < int64(len(g.accounts)) && g.accounts[a].hedge
}

// walletOf returns the slot of an account's wallet, 0 if there is none.
func (g *ledger) walletOf(a core.AccountID, currency uint32) uint32 {
	if int64(a) >= int64(len(g.accounts)) {
		return 0
	}
	slot := g.accounts[a].wallet
	for slot != 0 && g.wallets.at(slot).currency != currency {
		slot = g.wallets.at(slot).next
	}
	return slot
}

// openWallet returns the slot of an account's wallet, made when new.
func (g *ledger) openWallet(a core.AccountID, currency uint32) uint32 {
	if slot := g.walletOf(a, currency); slot != 0 {
		return slot
	}
	slot, of := g.wallets.add(), g.account(a)
	w := g.wallets.at(slot)
	w.account, w.currency, w.next = a, currency, of.wallet
	of.wallet = slot
	return slot
}

// holdingOf returns the holding of an account's pair, made when new.
func (t *Tree) holdingOf(pairSlot uint32, a core.AccountID, id core.InstrumentID) *holding {
	p := t.pairs.at(pairSlot)
	if p.holding != 0 {
		return t.ledger.holdings.at(p.holding)
	}
	g, x := &t.ledger, &t.instruments[id]
	p.holding = g.holdings.add()
	h := g.holdings.at(p.holding)
	*h = holding{leverage: margin.DefaultLeverage, account: a, instrument: id, pair: pairSlot}
	h.settle = g.openWallet(a, x.settleCurrency)
	if x.in.Kind == core.Spot {
		h.base = g.openWallet(a, x.baseCurrency)
	}
	of := g.account(a)
	h.next, of.holding = of.holding, p.holding
	return h
}

// baseName is the currency that a spot instrument buys: one that does not say has its
// symbol for it.
func baseName(in *core.Instrument) string {
	if in.Base == "" {
		return in.Symbol
	}
	return in.Base
}

// update works out a leg's figures anew and carries the difference into its wallets.
func (t *Tree) update(h *holding, i int) {
	l := &h.legs[i]
	t.carry(h, l, t.instruments[h.instrument].figuresOf(h, l))
}

// remark is update where only the mark or a setting has changed.
func (t *Tree) remark(h *holding, i int) {
	l := &h.legs[i]
	f := l.figures
	t.instruments[h.instrument].value(h, l, &f)
	t.carry(h, l, f)
}

// reopen is update where only the open quantity of orders has changed.
func (t *Tree) reopen(h *holding, i int) {
	x, l := &t.instruments[h.instrument], &h.legs[i]
	w, ties := t.ledger.wallets.at(h.settle), x.ties(h, l)
	w.initial = plus(w.initial, minus(wide(ties), wide(l.initial)))
	l.initial = ties
	t.moved(h.account)
	x.asks(h, t.pairs.at(h.pair))
}

// carry replaces a leg's figures and carries the difference into its wallets.
func (t *Tree) carry(h *holding, l *leg, f figures) {
	x, old := &t.instruments[h.instrument], l.figures
	l.figures = f
	w, g := t.ledger.wallets.at(h.settle), &t.ledger
	brought := minus(l.settled, old.settled)
	gained := minus(wide(l.unrealised), wide(old.unrealised))
	w.balance = plus(w.balance, brought)
	w.initial = plus(w.initial, minus(wide(l.initial), wide(old.initial)))
	if h.isolated {
		w.apart = plus(w.apart, gained)
	} else {
		w.unrealised = plus(w.unrealised, gained)
		w.maintenance = plus(w.maintenance, minus(wide(l.maintenance), wide(old.maintenance)))
	}
	g.totals[w.currency] = plus(g.totals[w.currency], plus(brought, gained))
	if h.base != 0 {
		b, brought := g.wallets.at(h.base), minus(l.based, old.based)
		b.balance = plus(b.balance, brought)
		g.totals[b.currency] = plus(g.totals[b.currency], brought)
	}
	t.moved(h.account)
	if l.unrealised != old.unrealised || l.settled != old.settled || l.based != old.based {
		t.gained(h.account)
	}
	x.asks(h, t.pairs.at(h.pair))
}

// asks leaves with an account's pair what the margin of its next order follows from:
// of a cross position whose quantities are the pair's own, as they are in one-way mode
// until a late fill leaves a short leg.
func (x *instrument) asks(h *holding, p *pair) {
	l := &h.legs[0]
	p.leverage, p.initial = 0, l.initial
	own := p.position == l.Qty && p.buy == l.buy && p.sell == l.sell
	if own && x.in.Kind != core.Spot && !h.isolated && x.marked != 0 && h.leverage <= math.MaxUint32 {
		p.leverage = uint32(h.leverage)
	}
}

// setMargin changes the margin of an isolated leg.
func (t *Tree) setMargin(h *holding, l *leg, to int64) {
	t.moved(h.account)
	w := t.ledger.wallets.at(h.settle)
	w.isolated = plus(w.isolated, minus(wide(to), wide(l.margin)))
	l.margin = to
}

// equity is what a wallet is worth: its balance with everything unrealised.
func (w *wallet) equity() core.Int128 { return plus(plus(w.balance, w.unrealised), w.apart) }

// free is what new orders may tie up.
func (w *wallet) free() core.Int128 {
	return minus(plus(minus(w.balance, w.isolated), w.unrealised), plus(w.initial, w.reserved))
}

// withdrawable is free without profits that are not realised.
func (w *wallet) withdrawable() core.Int128 {
	f := w.free()
	if w.unrealised.Sign() > 0 {
		f = minus(f, w.unrealised)
	}
	return f
}

// cross is what answers for the maintenance margin of the cross legs.
func (w *wallet) cross() core.Int128 { return plus(minus(w.balance, w.isolated), w.unrealised) }
