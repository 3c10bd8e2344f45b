package core

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

func testInstrument(kind ContractKind) *Instrument {
	in := &Instrument{ID: 1, Venue: "v", Symbol: "s", Kind: kind, PriceScale: 2, QtyScale: 3, SettleScale: 8,
		ContractSize: 1, TickSize: 1, StepSize: 1}
	if kind == Inverse {
		in.QtyScale = 0
	}
	return in
}

type testFill struct {
	side Side
	px   string
	qty  string
	fee  int64
}

func decimal(t *testing.T, s string, scale uint8) int64 {
	t.Helper()
	v, err := ParseDecimal([]byte(s), scale)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return v
}

func applyFills(t *testing.T, in *Instrument, fills []testFill) *Position {
	t.Helper()
	p := &Position{}
	for _, f := range fills {
		px, qty := Price(decimal(t, f.px, in.PriceScale)), Qty(decimal(t, f.qty, in.QtyScale))
		if !p.Apply(in, &Fill{Side: f.side, Price: px, Qty: qty, Fee: Notional(f.fee)}) {
			t.Fatalf("fill %+v was not booked", f)
		}
	}
	return p
}

// The vectors of the position rules: others' published results, computed exactly.
func TestPositionAverageEntryVectors(t *testing.T) {
	for _, c := range []struct {
		name     string
		kind     ContractKind
		fills    []testFill
		decimals uint8
		rounding Rounding
		want     string
	}{
		{"inverse is harmonic", Inverse, []testFill{{Buy, "5000", "1000", 0}, {Buy, "6000", "2000", 0}}, 10, RoundHalfEven, "5625.0000000000"},
		{"linear is arithmetic", Linear, []testFill{{Buy, "5000", "0.5", 0}, {Buy, "6000", "0.3", 0}}, 10, RoundHalfEven, "5375.0000000000"},
		{"linear chain, bought", Linear, []testFill{{Buy, "100", "12", 0}, {Buy, "99", "17", 0}}, 14, RoundDown, "99.41379310344827"},
		{"linear chain, reduced and bought again", Linear, []testFill{{Buy, "100", "12", 0}, {Buy, "99", "17", 0},
			{Sell, "101", "9", 0}, {Sell, "105", "4", 0}, {Buy, "103", "3", 0}}, 14, RoundDown, "99.98003629764065"},
		{"a flip enters at its price", Spot, []testFill{{Buy, "100", "1", 0}, {Sell, "110", "3", 0}}, 2, RoundDown, "110.00"},
		{"an inverse flip enters at its price", Inverse, []testFill{{Buy, "100", "1", 0}, {Sell, "110", "3", 0}}, 2, RoundHalfEven, "110.00"},
	} {
		in := testInstrument(c.kind)
		p := applyFills(t, in, c.fills)
		got, ok := p.AvgEntry(in, c.decimals, c.rounding)
		if s := FormatDecimal(got, c.decimals); !ok || s != c.want {
			t.Errorf("%s: average entry %s, want %s", c.name, s, c.want)
		}
	}
}

func TestPositionUnrealisedVectors(t *testing.T) {
	for _, c := range []struct {
		side             Side
		qty, entry, mark string
		want             string
	}{
		{Sell, "100000", "10000", "11000", "-0.90909091"},
		{Buy, "100000", "10500", "11505.60", "0.83238969"},
		{Sell, "1250000", "15500", "12506.65", "19.30166700"},
	} {
		in := testInstrument(Inverse)
		p := applyFills(t, in, []testFill{{c.side, c.entry, c.qty, 0}})
		got, ok := p.Unrealised(in, Price(decimal(t, c.mark, 2)), RoundHalfEven)
		if s := FormatDecimal(int64(got), 8); !ok || s != c.want {
			t.Errorf("%s %s at %s, mark %s: unrealised %s, want %s", c.side, c.qty, c.entry, c.mark, s, c.want)
		}
	}
}

