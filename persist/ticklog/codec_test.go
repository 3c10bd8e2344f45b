package ticklog

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"qcat/core"
)

var allTypes = [...]Type{TypeTrade, TypeQuote, TypeMark, TypeGap}

// randomRecord fills a record of type t with anything that Append accepts.
func randomRecord(rng *rand.Rand, t Type) Record {
	r := Record{Header: Header{Type: t, Seq: rng.Uint64(), Time: core.Nanos(rng.Uint64())}}
	switch t {
	case TypeTrade:
		r.Trade = Trade{core.InstrumentID(rng.Uint32()), core.Side(rng.Uint32()), core.Price(rng.Uint64()),
			core.Qty(rng.Uint64()), rng.Uint64(), core.Nanos(rng.Uint64()), core.Nanos(rng.Uint64())}
	case TypeQuote:
		r.Quote = Quote{core.EventFlags(rng.Uint32()) & quoteFlags, core.InstrumentID(rng.Uint32()),
			core.Price(rng.Uint64()), core.Qty(rng.Uint64()), core.Price(rng.Uint64()), core.Qty(rng.Uint64()),
			rng.Uint64(), core.Nanos(rng.Uint64()), core.Nanos(rng.Uint64())}
	case TypeMark:
		r.Mark = Mark{core.InstrumentID(rng.Uint32()), core.Price(rng.Uint64()), core.Nanos(rng.Uint64()), core.Nanos(rng.Uint64())}
	case TypeGap:
		r.Gap = Gap{GapReason(1 + rng.IntN(len(gapNames)-1)), rng.Uint64(), core.Nanos(rng.Uint64()), core.Nanos(rng.Uint64())}
	}
	return r
}

func TestEveryTypeSurvivesTheRoundTrip(t *testing.T) {
	for _, typ := range allTypes {
		for seed := range uint64(300) {
			want := randomRecord(rand.New(rand.NewPCG(seed, uint64(typ))), typ)
			b := want.Append(nil)
			var got Record
			if err := Decode(b, &got); err != nil {
				t.Fatalf("%s seed %d: %v", typ, seed, err)
			}
			if got != want {
				t.Fatalf("%s seed %d:\n got %+v\nwant %+v", typ, seed, got, want)
			}
		}
	}
}

// A record cut or extended anywhere is refused, and so is one of another version
// or type, with a flag that none may have, or with a reason nobody gave.
func TestDecodeRefusesWhatAppendDoesNotWrite(t *testing.T) {
	for _, typ := range allTypes {
		rec := randomRecord(rand.New(rand.NewPCG(1, uint64(typ))), typ)
		b := rec.Append(nil)
		var r Record
		for n := range b {
			if err := Decode(b[:n], &r); !errors.Is(err, ErrMalformed) {
				t.Errorf("%s cut to %d of %d bytes: %v", typ, n, len(b), err)
			}
		}
		if err := Decode(append(bytes.Clone(b), 0), &r); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s with a byte left over: %v", typ, err)
		}
		for _, c := range []struct {
			at   int
			to   byte
			want error
		}{{0, 2, ErrVersion}, {1, 14, ErrType}, {1, 132, ErrType}, {2, b[2] | 1, ErrMalformed}, {3, 1, ErrMalformed}} {
			bad := bytes.Clone(b)
			bad[c.at] = c.to
			if err := Decode(bad, &r); !errors.Is(err, c.want) {
				t.Errorf("%s with byte %d = %d: %v, want %v", typ, c.at, c.to, err, c.want)
			}
		}
	}
	gap := Record{Header: Header{Type: TypeGap}, Gap: Gap{Reason: GapRestart}}
	b := gap.Append(nil)
	for _, reason := range []byte{0, byte(len(gapNames))} {
		b[HeaderLen] = reason
		if err := Decode(b, &gap); !errors.Is(err, ErrMalformed) {
			t.Errorf("gap of reason %d: %v", reason, err)
		}
	}
}

// The bytes of a trade are what the format document says.
func TestTradeBytes(t *testing.T) {
	r := Record{Header: Header{Type: TypeTrade, Seq: 2, Time: 3},
		Trade: Trade{Instrument: 4, Side: core.Sell, Price: 5, Qty: 6, ID: 7, ExchangeTime: 8, ReceiveTime: 9}}
	want := []byte{1, 128, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0,
		4, 0, 0, 0, 2, 5, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0,
		7, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0}
	if got := r.Append(nil); !bytes.Equal(got, want) {
		t.Errorf("\n got %v\nwant %v", got, want)
	}
}

func TestNames(t *testing.T) {
	for typ, want := range map[Type]string{127: "unknown", 128: "trade", 131: "gap", 132: "unknown"} {
		if got := typ.String(); got != want {
			t.Errorf("type %d is %q, want %q", typ, got, want)
		}
	}
	for reason, want := range map[GapReason]string{0: "unknown", 1: "overrun", 4: "restart", 5: "unknown"} {
		if got := reason.String(); got != want {
			t.Errorf("reason %d is %q, want %q", reason, got, want)
		}
	}
}
