package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// three is an entry whose three rounds are all alike.
func three(name, role string, v float64) entry { return entry{name, role, v, []float64{v, v, v}} }

// measured are facts in which everything is exactly reached.
func measured() *facts {
	f := newFacts()
	for _, n := range needs {
		f.addBenchmark(n.pkg, n.name, result{"ns/op": 60})
	}
	for _, n := range batchSizes {
		f.postgres[n] = result{"write/bare": 0.9, "write-rows/s": 9e5, "bare-rows/s": 1e6}
	}
	add := func(contest, in string, higher bool, es ...entry) {
		f.contests = append(f.contests, contested{contest, in, "x", higher, es})
	}
	add("queues", oneByOne, false, three("SPSC", "own", 10), three("MPSC", "own", 22), three("channel", "peer", 40))
	add("queues", oneByMany, false, three("SPSC", "own", 5), three("channel", "peer", 7))
	add("queues", eightTo1, false, three("MPSC", "own", 44), three("channel", "peer", 60))
	add("queues", roundTrip, false, three("SPSC", "own", 150), three("MPSC", "own", 200), three("cache line", "floor", 100))
	add("decoders", "trade", false, three("feed/binance", "own", 60), three("fastjson", "peer", 500), three("sonic", "peer", 400))
	add("decoders", "depth, 10 levels", false, three("feed/binance", "own", 350), three("sonic", "peer", 400))
	add("samples", "one writer", false, three("core/hist", "own", 6), three("HdrHistogram", "peer", 8), three("Prometheus Observe", "peer", 40))
	add("fanout", "100 clients", true, three("qcat hub", "own", 4*568e3), three("gws", "peer", 3e5))
	add("fanout", "400 clients", true, three("qcat hub", "own", 2*420e3), three("gws", "peer", 3e5))
	add("orders", "page cache, 32 connections", true, three("qcat", "own", 80), three("bare fasthttp", "floor", 100))
	add("orders", "fdatasync, 32 connections", true, three("qcat", "own", 90), three("fasthttp and group commit", "floor", 100))
	for _, n := range []string{"1 a sync", "64 a sync", "1024 a sync"} {
		add("journal", n, true, three("qcat", "own", 120), three("etcd WAL", "peer", 90), three("pebble", "peer", 100))
	}
	tick := func(rate, p50, p99 float64) wireRow {
		return wireRow{Scenario: "ladder", What: "tick to client, 1 client", Offered: rate, P50Ratio: p50, P99Ratio: p99, Latency: map[string]float64{"p50": 13e3, "p99": 15e3}}
	}
	f.wire = []wireRow{tick(1_000, 3, 3), tick(10_000, 1.3, 1.5), tick(500_000, 9, 9), {Scenario: "fanout", What: "server, fixed, churn", Clients: 100, P99Ratio: 9}}
	for _, clients := range []int{400, 100} {
		f.wire = append([]wireRow{{Scenario: "fanout", What: "server, fixed", Clients: clients, Offered: 500, P99Ratio: 1.5, Latency: map[string]float64{"p99": 1e6}}}, f.wire...)
	}
	grown := func(what string, instruments, accounts int, cost float64) wireRow {
		return wireRow{Scenario: "scale", What: what, Instruments: instruments, Accounts: accounts, Extra: map[string]float64{"cpu_ns_an_event": cost}}
	}
	f.wire = append(f.wire, grown("tick", 10, 0, 1e3), grown("tick", 100, 0, 9e3), grown("tick", 10_000, 0, 1.5e3),
		grown("order", 0, 10, 1e4), grown("order", 0, 100_000, 1.5e4))
	return f
}

// TestAnswerIsYesAtTheBound: what is reached exactly is reached, in every row.
func TestAnswerIsYesAtTheBound(t *testing.T) {
	for _, l := range measured().lines() {
		if l.reached != yes {
			t.Errorf("%s: %s (%s of %s)", l.job, l.reached, l.figure, l.target)
		}
	}
}

