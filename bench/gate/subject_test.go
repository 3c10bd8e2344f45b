package main

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"
)

// measured is a subject with rounds in which the head takes so much longer, and these
// allocations.
func measured(effects []float64, base, head int64) *subject {
	s := compared(kernel{"core", "BenchmarkX", "why"}, nil, nil)
	for _, e := range effects {
		r := &round{}
		for i := range 2 * fullBlocks {
			ns := 100 + 0.01*float64(i)
			r.base, r.head = append(r.base, ns), append(r.head, ns*(1+e))
			s.least[0], s.least[1] = min(s.least[0], ns), min(s.least[1], ns*(1+e))
		}
		s.rounds = append(s.rounds, r)
	}
	for range 2 * fullBlocks {
		s.allocs[0], s.allocs[1] = s.allocs[0].with(base), s.allocs[1].with(head)
		s.bytes[0], s.bytes[1] = s.bytes[0].with(16*base), s.bytes[1].with(16*head)
	}
	return s
}

// TestDecide: three rounds must agree, an acceptance is for time alone, and more
// allocations fail at once.
func TestDecide(t *testing.T) {
	for _, tt := range []struct {
		effects    []float64
		base, head int64
		accepted   bool
		want       verdict
		suspect    bool
	}{
		{[]float64{0}, 0, 0, false, passed, false},
		{[]float64{-0.3}, 1, 0, false, passed, false},
		{[]float64{0.04}, 0, 0, false, passed, false},
		{[]float64{0.1}, 0, 0, false, undecided, true},
		{[]float64{0.1, 0.1}, 0, 0, false, undecided, true},
		{[]float64{0.1, 0.02}, 0, 0, false, passed, false},
		{[]float64{0.1, 0.1, 0.02}, 0, 0, false, passed, false},
		{[]float64{0.1, 0.1, 0.1}, 0, 0, false, failedSlower, false},
		{[]float64{0.1, 0.1, 0.1}, 0, 0, true, acceptedSlower, false},
		{[]float64{0}, 0, 1, false, failedAllocs, false},
		{[]float64{0}, 3, 4, true, failedAllocs, false},
	} {
		s := measured(tt.effects, tt.base, tt.head)
		if tt.accepted {
			s.accepted = &accepted{pattern: regexp.MustCompile(""), reason: "because", commit: "abc"}
		}
		if s.decide(); s.verdict != tt.want || s.suspect() != tt.suspect {
			t.Errorf("%+v: %v, suspect %v", tt, texts[s.verdict], s.suspect())
		}
	}
}

// TestCutShort: a round that the time has ended decides only what more blocks would not
// change.
func TestCutShort(t *testing.T) {
	for _, tt := range []struct {
		blocks  int
		effect  float64
		want    verdict
		suspect bool
	}{
		{leastBlocks - 1, 0, undecided, false}, {leastBlocks, 0, passed, false},
		{leastBlocks, 0.1, undecided, true}, {fullBlocks - 1, 0.04999, undecided, false}, {fullBlocks, 0.04999, passed, false},
	} {
		s := measured([]float64{tt.effect}, 0, 0)
		r := s.last()
		r.base, r.head = r.base[:2*tt.blocks], r.head[:2*tt.blocks]
		if s.decide(); s.verdict != tt.want || s.suspect() != tt.suspect {
			t.Errorf("%d blocks, %v: %s, suspect %v", tt.blocks, tt.effect, texts[s.verdict], s.suspect())
		}
	}
}

// TestChoose: as many runs as the share allows, longer ones where setting up is long.
func TestChoose(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		ns                float64
		once, each, share time.Duration
		iterations, count int
		takes             time.Duration
	}{
		{100, 12 * ms, 4 * ms, 88 * ms, 20_000, 20, 88 * ms},
		{100, 12 * ms, 4 * ms, time.Hour, 20_000, 100, 408 * ms},
		{100, 12 * ms, 4 * ms, 0, 20_000, 5, 28 * ms},
		{100, 12 * ms, -ms, 90 * ms, 20_000, 40, 90 * ms},
		{1000, 170 * ms, 150 * ms, 100 * ms, 15_000, 3, 496 * ms},
		{1e9, 3000 * ms, 2900 * ms, 100 * ms, 1, 1, 3000 * ms},
		{0, 12 * ms, 4 * ms, 88 * ms, 20_000_000, 20, 88 * ms},
	} {
		s := &subject{}
		if s.choose(tt.ns, tt.once, tt.each, tt.share, usual); s.iterations != tt.iterations || s.count != tt.count || s.takes != tt.takes {
			t.Errorf("%+v: %d iterations, %d runs, %v", tt, s.iterations, s.count, s.takes)
		}
	}
}