func TestPositionChainPnL(t *testing.T) {
	in := testInstrument(Linear)
	p := applyFills(t, in, []testFill{{Buy, "100", "12", 12}, {Buy, "99", "17", 5}, {Sell, "101", "9", -3}, {Sell, "105", "4", 1}, {Buy, "103", "3", 0}})
	// cash = -1200 - 1683 + 909 + 420 - 309 = -1863, 19 held.
	total, _ := p.Total(in, 10000, RoundHalfEven)
	if want := int64(100*19-1863) * 1e8; int64(total) != want {
		t.Errorf("total %d, want %d", total, want)
	}
	if p.Qty != 19000 || p.Fees != 15 || p.Volume != 45000 || p.Fills != 5 {
		t.Errorf("position %+v", p)
	}
	// The sale of 9 and of 4 at the entry 2883/29: 1329 − 13·2883/29 = 1062/29.
	realised, _ := p.Realised(in, RoundDown)
	if want := int64(1062) * 1e8 / 29; int64(realised) != want {
		t.Errorf("realised %d, want %d", realised, want)
	}
}

// ratPosition is the naive position: every value a rational number.
type ratPosition struct {
	inverse    bool
	qty, entry *big.Rat
	cash       *big.Rat
	realised   *big.Rat
}

func newRatPosition(inverse bool) *ratPosition {
	return &ratPosition{inverse, new(big.Rat), new(big.Rat), new(big.Rat), new(big.Rat)}
}

// value is what one unit is worth at px in the settlement currency, with the
// sign that makes gain = qty·(value(mark) − value(entry)).
func (p *ratPosition) value(px *big.Rat) *big.Rat {
	if p.inverse {
		return new(big.Rat).Neg(new(big.Rat).Inv(px))
	}
	return px
}

func (p *ratPosition) apply(side Side, px, qty *big.Rat) {
	signed := new(big.Rat).Mul(qty, big.NewRat(side.Sign(), 1))
	p.cash.Sub(p.cash, new(big.Rat).Mul(signed, p.value(px)))
	switch after := new(big.Rat).Add(p.qty, signed); {
	case p.qty.Sign() == 0:
		p.entry = new(big.Rat).Set(px)
	case p.qty.Sign() == signed.Sign():
		a := new(big.Rat).Mul(p.qty, p.value(p.entry))
		a.Add(a, new(big.Rat).Mul(signed, p.value(px)))
		p.entry = p.value(a.Quo(a, after))
	default:
		closed := new(big.Rat).Neg(signed)
		if closed.Cmp(p.qty)*p.qty.Sign() > 0 {
			closed.Set(p.qty)
		}
		gain := new(big.Rat).Sub(p.value(px), p.value(p.entry))
		p.realised.Add(p.realised, gain.Mul(gain, closed))
		if after.Sign() != 0 && after.Sign() != p.qty.Sign() {
			p.entry = new(big.Rat).Set(px)
		}
	}
	p.qty.Add(p.qty, signed)
}

func (p *ratPosition) unrealised(mark *big.Rat) *big.Rat {
	if p.qty.Sign() == 0 {
		return new(big.Rat)
	}
	d := new(big.Rat).Sub(p.value(mark), p.value(p.entry))
	return d.Mul(d, p.qty)
}

func ratOf(v int64, scale uint8) *big.Rat { return big.NewRat(v, Pow10(scale)) }

// within fails unless got, a count of 10^-scale, is within tol of it from want.
func within(t *testing.T, what string, got int64, scale uint8, want *big.Rat, tol int64) {
	t.Helper()
	d := new(big.Rat).Sub(ratOf(got, scale), want)
	if d.Abs(d).Cmp(ratOf(tol, scale)) > 0 {
		t.Fatalf("%s: %s, want %s", what, FormatDecimal(got, scale), want.FloatString(20))
	}
}

func TestPositionAgainstRationals(t *testing.T) {
	for _, kind := range []ContractKind{Spot, Linear, Inverse} {
		for seed := range uint64(15) {
			rng := rand.New(rand.NewPCG(seed, uint64(kind)))
			runAgainstRationals(t, kind, rng, seed)
		}
	}
}

func runAgainstRationals(t *testing.T, kind ContractKind, rng *rand.Rand, seed uint64) {
	in := testInstrument(kind)
	p, ref := &Position{}, newRatPosition(kind == Inverse)
	exact := true // the entry is an exact fraction so far
	for step := range 60 {
		side := Side(1 + rng.IntN(2))
		px := Price(1 + rng.Int64N(10_000_000))
		qty := Qty(1 + rng.Int64N(1_000_000))
		if held := Qty(magnitude(int64(p.Qty))); held > 0 && rng.IntN(8) == 0 {
			qty = held // flat, or doubled
		}
		if !p.Apply(in, &Fill{Side: side, Price: px, Qty: qty}) {
			t.Fatalf("kind %d seed %d step %d: not booked", kind, seed, step)
		}
		ref.apply(side, ratOf(int64(px), in.PriceScale), ratOf(int64(qty), in.QtyScale))
		if ratOf(int64(p.Qty), in.QtyScale).Cmp(ref.qty) != 0 {
			t.Fatalf("kind %d seed %d step %d: qty %d, want %s", kind, seed, step, p.Qty, ref.qty)
		}
		checkExactParts(t, in, p, ref, &exact)
		mark := Price(1 + rng.Int64N(10_000_000))
		checkPnL(t, in, p, ref, mark)
	}
}

