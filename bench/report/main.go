package main

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

func main() { os.Exit(command()) }

// settings are what the command line says.
type settings struct {
	benchtime string
	count     int
	binary    string
	peers     string // the module of the peers
	stop      string
	records   string
	step      string
	only      []string
	facts     *facts // what this run has measured so far
	// benchmark returns the runs of one benchmark of a package; none when there is no such
	// one, or it was skipped.
	benchmark func(pkg, name string, s settings) ([]result, error)
}

func (s settings) run(pkg, name string) ([]result, error) { return s.benchmark(pkg, name, s) }

// sections of the report, in their order.
var sections = []struct {
	name  string
	write func(io.Writer, settings) error
}{{"packages", packages}, {"postgres", batches}, {"peers", peers}, {"wire", wire}, {"answer", answer}}

// command returns the exit code.
func command() int {
	s := settings{benchmark: runBenchmark}
	flag.StringVar(&s.benchtime, "benchtime", "1s", "time of one benchmark, as of go test -benchtime")
	flag.IntVar(&s.count, "count", 3, "runs of each benchmark; the fastest is printed, of contests the median")
	flag.StringVar(&s.binary, "binary", "bin/qcat", "the server for the end-to-end rows; empty leaves them out")
	flag.StringVar(&s.peers, "peers", "bench/peers", "the module that measures other libraries; empty leaves them out")
	flag.StringVar(&s.stop, "stop", "60s", "how long a store is stopped under load")
	flag.StringVar(&s.records, "records", "10000000", "journal records of a restart")
	flag.StringVar(&s.step, "step", "2s", "length of a row of the scenarios that look for a limit")
	only := flag.String("only", "packages,postgres,peers,wire,answer", "sections")
	flag.Parse()
	s.only = strings.Split(*only, ",")
	if err := report(os.Stdout, s); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		return 1
	}
	return 0
}

// report prints every section that is wanted; one that fails does not keep the
// others back.
func report(w io.Writer, s settings) error {
	if s.count < 1 {
		return errors.New("a benchmark runs once at least")
	}
	for _, name := range s.only {
		if !slices.ContainsFunc(sections, func(c struct {
			name  string
			write func(io.Writer, settings) error
		}) bool {
			return c.name == name
		}) {
			return fmt.Errorf("there is no section %q", name)
		}
	}
	s.facts = newFacts()
	fmt.Fprintf(w, "%s, %d CPUs, %s\n", cpuName(), runtime.NumCPU(), runtime.Version())
	var failed []error
	for _, c := range sections {
		if !slices.Contains(s.only, c.name) {
			continue
		}
		fmt.Fprintln(w)
		if err := c.write(w, s); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", c.name, err))
		}
	}
	return errors.Join(failed...)
}

// packages are the packages' own benchmarks.
func packages(w io.Writer, s settings) error {
	fmt.Fprintln(w, "| what | workload | ns/op | allocs/op | other |")
	fmt.Fprintln(w, "|---|---|---:|---:|---|")
	for _, g := range groups {
		for _, row := range g.rows {
			runs, err := s.run(g.pkg, row.benchmark)
			switch {
			case err != nil:
				return err
			case len(runs) == 0 && row.captures && os.Getenv("QCAT_CAPTURES") == "":
				fmt.Fprintf(w, "| %s | %s | needs QCAT_CAPTURES | | |\n", row.what, row.workload)
				continue
			case len(runs) == 0:
				return fmt.Errorf("%s has no benchmark %s", g.pkg, row.benchmark)
			}
			r := best(runs)
			s.facts.addBenchmark(g.pkg, row.benchmark, r)
			fmt.Fprintf(w, "| %s | %s | %s | %s | %s |\n", row.what, row.workload, trim(r["ns/op"]), trim(r["allocs/op"]), r.others())
		}
	}
	return nil
}

// batchSizes are rows a batch.
var batchSizes = []int{1_000, 10_000, 100_000}

// batches is rows/s into Postgres beside pgx's bare CopyFrom of the same rows. The
// contestants take turns within a run; of the runs the median by the ratio is
// printed.
func batches(w io.Writer, s settings) error {
	const pkg = "./persist/postgres"
	fmt.Fprintln(w, "Rows a second into Postgres, into the same partitioned table; each batch is a synced transaction.")
	fmt.Fprintln(w)
	fmt.Fprintln(w, "| rows a batch | bare CopyFrom | own encoder | Store.Write | own / bare | Store.Write / bare |")
	fmt.Fprintln(w, "|---:|---:|---:|---:|---:|---:|")
	for _, n := range batchSizes {
		name := fmt.Sprintf("BenchmarkBatch/rows=%d", n)
		runs, err := s.run(pkg, name)
		if err != nil {
			return err
		}
		if len(runs) == 0 {
			return fmt.Errorf("%s did not run %s: it needs a Postgres (deploy/test/with-services.sh)", pkg, name)
		}
		r := median(runs, "write/bare")
		s.facts.postgres[n] = r
		fmt.Fprintf(w, "| %d | %s | %s | %s | %.2f | %.2f |\n", n, thousands(r["bare-rows/s"]), thousands(r["copy-rows/s"]), thousands(r["write-rows/s"]),
			r["copy/bare"], r["write/bare"])
	}
	return nil
}

// median is the run in the middle by a unit.
func median(runs []result, unit string) result {
	sorted := slices.SortedFunc(slices.Values(runs), func(a, b result) int { return cmp.Compare(a[unit], b[unit]) })
	return sorted[len(sorted)/2]
}

func thousands(v float64) string { return fmt.Sprintf("%.0f k", v/1e3) }

// peers measures other libraries, in a module of their own; a turn is half as long as a
// benchmark.
func peers(w io.Writer, s settings) error {
	each, err := time.ParseDuration(s.benchtime)
	if err != nil {
		each = time.Second // a number of iterations says nothing of a contest
	}
	return s.contests(w, each/2)
}

// wire runs the scenarios against the real binary.
func wire(w io.Writer, s settings) error {
	return s.scenarios(w, "-stop", s.stop, "-records", s.records, "-step", s.step)
}

// result holds one benchmark's figures by unit.
type result map[string]float64

var benchLine = regexp.MustCompile(`^(Benchmark\S+?)(?:-\d+)?\s+\d+\s+(.*)$`)

// runBenchmark is settings.benchmark by way of the go command.
func runBenchmark(pkg, name string, s settings) (runs []result, err error) {
	pattern := "^" + strings.ReplaceAll(regexp.QuoteMeta(name), "/", "$/^") + "$"
	cmd := exec.Command("go", "test", "-run", "^$", "-bench", pattern, "-benchmem",
		"-benchtime", s.benchtime, "-count", strconv.Itoa(s.count), pkg)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s%s", pkg, err, out, stderr.Bytes())
	}
	for sc := bufio.NewScanner(bytes.NewReader(out)); sc.Scan(); {
		if found, r, ok := parseBenchLine(sc.Text()); ok && found == name {
			runs = append(runs, r)
		}
	}
	return runs, nil
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
	for _, unit := range slices.Sorted(maps.Keys(r)) {
		switch unit {
		case "ns/op", "allocs/op", "B/op", "MB/s":
		default:
			parts = append(parts, trim(r[unit])+" "+unit)
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
