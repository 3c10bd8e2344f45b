package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	code := gateCommand(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// gateCommand returns the exit code.
func gateCommand(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("gate", flag.ContinueOnError)
	flags.SetOutput(stderr)
	base := flags.String("base", "", "the revision to compare with (default: where HEAD left origin/main; the commit before HEAD if it did not)")
	budget := flags.Duration("budget", 6*time.Minute, "time to measure, builds not counted")
	only := flags.String("only", "", "regular expression: kernels whose name it matches, and no others")
	all := flags.Bool("all", false, "measure kernels whose test binaries are the same bytes, too")
	list := flags.Bool("list", false, "print the kernels and the hot functions, and measure nothing")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if *list {
		printLists(stdout)
		return 0
	}
	err := compare(ctx, stdout, *base, *budget, *only, *all)
	if err != nil {
		fmt.Fprintln(stderr, "bench-gate:", err)
	}
	switch {
	case err == nil, errors.Is(err, errNoBase):
		return 0 // what cannot be compared is said, and nothing else is excused
	case errors.Is(err, errFailed):
		return 1
	case errors.Is(err, errUndecided):
		return 3
	default:
		return 2
	}
}

// compare runs the gate on the working tree that this is called in.
func compare(ctx context.Context, w io.Writer, base string, budget time.Duration, only string, all bool) error {
	if budget <= 0 {
		return errors.New("-budget must be positive")
	}
	wanted, err := regexp.Compile(only)
	if err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	chosen := slices.DeleteFunc(slices.Clone(kernels), func(k kernel) bool { return !wanted.MatchString(k.name()) })
	if len(chosen) == 0 {
		return fmt.Errorf("-only: no kernel is called like %q", only)
	}
	top, err := repo(".").git(ctx, "rev-parse", "--show-toplevel")
	if err != nil {
		return err
	}
	g := &gate{repo: repo(top), base: base, budget: budget, precision: usual, all: all, kernels: chosen, out: w}
	if err := g.run(ctx); err != nil {
		return err
	}
	return g.result()
}

// printLists prints what is held, and why.
func printLists(w io.Writer) {
	fmt.Fprintln(w, "kernels that are measured:")
	for _, k := range kernels {
		fmt.Fprintf(w, "  %-62s %s\n", k.name(), k.why)
	}
	fmt.Fprintln(w, "hot functions that allocate nothing, and the tests that hold them to it:")
	for _, h := range hotFunctions {
		fmt.Fprintf(w, "  %s.%s\n", h.pkg, h.test)
		for _, f := range h.functions {
			fmt.Fprintf(w, "    %s\n", f)
		}
	}
}
