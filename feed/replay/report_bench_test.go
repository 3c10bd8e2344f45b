package replay_test

import (
	"bytes"
	"context"
	"testing"

	"qcat/feed/binance"
	"qcat/feed/replay"
)

// BenchmarkRun is a whole report over a plain tape of 6 001 frames (2 000 depth
// messages of about 7 levels, quotes and trades, one snapshot): read, decode,
// book, ring, check against the venue's quotes. The hash must not change.
func BenchmarkRun(b *testing.B) {
	tape := synthetic(binance.USDMVenue, 2000)
	text := tape.text()
	var hash string
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := replay.NewReader(bytes.NewReader(text), 0)
		if err != nil {
			b.Fatal(err)
		}
		got, err := replay.Run(context.Background(), r, bindBinance(tape.venue), nil)
		if err != nil {
			b.Fatal(err)
		}
		if hash == "" {
			hash = got.BookHash
		}
		if got.Stale || got.DepthGaps != 0 || got.Messages != 6001 || got.BookHash != hash {
			b.Fatalf("%+v", got)
		}
		r.Close()
	}
}
