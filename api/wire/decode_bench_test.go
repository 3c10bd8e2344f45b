package wire_test

import (
	"testing"

	"qcat/api/wire"
	"qcat/core/engine"
)

// BenchmarkDecodeOrder reads a limit order as it is posted most, and then what it
// names and how many decimals it has. Checks the price each time.
func BenchmarkDecodeOrder(b *testing.B) {
	dir, _ := directory(b)
	body := []byte(`{"account":"demo","strategy":"maker","instrument":"sim:BTCUSDT","side":"buy","type":"limit","time_in_force":"ioc",` +
		`"price":"59990.00","qty":"0.010","client_order_id":"00000a1b2c3d4e5f"}`)
	var r wire.Request
	var c engine.Command
	if e := wire.DecodeOrder(body, &r); !e.OK() {
		b.Fatal(e)
	}
	for _, step := range []struct {
		name string
		do   func() bool
	}{
		{"decode", func() bool { return wire.DecodeOrder(body, &r).OK() && string(r.Price) == "59990.00" }},
		{"resolve", func() bool { res := r.ResolveOrder(dir, &c); return res.OK() && c.Price == 5_999_000 }},
	} {
		b.Run(step.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if !step.do() {
					b.Fatal("refused")
				}
			}
		})
	}
}
