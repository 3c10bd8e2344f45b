package risk

import "qcat/core"

// flatten shows the way out of everything: what is open is cancelled, every node has
// the tightest limits there are and only reduces, and reducing orders still bring every
// position of every strategy to nothing.
func (s *safety) flatten() {
	for _, h := range s.holds {
		s.tree.Release(h)
	}
	for _, at := range s.scopes() {
		s.must(s.tree.SetLimits(at, tightest(at)))
		s.must(s.tree.SetState(at, StateReducing))
	}
	for a := core.AccountID(1); a <= 2; a++ {
		for id := core.InstrumentID(1); id <= 3; id++ {
			s.flattenOne(a, id)
		}
	}
}

// flattenOne closes an account's position through the strategies that hold it. Those
// that hold the other side against it are what the account's netting leaves: they hold
// nothing that the account could lose.
func (s *safety) flattenOne(account core.AccountID, id core.InstrumentID) {
	for {
		total, _ := s.tree.View(InstrumentScope(account, 0, id))
		if total.Position == 0 {
			return
		}
		side, sign := core.Sell, core.Qty(1)
		if total.Position < 0 {
			side, sign = core.Buy, -1
		}
		o := Order{Account: account, Instrument: id, Side: side, Type: core.Market, TIF: core.IOC, ReduceOnly: true}
		for strategy, a := range s.owner {
			v, _ := s.tree.View(InstrumentScope(account, core.StrategyID(strategy), id))
			if a == account && strategy > 0 && sign*v.Position > 0 {
				o.Strategy, o.Qty = core.StrategyID(strategy), min(sign*v.Position, sign*total.Position)
			}
		}
		if !s.order(o) {
			s.fatalf("the way out is shut: account %d, instrument %d, position %d", account, id, total.Position)
		}
		h := s.holds[len(s.holds)-1]
		s.fill(h, h.Leaves())
	}
}

// tightest has every limit that makes sense at a scope at the least it may be, but for
// those that judge the price an order is valued at and are no limit of risk.
func tightest(at Scope) (ls Limits) {
	for l := range numLimits {
		switch l {
		case LimitMaxReferenceAge, LimitMaxClockOffset, LimitScenarioPrice, LimitScenarioSigmas, LimitCancelOnDrop, LimitDayStart:
			continue
		case LimitCollarBuyUp, LimitCollarBuyDown, LimitCollarSellUp, LimitCollarSellDown:
			continue
		case LimitPermittedOnly, LimitRestricted, LimitMarginRequired, LimitLossAction:
			ls.Set(l, 1)
		default:
			ls.Set(l, 0)
			if limitDefs[l].positive() {
				ls.Set(l, 1)
			}
		}
	}
	for l, ok := ls.Validate(at); !ok; l, ok = ls.Validate(at) {
		ls.Unset(l)
	}
	return ls
}
