//go:build !race

package wire_test

import (
	"testing"

	"qcat/api/wire"
	"qcat/core"
	"qcat/core/engine"
	"qcat/risk"
)

// TestNoAllocations: encoding and decoding allocate nothing (I1).
func TestNoAllocations(t *testing.T) {
	d, in := directory(t)
	dst := make([]byte, 0, 16<<10)
	prefix := wire.ChannelPrefix("bbo:sim:BTCUSDT")
	levels := []core.Level{{Price: 1, Qty: 2}, {Price: 3, Qty: 4}}
	bbo := wire.BBO{BidPrice: 1, AskPrice: 2}
	order := core.Order{ID: 1, Account: 1, Strategy: 1, Instrument: in.ID, Qty: 1, CumQty: 1, CumCost: core.MulInt64(5, 1)}
	reason := risk.Reason{Code: risk.MaxNotional, Unit: risk.UnitNotional, Scope: risk.Scope{Level: risk.LevelAccount, Account: 1}}
	body := []byte(goodOrder)
	bad := []byte(`{"account":1}`)
	var r wire.Request
	var c engine.Command
	for name, f := range map[string]func(){
		"bbo":    func() { dst = wire.AppendTail(wire.AppendBBO(wire.AppendHead(dst[:0], prefix, 1, 2, 3), in, &bbo)) },
		"depth":  func() { dst = wire.AppendDepth(dst[:0], in, false, levels, levels) },
		"order":  func() { dst = wire.AppendOrder(dst[:0], d, &order) },
		"reason": func() { dst = wire.AppendReasonProblem(dst[:0], d, in, &reason) },
		"decode": func() {
			if e := wire.DecodeOrder(body, &r); !e.OK() {
				t.Fatal(e)
			}
			if res := r.ResolveOrder(d, &c); !res.OK() {
				t.Fatal(res)
			}
		},
		"refuse": func() {
			e := wire.DecodeOrder(bad, &r)
			dst = wire.AppendErrorProblem(dst[:0], &e)
		},
	} {
		if n := testing.AllocsPerRun(200, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
