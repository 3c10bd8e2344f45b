package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"qcat/bench/peers/contest"
	"qcat/bench/peers/decode"
	"qcat/bench/peers/fanout"
	"qcat/bench/peers/level"
	"qcat/bench/peers/order"
	"qcat/bench/peers/queue"
	"qcat/bench/peers/sample"
	"qcat/bench/peers/tape"
	"qcat/bench/peers/wal"
)

func main() {
	if err := command(); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// contests by name, in the order they run in; dir is scratch space on the disk to be
// measured.
var contests = []struct {
	name string
	make func(dir string) (*contest.Contest, error)
}{
	{"queues", func(string) (*contest.Contest, error) { return queue.Contest(), nil }},
	{"decoders", func(string) (*contest.Contest, error) {
		tapes, err := tape.Load()
		if err != nil {
			return nil, err
		}
		return decode.Contest(tapes[0])
	}},
	{"books", func(string) (*contest.Contest, error) {
		tapes, err := tape.Load()
		if err != nil {
			return nil, err
		}
		return level.Contest(tapes)
	}},
	{"samples", func(string) (*contest.Contest, error) { return sample.Contest(), nil }},
	{"fanout", func(string) (*contest.Contest, error) { return fanout.Contest(), nil }},
	{"orders", func(dir string) (*contest.Contest, error) { return order.Contest(dir), nil }},
	{"journal", func(dir string) (*contest.Contest, error) { return wal.Contest(dir), nil }},
}

func names() []string {
	var all []string
	for _, c := range contests {
		all = append(all, c.name)
	}
	return all
}

func command() error {
	dir := flag.String("dir", "", "directory on the disk to measure; a temporary one when empty")
	each := flag.Duration("time", time.Second, "time of one turn of one contestant")
	rounds := flag.Int("rounds", 3, "rounds")
	only := flag.String("only", strings.Join(names(), ","), "contests")
	out := flag.String("json", "", "file for the results, which are printed as well")
	flag.Parse()
	base, err := os.MkdirTemp(*dir, "qcat-peers-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(base) }() // only scratch
	results, err := run(os.Stdout, strings.Split(*only, ","), base, contest.Settings{Each: *each, Rounds: *rounds})
	if *out != "" {
		err = errors.Join(err, save(*out, results))
	}
	return err
}

// run holds the named contests, all of them even if one fails, and prints their tables.
func run(w io.Writer, only []string, dir string, s contest.Settings) ([]contest.Result, error) {
	for _, name := range only {
		if !slices.Contains(names(), name) {
			return nil, fmt.Errorf("there is no contest %q", name)
		}
	}
	var all []contest.Result
	var failed []error
	for _, entry := range contests {
		if !slices.Contains(only, entry.name) {
			continue
		}
		c, err := entry.make(dir)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", entry.name, err))
			continue
		}
		results, err := c.Run(s)
		if err != nil {
			failed = append(failed, err)
		}
		if len(results) > 0 {
			c.Print(w, s, results)
		}
		all = append(all, results...)
	}
	return all, errors.Join(failed...)
}

func save(path string, results []contest.Result) error {
	raw, err := json.MarshalIndent(results, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(raw, '\n'), 0o644)
}
