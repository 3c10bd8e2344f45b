package core

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

// listed returns a linear contract with room for tests to bend it.
func listed(symbol string) Instrument {
	return Instrument{
		Venue: "test", Symbol: symbol, Base: "BTC", Quote: "USDT", Settle: "USDT", Kind: Linear,
		PriceScale: 2, QtyScale: 3, SettleScale: 8, ContractSize: 1, TickSize: 1, StepSize: 1,
	}
}

// bigNotional is the value of q at p by exact arithmetic.
func bigNotional(in *Instrument, p Price, q Qty, r Rounding) (Notional, bool) {
	if p <= 0 || q == math.MinInt64 {
		return 0, false
	}
	price := new(big.Rat).SetFrac64(int64(p), Pow10(in.PriceScale))
	qty := new(big.Rat).SetFrac64(int64(max(q, -q)), Pow10(in.QtyScale))
	value := new(big.Rat).Mul(price, qty)
	if in.Kind == Inverse {
		value.Quo(qty, price)
		value.Mul(value, new(big.Rat).SetInt64(in.ContractSize))
	}
	value.Mul(value, new(big.Rat).SetInt64(Pow10(in.SettleScale)))
	v, ok := roundRat(value, r)
	return Notional(v), ok
}

func checkNotional(t *testing.T, in *Instrument, p Price, q Qty) {
	t.Helper()
	for _, r := range []Rounding{RoundDown, RoundUp, RoundHalfEven} {
		got, ok := in.Notional(p, q, r)
		want, wantOK := bigNotional(in, p, q, r)
		if got != want || ok != wantOK {
			t.Fatalf("kind %d, scales %d %d %d, size %d: Notional(%d, %d, %d) = %d, %v; want %d, %v", in.Kind,
				in.PriceScale, in.QtyScale, in.SettleScale, in.ContractSize, p, q, r, got, ok, want, wantOK)
		}
	}
}

func TestNotional(t *testing.T) {
	linear := listed("L") // price 10^-2, quantity 10^-3, value 10^-8
	if v, ok := linear.Notional(6_183_763, 1_500, RoundUp); v != 9_275_644_500_000 || !ok {
		t.Errorf("1.5 at 61837.63 is %d, %v", v, ok)
	}
	inverse := listed("I")
	inverse.Kind, inverse.QtyScale, inverse.PriceScale, inverse.ContractSize = Inverse, 0, 1, 100
	if v, ok := inverse.Notional(500_000, -25, RoundUp); v != 5_000_000 || !ok {
		t.Errorf("25 contracts of 100 USD at 50000.0 are %d, %v", v, ok)
	}
	for _, p := range []Price{0, -1, math.MinInt64} {
		if v, ok := linear.Notional(p, 1, RoundUp); ok {
			t.Errorf("a value of %d at price %d", v, p)
		}
	}
	if v, ok := linear.Notional(1, math.MinInt64, RoundUp); ok {
		t.Errorf("a value of %d of the quantity that has no magnitude", v)
	}
}

func TestNotionalRandom(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	counts := [3]int{}
	for counts[Spot]+counts[Linear]+counts[Inverse] < 3_000 {
		in := listed("X")
		in.Kind = ContractKind(r.IntN(3))
		in.PriceScale, in.QtyScale, in.SettleScale = uint8(r.IntN(13)), uint8(r.IntN(13)), uint8(r.IntN(13))
		if in.Kind == Inverse {
			in.ContractSize = []int64{1, 10, 100}[r.IntN(3)]
		}
		if in.Validate() != nil {
			continue
		}
		counts[in.Kind]++
		checkNotional(t, &in, Price(anyInt64(r)), Qty(anyInt64(r)))
		checkNotional(t, &in, Price(anyInt64(r)), -Qty(anyInt64(r)))
	}
	for kind, n := range counts {
		if n < 300 {
			t.Errorf("only %d instruments of kind %d", n, kind)
		}
	}
}

func TestInstrumentValidate(t *testing.T) {
	if in := listed("X"); in.Validate() != nil || in.Name() != "test:X" {
		t.Fatalf("%s: %v", in.Name(), in.Validate())
	}
	if in := listed("币安人生USDT"); in.Validate() != nil { // Binance USD-M lists it
		t.Error(in.Validate())
	}
	for name, bend := range map[string]func(*Instrument){
		"no venue":           func(in *Instrument) { in.Venue = "" },
		"no symbol":          func(in *Instrument) { in.Symbol = "" },
		"a space":            func(in *Instrument) { in.Symbol = "A B" },
		"a quote":            func(in *Instrument) { in.Symbol = `A"B` },
		"a control byte":     func(in *Instrument) { in.Symbol = "A\x00B" },
		"broken UTF-8":       func(in *Instrument) { in.Symbol = "A\xff" },
		"a colon":            func(in *Instrument) { in.Venue = "a:b" },
		"a long name":        func(in *Instrument) { in.Symbol = strings.Repeat("A", 200) },
		"a scale":            func(in *Instrument) { in.PriceScale = 19 },
		"no tick":            func(in *Instrument) { in.TickSize = 0 },
		"negative step":      func(in *Instrument) { in.StepSize = -1 },
		"no contract size":   func(in *Instrument) { in.ContractSize = 0 },
		"a sized linear":     func(in *Instrument) { in.ContractSize = 10 },
		"unknown kind":       func(in *Instrument) { in.Kind = 3 },
		"scales apart":       func(in *Instrument) { in.PriceScale, in.QtyScale, in.SettleScale = 18, 18, 0 },
		"inverse scales":     func(in *Instrument) { in.Kind, in.QtyScale, in.PriceScale, in.SettleScale = Inverse, 9, 0, 0 },
		"contract too large": func(in *Instrument) { in.Kind, in.ContractSize, in.SettleScale = Inverse, 1e12, 18 },
		"price bounds":       func(in *Instrument) { in.MinPrice, in.MaxPrice = 10, 9 },
		"negative bound":     func(in *Instrument) { in.MinPrice = -1 },
		"quantity bounds":    func(in *Instrument) { in.MinQty, in.MaxQty = 10, 9 },
		"market bounds":      func(in *Instrument) { in.MarketMinQty, in.MarketMaxQty = 10, 9 },
		"negative market":    func(in *Instrument) { in.MarketStepSize = -1 },
		"notional bounds":    func(in *Instrument) { in.MinNotional, in.MaxNotional = 10, 9 },
		"negative collar":    func(in *Instrument) { in.AskCollarDown = -1 },
	} {
		in := listed("X")
		bend(&in)
		if err := in.Validate(); !errors.Is(err, ErrInstrument) {
			t.Errorf("%s: %v, want %v", name, err, ErrInstrument)
		}
	}
}
