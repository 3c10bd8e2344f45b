package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseBenchLine(t *testing.T) {
	name, r, ok := parseBenchLine("BenchmarkServe/clients=100-2 \t 60274\t 602.7 ns/op\t 6.027 ns/delivery\t 0 B/op\t 0 allocs/op")
	if !ok || name != "BenchmarkServe/clients=100" || r["ns/op"] != 602.7 || r["allocs/op"] != 0 || r.others() != "6.03 ns/delivery" {
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

// TestMedian: of a contest the run in the middle counts, not the best.
func TestMedian(t *testing.T) {
	runs := []result{{"x": 3, "id": 1}, {"x": 1, "id": 2}, {"x": 2, "id": 3}}
	if m := median(runs, "x"); m["id"] != 3 || runs[0]["id"] != 1 {
		t.Errorf("%v of %v", m, runs)
	}
}

// TestRowsExist: a row whose benchmark has gone would end `make bench` in the middle.
func TestRowsExist(t *testing.T) {
	for _, g := range groups {
		files, err := filepath.Glob(filepath.Join("../..", g.pkg, "*_test.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no tests: %v", g.pkg, err)
		}
		var source []byte
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			source = append(source, b...)
		}
		for _, r := range g.rows {
			name, _, _ := strings.Cut(r.benchmark, "/")
			if !bytes.Contains(source, []byte("\nfunc "+name+"(b *testing.B)")) {
				t.Errorf("%s has no %s", g.pkg, name)
			}
		}
	}
}

func TestUnknownSection(t *testing.T) {
	if err := report(io.Discard, settings{count: 1, only: []string{"everything"}}); err == nil {
		t.Error("an unknown section is taken")
	}
}
