package main

import "testing"

func TestParseBenchLine(t *testing.T) {
	name, r, ok := parseBenchLine("BenchmarkFanOut/clients=100-2 \t 60274\t 602.7 ns/op\t 6.027 ns/delivery\t 0 B/op\t 0 allocs/op")
	if !ok || name != "BenchmarkFanOut/clients=100" || r["ns/op"] != 602.7 || r["allocs/op"] != 0 || r.others() != "6.03 ns/delivery" {
		t.Errorf("%q %v %v %q", name, r, ok, r.others())
	}
	for _, line := range []string{"", "ok  \tqcat/ringbuf\t0.1s", "PASS", "BenchmarkX-2 10"} {
		if _, _, ok := parseBenchLine(line); ok {
			t.Errorf("%q taken for a result", line)
		}
	}
}

// TestRowsAreUnique: a row that stands twice would be measured twice and hide a
// mistyped one.
func TestRowsAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, g := range groups {
		for _, r := range g.rows {
			if seen[g.pkg+r.benchmark] {
				t.Errorf("%s %s stands twice", g.pkg, r.benchmark)
			}
			seen[g.pkg+r.benchmark] = true
		}
	}
}
