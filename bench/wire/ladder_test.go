package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// quick is a run of a fraction of a second a row.
func quick() settings {
	s := settings{binary: server, results: &results{}, ladder: ladderSettings{
		step: 100 * time.Millisecond, criterion: criterion{leastShare, 10 * time.Second},
		rates: numbers{1_000}, orderRates: numbers{500}, instruments: 3, clients: 2, conns: 4,
		subscribers: numbers{12}, deliveries: 5_000, churn: 100,
		scale: numbers{2, 60}, accounts: numbers{1, 20}, ticks: 1_000, orders: 500,
	}}
	s.ladder.criterion.share = 0.1 // of a machine that does other things meanwhile
	return s
}

// TestLadder climbs one rung of each load against the real server, and reads the plot
// and the figures again.
func TestLadder(t *testing.T) {
	var out bytes.Buffer
	set := quick()
	if err := ladderRows(t.Context(), &out, set); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{"ping-pong", "| tick to client, 2 clients | 1000 |", "| bare relay of the same bytes, 2 clients | 1000 |",
		"| order over HTTP, journal-sync os, 4 connections | 500 |", "| order over WebSocket, journal-sync os, 4 connections | 500 |",
		"| order over HTTP, journal-sync always, 4 connections | 500 |", "| bare group commit, 300 B and fdatasync | 500 |",
		"| order over HTTP, journal-sync os, 4 connections, closed loop | all it takes |",
		"| order over WebSocket, journal-sync os, 4 connections, 8 out on each, closed loop | all it takes |"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
	// Ticks of eight turns of 12.5 ms and a tenth, each to two clients.
	if ticks := set.results.of("ladder")[2]; ticks.Got != turnsOfRow*13*2 || ticks.P50Ratio <= 0 || ticks.Used.RSS == 0 || ticks.Broken != "" {
		t.Errorf("%+v", ticks)
	}
	dir := t.TempDir()
	svg, figures := filepath.Join(dir, "x.svg"), filepath.Join(dir, "x.json")
	if err := set.results.writeSVG(svg); err != nil {
		t.Fatal(err)
	}
	plot, err := os.ReadFile(svg)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(plot), "<g "); n != 4 {
		t.Errorf("%d panels", n)
	}
	if err := set.results.writeJSON(figures); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(figures)
	var again []figure
	if err != nil || json.Unmarshal(raw, &again) != nil || len(again) != len(set.results.figures) || again[2].Latency["p99"] <= 0 {
		t.Errorf("%v, %s", err, raw)
	}
}

// TestFanOut holds a few clients to every sequence number, with and without churn
// beside them.
func TestFanOut(t *testing.T) {
	var out bytes.Buffer
	set := quick()
	if err := fanoutRows(t.Context(), &out, set); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	rows := set.results.of("fanout")
	if len(rows) != 7 {
		t.Fatalf("%d rows:\n%s", len(rows), out.String())
	}
	for _, f := range rows {
		if f.Broken != "" || f.Clients != 12 || f.Got != f.Expected || (f.Got == 0) != (f.What == "server, idle") {
			t.Errorf("%+v", f)
		}
	}
	// 416 ticks a second in eight turns of 12.5 ms and a tenth, to each of 12.
	if fixed := rows[3]; fixed.What != "server, fixed" || fixed.Got != turnsOfRow*5*12 || fixed.P99Ratio <= 0 || fixed.Extra["bytes_a_connection"] == 0 {
		t.Errorf("%+v", fixed)
	}
}

