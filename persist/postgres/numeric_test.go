package postgres

import (
	"context"
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"qcat/core"
	"qcat/persist/postgres/pgtest"
)

// ends are numbers at which digits, words and signs change.
var ends = []core.Int128{
	{}, {Lo: 1}, core.Int128From(-1), {Lo: 9999}, {Lo: 10000}, {Lo: 10001}, {Lo: 99999999}, {Lo: 100000000},
	core.Int128From(math.MaxInt64), core.Int128From(math.MinInt64), {Lo: math.MaxUint64}, {Hi: 1},
	{Hi: math.MaxInt64, Lo: math.MaxUint64}, {Hi: math.MinInt64}, {Hi: math.MinInt64, Lo: 1},
}

// somewhere returns an end or a random number of random length.
func somewhere(rng *rand.Rand) core.Int128 {
	if rng.IntN(4) == 0 {
		return ends[rng.IntN(len(ends))]
	}
	v := core.Int128{Hi: int64(rng.Uint64()), Lo: rng.Uint64()}
	for n := rng.IntN(128); n > 0; n-- {
		v.Lo = v.Lo>>1 | uint64(v.Hi)<<63
		v.Hi >>= 1
	}
	return v
}

func bigOf(v core.Int128) *big.Int {
	b := new(big.Int).Lsh(big.NewInt(v.Hi), 64)
	return b.Add(b, new(big.Int).SetUint64(v.Lo))
}

// pgxNumeric is what the reference implementation reads: a big integer and an exponent.
func pgxNumeric(t testing.TB, encoded []byte) (num *big.Int, exp int32) {
	t.Helper()
	var n pgtype.Numeric
	if err := (pgtype.NumericCodec{}).PlanScan(nil, pgtype.NumericOID, pgx.BinaryFormatCode, &n).Scan(encoded[4:], &n); err != nil {
		t.Fatalf("%x: %v", encoded, err)
	}
	return n.Int, n.Exp
}

// sameNumber requires an encoding to be v·10^-scale by the reference.
func sameNumber(t testing.TB, encoded []byte, v core.Int128, scale uint8) {
	t.Helper()
	num, exp := pgxNumeric(t, encoded)
	want := bigOf(v)
	ten := big.NewInt(10)
	if up := int64(exp) + int64(scale); up >= 0 {
		num = new(big.Int).Mul(num, ten.Exp(ten, big.NewInt(up), nil))
	} else {
		want.Mul(want, ten.Exp(ten, big.NewInt(-up), nil))
	}
	if num.Cmp(want) != 0 {
		t.Errorf("%v at scale %d encodes as %x", bigOf(v), scale, encoded)
	}
}

func TestNumericAgainstReference(t *testing.T) {
	const seed = 1
	rng := rand.New(rand.NewPCG(seed, 0))
	for i := range 50_000 {
		v, scale := somewhere(rng), uint8(rng.IntN(37))
		wide := appendNumeric128(nil, v, scale)
		sameNumber(t, wide, v, scale)
		if back, err := parseNumeric(wide[4:], int(scale)); err != nil || back != v {
			t.Errorf("%v at scale %d comes back as %v (%v)", bigOf(v), scale, bigOf(back), err)
		}
		if back, err := parseNumeric(wide[4:], ownScale); err != nil || back != v {
			t.Errorf("%v comes back at its own scale as %v (%v)", bigOf(v), bigOf(back), err)
		}
		if n := int64(v.Lo); core.Int128From(n) == v {
			if narrow := appendNumeric(nil, n, scale); string(narrow) != string(wide) {
				t.Errorf("%d at scale %d: 64 bits give %x, 128 give %x", n, scale, narrow, wide)
			}
			if back, err := parseNumeric64(wide[4:], int(scale)); err != nil || back != n {
				t.Errorf("%d at scale %d comes back as %d (%v)", n, scale, back, err)
			}
		} else if _, err := parseNumeric64(wide[4:], int(scale)); !errors.Is(err, errNumeric) {
			t.Errorf("%v fits 64 bits: %v", bigOf(v), err)
		}
		if t.Failed() {
			t.Fatalf("seed %d, number %d", seed, i)
		}
	}
}

// TestNumericAgainstServer has Postgres print numbers in decimals, and send back what it
// reads from decimals: both must be what core says.
func TestNumericAgainstServer(t *testing.T) {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	rng := rand.New(rand.NewPCG(2, 0))
	var elements []byte
	var want []string
	var numbers []int64
	var scales []uint8
	for range 3000 {
		v := somewhere(rng)
		n, scale := int64(v.Lo), uint8(rng.IntN(core.MaxScale+1))
		elements = appendNumeric(elements, n, scale)
		want = append(want, core.FormatDecimal(n, scale))
		numbers, scales = append(numbers, n), append(scales, scale)
	}
	r := conn.PgConn().ExecParams(ctx, "SELECT n::text, n FROM unnest($1) WITH ORDINALITY AS t(n, i) ORDER BY i",
		[][]byte{arrayOf(numeric, len(want), elements)}, []uint32{numeric.array}, binaryFormat, []int16{0, 1}).Read()
	if r.Err != nil || len(r.Rows) != len(want) {
		t.Fatalf("%d rows: %v", len(r.Rows), r.Err)
	}
	for i, row := range r.Rows {
		got := string(row[0])
		if got != want[i] {
			t.Fatalf("number %d is %s on the server, want %s", i, got, want[i])
		}
		if back, err := parseNumeric64(row[1], int(scales[i])); err != nil || back != numbers[i] {
			t.Fatalf("%s comes back as %d (%v)", got, back, err)
		}
	}
}

func TestNumericThatDoesNotFit(t *testing.T) {
	one := func(digits ...uint16) []byte { // 1.5 and the like: weight 0
		b := []byte{0, byte(len(digits)), 0, 0, 0, 0, 0, 0}
		for _, d := range digits {
			b = append(b, byte(d>>8), byte(d))
		}
		return b
	}
	huge := appendNumeric128(nil, core.Int128{Hi: math.MaxInt64, Lo: math.MaxUint64}, 0)[4:]
	special := func(sign uint16) []byte { return []byte{0, 0, 0, 0, byte(sign >> 8), byte(sign), 0, 0} }
	for _, c := range []struct {
		name  string
		p     []byte
		scale int
	}{
		{"a half in whole numbers", one(1, 5000), 0},
		{"a decimal too many", one(1, 1), 3},
		{"digits far below", one(1, 0, 1), 4},
		{"beyond 128 bits by its scale", huge, 1},
		{"NaN", special(0xC000), 0},
		{"infinity", special(0xD000), 0},
		{"minus infinity", special(0xF000), 0},
		{"cut", one(1, 5000)[:9], 4},
		{"no header", []byte{0, 0}, 0},
	} {
		if v, err := parseNumeric(c.p, c.scale); !errors.Is(err, errNumeric) {
			t.Errorf("%s: %v, %v", c.name, bigOf(v), err)
		}
	}
	for scale, want := range map[int]int64{1: 15, 2: 150, 4: 15000, 9: 1500000000} {
		if v, err := parseNumeric64(one(1, 5000), scale); err != nil || v != want {
			t.Errorf("1.5 at scale %d is %d (%v)", scale, v, err)
		}
	}
}
