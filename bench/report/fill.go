package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// needs are the benchmarks that the answer is made of.
var needs = []struct {
	pkg, name string
	captures  bool
}{
	{"./feed/binance", "BenchmarkDecode/trade", false},
	{"./feed/binance", "BenchmarkDecode/depth10", false},
	{"./feed/binance", "BenchmarkLaneFrames/instruments=10", false},
	{"./feed/binance", "BenchmarkLaneFrames/instruments=10000", false},
	{"./core/book", "BenchmarkSet/spot-btcusdt-20240808.gz", true},
	{"./core/book", "BenchmarkSet/usdm-btcusdt-20240808.gz", true},
	{"./core/book", "BenchmarkInstruments/10", true},
	{"./core/book", "BenchmarkInstruments/10000", true},
	{"./risk", "BenchmarkCheckNew/accounts=10/instruments=10", false},
	{"./risk", "BenchmarkCheckNew/accounts=100000/instruments=10", false},
	{"./risk", "BenchmarkCheckQueued/accounts=10/instruments=10", false},
	{"./risk", "BenchmarkCheckQueued/accounts=100000/instruments=10", false},
}

// fill measures what the sections before have left out, in little time. Contests,
// databases and scenarios that are there are taken as they are; benchmarks run once more,
// as minutes have passed in which the machine may have been busier: the fastest of all
// runs counts. Everything that fails is reported, and the rest goes on.
func (s settings) fill() error {
	var failed []error
	for _, n := range needs {
		if n.captures && os.Getenv("QCAT_CAPTURES") == "" {
			continue
		}
		runs, err := s.run(n.pkg, n.name)
		if err == nil && len(runs) == 0 {
			err = fmt.Errorf("%s has no benchmark %s", n.pkg, n.name)
		}
		if err != nil {
			failed = append(failed, err)
			continue
		}
		if r, ok := s.facts.benchmark(n.pkg, n.name); ok {
			runs = append(runs, r)
		}
		s.facts.addBenchmark(n.pkg, n.name, best(runs))
	}
	if len(s.facts.contests) == 0 {
		failed = append(failed, s.contests(io.Discard, quickTurn))
	}
	if len(s.facts.postgres) == 0 && os.Getenv("DATABASE_URL") != "" {
		failed = append(failed, batches(io.Discard, s))
	}
	if len(s.facts.wire) == 0 {
		failed = append(failed, s.scenarios(io.Discard, "-scenario", "ladder,fanout,scale", "-step", "1s",
			"-scale-instruments", "10,10000", "-scale-accounts", "10,100000",
			"-rates", strconv.Itoa(tickRate), "-order-rates", "1000", "-subscribers", "100,400"))
	}
	return errors.Join(failed...)
}

// quickTurn is a turn of a contest when only the answer is wanted.
const quickTurn = 120 * time.Millisecond

// contests holds those of bench/peers and keeps their results.
func (s settings) contests(w io.Writer, turn time.Duration) error {
	if s.peers == "" {
		return nil
	}
	return collect(&s.facts.contests, func(file string) error {
		cmd := exec.Command("go", "run", ".", "-time", turn.String(), "-rounds", strconv.Itoa(s.count), "-json", file)
		cmd.Dir, cmd.Stdout, cmd.Stderr = s.peers, w, os.Stderr
		return cmd.Run()
	})
}

// scenarios runs those of bench/wire against the real binary and keeps their rows.
func (s settings) scenarios(w io.Writer, args ...string) error {
	if s.binary == "" {
		return nil
	}
	return collect(&s.facts.wire, func(file string) error {
		cmd := exec.Command("go", append([]string{"run", "./bench/wire", "-binary", s.binary, "-json", file}, args...)...)
		cmd.Stdout, cmd.Stderr = w, os.Stderr
		return cmd.Run()
	})
}

// collect runs something that writes JSON to a file, and reads it into v; what there is
// of it after a failure as well.
func collect(v any, run func(file string) error) error {
	dir, err := os.MkdirTemp("", "qcat-report-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // only scratch
	file := filepath.Join(dir, "results.json")
	return errors.Join(run(file), load(file, v))
}
