package risk

import (
	"testing"

	"qcat/core"
)

// bytesSource makes choices from a fuzzer's bytes, zeros after the end.
type bytesSource struct{ b []byte }

func (s *bytesSource) IntN(n int) int {
	v := 0
	for m := n - 1; m > 0 && len(s.b) > 0; m >>= 8 {
		v = v<<8 | int(s.b[0])
		s.b = s.b[1:]
	}
	return v % n
}

// FuzzTree lets the fuzzer choose the calls that TestTreeEqualsNaive draws.
func FuzzTree(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{3, 0, 1, 0, 200, 10, 0, 100, 12, 0, 3, 50, 9, 0, 1, 44, 5, 5})
	f.Add([]byte("limits, orders, fills and the rest, chosen by whoever wants to break it"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 500 {
			return
		}
		w := newWorld(t, &bytesSource{b})
		for len(w.src.(*bytesSource).b) > 0 {
			w.step()
		}
		w.flatten()
	})
}

// FuzzExtremes feeds any number into every field: nothing panics, nothing wraps,
// and a node's gross is never below its long or its short.
func FuzzExtremes(f *testing.F) {
	f.Add(uint8(0), int64(1), int64(1), int64(1), int64(1), int64(1), int64(1))
	f.Add(uint8(1), int64(1<<62), int64(1<<62), int64(1<<62), int64(1<<62), int64(-1), int64(1<<62))
	f.Add(uint8(2), int64(6_000_000), int64(1<<40), int64(6_000_000), int64(1<<40), int64(1), int64(1<<63-1))
	f.Fuzz(func(t *testing.T, kind uint8, price, qty, ref, qty2, now, limit int64) {
		in := &core.Instrument{ID: 1, Venue: "v", Symbol: "s", Quote: "USD", Settle: "USD", Kind: core.ContractKind(kind % 3),
			PriceScale: kind % 7, QtyScale: kind % 5, SettleScale: 8, ContractSize: 1, TickSize: 1, StepSize: 1,
			MaxNotional: core.Notional(limit), BidCollarUp: limit, AskCollarDown: limit}
		if in.Validate() != nil {
			return
		}
		tree := NewTree(Config{})
		tree.DefineInstrument(in)
		tree.DefineAccount(1)
		tree.DefineStrategy(1, 1)
		var ls Limits
		for l := range numLimits {
			ls.Set(l, limit)
		}
		tree.SetLimits(InstrumentScope(0, 0, 1), ls)
		r := Reference{Mark: core.Price(ref), MarkTime: core.Nanos(now)}
		o := Order{Account: 1, Strategy: 1, Instrument: 1, Side: core.Side(1 + kind%2), Type: core.Limit, TIF: core.GTC,
			Price: core.Price(price), Qty: core.Qty(qty)}
		for range 3 {
			tree.CheckAll(&o, &r, core.Nanos(now), nil)
			if a, why := tree.CheckNew(&o, &r, core.Nanos(now)); why.OK() {
				var h Hold
				tree.Accept(&a, &h)
				if b, why := tree.CheckAmend(&h, Amend{Price: core.Price(price), Qty: core.Qty(qty2)}, &r, core.Nanos(now)); why.OK() {
					tree.Accept(&b, &h)
					tree.ConfirmAmend(&h, core.Price(ref), core.Qty(qty2))
				}
				tree.Fill(&h, filled(&h, core.Qty(qty2), core.Price(price)), core.Nanos(now))
				tree.CountCancel(&h, core.Nanos(now))
				tree.Mark(1, core.Price(price), true, core.Nanos(now))
			}
			o.Side, o.Qty = o.Side.Opposite(), core.Qty(qty2)
		}
		for s := range tree.Scopes {
			v, _ := tree.View(s)
			if v.Gross < max(v.Long, -v.Short) || v.Gross < 0 || v.Unfilled < 0 || v.OpenOrders < 0 || v.OpenBuy < 0 || v.OpenSell < 0 {
				t.Fatalf("%+v", v)
			}
		}
	})
}
