package core

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

// The chain of the position rules with a fee on every fill: fees are an amount of their
// own and move neither the entry nor what is realised.
func TestPositionChainWithFees(t *testing.T) {
	in := testInstrument(Linear)
	p := applyFills(t, in, []testFill{{Buy, "100", "12", 12_000_000}, {Buy, "99", "17", 16_830_000}})
	if entry, ok := p.AvgEntry(in, 14, RoundDown); !ok || FormatDecimal(entry, 14) != "99.41379310344827" {
		t.Errorf("bought: average entry %s", FormatDecimal(entry, 14))
	}
	p = applyFills(t, in, []testFill{{Buy, "100", "12", 12_000_000}, {Buy, "99", "17", 16_830_000},
		{Sell, "101", "9", 9_090_000}, {Sell, "105", "4", 4_200_000}, {Buy, "103", "3", 3_090_000}})
	if entry, ok := p.AvgEntry(in, 14, RoundDown); !ok || FormatDecimal(entry, 14) != "99.98003629764065" {
		t.Errorf("the whole chain: average entry %s", FormatDecimal(entry, 14))
	}
	if p.Fees != 45_210_000 {
		t.Errorf("fees %d", p.Fees)
	}
	if !p.Fund(7_000_000) || !p.Fund(-2_000_000) || p.Funding != 5_000_000 {
		t.Errorf("funding %d", p.Funding)
	}
	total, _ := p.Total(in, 10_000, RoundDown)
	if want := Notional(1900-1863) * 1e8; total != want {
		t.Errorf("total %d, want %d whatever fees and funding are", total, want)
	}
	full := Position{Funding: 1<<63 - 1}
	if full.Fund(1) || full.Funding != 1<<63-1 {
		t.Error("funding overflowed")
	}
}

// Fees in the base currency of a spot instrument: what is held is exactly what was
// bought less what was taken; the cost stays, so that the average rises.
func TestPositionBaseFees(t *testing.T) {
	type baseFill struct {
		side         Side
		px, qty, fee string
	}
	for _, c := range []struct {
		name       string
		fills      []baseFill
		qty, entry string
		dust       Notional
	}{
		{"a fee of whole units", []baseFill{{Buy, "100", "1", "0.001"}}, "0.999", "100.10010010", 0},
		{"a fee of half a unit takes it and leaves the rest as dust", []baseFill{{Buy, "100", "1", "0.0005"}}, "0.999", "100.10010010", 50_000},
		{"two halves are a unit", []baseFill{{Buy, "100", "1", "0.0005"}, {Buy, "100", "1", "0.0005"}}, "1.999", "100.05002501", 0},
		{"a fee takes all: flat", []baseFill{{Buy, "100", "1", "1"}}, "0.000", "", 0},
		{"a fee on the sale of everything is a debt at its price", []baseFill{{Buy, "100", "1", "0"}, {Sell, "120", "1", "0.002"}}, "-0.002", "120.00000000", 0},
		{"dust pays for a later fee", []baseFill{{Buy, "100", "1", "0.0004"}, {Sell, "110", "0.999", "0.0005"}}, "0.000", "", 10_000},
		{"a rebate adds units without cost", []baseFill{{Buy, "100", "1", "-0.25"}}, "1.250", "80.00000000", 0},
		{"a fee on a short sale is owed for what it brought", []baseFill{{Sell, "100", "1", "0.25"}}, "-1.250", "80.00000000", 0},
	} {
		in := testInstrument(Spot)
		p := &Position{}
		for _, f := range c.fills {
			if !p.Apply(in, &Fill{Side: f.side, Price: Price(decimal(t, f.px, 2)), Qty: Qty(decimal(t, f.qty, 3)),
				Fee: Notional(decimal(t, f.fee, 8)), FeeIn: FeeBase}) {
				t.Fatalf("%s: not booked", c.name)
			}
		}
		entry := ""
		if v, ok := p.AvgEntry(in, 8, RoundHalfEven); ok {
			entry = FormatDecimal(v, 8)
		}
		if qty := FormatDecimal(int64(p.Qty), 3); qty != c.qty || entry != c.entry || p.Dust != c.dust || p.Fees != 0 {
			t.Errorf("%s: %s at %q, dust %d, want %s at %q, dust %d", c.name, qty, entry, p.Dust, c.qty, c.entry, c.dust)
		}
	}
}

