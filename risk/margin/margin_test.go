package margin

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"qcat/core"
)

func instrument(kind core.ContractKind) *core.Instrument {
	in := &core.Instrument{ID: 1, Venue: "v", Symbol: "s", Kind: kind, PriceScale: 2, QtyScale: 3, SettleScale: 8,
		ContractSize: 1, TickSize: 1, StepSize: 1}
	if kind == core.Inverse {
		in.QtyScale = 0
	}
	return in
}

func decimal(t *testing.T, s string, scale uint8) int64 {
	t.Helper()
	v, err := core.ParseDecimal([]byte(s), scale)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return v
}

func schedule(t *testing.T, tiers ...Tier) *Schedule {
	t.Helper()
	s, ok := NewSchedule(tiers)
	if !ok {
		t.Fatalf("brackets %v were not taken", tiers)
	}
	return &s
}

// held is a position of one fill.
func held(t *testing.T, in *core.Instrument, side core.Side, qty, entry string) *core.Position {
	t.Helper()
	p := &core.Position{}
	if !p.Apply(in, &core.Fill{Side: side, Price: core.Price(decimal(t, entry, in.PriceScale)), Qty: core.Qty(decimal(t, qty, in.QtyScale))}) {
		t.Fatal("a fill was not booked")
	}
	return p
}

// Binance, BTC inverse: the deduction of the fifth bracket.
func TestCumVector(t *testing.T) {
	btc := func(v float64) core.Notional { return core.Notional(v * 1e8) }
	s := schedule(t, Tier{0, 4_000, 0}, Tier{btc(5), 5_000, 0}, Tier{btc(10), 10_000, 0}, Tier{btc(20), 25_000, 0}, Tier{btc(50), 50_000, 0})
	// 5·0.1% + 10·0.5% + 20·1.5% = 0.355
	if cum, ok := byPPM(s.cum[3]); !ok || cum != btc(0.355) {
		t.Errorf("cum of the fourth bracket is %d", cum)
	}
	// 50·(5% − 2.5%) + 0.56 = 1.81, with brackets whose fourth has 0.56
	s = schedule(t, Tier{0, 4_000, 0}, Tier{btc(10), 10_000, 0}, Tier{btc(33.33333333), 25_000, 0}, Tier{btc(50), 50_000, 0})
	before, _ := byPPM(s.cum[2])
	cum, _ := byPPM(s.cum[3])
	if before != btc(0.56) || cum != btc(1.81) {
		t.Errorf("cum of the last two brackets: %d and %d", before, cum)
	}
}

func TestLiquidationVectors(t *testing.T) {
	for _, c := range []struct {
		kind       core.ContractKind
		side       core.Side
		qty, entry string
		balance    string
		rate       int64
		want       string
	}{
		{core.Linear, core.Buy, "1", "20000", "2000", 4_000, "18072.2892"},
		{core.Linear, core.Sell, "1", "20000", "2000", 4_000, "21912.3506"},
		{core.Inverse, core.Buy, "100000", "50000", "0.2", 5_000, "45681.8182"},
		{core.Inverse, core.Sell, "100000", "50000", "0.2", 5_000, "55277.7778"},
	} {
		in := instrument(c.kind)
		s, p := schedule(t, Tier{Rate: c.rate}), held(t, in, c.side, c.qty, c.entry)
		got, ok := s.Liquidation(in, p, core.Notional(decimal(t, c.balance, 8)), 4, core.RoundHalfEven)
		if text := core.FormatDecimal(got, 4); !ok || text != c.want {
			t.Errorf("%v %v: %s, want %s", c.kind, c.side, text, c.want)
		}
		early, ok := s.EarlyLiquidation(in, p, core.Notional(decimal(t, c.balance, 8)))
		if d := int64(early)*100 - got; !ok || d*(int64(p.Qty)/max(int64(p.Qty), -int64(p.Qty))) < 0 || d > 100 || d < -100 {
			t.Errorf("%v %v: as a price %d, exactly %d", c.kind, c.side, early, got)
		}
	}
}

func TestNoLiquidationPrice(t *testing.T) {
	linear, inverse := instrument(core.Linear), instrument(core.Inverse)
	s := schedule(t, Tier{Rate: 5_000})
	for name, ok := range map[string]bool{
		"flat":               liquidates(s, linear, &core.Position{}, 1e8),
		"paid in full":       liquidates(s, linear, held(t, linear, core.Buy, "1", "100"), 100e8),
		"short in full":      liquidates(s, inverse, held(t, inverse, core.Sell, "100", "100"), 1e8),
		"no debt that large": liquidates(s, inverse, held(t, inverse, core.Buy, "100", "100"), -1e8),
	} {
		if ok {
			t.Errorf("%s: there is a liquidation price", name)
		}
	}
	if !liquidates(s, linear, held(t, linear, core.Sell, "1", "100"), 1000e8) {
		t.Error("a short linear position has one at any balance")
	}
}

