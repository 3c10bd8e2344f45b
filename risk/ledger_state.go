package risk

import (
	"math"

	"qcat/core"
	"qcat/risk/margin"
)

// The ledger's part of the state: what was set and booked, and with it the figures and
// sums that follow, so that a state hash covers them and a restore that comes to others
// is noticed.

func (t *Tree) appendLedger(dst []byte) []byte {
	g := &t.ledger
	dst = appendInts(dst, int64(len(g.currencies)))
	for _, c := range g.currencies {
		dst = appendName(dst, c)
	}
	dst = appendInts(dst, int64(len(t.sources)))
	for _, s := range t.sources {
		dst = appendInts(appendName(dst, s.currency), int64(s.instrument))
	}
	for i := range t.instruments {
		if x := &t.instruments[i]; x.in != nil {
			tiers := x.schedule.Tiers()
			dst = appendInts(dst, int64(x.marked), int64(len(tiers)))
			for _, tier := range tiers {
				dst = appendInts(dst, int64(tier.Floor), tier.Rate, tier.Leverage)
			}
		}
	}
	dst = appendInts(dst, int64(g.hedged))
	for a := range g.accounts {
		if g.accounts[a].hedge {
			dst = appendInts(dst, int64(a))
		}
	}
	dst = appendInts(dst, int64(g.wallets.n))
	for slot := uint32(1); slot < g.wallets.n; slot++ {
		dst = g.wallets.at(slot).append(dst)
	}
	dst = appendInts(dst, int64(g.holdings.n))
	for slot := uint32(1); slot < g.holdings.n; slot++ {
		dst = g.holdings.at(slot).append(dst)
	}
	return dst
}

func append128(dst []byte, vs ...core.Int128) []byte {
	for _, v := range vs {
		dst = appendInts(dst, v.Hi, int64(v.Lo))
	}
	return dst
}

func (w *wallet) append(dst []byte) []byte {
	dst = appendInts(append(dst, bit(w.called)), int64(w.account), int64(w.currency), w.deposits)
	return append128(dst, w.balance, w.reserved, w.initial, w.maintenance, w.unrealised, w.isolated, w.apart)
}

func (h *holding) append(dst []byte) []byte {
	dst = appendInts(append(dst, bit(h.isolated)), int64(h.pair), h.leverage)
	for i := range h.legs {
		l, p := &h.legs[i], &h.legs[i].Position
		dst = appendInts(append(dst, bit(l.called)), int64(p.Qty), int64(p.EntryDen))
		dst = append128(dst, p.EntryNum, p.Cash)
		dst = appendInts(dst, int64(p.Fees), int64(p.Funding), int64(p.Volume), int64(p.Fills), int64(p.BaseFees), int64(p.Dust),
			int64(l.buy), int64(l.sell), l.margin, l.initial, l.maintenance, l.unrealised)
		dst = append128(dst, l.settled, l.based)
	}
	return dst
}

// The fewest bytes of a wallet and a holding.
const (
	walletBytes  = 1 + 3*8 + 7*16
	holdingBytes = 1 + 2*8 + 2*(1+14*8+4*16)
)

// ledger reads what appendLedger appended, works out what follows from it, and
// compares.
func (r *stateReader) ledger() {
	r.currencies()
	r.sources()
	r.money()
	g := &r.t.ledger
	for range r.Count(8) {
		a := core.AccountID(r.UpTo(maxID))
		if nodeAt(r.t.accounts, uint32(a)) == nil || g.hedges(a) || !r.OK() {
			r.Fail("the mode of an account that there is not, or twice")
			return
		}
		g.account(a).hedge = true
		g.hedged++
	}
	want := make([]wallet, 1)
	for range r.slots(walletBytes) - 1 {
		want = append(want, r.wallet())
		if !r.OK() {
			return
		}
	}
	for range r.slots(holdingBytes) - 1 {
		r.holding()
		if !r.OK() {
			return
		}
	}
	for slot := uint32(1); slot < g.wallets.n; slot++ {
		w := *g.wallets.at(slot)
		w.next = 0
		r.Require(w == want[slot], "a wallet holds other than what was booked in it")
	}
}

func (r *stateReader) currencies() {
	g := &r.t.ledger
	for i := range r.Count(2 + 1) {
		name := r.name()
		r.Require(!r.Bit() && g.currency(name) == uint32(i), "a currency twice, or with a flag")
	}
}

func (r *stateReader) sources() {
	for range r.Count(2 + 1 + 8) {
		s := rateSource{currency: r.name()}
		flag := r.Bit()
		s.instrument = core.InstrumentID(r.ID())
		x := r.t.instrument(s.instrument)
		r.Require(!flag && x != nil && r.t.sourceOf(s.currency) == nil && baseName(x.in) == s.currency, "a rate from an instrument that does not give it")
		if !r.OK() {
			return
		}
		r.t.sources = append(r.t.sources, s)
	}
}

