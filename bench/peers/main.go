package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"time"
)

func main() {
	if err := command(); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func command() error {
	dir := flag.String("dir", "", "directory on the disk to measure; a temporary one when empty")
	each := flag.Duration("time", time.Second, "time of one measurement")
	rounds := flag.Int("rounds", 3, "rounds; the median counts")
	flag.Parse()
	if *rounds < 1 || *each <= 0 {
		return errors.New("rounds and time must be positive")
	}
	base, err := os.MkdirTemp(*dir, "qcat-peers-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(base) }() // only scratch
	c := contest{dir: base, each: *each, rounds: *rounds}
	return c.journals(os.Stdout)
}

// contest is how peers are measured.
type contest struct {
	dir    string
	each   time.Duration
	rounds int
}

// median sorts v.
func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// rate is a number of things a second for a person.
func rate(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.2f M", v/1e6)
	case v >= 1e3:
		return fmt.Sprintf("%.1f k", v/1e3)
	}
	return fmt.Sprintf("%.0f", v)
}
