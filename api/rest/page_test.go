package rest

import (
	"cmp"
	"encoding/base64"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"qcat/core"
)

// row is a row of a list: rows of one key are the same thing, seen to different
// lengths.
type row struct{ key, n int }

// mergeNewest is what putting both lists together, sorting and leaving out the
// lesser one of a kind gives.
func TestMergeNewest(t *testing.T) {
	newer := func(x, y *row) int { return cmp.Compare(y.key, x.key) }
	better := func(x, y *row) *row {
		if y.n > x.n {
			return y
		}
		return x
	}
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(seed, 4))
		list := func() (out []row) {
			for key := 40; key > 0; key -= 1 + rng.IntN(6) {
				out = append(out, row{key, rng.IntN(9)})
			}
			return out[:rng.IntN(len(out)+1)]
		}
		a, b := list(), list()
		best := map[int]row{}
		for _, r := range slices.Concat(a, b) {
			if had, ok := best[r.key]; !ok || r.n > had.n {
				best[r.key] = r
			}
		}
		var want []row
		for _, r := range best {
			want = append(want, r)
		}
		slices.SortFunc(want, func(x, y row) int { return newer(&x, &y) })
		limit := 1 + rng.IntN(15)
		want = want[:min(limit, len(want))]
		if got := mergeNewest(a, b, limit, newer, better); !slices.Equal(got, want) {
			t.Fatalf("seed %d: %v and %v\n got %v\nwant %v", seed, a, b, got, want)
		}
	}
}

// Pages of market data through a memory of the latest and a store that lags are
// those of one list, whatever of it is where.
func TestTicksAcrossTheSeam(t *testing.T) {
	key := func(r *row) cursor { return cursor{set: true, key: uint64(r.key), minor: uint64(r.n)} }
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 5))
		var all []row // oldest first, several of one time
		for at := 1; len(all) < 100; at += rng.IntN(3) {
			all = append(all, row{at, len(all)})
		}
		kept := all[rng.IntN(100):]
		if rng.IntN(5) == 0 {
			kept = nil
		}
		stored := all[:rng.IntN(101)]
		behind := len(kept) > 0 && len(stored) < 100-len(kept)
		if len(kept) == 0 {
			stored = all
		}
		p := page{limit: 1 + rng.IntN(30)}
		if rng.IntN(3) == 0 {
			p.from, p.to = core.Nanos(1+rng.IntN(60)), core.Nanos(70+rng.IntN(60))
		}
		in := func(r row) bool {
			return core.Nanos(r.key) >= p.from && (p.to == 0 || core.Nanos(r.key) < p.to)
		}
		var got []row
		for {
			tp := tickPage[row]{page: &p, memory: recent(kept, &p, key), key: key, better: first[row], behind: behind,
				covered: len(kept) > 0 && core.Nanos(kept[0].key) < p.from,
				store:   func(limit int) ([]row, error) { return newest(recent(stored, &p, key), limit), nil }}
			rows, next, err := tp.rows()
			if errors.Is(err, errBehind) {
				if !behind {
					t.Fatalf("seed %d: behind", seed)
				}
				break
			}
			got = slices.Concat(rows, got)
			if !next.set {
				if behind && !tp.covered {
					t.Fatalf("seed %d: the list ends, though the store has not caught up", seed)
				}
				break
			}
			p.cursor = next
		}
		var want []row
		for i, r := range all {
			if in(r) && (!behind || i >= 100-len(kept)) {
				want = append(want, r)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: %d kept, %d stored, %+v\n got %v\nwant %v", seed, len(kept), len(stored), p, got, want)
		}
	}
}

func newest(rows []row, limit int) []row { return rows[:min(limit, len(rows))] }

// Market data is answered from memory when the store fails, and the page after it
// says that the store did.
func TestTicksWithoutAStore(t *testing.T) {
	fault := errors.New("no answer")
	key := func(r *row) cursor { return cursor{set: true, key: uint64(r.key)} }
	p := page{limit: 5}
	tp := tickPage[row]{page: &p, memory: []row{{3, 0}, {2, 0}}, key: key, better: first[row],
		store: func(int) ([]row, error) { return nil, fault }}
	rows, next, err := tp.rows()
	if err != nil || !slices.Equal(rows, []row{{2, 0}, {3, 0}}) || next != key(&rows[0]) {
		t.Fatalf("%v, %v, %v", rows, next, err)
	}
	tp.memory = nil
	if _, _, err := tp.rows(); !errors.Is(err, fault) {
		t.Errorf("error %v", err)
	}
}

// A cursor comes back as it was given out, and nothing else is taken for one.
func TestCursor(t *testing.T) {
	const filters = 12345
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 6))
		k := cursor{set: true, key: rng.Uint64(), minor: rng.Uint64()}
		text := k.text(filters)
		if got, wrong := parseCursor(text, filters); wrong != "" || got != k {
			t.Fatalf("%+v came back as %+v: %s", k, got, wrong)
		}
		if _, wrong := parseCursor(text, filters+1); wrong == "" {
			t.Fatal("taken with other filters")
		}
		raw, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		for i := range raw {
			bad := slices.Clone(raw)
			bad[i] ^= byte(1 + rng.IntN(255))
			if _, wrong := parseCursor(base64.RawURLEncoding.EncodeToString(bad), filters); wrong == "" {
				t.Fatalf("taken with byte %d changed", i)
			}
		}
		for _, bad := range []string{text[:len(text)-1], text + "A", text[1:], "x", "!", " " + text, text + "="} {
			if _, wrong := parseCursor(bad, filters); wrong == "" {
				t.Fatalf("%q taken", bad)
			}
		}
	}
}

func FuzzParseCursor(f *testing.F) {
	f.Add(cursor{key: 1, minor: 2}.text(3), uint64(3))
	f.Add("", uint64(0))
	f.Fuzz(func(t *testing.T, text string, filters uint64) {
		if k, wrong := parseCursor(text, filters); wrong == "" && k.text(filters) != text {
			t.Fatalf("%q taken as %+v, which is written %q", text, k, k.text(filters))
		}
	})
}
