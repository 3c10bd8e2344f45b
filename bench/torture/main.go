package main

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"time"
)

func main() {
	if err := command(); err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
		os.Exit(1)
	}
}

// settings of a run.
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

func command() error {
	var s settings
	flag.StringVar(&s.binary, "binary", "bin/qcat", "the server")
	flag.IntVar(&s.cycles, "cycles", 500, "how often it is killed")
	flag.IntVar(&s.clients, "clients", 8, "connections that trade")
	flag.DurationVar(&s.least, "least", 50*time.Millisecond, "shortest life under load")
	flag.DurationVar(&s.most, "most", 700*time.Millisecond, "longest life under load")
	flag.StringVar(&s.sync, "journal-sync", "always", "as of the server")
	flag.Uint64Var(&s.seed, "seed", uint64(time.Now().UnixNano()), "of the moments and the orders")
	flag.BoolVar(&s.keep, "keep", false, "keep the data directory of a run that failed")
	flag.BoolVar(&s.verbose, "v", false, "a line a cycle")
	flag.Parse()
	if s.cycles < 1 || s.clients < 1 || s.least <= 0 || s.most < s.least {
		return errors.New("cycles, clients and times must be positive, and most no less than least")
	}
	dir, err := os.MkdirTemp("", "qcat-torture-")
	if err != nil {
		return err
	}
	r := &run{settings: s, dir: dir, rng: rand.New(rand.NewPCG(s.seed, 0))}
	err = r.all()
	if err != nil && s.keep {
		return fmt.Errorf("%w (seed %d, data in %s)", err, s.seed, dir)
	}
	_ = os.RemoveAll(dir) // scratch
	if err != nil {
		return fmt.Errorf("%w (seed %d)", err, s.seed)
	}
	return nil
}