// TestAnswerIsNoBelowIt: a little too slow, in every row.
func TestAnswerIsNoBelowIt(t *testing.T) {
	f := measured()
	for _, n := range needs {
		f.addBenchmark(n.pkg, n.name, result{"ns/op": 351})
	}
	f.addBenchmark("./core/book", "BenchmarkInstruments/10", result{"ns/op": 200})
	f.addBenchmark("./feed/binance", "BenchmarkLaneFrames/instruments=10", result{"ns/op": 200})
	f.addBenchmark("./risk", "BenchmarkCheckNew/accounts=100000/instruments=10", result{"ns/op": 900})
	f.addBenchmark("./risk", "BenchmarkCheckQueued/accounts=100000/instruments=10", result{"ns/op": 900})
	for n := range f.postgres {
		f.postgres[n]["write/bare"] = 0.89
	}
	for i := range f.contests {
		c := &f.contests[i]
		for k := range c.Figures {
			switch e := &c.Figures[k]; {
			case e.Role != "own":
			case c.Higher:
				*e = three(e.Name, e.Role, e.Value/2)
			case e.Name != "MPSC" || c.Case == eightTo1:
				*e = three(e.Name, e.Role, e.Value*2)
			}
		}
	}
	for i := range f.wire {
		f.wire[i].P50Ratio, f.wire[i].P99Ratio = 1.31, 1.51
		if f.wire[i].Instruments+f.wire[i].Accounts > 10 {
			f.wire[i].Extra["cpu_ns_an_event"] *= 1.01
		}
	}
	for _, l := range f.lines() {
		if l.reached != no {
			t.Errorf("%s: %s (%s of %s)", l.job, l.reached, l.figure, l.target)
		}
	}
}

// TestAnswerToAllocations: fast enough and with an allocation is not reached.
func TestAnswerToAllocations(t *testing.T) {
	f := measured()
	f.addBenchmark("./feed/binance", "BenchmarkDecode/trade", result{"ns/op": 10, "allocs/op": 1})
	if l := f.decodeLines()[0]; l.reached != no {
		t.Errorf("%+v", l)
	}
}

// TestAnswerOfNothing: what was not measured is neither reached nor missed.
func TestAnswerOfNothing(t *testing.T) {
	lines := newFacts().lines()
	for _, l := range lines {
		if !strings.HasPrefix(l.reached, unknown) {
			t.Errorf("%s: %s", l.job, l.reached)
		}
	}
	if len(lines) != len(measured().lines()) {
		t.Errorf("%d rows, want %d", len(lines), len(measured().lines()))
	}
}

// TestRecordedRange: a figure of elsewhere has drifted, too.
func TestRecordedRange(t *testing.T) {
	r := recordedRange{100, 150}
	for v, want := range map[float64]string{300: yes, 299: between, 200: between, 199: no} {
		if got := r.held(v, 2); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}

// TestCollect reads what was written although it failed, and nothing when there is
// nothing.
func TestCollect(t *testing.T) {
	var got []contested
	err := collect(&got, func(file string) error {
		return os.WriteFile(file, []byte(`[{"contest":"queues","case":"a","figures":[{"name":"n","role":"own","value":2,"rounds":[2]}],"more":1}]`), 0o600)
	})
	if err != nil || len(got) != 1 || got[0].of("n").Value != 2 {
		t.Errorf("%v: %+v", err, got)
	}
	if err := collect(&got, func(string) error { return nil }); err != nil {
		t.Error(err)
	}
	if err := load(filepath.Join(t.TempDir(), "none"), &got); err != nil {
		t.Error(err)
	}
}

// TestAnswerPrints a row for each line.
func TestAnswerPrints(t *testing.T) {
	var out bytes.Buffer
	s := settings{facts: measured(), benchmark: func(pkg, name string, s settings) ([]result, error) {
		r, _ := s.facts.benchmark(pkg, name)
		return []result{{"ns/op": r["ns/op"] * 2}}, nil
	}}
	t.Setenv("QCAT_CAPTURES", "")
	if err := answer(&out, s); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "\n| "); n != len(s.facts.lines())+1 {
		t.Errorf("%d rows:\n%s", n, out.String())
	}
}

// TestNeedsAreRows: what the answer is made of is measured by `make bench` before it.
func TestNeedsAreRows(t *testing.T) {
	rows := map[string]bool{}
	for _, g := range groups {
		for _, r := range g.rows {
			rows[g.pkg+" "+r.benchmark] = r.captures
		}
	}
	for _, n := range needs {
		if captures, ok := rows[n.pkg+" "+n.name]; !ok || captures != n.captures {
			t.Errorf("%s %s: row %v, captures %v", n.pkg, n.name, ok, captures)
		}
	}
}