// money reads the marks and brackets of the instruments.
func (r *stateReader) money() {
	known := len(r.t.ledger.currencies)
	for i := range r.t.instruments {
		x := &r.t.instruments[i]
		if x.in == nil {
			continue
		}
		r.t.defineMoney(x)
		x.marked = core.Price(r.UpTo(math.MaxInt64))
		tiers := make([]margin.Tier, r.Count(3*8))
		for k := range tiers {
			tiers[k] = margin.Tier{Floor: core.Notional(r.I64()), Rate: r.I64(), Leverage: r.I64()}
		}
		var ok bool
		x.schedule, ok = margin.NewSchedule(tiers)
		r.Require(ok && (len(tiers) == 0 || x.in.Kind != core.Spot), "brackets that cannot be")
		if !r.OK() {
			return
		}
	}
	r.Require(known == len(r.t.ledger.currencies), "an instrument of an unknown currency")
}

// wallet opens a wallet with its deposits and what is reserved in it, and returns what
// it must come to.
func (r *stateReader) wallet() (w wallet) {
	g := &r.t.ledger
	w.called, w.account, w.currency, w.deposits = r.Bit(), core.AccountID(r.UpTo(maxID)), r.ID(), r.I64()
	for _, sum := range [...]*core.Int128{&w.balance, &w.reserved, &w.initial, &w.maintenance, &w.unrealised, &w.isolated, &w.apart} {
		*sum = r.I128()
	}
	if nodeAt(r.t.accounts, uint32(w.account)) == nil || int64(w.currency) >= int64(len(g.currencies)) ||
		g.walletOf(w.account, w.currency) != 0 {
		r.Fail("a wallet of what is not defined, or twice the same")
		return w
	}
	to := g.wallets.at(g.openWallet(w.account, w.currency))
	to.called, to.deposits, to.reserved, to.balance = w.called, w.deposits, w.reserved, wide(w.deposits)
	g.totals[w.currency] = plus(g.totals[w.currency], to.balance)
	return w
}

func (r *stateReader) holding() {
	t := r.t
	isolated, slot, leverage := r.Bit(), r.ID(), r.I64()
	if slot == 0 || slot >= t.pairs.n || t.pairs.at(slot).key&strategyKey != 0 || t.pairs.at(slot).holding != 0 || leverage < core.PPM {
		r.Fail("a holding of no account, or twice the same")
		return
	}
	s, wallets := t.pairs.at(slot).scope(), t.ledger.wallets.n
	h := t.holdingOf(slot, s.Account, s.Instrument)
	h.isolated, h.leverage = isolated, leverage
	r.Require(t.ledger.wallets.n == wallets, "a holding without its wallets")
	for i := range h.legs {
		want := r.leg(h, &h.legs[i])
		if !r.OK() {
			return
		}
		t.update(h, i)
		r.Require(h.legs[i].figures == want, "a position is not worth what its mark says")
	}
}

// leg reads a leg and returns the figures it must come to.
func (r *stateReader) leg(h *holding, l *leg) (f figures) {
	p, in := &l.Position, r.t.instruments[h.instrument].in
	l.called = r.Bit()
	p.Qty, p.EntryDen = core.Qty(r.I64()), uint64(r.I64())
	p.EntryNum, p.Cash = r.I128(), r.I128()
	p.Fees, p.Funding, p.Volume, p.Fills = core.Notional(r.I64()), core.Notional(r.I64()), core.Qty(r.I64()), uint64(r.I64())
	p.BaseFees, p.Dust = core.Notional(r.I64()), core.Notional(r.I64())
	l.buy, l.sell = core.Qty(r.UpTo(math.MaxInt64)), core.Qty(r.UpTo(math.MaxInt64))
	margin := r.I64()
	f.initial, f.maintenance, f.unrealised = r.I64(), r.I64(), r.I64()
	f.settled, f.based = r.I128(), r.I128()
	dust := int64(1)
	if in.SettleScale > in.QtyScale {
		dust = core.Pow10(in.SettleScale - in.QtyScale)
	}
	r.Require((p.Qty == 0) == (p.EntryDen == 0) && p.Qty != math.MinInt64 && p.EntryNum.Sign() >= 0 &&
		p.Dust >= 0 && int64(p.Dust) < dust && (in.Kind == core.Spot || p.Dust == 0) &&
		(margin == 0 || h.isolated), "a position that cannot be")
	r.t.setMargin(h, l, margin)
	return f
}
