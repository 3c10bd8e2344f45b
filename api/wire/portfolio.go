package wire

import (
	"qcat/core"
	"qcat/core/engine"
	"qcat/risk"
)

var contractNames = [...]string{"spot", "linear", "inverse"}

// AppendInstrument appends what is traded and the venue's rules for it. A rule
// that the venue does not have is left out.
func AppendInstrument(dst []byte, in *core.Instrument) []byte {
	dst = append(dst, `{"instrument":`...)
	dst = appendInstrumentName(dst, in)
	dst = appendKeyString(dst, `,"venue":`, in.Venue)
	dst = appendKeyString(dst, `,"symbol":`, in.Symbol)
	dst = appendKeyString(dst, `,"base":`, in.Base)
	dst = appendKeyString(dst, `,"quote":`, in.Quote)
	dst = appendKeyString(dst, `,"settle":`, in.Settle)
	dst = appendKeyString(dst, `,"kind":`, contractNames[in.Kind])
	dst = appendKeyInt(dst, `,"price_scale":`, int64(in.PriceScale))
	dst = appendKeyInt(dst, `,"qty_scale":`, int64(in.QtyScale))
	dst = appendKeyInt(dst, `,"contract_size":`, in.ContractSize)
	for _, f := range [...]struct {
		key   string
		v     int64
		scale uint8
	}{
		{`,"tick_size":`, int64(in.TickSize), in.PriceScale},
		{`,"min_price":`, int64(in.MinPrice), in.PriceScale},
		{`,"max_price":`, int64(in.MaxPrice), in.PriceScale},
		{`,"step_size":`, int64(in.StepSize), in.QtyScale},
		{`,"min_qty":`, int64(in.MinQty), in.QtyScale},
		{`,"max_qty":`, int64(in.MaxQty), in.QtyScale},
		{`,"market_max_qty":`, int64(in.MarketMaxQty), in.QtyScale},
		{`,"min_notional":`, int64(in.MinNotional), in.SettleScale},
		{`,"max_notional":`, int64(in.MaxNotional), in.SettleScale},
	} {
		if f.v != 0 {
			dst = appendKeyDecimal(dst, f.key, f.v, f.scale)
		}
	}
	return append(dst, '}')
}

// AppendPositionView appends AppendPosition's members and, beside them, "mark",
// "unrealised" and "notional", null while no price is known, and those of
// AppendHolding.
func AppendPositionView(dst []byte, d Names, p *engine.PositionView, h *risk.Holding) []byte {
	dst = AppendPosition(dst, d, &p.PositionState)
	dst = appendMarked(dst[:len(dst)-1], d, p)
	return append(AppendHolding(dst, d, h), '}')
}

// appendMarked appends what a position is worth at its mark.
func appendMarked(dst []byte, d Names, p *engine.PositionView) []byte {
	in := instrumentOf(d, p.Instrument)
	value, ok := in.Notional(p.Mark, p.Position.Qty, core.RoundHalfEven)
	if p.Mark == 0 || !p.Valued || !ok {
		return append(dst, `,"mark":null,"unrealised":null,"notional":null`...)
	}
	dst = appendKeyDecimal(dst, `,"mark":`, int64(p.Mark), in.PriceScale)
	dst = appendKeyDecimal(dst, `,"unrealised":`, int64(p.Unrealised), in.SettleScale)
	return appendKeyDecimal(dst, `,"notional":`, int64(value), in.SettleScale)
}

// AppendStrategy appends {"account","strategy","state"}.
func AppendStrategy(dst []byte, d Names, s *core.Strategy, st risk.TradingState) []byte {
	dst = appendKeyString(dst, `{"account":`, accountName(d, s.Account))
	dst = appendKeyString(dst, `,"strategy":`, s.Name)
	dst = appendKeyString(dst, `,"state":`, st.String())
	return append(dst, '}')
}

// AppendScopeState appends a trading state that was set:
// {"scope","state","reason","seq","time"}.
func AppendScopeState(dst []byte, d Names, s *engine.ScopeState) []byte {
	dst = AppendScope(append(dst, `{"scope":`...), d, s.Scope)
	dst = appendKeyString(dst, `,"state":`, s.State.String())
	dst = appendKeyString(dst, `,"reason":`, s.Note.String())
	dst = appendKeyUint(dst, `,"seq":`, s.Seq)
	dst = appendKeyInt(dst, `,"time":`, int64(s.Time))
	return append(dst, '}')
}

// AppendEffectiveLimits appends [{"limit","value","scope"},…]: the tightest of a path as
// a configuration writes them, a rate with its period, and where each hangs.
func AppendEffectiveLimits(dst []byte, d Names, list []risk.EffectiveLimit) []byte {
	dst = append(dst, '[')
	for i := 0; i < len(list); i++ {
		e := &list[i]
		var one risk.Limits
		one.Set(e.Limit, e.Value)
		if i+1 < len(list) && list[i+1].Limit.String() == e.Limit.String()+"_per" {
			i++
			one.Set(list[i].Limit, list[i].Value)
		}
		spec := one.Spec(d.Instrument(e.From.Instrument))
		for name, text := range spec.All() {
			if dst[len(dst)-1] != '[' {
				dst = append(dst, ',')
			}
			dst = appendKeyString(dst, `{"limit":`, name)
			dst = appendKeyString(dst, `,"value":`, text)
			dst = AppendScope(append(dst, `,"scope":`...), d, e.From)
			dst = append(dst, '}')
		}
	}
	return append(dst, ']')
}
