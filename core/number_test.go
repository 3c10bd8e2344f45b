package core

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

func TestParseDecimal(t *testing.T) {
	for _, c := range []struct {
		in    string
		scale uint8
		want  int64
		err   error
	}{
		{"0", 0, 0, nil},
		{"-0.00", 2, 0, nil},
		{"12.5", 2, 1250, nil},
		{"-12.50", 2, -1250, nil},
		{"61837.63000000", 2, 6183763, nil},
		{"007", 0, 7, nil},
		{"1." + strings.Repeat("0", 50), 0, 1, nil},
		{strings.Repeat("0", 50) + "1", 0, 1, nil},
		{"9223372036854775807", 0, math.MaxInt64, nil},
		{"9223372036854775800", 0, math.MaxInt64 - 7, nil},
		{"-9223372036854775808", 0, math.MinInt64, nil},
		{"-9.223372036854775808", 18, math.MinInt64, nil},
		{"9.223372036854775807", 18, math.MaxInt64, nil},
		{"9223372036854775808", 0, 0, ErrDecimalRange},
		{"-9223372036854775809", 0, 0, ErrDecimalRange},
		{"18446744073709551616", 0, 0, ErrDecimalRange},
		{"184467440737095516160", 0, 0, ErrDecimalRange},
		{"10", 18, 0, ErrDecimalRange},
		{"1", 19, 0, ErrDecimalRange},
		{"0.001", 2, 0, ErrDecimalPrecision},
		{"1.5", 0, 0, ErrDecimalPrecision},
		{"", 2, 0, ErrDecimalSyntax},
		{"-", 2, 0, ErrDecimalSyntax},
		{".", 2, 0, ErrDecimalSyntax},
		{".5", 2, 0, ErrDecimalSyntax},
		{"5.", 2, 0, ErrDecimalSyntax},
		{"+5", 2, 0, ErrDecimalSyntax},
		{"--5", 2, 0, ErrDecimalSyntax},
		{"1e3", 2, 0, ErrDecimalSyntax},
		{"1.2.3", 2, 0, ErrDecimalSyntax},
		{" 1", 2, 0, ErrDecimalSyntax},
		{"1,5", 2, 0, ErrDecimalSyntax},
		{"NaN", 2, 0, ErrDecimalSyntax},
		{"0.00x", 1, 0, ErrDecimalSyntax},
	} {
		got, err := ParseDecimal([]byte(c.in), c.scale)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("ParseDecimal(%q, %d) = %d, %v; want %d, %v", c.in, c.scale, got, err, c.want, c.err)
		}
	}
}

func TestAppendDecimal(t *testing.T) {
	for _, c := range []struct {
		v     int64
		scale uint8
		want  string
	}{
		{0, 0, "0"}, {0, 2, "0.00"}, {5, 2, "0.05"}, {-5, 2, "-0.05"}, {1250, 2, "12.50"}, {-7, 0, "-7"},
		{math.MaxInt64, 18, "9.223372036854775807"}, {math.MinInt64, 18, "-9.223372036854775808"},
		{math.MinInt64, 0, "-9223372036854775808"},
	} {
		if got := FormatDecimal(c.v, c.scale); got != c.want {
			t.Errorf("FormatDecimal(%d, %d) = %q, want %q", c.v, c.scale, got, c.want)
		}
		if got := string(AppendDecimal([]byte("x="), c.v, c.scale)); got != "x="+c.want {
			t.Errorf("AppendDecimal after x= gives %q", got)
		}
	}
}

func TestPow10(t *testing.T) {
	want := int64(1)
	for n := range uint8(MaxScale + 1) {
		if Pow10(n) != want {
			t.Errorf("Pow10(%d) = %d", n, Pow10(n))
		}
		want *= 10
	}
}

var decimalSyntax = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

// bigDecimal is ParseDecimal by the standard library's exact arithmetic. ok is
// false for what is not a decimal; exact is false when it needs more decimals.
func bigDecimal(s string, scale uint8) (v *big.Int, exact, ok bool) {
	if !decimalSyntax.MatchString(s) {
		return nil, false, false
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil, false, false
	}
	r.Mul(r, new(big.Rat).SetInt64(Pow10(scale)))
	return r.Num(), r.IsInt(), true
}

