package main

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
)

func main() { os.Exit(command()) }

// command returns the exit code.
func command() int {
	benchtime := flag.String("benchtime", "1s", "time of one benchmark, as of go test -benchtime")
	count := flag.Int("count", 3, "runs of each benchmark; the fastest is printed")
	binary := flag.String("binary", "bin/qcat", "the server for the end-to-end rows; empty leaves them out")
	flag.Parse()
	if err := report(os.Stdout, *benchtime, *count, *binary); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		return 1
	}
	return 0
}

func report(w io.Writer, benchtime string, count int, binary string) error {
	fmt.Fprintf(w, "%s, %d CPUs, %s\n\n", cpuName(), runtime.NumCPU(), runtime.Version())
	fmt.Fprintln(w, "| what | workload | ns/op | allocs/op | other |")
	fmt.Fprintln(w, "|---|---|---:|---:|---|")
	for _, g := range groups {
		results, err := runBenchmarks(g, benchtime, count)
		if err != nil {
			return err
		}
		for _, row := range g.rows {
			r, ok := results[row.benchmark]
			switch {
			case !ok && row.captures && os.Getenv("QCAT_CAPTURES") == "":
				fmt.Fprintf(w, "| %s | %s | needs QCAT_CAPTURES | | |\n", row.what, row.workload)
				continue
			case !ok:
				return fmt.Errorf("%s has no benchmark %s", g.pkg, row.benchmark)
			}
			fmt.Fprintf(w, "| %s | %s | %s | %s | %s |\n", row.what, row.workload, trim(r["ns/op"]), trim(r["allocs/op"]), r.others())
		}
	}
	if binary == "" {
		return nil
	}
	fmt.Fprintln(w)
	cmd := exec.Command("go", "run", "./bench/wire", "-binary", binary)
	cmd.Stdout, cmd.Stderr = w, os.Stderr
	return cmd.Run()
}

// result holds one benchmark's figures by unit.
type result map[string]float64

var benchLine = regexp.MustCompile(`^(Benchmark\S+?)(?:-\d+)?\s+\d+\s+(.*)$`)

// runBenchmarks runs the group's benchmarks and keeps the fastest run of each:
// on a busy machine the minimum is the figure that repeats.
func runBenchmarks(g group, benchtime string, count int) (map[string]result, error) {
	results := map[string]result{}
	for _, row := range g.rows {
		name := "^" + strings.ReplaceAll(regexp.QuoteMeta(row.benchmark), "/", "$/^") + "$"
		cmd := exec.Command("go", "test", "-run", "^$", "-bench", name, "-benchmem",
			"-benchtime", benchtime, "-count", strconv.Itoa(count), g.pkg)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("%s: %w\n%s%s", g.pkg, err, out, stderr.Bytes())
		}
		for sc := bufio.NewScanner(bytes.NewReader(out)); sc.Scan(); {
			name, r, ok := parseBenchLine(sc.Text())
			if !ok {
				continue
			}
			if best, seen := results[name]; !seen || r["ns/op"] < best["ns/op"] {
				results[name] = r
			}
		}
	}
	return results, nil
}

func parseBenchLine(line string) (name string, r result, ok bool) {
	m := benchLine.FindStringSubmatch(line)
	if m == nil {
		return "", nil, false
	}
	fields := strings.Fields(m[2])
	r = result{}
	for i := 0; i+1 < len(fields); i += 2 {
		v, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return "", nil, false
		}
		r[fields[i+1]] = v
	}
	return m[1], r, true
}

func (r result) others() string {
	var parts []string
	for unit, v := range r {
		switch unit {
		case "ns/op", "allocs/op", "B/op", "MB/s":
		default:
			parts = append(parts, trim(v)+" "+unit)
		}
	}
	return strings.Join(parts, ", ")
}

func trim(v float64) string {
	if v >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

func cpuName() string {
	raw, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(raw)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.TrimSpace(strings.TrimLeft(name, "\t :"))
		}
	}
	return runtime.GOARCH
}