// checkExactParts compares what must be equal, not close: the cash of a linear
// position, and its entry for as long as it fits.
func checkExactParts(t *testing.T, in *Instrument, p *Position, ref *ratPosition, exact *bool) {
	t.Helper()
	if in.Kind == Inverse {
		return
	}
	cash := new(big.Int).Lsh(big.NewInt(p.Cash.Hi), 64)
	cash.Add(cash, new(big.Int).SetUint64(p.Cash.Lo))
	if got := new(big.Rat).SetFrac(cash, big.NewInt(Pow10(in.PriceScale+in.QtyScale))); got.Cmp(ref.cash) != 0 {
		t.Fatalf("cash %s, want %s", got, ref.cash)
	}
	if p.Qty == 0 {
		*exact = true
		return
	}
	num := new(big.Int).Lsh(big.NewInt(p.EntryNum.Hi), 64)
	num.Add(num, new(big.Int).SetUint64(p.EntryNum.Lo))
	den := new(big.Int).SetUint64(p.EntryDen)
	if new(big.Int).GCD(nil, nil, num, den).Cmp(big.NewInt(1)) != 0 {
		t.Fatalf("entry %s/%s is not reduced", num, den)
	}
	want := new(big.Rat).Mul(ref.entry, big.NewRat(Pow10(in.PriceScale), 1))
	if *exact = *exact && want.Denom().IsUint64(); *exact && new(big.Rat).SetFrac(num, den).Cmp(want) != 0 {
		t.Fatalf("entry %s/%s, want %s", num, den, want)
	}
}

func checkPnL(t *testing.T, in *Instrument, p *Position, ref *ratPosition, mark Price) {
	t.Helper()
	m := ratOf(int64(mark), in.PriceScale)
	unrealised, ok1 := p.Unrealised(in, mark, RoundHalfEven)
	realised, ok2 := p.Realised(in, RoundHalfEven)
	total, ok3 := p.Total(in, mark, RoundHalfEven)
	if !ok1 || !ok2 || !ok3 {
		t.Fatalf("no value: %v %v %v", ok1, ok2, ok3)
	}
	wantTotal := new(big.Rat).Add(ref.realised, ref.unrealised(m))
	within(t, "unrealised", int64(unrealised), in.SettleScale, ref.unrealised(m), 1)
	within(t, "realised", int64(realised), in.SettleScale, ref.realised, 1)
	within(t, "total", int64(total), in.SettleScale, wantTotal, 1)
	if in.Kind != Inverse {
		// Exact but for the one rounding at the end.
		d := new(big.Rat).Sub(ratOf(int64(total), in.SettleScale), wantTotal)
		if d.Abs(d).Cmp(big.NewRat(1, 2*Pow10(in.SettleScale))) > 0 {
			t.Fatalf("total %d, want %s", total, wantTotal.FloatString(20))
		}
	}
	if p.Qty == 0 {
		return
	}
	entry, ok := p.AvgEntry(in, 8, RoundHalfEven)
	if !ok {
		t.Fatal("no average entry")
	}
	within(t, "entry", entry, 8, ref.entry, 1)
}

// On a closed venue every fill has two sides: positions and cash sum to nothing.
func TestPositionClosedVenueSumsToZero(t *testing.T) {
	for _, kind := range []ContractKind{Linear, Inverse} {
		rng := rand.New(rand.NewPCG(7, uint64(kind)))
		in := testInstrument(kind)
		var accounts [5]Position
		for range 2000 {
			i, j := rng.IntN(5), rng.IntN(5)
			px, qty := Price(1+rng.Int64N(1e7)), Qty(1+rng.Int64N(1e6))
			if i == j || !accounts[i].Apply(in, &Fill{Side: Buy, Price: px, Qty: qty, Fee: 3}) || !accounts[j].Apply(in, &Fill{Side: Sell, Price: px, Qty: qty, Fee: -3}) {
				continue
			}
		}
		var cash Int128
		var qty Qty
		var fees Notional
		for i := range accounts {
			cash, _ = cash.Add(accounts[i].Cash)
			qty += accounts[i].Qty
			fees += accounts[i].Fees
		}
		if cash != (Int128{}) || qty != 0 || fees != 0 {
			t.Errorf("kind %d: cash %v, qty %d, fees %d", kind, cash, qty, fees)
		}
	}
}

