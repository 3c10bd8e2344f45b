package risk

import (
	"fmt"
	"strings"

	"qcat/core"
	"qcat/risk/margin"
)

// scriptPosition names a position of a strategy as an engine keeps it.
type scriptPosition struct {
	strategy   core.StrategyID
	instrument core.InstrumentID
	leg        core.Leg
}

// fill reads "fill NAME 1 [at 60000] [fee 0.1] [basefee 0.001]". Without a price it
// is the order's own, else the reference.
func (s *script) fill(h *Hold, in *core.Instrument, w []string) *Booking {
	o := &h.order
	f := core.Fill{Side: o.Side, Qty: core.Qty(s.amount(w[2], in.QtyScale)), Price: o.Price}
	if f.Price == 0 {
		f.Price = s.refs[s.names[o.Instrument]].Mark
	}
	for i := 3; i+1 < len(w); i += 2 {
		switch w[i] {
		case "at":
			f.Price = core.Price(s.amount(w[i+1], in.PriceScale))
		case "fee", "basefee":
			f.Fee = core.Notional(s.amount(w[i+1], in.SettleScale))
			if strings.HasPrefix(w[i], "base") {
				f.FeeIn = core.FeeBase
			}
		default:
			panic("unknown part of a fill")
		}
	}
	key := scriptPosition{o.Strategy, o.Instrument, o.Leg}
	before := s.positions[key]
	after := before
	if !after.Apply(in, &f) {
		panic("a fill that no position takes")
	}
	s.positions[key] = after
	b := BookingOf(&before, &after, &f)
	return &b
}

// money are the verbs of accounts, and whether w is one:
//
//	transfer demo USDT -100          leverage demo:BTC 10x
//	isolated demo:BTC on             hedge demo on
//	move demo:BTC both 100           to the margin of an isolated position
//	tiers BTC 0:0.4%:125x 50000:0.5%:100x
//	rate_from BTC SPOT               a currency by the mark of an instrument
//	fund demo/mm:BTC both 1.5        paid; negative is received
//	wallets demo, holdings demo, account demo, equity firm, breach
func (s *script) money(w []string) (string, bool) {
	amount := func(text string) int64 { return s.amount(text, AmountScale) }
	switch w[0] {
	case "transfer":
		return s.answer(nil, s.tree.Transfer(s.scope(w[1]).Account, w[2], amount(w[3])), ""), true
	case "leverage":
		ppm, err := parseTimes(w[2])
		must(err)
		sc := s.scope(w[1])
		return s.answer(nil, s.tree.SetLeverage(sc.Account, sc.Instrument, ppm), ""), true
	case "isolated":
		sc := s.scope(w[1])
		return s.answer(nil, s.tree.SetIsolated(sc.Account, sc.Instrument, w[2] == "on"), ""), true
	case "hedge":
		return s.answer(nil, s.tree.SetHedge(s.scope(w[1]).Account, w[2] == "on"), ""), true
	case "move":
		sc := s.scope(w[1])
		leg, _ := core.ParseLeg(w[2])
		return s.answer(nil, s.tree.MoveIsolated(sc.Account, sc.Instrument, leg, amount(w[3])), ""), true
	case "tiers":
		return s.answer(nil, s.tree.SetTiers(core.InstrumentID(indexOf(s.names, w[1])), s.tiers(w[1], w[2:])), ""), true
	case "rate_from":
		return s.answer(nil, s.tree.SetRateFrom(w[1], core.InstrumentID(indexOf(s.names, w[2]))), ""), true
	case "fund":
		sc := s.scope(w[1])
		leg, _ := core.ParseLeg(w[2])
		in := s.tree.instruments[sc.Instrument].in
		if !s.tree.Fund(sc.Strategy, sc.Instrument, leg, core.Notional(s.amount(w[3], in.SettleScale))) {
			return "not possible", true
		}
		return "", true
	case "wallets":
		return s.wallets(s.scope(w[1]).Account), true
	case "holdings":
		return s.holdings(s.scope(w[1]).Account), true
	case "account":
		return s.account(s.scope(w[1]).Account), true
	case "equity":
		v, ok := s.tree.Equity(s.scope(w[1]))
		if !ok {
			return "not known", true
		}
		return coins(v), true
	case "breach":
		return s.breach(), true
	}
	return "", false
}

