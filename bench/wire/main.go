package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	if code, ok := beFloor(); ok {
		os.Exit(code)
	}
	os.Exit(command())
}

// settings are what the command line says.
type settings struct {
	binary  string
	length  time.Duration // of a row of latency, and of the phases around a stop
	stop    time.Duration // how long a store is stopped
	records uint64        // of the journal of restart
	open    int           // orders that rest in it
	ladder  ladderSettings
	results *results // where rows go beside the report
}

// scenarios by name, in the order they run in.
var scenarios = []struct {
	name string
	run  func(context.Context, io.Writer, settings) error
}{{"latency", latencyRows}, {"ladder", ladderRows}, {"fanout", fanoutRows}, {"scale", scaleRows}, {"stores", storeRows}, {"restart", restartRows}}

// command returns the exit code.
func command() int {
	s := settings{results: &results{}}
	names := flag.String("scenario", "latency,ladder,fanout,scale,stores,restart", "what to measure")
	svg := flag.String("svg", "", "ladder: file for a plot of latency over rate")
	figures := flag.String("json", "", "ladder, fanout, scale: file for all rows, for machines")
	s.ladder.register(flag.CommandLine)
	flag.StringVar(&s.binary, "binary", "bin/qcat", "the server")
	flag.DurationVar(&s.length, "length", 5*time.Second, "length of each row, and the least of the phases before and after a stop, which are half as long as it")
	flag.DurationVar(&s.stop, "stop", time.Minute, "stores: how long each is stopped")
	flag.Uint64Var(&s.records, "records", 10_000_000, "restart: records of the journal, at least")
	flag.IntVar(&s.open, "open", 10_000, "restart: orders that are open at the end of it, about")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Stdout, s, strings.Split(*names, ","))
	if *figures != "" {
		err = errors.Join(err, s.results.writeJSON(*figures))
	}
	if *svg != "" {
		err = errors.Join(err, s.results.writeSVG(*svg))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "wire:", err)
		return 1
	}
	return 0
}

// run runs the named scenarios, all of them even if one fails.
func run(ctx context.Context, w io.Writer, s settings, names []string) error {
	for _, name := range names {
		if !slices.ContainsFunc(scenarios, func(c struct {
			name string
			run  func(context.Context, io.Writer, settings) error
		}) bool {
			return c.name == name
		}) {
			return fmt.Errorf("there is no scenario %q", name)
		}
	}
	if s.length <= 0 || s.stop <= 0 || s.records < minRecords || s.open < 1 {
		return fmt.Errorf("lengths and counts must be positive, and a journal of less than %d records tells nothing", minRecords)
	}
	if err := s.ladder.check(); err != nil {
		return err
	}
	var failed []error
	for _, c := range scenarios {
		if !slices.Contains(names, c.name) || ctx.Err() != nil {
			continue
		}
		if err := c.run(ctx, w, s); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", c.name, err))
		}
		fmt.Fprintln(w)
	}
	return errors.Join(append(failed, ctx.Err())...)
}

// header is the head of a table of latencies behind its first columns.
func header(w io.Writer, first ...string) {
	fmt.Fprintf(w, "| %s | p50 | p90 | p99 | p99.9 | p99.99 | worst |\n|", strings.Join(first, " | "))
	fmt.Fprint(w, strings.Repeat("---|", len(first)), strings.Repeat("---:|", len(percentiles)+1), "\n")
}

// line is a line of such a table.
func (l latencies) line(w io.Writer, first ...any) {
	fmt.Fprint(w, "|")
	for _, v := range first {
		fmt.Fprintf(w, " %v |", v)
	}
	for _, d := range l.row() {
		fmt.Fprintf(w, " %s |", short(d))
	}
	fmt.Fprintln(w)
}

// short prints a duration with three digits.
func short(d time.Duration) string {
	switch {
	case d < 10*time.Microsecond:
		return fmt.Sprintf("%.2f µs", float64(d)/1e3)
	case d < time.Millisecond:
		return fmt.Sprintf("%.1f µs", float64(d)/1e3)
	}
	return strings.Replace(fmt.Sprintf("%.2f ms", float64(d)/1e6), ".00 ", " ", 1)
}
