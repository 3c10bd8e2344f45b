package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// figures are those of one run of a benchmark, or the least of several, each by itself.
type figures struct {
	ns     float64 // an operation
	bytes  int64
	allocs int64
}

// least is the minimum of each.
func least(runs []figures) figures {
	f := runs[0]
	for _, r := range runs[1:] {
		f = figures{min(f.ns, r.ns), min(f.bytes, r.bytes), min(f.allocs, r.allocs)}
	}
	return f
}

// testBinary is a package's tests, built.
type testBinary struct {
	path string
	dir  string // where its tests expect to run
	sum  [32]byte
}

// runs has a benchmark run in a process of its own: count times, each as long as
// benchtime says. There are none if the binary has no such benchmark, or it skips itself.
func (b *testBinary) runs(ctx context.Context, bench, benchtime string, count int) ([]figures, error) {
	cmd := command(ctx, b.dir, b.path, "-test.run=^$", "-test.bench="+pattern(bench), "-test.benchtime="+benchtime,
		"-test.count="+strconv.Itoa(count), "-test.benchmem", "-test.cpu=1", "-test.timeout=5m")
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", bench, err, out)
	}
	return parseRuns(out, bench)
}

// pattern matches one benchmark and its sub-benchmarks alone.
func pattern(bench string) string {
	return "^" + strings.ReplaceAll(regexp.QuoteMeta(bench), "/", "$/^") + "$"
}

// parseRuns reads what a test binary prints of a benchmark on one processor: the name,
// the iterations, then values with their units.
func parseRuns(out []byte, bench string) (runs []figures, err error) {
	for sc := bufio.NewScanner(bytes.NewReader(out)); sc.Scan(); {
		fields := strings.Fields(sc.Text())
		if len(fields) < 4 || fields[0] != bench {
			continue
		}
		f := figures{ns: -1, bytes: -1, allocs: -1}
		for i := 2; i+1 < len(fields); i += 2 {
			switch fields[i+1] {
			case "ns/op":
				f.ns, err = strconv.ParseFloat(fields[i], 64)
			case "B/op":
				f.bytes, err = strconv.ParseInt(fields[i], 10, 64)
			case "allocs/op":
				f.allocs, err = strconv.ParseInt(fields[i], 10, 64)
			}
			if err != nil {
				return nil, fmt.Errorf("%q: %w", sc.Text(), err)
			}
		}
		if f.ns < 0 || f.bytes < 0 || f.allocs < 0 {
			return nil, fmt.Errorf("%q lacks a figure", sc.Text())
		}
		runs = append(runs, f)
	}
	return runs, nil
}

// command is a process that ends with ctx, and everything it has started with it.
func command(ctx context.Context, dir, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}