func liquidates(s *Schedule, in *core.Instrument, p *core.Position, balance core.Notional) bool {
	_, ok := s.Liquidation(in, p, balance, 4, core.RoundHalfEven)
	return ok
}

// A position is worth more than its maintenance margin on one side of its liquidation
// price and less on the other, in whichever bracket that price lies: the maintenance
// margin is asked at prices, not solved for.
func TestLiquidationIsWhereMarginEnds(t *testing.T) {
	found := 0
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 11))
		kind := core.Linear + core.ContractKind(rng.IntN(2))
		in, s := instrument(kind), randomSchedule(t, rng)
		p := &core.Position{}
		for range 1 + rng.IntN(4) {
			p.Apply(in, &core.Fill{Side: core.Side(1 + rng.IntN(2)), Price: core.Price(1_000_000 + rng.Int64N(5_000_000)), Qty: core.Qty(1 + rng.Int64N(1_000_000))})
		}
		if p.Qty == 0 {
			continue
		}
		n, _ := in.Notional(3_000_000, p.Qty, core.RoundUp)
		balance := core.Notional(rng.Int64N(int64(n)/2 + 1))
		const decimals = 10
		at, ok := s.Liquidation(in, p, balance, decimals, core.RoundHalfEven)
		if !ok {
			continue
		}
		found++
		price := new(big.Rat).SetFrac64(at, core.Pow10(decimals))
		step := big.NewRat(1, 1_000_000)
		if p.Qty < 0 {
			step.Neg(step)
		}
		safe := equityLess(in, s, p, balance, new(big.Rat).Add(price, step))
		gone := equityLess(in, s, p, balance, new(big.Rat).Sub(price, step))
		if safe.Sign() < 0 || gone.Sign() > 0 {
			t.Fatalf("seed %d: kind %v qty %d: at %s it has %s too much above and %s below", seed, kind, p.Qty, price.FloatString(8), safe.FloatString(12), gone.FloatString(12))
		}
	}
	if found < 150 {
		t.Fatalf("only %d positions had a liquidation price", found)
	}
}

func randomSchedule(t *testing.T, rng *rand.Rand) *Schedule {
	tiers := []Tier{{0, 1 + rng.Int64N(10_000), 100 * core.PPM}}
	for range rng.IntN(5) {
		last := tiers[len(tiers)-1]
		tiers = append(tiers, Tier{last.Floor + 1 + core.Notional(rng.Int64N(4_000_000e8)), last.Rate + rng.Int64N(60_000), last.Leverage - rng.Int64N(10)*core.PPM})
	}
	return schedule(t, tiers...)
}

// equityLess is balance + unrealised − maintenance margin at a price, in fractions.
func equityLess(in *core.Instrument, s *Schedule, p *core.Position, balance core.Notional, price *big.Rat) *big.Rat {
	unit := func(v int64, scale uint8) *big.Rat { return new(big.Rat).SetFrac64(v, core.Pow10(scale)) }
	q := unit(int64(p.Qty), in.QtyScale)
	size, at, entry := new(big.Rat).Abs(q), price, new(big.Rat)
	if in.Kind == core.Inverse {
		at = new(big.Rat).Inv(price)
		// EntryNum is the value at entry in 10^-24.
		num := new(big.Int).Lsh(big.NewInt(p.EntryNum.Hi), 64)
		num.Add(num, new(big.Int).SetUint64(p.EntryNum.Lo))
		entry.SetFrac(num, new(big.Int).Exp(big.NewInt(10), big.NewInt(24), nil))
		entry.Quo(entry, size)
		q.Neg(q)
	} else {
		num := new(big.Int).Lsh(big.NewInt(p.EntryNum.Hi), 64)
		num.Add(num, new(big.Int).SetUint64(p.EntryNum.Lo))
		entry.SetFrac(num, new(big.Int).SetUint64(p.EntryDen))
		entry.Quo(entry, new(big.Rat).SetInt64(core.Pow10(in.PriceScale)))
	}
	notional := new(big.Rat).Mul(size, at)
	gain := new(big.Rat).Mul(q, new(big.Rat).Sub(at, entry))
	// Σ over brackets of what of the notional lies in each, at its own rate.
	need := new(big.Rat)
	for i, tier := range s.Tiers() {
		from, to := unit(int64(tier.Floor), in.SettleScale), notional
		if i+1 < len(s.Tiers()) {
			if next := unit(int64(s.Tiers()[i+1].Floor), in.SettleScale); next.Cmp(notional) < 0 {
				to = next
			}
		}
		if part := new(big.Rat).Sub(to, from); part.Sign() > 0 {
			need.Add(need, part.Mul(part, big.NewRat(tier.Rate, core.PPM)))
		}
	}
	return gain.Add(gain, unit(int64(balance), in.SettleScale)).Sub(gain, need)
}

