package record

import (
	"testing"

	"qcat/core"
)

// BenchmarkAppendNew encodes an accepted limit order with its quote, 168 bytes.
func BenchmarkAppendNew(b *testing.B) {
	id, _ := core.MakeClOrdID("abcdefghij")
	r := Record{Header: Header{Type: TypeNew, Seq: 1}, New: New{ClOrdID: id, Outside: Outside{Ready: true, QuoteKnown: true}}}
	buf := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		buf = r.Append(buf[:0])
	}
	if want := 168; len(buf) != want {
		b.Fatalf("%d bytes, want %d", len(buf), want)
	}
	b.SetBytes(int64(len(buf)))
}

// BenchmarkDecodeNew decodes the same.
func BenchmarkDecodeNew(b *testing.B) {
	id, _ := core.MakeClOrdID("abcdefghij")
	r := Record{Header: Header{Type: TypeNew, Seq: 1}, New: New{ClOrdID: id, Outside: Outside{Ready: true, QuoteKnown: true}}}
	buf := r.Append(nil)
	var back Record
	b.ReportAllocs()
	for b.Loop() {
		if err := Decode(buf, &back); err != nil {
			b.Fatal(err)
		}
	}
	if back.New != r.New {
		b.Fatal("decoded something else")
	}
	b.SetBytes(int64(len(buf)))
}
