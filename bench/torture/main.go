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

	"qcat/persist/journal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command(ctx, os.Stdout, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
		os.Exit(1)
	}
}

// settings of the kills of one mode.
type settings struct {
	binary  string
	cycles  int
	clients int
	least   time.Duration // a server lives so long at least, under load
	most    time.Duration
	sync    string
	seed    uint64
	keep    bool
	verbose bool
}

// partNames in the order they run in.
var partNames = []string{"kill", "crash", "embedded", "services"}

func command(ctx context.Context, w io.Writer, args []string) error {
	var s settings
	flags := flag.NewFlagSet("torture", flag.ContinueOnError)
	parts := flags.String("parts", strings.Join(partNames, ","), "what to do")
	modes := flags.String("journal-sync", "always,batch,os", "modes of the kills, in turn")
	seeds := flags.Int("seeds", 40, "seeds of the crashes at every I/O")
	flags.StringVar(&s.binary, "binary", "bin/qcat", "the server")
	flags.IntVar(&s.cycles, "cycles", 500, "how often it is killed in mode always; a fifth of it in each other mode")
	flags.IntVar(&s.clients, "clients", 8, "connections that trade")
	flags.DurationVar(&s.least, "least", 50*time.Millisecond, "shortest life under load")
	flags.DurationVar(&s.most, "most", 700*time.Millisecond, "longest life under load")
	flags.Uint64Var(&s.seed, "seed", uint64(time.Now().UnixNano()), "of the moments and the orders")
	flags.BoolVar(&s.keep, "keep", false, "keep the data directory of a run that failed")
	flags.BoolVar(&s.verbose, "v", false, "a line a cycle")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if s.cycles < 1 || s.clients < 1 || *seeds < 1 || s.least <= 0 || s.most < s.least {
		return errors.New("cycles, clients, seeds and times must be positive, and most no less than least")
	}
	wanted := strings.Split(*parts, ",")
	for _, p := range wanted {
		if !slices.Contains(partNames, p) {
			return fmt.Errorf("there is no part %q; there are %s", p, strings.Join(partNames, ", "))
		}
	}
	began := time.Now()
	var summary []string
	for _, p := range partNames {
		if !slices.Contains(wanted, p) {
			continue
		}
		said, err := runPart(ctx, w, p, s, strings.Split(*modes, ","), *seeds)
		if err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		summary = append(summary, p+": "+said)
	}
	fmt.Fprintf(w, "torture held in %v: %s\n", time.Since(began).Round(time.Second), strings.Join(summary, "; "))
	return nil
}

// runPart runs one part and returns what the summary says of it.
func runPart(ctx context.Context, w io.Writer, part string, s settings, modes []string, seeds int) (string, error) {
	if part == "kill" {
		return kills(ctx, w, s, modes)
	}
	return runTests(ctx, w, suites[part], seeds)
}

// kills runs the modes in turn, each on a data directory of its own.
func kills(ctx context.Context, w io.Writer, s settings, modes []string) (string, error) {
	var all totals
	var counts []string
	for _, mode := range modes {
		m, err := journal.ParseSyncMode(mode)
		if err != nil {
			return "", err
		}
		one := s
		one.sync = mode
		if m != journal.SyncAlways && len(modes) > 1 {
			one.cycles = max(1, s.cycles/5)
		}
		t, err := one.run(ctx, w)
		if err != nil {
			return "", fmt.Errorf("journal-sync %s: %w", mode, err)
		}
		fmt.Fprintf(w, "kill, journal-sync %s: %s\n", mode, t.String())
		all.add(t)
		counts = append(counts, fmt.Sprintf("%s %d", mode, t.kills))
	}
	return fmt.Sprintf("%s [%s]", all.String(), strings.Join(counts, ", ")), nil
}