// The margins are those of fractions, rounded up; the maintenance margin of a notional
// is the sum over its brackets, each part at its own rate.
func TestMarginsAgainstFractions(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	for range 2000 {
		s := randomSchedule(t, rng)
		n := core.Notional(rng.Int64N(20_000_000e8))
		leverage := core.PPM + rng.Int64N(125*core.PPM)
		allowed := leverage
		need := new(big.Rat)
		for i, tier := range s.Tiers() {
			to := n
			if i+1 < len(s.Tiers()) {
				to = min(n, s.Tiers()[i+1].Floor)
			}
			if n >= tier.Floor && tier.Leverage > 0 {
				allowed = min(leverage, tier.Leverage)
			}
			if to > tier.Floor {
				need.Add(need, new(big.Rat).Mul(new(big.Rat).SetInt64(int64(to-tier.Floor)), big.NewRat(tier.Rate, core.PPM)))
			}
		}
		initial := new(big.Rat).Quo(new(big.Rat).SetInt64(int64(n)), big.NewRat(allowed, core.PPM))
		gotI, ok1 := s.Initial(n, leverage)
		gotM, ok2 := s.Maintenance(n)
		if !ok1 || !ok2 || int64(gotI) != ceil(initial) || int64(gotM) != ceil(need) {
			t.Fatalf("notional %d: initial %d, want %s; maintenance %d, want %s", n, gotI, initial.FloatString(3), gotM, need.FloatString(3))
		}
	}
}

func ceil(r *big.Rat) int64 {
	q, rem := new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
	if rem.Sign() > 0 {
		q.Add(q, big.NewInt(1))
	}
	return q.Int64()
}

func TestFundingIsAgainstTheHolder(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 1))
	for range 2000 {
		in := instrument(core.Linear + core.ContractKind(rng.IntN(2)))
		q, mark := core.Qty(rng.Int64N(2_000_000)-1_000_000), core.Price(1+rng.Int64N(10_000_000))
		rate := rng.Int64N(20_000_001) - 10_000_000
		got, ok1 := Funding(in, q, mark, rate)
		back, ok2 := Funding(in, -q, mark, rate)
		value := new(big.Rat).SetFrac64(int64(q), core.Pow10(in.QtyScale))
		price := new(big.Rat).SetFrac64(int64(mark), core.Pow10(in.PriceScale))
		if in.Kind == core.Inverse {
			price.Inv(price)
		}
		value.Mul(value, price).Mul(value, big.NewRat(rate, 1e9)).Mul(value, big.NewRat(1e8, 1))
		over := new(big.Rat).Sub(new(big.Rat).SetInt64(int64(got)), value)
		if !ok1 || !ok2 || over.Sign() < 0 || over.Cmp(big.NewRat(2, 1)) >= 0 || got+back < 0 {
			t.Fatalf("%d at %d, rate %d: pays %d, other side %d, exactly %s", q, mark, rate, got, back, value.FloatString(4))
		}
	}
}

func TestBracketsThatCannotBe(t *testing.T) {
	for name, tiers := range map[string][]Tier{
		"that begin above nothing":   {{Floor: 1, Rate: 1}},
		"whose floors do not ascend": {{0, 1, 0}, {5, 2, 0}, {5, 3, 0}},
		"whose rates descend":        {{0, 2, 0}, {5, 1, 0}},
		"of a rate of one":           {{0, core.PPM, 0}},
		"of a negative rate":         {{0, -1, 0}},
		"whose leverage grows":       {{0, 1, 5 * core.PPM}, {5, 2, 6 * core.PPM}},
		"whose leverage ends":        {{0, 1, 5 * core.PPM}, {5, 2, 0}},
		"that are too many":          make([]Tier, MaxTiers+1),
	} {
		if _, ok := NewSchedule(tiers); ok {
			t.Errorf("brackets %s were taken", name)
		}
	}
}

func TestWithoutBrackets(t *testing.T) {
	var s Schedule
	if m, ok := s.Maintenance(1000e8); !ok || m != 25e8 {
		t.Errorf("maintenance margin %d", m)
	}
	if m, ok := s.Initial(1000e8, 50*core.PPM); !ok || m != 50e8 {
		t.Errorf("initial margin %d at no more than 20x", m)
	}
	if m, ok := s.Initial(1000e8, DefaultLeverage); !ok || m != 1000e8 {
		t.Errorf("initial margin %d at 1x", m)
	}
}

func TestWhatDoesNotFit(t *testing.T) {
	const huge = 1<<63 - 1
	s := schedule(t, Tier{Rate: 999_999})
	if _, ok := s.Initial(huge, 1); ok {
		t.Error("an initial margin beyond 64 bits")
	}
	if _, ok := s.Initial(1, 0); ok {
		t.Error("no leverage")
	}
	if _, ok := s.Maintenance(-1); ok {
		t.Error("a negative notional")
	}
	if _, ok := Funding(instrument(core.Linear), huge, huge, 1); ok {
		t.Error("a notional beyond 64 bits")
	}
	if _, ok := Funding(instrument(core.Linear), 1, 1, -1<<63); ok {
		t.Error("a rate without a magnitude")
	}
}