func TestPositionRefusesWhatItCannotBook(t *testing.T) {
	const huge = 1<<63 - 1
	in := testInstrument(Linear)
	full := Position{Qty: huge, EntryNum: Int128From(1), EntryDen: 1}
	for _, c := range []struct {
		name string
		from Position
		side Side
		px   Price
		qty  Qty
		fee  Notional
	}{
		{"no price", Position{}, Buy, 0, 1, 0},
		{"no quantity", Position{}, Buy, 1, 0, 0},
		{"no side", Position{}, 0, 1, 1, 0},
		{"quantity overflow", full, Buy, 1, 1, 0},
		{"fee overflow", Position{Fees: huge}, Buy, 1, 1, 1},
		{"volume overflow", Position{Volume: huge}, Buy, 1, 1, 0},
		{"cash overflow", Position{Cash: Int128{-1 << 63, 0}}, Buy, 1, 1, 0},
		{"short beyond the smallest", Position{Qty: -huge, EntryNum: Int128From(1), EntryDen: 1}, Sell, 1, 1, 0},
	} {
		p := c.from
		if p.Apply(in, &Fill{Side: c.side, Price: c.px, Qty: c.qty, Fee: c.fee}) || p != c.from {
			t.Errorf("%s: booked, or changed to %+v", c.name, p)
		}
	}
	p := Position{}
	if !p.Apply(in, &Fill{Side: Sell, Price: huge, Qty: huge}) {
		t.Error("the largest fill was not booked")
	}
}

func BenchmarkPositionApply(b *testing.B) {
	in := testInstrument(Linear)
	rng := rand.New(rand.NewPCG(1, 1))
	var fills [1024]struct {
		side Side
		px   Price
		qty  Qty
	}
	for i := range fills {
		fills[i].side, fills[i].px, fills[i].qty = Side(1+rng.IntN(2)), Price(1+rng.Int64N(1e7)), Qty(1+rng.Int64N(1e6))
	}
	p := Position{}
	b.ReportAllocs()
	n := uint64(0)
	for b.Loop() {
		f := &fills[n%1024]
		p.Apply(in, &Fill{Side: f.side, Price: f.px, Qty: f.qty, Fee: 1})
		n++
	}
	if p.Fills != n {
		b.Fatalf("%d of %d fills booked", p.Fills, n)
	}
}

// TestRoundFloor: what is rounded towards minus infinity is rounded down where it is a
// gain and up where it is a loss.
func TestRoundFloor(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 3))
	gains, losses := 0, 0
	for range 5000 {
		in := &Instrument{Kind: ContractKind(rng.IntN(3)), PriceScale: 4, QtyScale: 3, SettleScale: uint8(rng.IntN(6)), ContractSize: 1}
		var p Position
		for range 1 + rng.IntN(4) {
			p.Apply(in, &Fill{Side: Side(1 + rng.IntN(2)), Price: Price(1 + rng.Int64N(90_000)), Qty: Qty(1 + rng.Int64N(9_000))})
		}
		mark := Price(1 + rng.Int64N(90_000))
		for _, f := range []func(Rounding) (Notional, bool){
			func(r Rounding) (Notional, bool) { return p.Realised(in, r) },
			func(r Rounding) (Notional, bool) { return p.Unrealised(in, mark, r) },
			func(r Rounding) (Notional, bool) { return p.Total(in, mark, r) },
		} {
			up, _ := f(RoundUp)
			down, _ := f(RoundDown)
			floor, ok := f(RoundFloor)
			if want := min(up, down); !ok || floor != want {
				t.Fatalf("%+v: floor %d, want %d of %d and %d", p, floor, want, up, down)
			}
			if up > down {
				gains++
			} else if up < down {
				losses++
			}
		}
	}
	if gains == 0 || losses == 0 {
		t.Fatalf("%d gains and %d losses were rounded", gains, losses)
	}
}