// TestAllocationsOverlap: where the figures of a side differ among themselves, the two
// sides must not overlap.
func TestAllocationsOverlap(t *testing.T) {
	s := measured([]float64{0}, 3, 3)
	s.bytes[1] = extent{48, 70}
	if s.allocatesMore() {
		t.Error("an overlap fails")
	}
	if s.bytes[1] = (extent{55, 55}); s.allocatesMore() {
		t.Error("less than an allocation fails")
	}
	if s.bytes[1] = (extent{56, 56}); !s.allocatesMore() {
		t.Error("an allocation's bytes pass")
	}
	s.bytes[1] = s.bytes[0]
	if s.allocs[1] = (extent{s.allocs[0].most + 1, s.allocs[0].most + 1}); !s.allocatesMore() {
		t.Error("an allocation passes")
	}
}

// TestResultAndReport: a failure outranks what was not decided; what is accepted is
// told with its reason.
func TestResultAndReport(t *testing.T) {
	var out bytes.Buffer
	late := compared(kernel{"core", "BenchmarkLate", "why"}, nil, nil)
	fine, wanted, bad := measured([]float64{0}, 0, 0), measured([]float64{0.1, 0.1, 0.1}, 0, 0), measured([]float64{0.1, 0.1, 0.1}, 0, 0)
	wanted.accepted = &accepted{reason: "because", commit: "abc"}
	left := compared(kernel{"core", "BenchmarkNew", "why"}, nil, nil)
	left.skip("new")
	g := &gate{out: &out}
	for _, tt := range []struct {
		add  *subject
		want error
	}{{fine, nil}, {left, nil}, {wanted, nil}, {late, errUndecided}, {bad, errFailed}} {
		if tt.add != late && tt.add != left {
			tt.add.decide()
		}
		if g.subjects = append(g.subjects, tt.add); !errors.Is(g.result(), tt.want) {
			t.Errorf("%v, want %v", g.result(), tt.want)
		}
	}
	g.report()
	for _, want := range []string{
		"| core.BenchmarkX | 100 | 110 | +10.0 % | 5.0 % | 0.0000 | 3 × 12 | 0 | 0 | slower, accepted |",
		"accepted: core.BenchmarkX is slower (commit abc): because\n", "| core.BenchmarkLate | | | | | | 0 | | | **not decided** |",
		"not measured, new: core.BenchmarkNew\n", `by a trailer "Slower: BenchmarkX <reason>"`,
		"5 kernels: 1 passed, 1 accepted, 1 failed, 1 not decided, 1 not measured",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not told:\n%s", want, out.String())
		}
	}
}

// TestParseRuns reads what test binaries print, and nothing else.
func TestParseRuns(t *testing.T) {
	out := []byte(`goos: linux
BenchmarkX/y=1 	 1000	 12.50 ns/op	 80.1 MB/s	 3.000 other	 16 B/op	 2 allocs/op
BenchmarkX/y=10 	 1000	 1 ns/op	 0 B/op	 0 allocs/op
BenchmarkX/y=1 	 1000	 11.50 ns/op	 24 B/op	 1 allocs/op
PASS
`)
	runs, err := parseRuns(out, "BenchmarkX/y=1")
	if err != nil || len(runs) != 2 || least(runs) != (figures{11.5, 16, 1}) {
		t.Errorf("%v, %v", runs, err)
	}
	for _, bad := range []string{"BenchmarkX 10 x ns/op 0 B/op 0 allocs/op", "BenchmarkX 10 1 ns/op 0 B/op"} {
		if _, err := parseRuns([]byte(bad), "BenchmarkX"); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	if got := pattern("BenchmarkX/y=1.5"); got != `^BenchmarkX$/^y=1\.5$` {
		t.Error(got)
	}
}
