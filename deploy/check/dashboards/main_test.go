package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

const committed = "../../grafana/dashboards"

// The committed dashboards are those that this program writes, and there are no others.
func TestCommitted(t *testing.T) {
	all := boards()
	for _, b := range all {
		want, err := b.encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(committed, b.file()))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the program writes (%v): cd deploy/check && go run ./dashboards", b.file(), err)
		}
	}
	if files, err := os.ReadDir(committed); err != nil || len(files) != len(all) {
		t.Errorf("%d files for %d dashboards: %v", len(files), len(all), err)
	}
}

// A line of panels ends where the next would leave the grid, and a heading begins a new one.
func TestLayOut(t *testing.T) {
	wide := panel{title: "a", width: 16, height: 4}
	got := layOut([]section{{"", []panel{wide, {title: "b"}, {title: "c"}}}, {"heading", []panel{wide}}})
	want := []grid{{H: 4, W: 16}, {H: 7, W: 8, X: 16}, {H: 7, W: 8, Y: 7}, {H: 1, W: 24, Y: 14}, {H: 4, W: 16, Y: 15}}
	if len(got) != len(want) {
		t.Fatalf("%d panels, want %d", len(got), len(want))
	}
	for i, p := range got {
		if p.GridPos != want[i] || p.ID != i+1 {
			t.Errorf("panel %d has id %d and lies at %+v, want %+v", i, p.ID, p.GridPos, want[i])
		}
	}
}
