package risk

import (
	"strings"

	"qcat/core"
)

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
	before := s.positions[naivePair{o.Strategy, o.Instrument}]
	after := before
	if !after.Apply(in, &f) {
		panic("a fill that no position takes")
	}
	s.positions[naivePair{o.Strategy, o.Instrument}] = after
	b := BookingOf(&before, &after, &f)
	return &b
}