// coins writes an amount, or a value of the risk currency.
func coins(v int64) string { return string(UnitAmount.Append(nil, v, nil)) }

func (s *script) tiers(name string, words []string) (tiers []margin.Tier) {
	for _, word := range words {
		part := strings.Split(word, ":")
		rate, err := parseRatio(part[1])
		must(err)
		leverage, err := parseTimes(part[2])
		must(err)
		floor := core.Notional(s.amount(part[0], s.instrument(name).SettleScale))
		tiers = append(tiers, margin.Tier{Floor: floor, Rate: rate, Leverage: leverage})
	}
	return tiers
}

func (s *script) wallets(a core.AccountID) string {
	var lines []string
	for _, w := range s.tree.Wallets(a) {
		line := w.Currency
		for _, k := range []struct {
			name string
			v    int64
		}{{"balance", w.Balance}, {"reserved", w.Reserved}, {"isolated", w.Isolated}, {"unrealised", w.Unrealised},
			{"apart", w.Apart}, {"initial", w.Initial}, {"maintenance", w.Maintenance}, {"free", w.Free}} {
			if k.v != 0 || k.name == "balance" || k.name == "free" {
				line += " " + k.name + " " + coins(k.v) + ","
			}
		}
		lines = append(lines, strings.TrimSuffix(line, ","))
	}
	return strings.Join(lines, "\n")
}

func (s *script) holdings(a core.AccountID) string {
	var lines []string
	for _, h := range s.tree.Holdings(a) {
		in := s.tree.instruments[h.Instrument].in
		line := fmt.Sprintf("%s %s %s", in.Symbol, h.Leg, core.FormatDecimal(int64(h.Position.Qty), in.QtyScale))
		if entry, ok := h.Position.AvgEntry(in, in.PriceScale, core.RoundHalfEven); ok {
			line += " at " + core.FormatDecimal(entry, in.PriceScale)
		}
		if in.Kind == core.Spot {
			lines = append(lines, line)
			continue
		}
		mode := "cross"
		if h.Isolated {
			mode = "isolated with " + coins(h.Margin)
		}
		line += fmt.Sprintf(", %s %s, initial %s, maintenance %s, unrealised %s", UnitTimes.Append(nil, h.Leverage, nil), mode,
			coins(h.Initial), coins(h.Maintenance), coins(h.Unrealised))
		if h.Liquidation > 0 {
			line += ", liquidation " + core.FormatDecimal(int64(h.Liquidation), in.PriceScale)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func (s *script) account(a core.AccountID) string {
	v, ok := s.tree.Account(a)
	switch {
	case !ok:
		return "no such account"
	case !v.Known:
		return "equity not known"
	}
	times := func(ppm int64) string {
		if ppm == most {
			return "without end"
		}
		return string(UnitTimes.Append(nil, ppm, nil))
	}
	return fmt.Sprintf("equity %s, gross %s, leverage %s, initial %s, maintenance %s, margin ratio %s", coins(v.Equity), coins(v.Gross),
		times(v.Leverage), coins(v.Initial), coins(v.Maintenance), times(v.MarginRatio))
}

func (s *script) breach() string {
	b, ok := s.tree.NextBreach()
	if !ok {
		return "none"
	}
	s.tree.Act(&b)
	in := s.tree.instruments[b.Instrument].in
	return fmt.Sprintf("%s at %s: limit %s, is %s; %s", b.Code, s.scopeName(b.Scope), b.Unit.Append(nil, b.Limit, in),
		b.Unit.Append(nil, b.Value, in), b.Action)
}
