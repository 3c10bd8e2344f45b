package risk

import (
	"testing"

	"qcat/core"
)

// safetyInstruments are one of each kind.
func safetyInstruments() []core.Instrument {
	base := core.Instrument{Venue: "sim", Base: "BTC", Quote: "USDT", Settle: "USDT", Kind: core.Linear, ContractSize: 1,
		PriceScale: 2, QtyScale: 3, SettleScale: 8, TickSize: 1, StepSize: 1}
	linear, spot, inverse := base, base, base
	linear.ID, linear.Symbol = 1, "LIN"
	spot.ID, spot.Symbol, spot.Kind = 2, "SPOT", core.Spot
	inverse.ID, inverse.Symbol, inverse.Kind, inverse.ContractSize, inverse.QtyScale = 3, "INV", core.Inverse, 10, 0
	inverse.Quote, inverse.Settle = "USD", "BTC"
	return []core.Instrument{linear, spot, inverse}
}

func newSafety(t testing.TB, src source) *safety {
	s := &safety{t: t, src: src, tree: NewTree(Config{}), owner: []core.AccountID{0, 1, 1, 2, 2}, now: 1e9,
		held: map[naivePair]core.Qty{}, refs: []core.Price{0, 2_000_000, 1_990_000, 2_010_000}}
	ins := safetyInstruments()
	for i := range ins {
		s.must(s.tree.DefineInstrument(&ins[i]))
	}
	s.must(s.tree.DefineAccount(1))
	s.must(s.tree.DefineAccount(2))
	for id, a := range s.owner[1:] {
		s.must(s.tree.DefineStrategy(core.StrategyID(id+1), a))
	}
	for _, at := range s.scopes() {
		ls := s.drawLimits(at)
		s.note("limits %+v %v", at, ls)
		s.must(s.tree.SetLimits(at, ls))
	}
	return s
}

// transfer moves money in, or out: no limit is used more by it.
func (s *safety) transfer() {
	a := core.AccountID(1 + s.src.IntN(2))
	amount := int64(1+s.src.IntN(20_000)) * 1e8
	if s.src.IntN(2) == 0 {
		amount = -amount
	}
	s.uses(func() { s.note("transfer %d to %d: %v", amount, a, s.tree.Transfer(a, "USDT", amount)) })
}

// scopes are all nodes there can be.
func (s *safety) scopes() []Scope {
	out := []Scope{FirmScope(), AccountScope(1), AccountScope(2)}
	for id := range s.owner[1:] {
		out = append(out, StrategyScope(core.StrategyID(id+1)))
	}
	for in := core.InstrumentID(1); in <= 3; in++ {
		out = append(out, InstrumentScope(0, 0, in), InstrumentScope(1, 0, in), InstrumentScope(2, 0, in))
		for id, a := range s.owner[1:] {
			out = append(out, InstrumentScope(a, core.StrategyID(id+1), in))
		}
	}
	return out
}

// drawLimits draws the limits that count, as tight as leaves some room.
func (s *safety) drawLimits(at Scope) (ls Limits) {
	room := int64(1) // nodes further up hold more
	if at.Strategy == 0 {
		room = 2
	}
	if at.Account == 0 {
		room = 3
	}
	sometimes := func(l Limit, v int64) {
		if s.src.IntN(2) == 0 {
			ls.Set(l, v)
		}
	}
	value := func() int64 { return room * int64(20_000+s.src.IntN(200_000)) * 1e8 }
	sometimes(LimitMaxNotional, value())
	sometimes(LimitMaxUnfilled, value())
	sometimes(LimitMaxExposureGross, value())
	sometimes(LimitMaxExposureNet, value())
	sometimes(LimitMaxOpenOrders, room*int64(2+s.src.IntN(10)))
	if at.Level == LevelInstrument {
		sometimes(LimitMaxPosition, room*int64(1_000+s.src.IntN(20_000)))
		sometimes(LimitMaxOrderQty, int64(2_000+s.src.IntN(10_000)))
	}
	if at.Level != LevelInstrument {
		if s.src.IntN(6) == 0 {
			ls.Set(LimitMarginRequired, 1)
		}
		sometimes(LimitMaxScenarioLoss, value()/40)
		if s.src.IntN(4) == 0 {
			ls.Set(LimitConcentration, int64(300_000+s.src.IntN(700_000)))
			ls.Set(LimitConcentrationFloor, value()/4)
		}
	}
	if at.Level == LevelFirm || at.Level == LevelAccount {
		sometimes(LimitMaxLeverage, int64(1+s.src.IntN(10))*core.PPM)
	}
	if s.src.IntN(8) == 0 { // what trips only reduces until a person resumes it
		ls.Set(LimitMaxLossDaily, value()/10)
		ls.Set(LimitMaxDrawdown, value()/8)
		ls.Set(LimitConsecutiveLosses, int64(2+s.src.IntN(6)))
		ls.Set(LimitLossAction, int64(ActionReduce))
	}
	if s.src.IntN(4) == 0 {
		ls.Set(LimitMessageRate, int64(1+s.src.IntN(20)))
		ls.Set(LimitMessageRatePer, 1e9)
	}
	return ls
}

func (s *safety) scope() Scope {
	all := s.scopes()
	return all[s.src.IntN(len(all))]
}

// setState halts or reduces a node, or resumes all that are not active: no limit is used
// more by it.
func (s *safety) setState() {
	at, st := s.scope(), TradingState(s.src.IntN(6))
	s.note("state %+v %v", at, st)
	s.uses(func() {
		if st == StateReducing || st == StateHalted {
			s.must(s.tree.SetState(at, st))
			return
		}
		for _, at := range s.scopes() {
			if v, _ := s.tree.View(at); v.State != StateActive || v.Trips > 0 {
				s.must(s.tree.SetState(at, StateActive))
			}
		}
	})
}

// mark moves a market by up to a tenth.
func (s *safety) mark() {
	id := core.InstrumentID(1 + s.src.IntN(3))
	p := s.refs[id] * core.Price(900+s.src.IntN(201)) / 1000
	s.refs[id] = min(max(p, 1_000_000), 4_000_000)
	s.note("mark %d %d", id, s.refs[id])
	s.tree.Mark(id, s.refs[id], true, s.now)
}

func (s *safety) drawOrder() Order {
	strategy := core.StrategyID(1 + s.src.IntN(4))
	o := Order{Strategy: strategy, Account: s.owner[strategy], Instrument: core.InstrumentID(1 + s.src.IntN(3)),
		Side: core.Side(1 + s.src.IntN(2)), Type: core.Limit, TIF: core.GTC, Qty: core.Qty(1 + s.src.IntN(5_000))}
	if s.src.IntN(3) == 0 { // often what is held, or a part of it
		v, _ := s.tree.View(InstrumentScope(o.Account, o.Strategy, o.Instrument))
		if held := max(v.Position, -v.Position); held > 0 {
			o.Qty = max(1, held*core.Qty(1+s.src.IntN(4))/4)
			o.Side = core.Sell
			if v.Position < 0 {
				o.Side = core.Buy
			}
		}
	}
	if s.src.IntN(5) == 0 {
		o.Type, o.TIF = core.Market, core.IOC
	} else {
		o.Price = s.price(o.Instrument)
	}
	return o
}

func (s *safety) price(id core.InstrumentID) core.Price {
	return s.refs[id] * core.Price(950+s.src.IntN(101)) / 1000
}

func (s *safety) reference(id core.InstrumentID) Reference {
	return Reference{Mark: s.refs[id], MarkTime: s.now}
}