func TestPositionRefusesBaseFeesItCannotTake(t *testing.T) {
	for name, c := range map[string]struct {
		kind ContractKind
		fill Fill
	}{
		"of a contract":            {Linear, Fill{Side: Buy, Price: 1, Qty: 1, Fee: 1, FeeIn: FeeBase}},
		"of an inverse contract":   {Inverse, Fill{Side: Buy, Price: 1, Qty: 1, Fee: 1, FeeIn: FeeBase}},
		"in no currency":           {Spot, Fill{Side: Buy, Price: 1, Qty: 1, Fee: 1, FeeIn: FeeBase + 1}},
		"without a magnitude":      {Spot, Fill{Side: Buy, Price: 1, Qty: 1, Fee: -1 << 63, FeeIn: FeeBase}},
		"beyond the largest short": {Spot, Fill{Side: Sell, Price: 1, Qty: 1<<63 - 1, Fee: 1 << 62, FeeIn: FeeBase}},
	} {
		p := Position{}
		if p.Apply(testInstrument(c.kind), &c.fill) || p != (Position{}) {
			t.Errorf("a fee %s: booked, or changed to %+v", name, p)
		}
	}
}

// Under random fills the quantity is exactly Σ traded − Σ base fees, in units and dust,
// and the cash exactly Σ price·quantity; with the entry they give the same total however
// profit is split.
func TestPositionBaseFeesAgainstRationals(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 77))
		in := testInstrument(Spot)
		if seed%3 == 1 {
			in.QtyScale, in.SettleScale = 8, 6 // a fee is always whole units
		}
		p, held, cash := &Position{}, new(big.Rat), new(big.Rat)
		for step := range 80 {
			f := Fill{Side: Side(1 + rng.IntN(2)), Price: Price(1 + rng.Int64N(1e6)), Qty: Qty(1 + rng.Int64N(1e6))}
			if rng.IntN(3) > 0 {
				f.Fee, f.FeeIn = Notional(rng.Int64N(2e8)-3e7), FeeBase
			}
			if p.Qty > 0 && rng.IntN(6) == 0 {
				f.Side, f.Qty = Sell, p.Qty
			}
			if !p.Apply(in, &f) {
				t.Fatalf("seed %d step %d: not booked", seed, step)
			}
			signed := new(big.Rat).Mul(ratOf(int64(f.Qty), in.QtyScale), big.NewRat(f.Side.Sign(), 1))
			held.Add(held, signed)
			cash.Sub(cash, signed.Mul(signed, ratOf(int64(f.Price), in.PriceScale)))
			if f.FeeIn == FeeBase {
				held.Sub(held, ratOf(int64(f.Fee), in.SettleScale))
			}
			have := ratOf(int64(p.Qty), in.QtyScale)
			if have.Add(have, ratOf(int64(p.Dust), in.SettleScale)); have.Cmp(held) != 0 || p.Dust < 0 {
				t.Fatalf("seed %d step %d: holds %s (dust %d), want %s", seed, step, have, p.Dust, held)
			}
			mark := Price(1 + rng.Int64N(1e6))
			total, ok1 := p.Total(in, mark, RoundHalfEven)
			realised, ok2 := p.Realised(in, RoundHalfEven)
			unrealised, ok3 := p.Unrealised(in, mark, RoundHalfEven)
			want := new(big.Rat).Mul(ratOf(int64(p.Qty), in.QtyScale), ratOf(int64(mark), in.PriceScale))
			if !ok1 || !ok2 || !ok3 || (p.Qty == 0) != (p.EntryDen == 0) {
				t.Fatalf("seed %d step %d: no value: %+v", seed, step, p)
			}
			within(t, "total", int64(total), in.SettleScale, want.Add(want, cash), 1)
			if d := total - realised - unrealised; d < -2 || d > 2 {
				t.Fatalf("seed %d step %d: total %d, realised %d, unrealised %d", seed, step, total, realised, unrealised)
			}
		}
	}
}

// Folding executions one by one comes to what the netted history comes to: the cash and
// quantity are those of all buys and all sells, and buying without selling has the
// entry of one fill of the whole.
func TestPositionFoldEqualsNetted(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 78))
		for _, kind := range []ContractKind{Spot, Linear, Inverse} {
			in := testInstrument(kind)
			px := Price(1 + rng.Int64N(1e6))
			var folded, once Position
			var qty Qty
			for range 1 + rng.IntN(20) {
				q := Qty(1 + rng.Int64N(1e6))
				folded.Apply(in, &Fill{Side: Buy, Price: px, Qty: q, Fee: 1})
				qty += q
			}
			once.Apply(in, &Fill{Side: Buy, Price: px, Qty: qty, Fee: Notional(folded.Fills)})
			once.Fills = folded.Fills
			if kind == Inverse { // each fill is rounded to 10^-24 once
				d, _ := folded.Cash.Sub(once.Cash)
				if d.abs().Cmp(Int128From(20)) > 0 || folded.Qty != once.Qty {
					t.Fatalf("seed %d: %+v, netted %+v", seed, folded, once)
				}
				continue
			}
			if folded != once {
				t.Fatalf("seed %d: %+v, netted %+v", seed, folded, once)
			}
		}
	}
}