// TestChurnHolds: who does not follow must get nothing, and who follows gets trades in
// order.
func TestChurnHolds(t *testing.T) {
	frame := func(id uint64) []byte { return appendClientTick(nil, 0, id, 1)[4:] }
	for _, tc := range []struct {
		name    string
		follows bool
		ids     []uint64
		fault   bool
	}{{"in order", true, []uint64{1, 2, 5}, false}, {"twice", true, []uint64{1, 1}, true}, {"not wanted", false, []uint64{1}, true}} {
		m := &churner{follows: tc.follows}
		var err error
		for _, id := range tc.ids {
			err = errors.Join(err, m.take(frame(id)))
		}
		if (err != nil) != tc.fault {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

// TestScale goes two steps along each axis.
func TestScale(t *testing.T) {
	var out bytes.Buffer
	set := quick()
	if err := scaleRows(t.Context(), &out, set); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	rows := set.results.of("scale")
	if len(rows) != 4 || rows[1].Instruments != 60 || rows[3].Accounts != 20 {
		t.Fatalf("%d rows:\n%s", len(rows), out.String())
	}
	for _, f := range rows {
		if f.Got != f.Expected || f.Got == 0 {
			t.Errorf("%+v", f)
		}
	}
}

// TestCriterion: each of the reasons breaks a rate, and nothing else does.
func TestCriterion(t *testing.T) {
	good := func() *outcome {
		o := &outcome{offered: 1000, expected: 1000, got: 1000, events: 1000, span: time.Second, lat: newLatencies()}
		for range 1000 {
			o.lat.record(time.Millisecond)
		}
		return o
	}
	c := criterion{0.95, 10 * time.Millisecond}
	for _, tc := range []struct {
		name   string
		change func(o *outcome)
		want   string
	}{
		{"good", func(*outcome) {}, ""},
		{"just fast enough", func(o *outcome) { o.span = 1052 * time.Millisecond }, ""},
		{"too slow", func(o *outcome) { o.span = 1060 * time.Millisecond }, "94% of the schedule"},
		{"lost", func(o *outcome) { o.got-- }, "999 of 1000 came"},
		{"left out", func(o *outcome) { o.missed = 3 }, "3 left out"},
		{"cut off", func(o *outcome) { o.cut = fmt.Errorf("client 3: %w: 4003", errCut) }, "client 3: cut off: 4003"},
		{"refused", func(o *outcome) { o.refused, o.reason = 2, "503" }, "2 refused: 503"},
		{"one in a hundred is late", func(o *outcome) {
			for range 9 {
				o.lat.record(time.Second)
			}
		}, ""},
		{"more are late", func(o *outcome) {
			for range 20 {
				o.lat.record(time.Second)
			}
		}, "p99 1000"},
	} {
		o := good()
		tc.change(o)
		if got := c.broken(o); got != tc.want && (tc.want == "" || !strings.HasPrefix(got, tc.want)) {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

// TestOutcomesAdd: of two turns at one rate the counts, the times and the latencies
// are put together, and a rate is that of both.
func TestOutcomesAdd(t *testing.T) {
	a := &outcome{offered: 100, expected: 100, got: 100, events: 100, span: time.Second, lat: newLatencies(), spent: spent{CPU: 10, RSS: 5, GCs: 1, time: time.Second}}
	b := &outcome{offered: 100, expected: 100, got: 50, events: 50, span: time.Second, lat: newLatencies(), reason: "x", spent: spent{CPU: 30, RSS: 3, GCs: 2, time: time.Second}}
	a.lat.record(1)
	b.lat.record(2)
	sum := a.plus(b)
	if sum.achieved() != 75 || sum.got != 150 || sum.lat.count() != 2 || sum.spent.CPU != 20 || sum.spent.RSS != 5 || sum.spent.GCs != 3 || sum.reason != "x" {
		t.Errorf("%+v", sum)
	}
	if a.lat.count() != 1 {
		t.Error("the first turn was changed")
	}
	c := &outcome{lat: newLatencies()}
	c.lat.record(1000)
	if got := sum.plus(c).typical(99); got != 2 {
		t.Errorf("of turns at 1, 2 and 1000 ns %v is typical", got)
	}
	if got := sum.typical(50); got != 1 { // half a nanosecond is none
		t.Errorf("of turns at 1 and 2 ns %v is typical", got)
	}
}

// TestPlot: the plot is XML, has a panel a load, a dashed line for the floor, a cross
// for the rate that broke, and points that rise with latency and go right with rate.
func TestPlot(t *testing.T) {
	row := func(what string, floor bool, rate float64, base time.Duration) figure {
		f := figure{Scenario: "ladder", What: what, Floor: floor, Offered: rate, Latency: map[string]time.Duration{}}
		for i, l := range plotLines {
			f.Latency[l.percentile] = base << i
		}
		return f
	}
	broken := row("ticks & <orders>", false, 10_000, time.Millisecond)
	broken.Broken = "p99"
	plot, err := plotLadder([]figure{row("bare", true, 1_000, time.Microsecond), row("ticks & <orders>", false, 1_000, 10*time.Microsecond),
		row("bare", true, 10_000, 2*time.Microsecond), broken})
	if err != nil {
		t.Fatal(err)
	}
	dec := xml.NewDecoder(strings.NewReader(plot))
	for err == nil {
		_, err = dec.Token()
	}
	if !errors.Is(err, io.EOF) {
		t.Errorf("not XML: %v", err)
	}
	// One cross in the legend and one a percentile; dashed once in the legend.
	for mark, want := range map[string]int{"<g ": 1, "<path ": 1 + len(plotLines), "<circle ": len(plotLines), "stroke-dasharray": 1 + len(plotLines),
		"ticks &amp; &lt;orders&gt;": 1, ">1 k<": 1, ">10 k<": 1, ">10 µs<": 1} {
		if n := strings.Count(plot, mark); n != want {
			t.Errorf("%d times %q, want %d", n, mark, want)
		}
	}
	s := around(1, 100, 0, 1000)
	if a, b, c := s.at(1), s.at(10), s.at(100); !(0 < a && a < b && b < c && c < 1000) || c-b-(b-a) > 1e-9 {
		t.Errorf("%v, %v, %v", a, b, c)
	}
	if _, err := plotLadder(nil); err == nil {
		t.Error("a plot of nothing")
	}
}