func checkDecimal(t *testing.T, s string, scale uint8) {
	t.Helper()
	got, err := ParseDecimal([]byte(s), scale)
	want, exact, ok := bigDecimal(s, scale)
	switch {
	case !ok:
		if err == nil {
			t.Fatalf("ParseDecimal(%q, %d) = %d, want an error", s, scale, got)
		}
	case !exact:
		if !errors.Is(err, ErrDecimalPrecision) && !errors.Is(err, ErrDecimalRange) {
			t.Fatalf("ParseDecimal(%q, %d) = %d, %v; it does not fit the scale", s, scale, got, err)
		}
	case !want.IsInt64():
		if !errors.Is(err, ErrDecimalRange) {
			t.Fatalf("ParseDecimal(%q, %d) = %d, %v; want %v", s, scale, got, err, ErrDecimalRange)
		}
	case err != nil || got != want.Int64():
		t.Fatalf("ParseDecimal(%q, %d) = %d, %v; want %v", s, scale, got, err, want)
	default:
		again, err := ParseDecimal(AppendDecimal(nil, got, scale), scale)
		if err != nil || again != got {
			t.Fatalf("%d with %d decimals reads back as %d, %v", got, scale, again, err)
		}
	}
}

// edges are the numbers where arithmetic goes wrong.
var edges = []int64{0, 1, 2, 3, 9, 10, 1<<31 - 1, 1 << 32, 1<<33 - 1, 1<<33 + 1, 1e9, 1e18,
	1<<62 - 1, 1 << 62, 1<<62 + 1, math.MaxInt64 - 1, math.MaxInt64}

// anyInt64 draws of all magnitudes alike, and of the edges now and then.
func anyInt64(r *rand.Rand) int64 {
	if r.IntN(4) == 0 {
		return edges[r.IntN(len(edges))]
	}
	return int64(r.Uint64() >> (1 + r.IntN(63)))
}

// bigMulDiv is MulDiv by exact arithmetic.
func bigMulDiv(a, b, c int64, r Rounding) (int64, bool) {
	if a < 0 || b < 0 || c <= 0 {
		return 0, false
	}
	num := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
	return roundRat(new(big.Rat).SetFrac(num, big.NewInt(c)), r)
}

// roundRat rounds a non-negative rational to an int64.
func roundRat(x *big.Rat, r Rounding) (int64, bool) {
	q, rem := new(big.Int).QuoRem(x.Num(), x.Denom(), new(big.Int))
	twice := rem.Lsh(rem, 1).Cmp(x.Denom()) // of the remainder against the divisor
	up := false
	switch r {
	case RoundUp:
		up = !x.IsInt()
	case RoundHalfEven:
		up = twice > 0 || twice == 0 && q.Bit(0) == 1
	}
	if up {
		q.Add(q, big.NewInt(1))
	}
	if !q.IsInt64() {
		return 0, false
	}
	return q.Int64(), true
}

func checkMulDiv(t *testing.T, a, b, c int64) {
	t.Helper()
	for _, r := range []Rounding{RoundDown, RoundUp, RoundHalfEven} {
		got, ok := MulDiv(a, b, c, r)
		want, wantOK := bigMulDiv(a, b, c, r)
		if got != want || ok != wantOK {
			t.Fatalf("MulDiv(%d, %d, %d, %d) = %d, %v; want %d, %v", a, b, c, r, got, ok, want, wantOK)
		}
	}
}

func TestMulDiv(t *testing.T) {
	t.Parallel()
	// The quotient is 2^64-1 with a remainder: rounding it up must not wrap to 0.
	checkMulDiv(t, 1<<33-1, 1<<33+1, 4)
	for _, a := range edges {
		for _, b := range edges {
			for _, c := range edges {
				checkMulDiv(t, a, b, c)
			}
		}
	}
	checkMulDiv(t, -1, 1, 1)
	checkMulDiv(t, 1, -1, 1)
	checkMulDiv(t, 1, 1, -1)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 10_000 {
		checkMulDiv(t, anyInt64(r), anyInt64(r), anyInt64(r))
	}
}

func TestDecimalRandom(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 5_000 {
		v, scale := int64(r.Uint64()>>r.IntN(64)), uint8(r.IntN(MaxScale+1))
		s := FormatDecimal(v, uint8(r.IntN(MaxScale+1)))
		checkDecimal(t, s, scale)
		checkDecimal(t, s+strings.Repeat("0", r.IntN(5)), scale)
	}
}
