package wire_test

import (
	"testing"

	"qcat/api/wire"
	"qcat/core"
)

// BenchmarkEncode writes the frames a client gets most: a best bid and offer with its
// head and tail, and the changes of ten levels a side. The length is checked.
func BenchmarkEncode(b *testing.B) {
	_, in := directory(b)
	prefix := wire.ChannelPrefix("bbo:sim:BTCUSDT")
	bbo := wire.BBO{BidPrice: 6_183_763, BidQty: 1_500, AskPrice: 6_183_790, AskQty: 12_345}
	bids, asks := make([]core.Level, 10), make([]core.Level, 10)
	for i := range bids {
		bids[i] = core.Level{Price: 6_183_763 - core.Price(i), Qty: core.Qty(1_000 + i)}
		asks[i] = core.Level{Price: 6_183_790 + core.Price(i), Qty: core.Qty(i)}
	}
	dst := make([]byte, 0, 4096)
	for _, c := range []struct {
		name   string
		encode func()
	}{
		{"bbo", func() {
			dst = wire.AppendTail(wire.AppendBBO(wire.AppendHead(dst[:0], prefix, 12_345_678, 1_723_161_256_299_000_000, 1_723_161_256_301_000_000), in, &bbo))
		}},
		{"depth", func() { dst = wire.AppendDepth(dst[:0], in, false, bids, asks) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			c.encode()
			want := len(dst)
			b.ReportAllocs()
			for b.Loop() {
				c.encode()
			}
			if len(dst) != want || want < 100 {
				b.Fatalf("%d bytes, want %d", len(dst), want)
			}
			b.SetBytes(int64(want))
		})
	}
}
