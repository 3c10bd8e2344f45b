package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// What a comparison comes to, beside passing.
var (
	errFailed    = errors.New("the gate is shut")
	errUndecided = errors.New("the gate could not decide in the time given: allow it more (-budget)")
)

// texts of verdicts.
var texts = map[verdict]string{
	undecided: "**not decided**", passed: "passes", failedSlower: "**slower**", failedAllocs: "**allocates more**",
	acceptedSlower: "slower, accepted",
}

// report prints a line a kernel, then what failed and why.
func (g *gate) report() {
	if len(g.open()) > 0 {
		fmt.Fprintln(g.out, "\n| kernel | base ns/op | head ns/op | effect | counts above | p | rounds × blocks | B/op | allocs/op | verdict |")
		fmt.Fprintln(g.out, "|---|---:|---:|---:|---:|---:|---:|---:|---:|---|")
	}
	for _, s := range g.open() {
		if len(s.rounds) == 0 || s.last().blocks() == 0 {
			fmt.Fprintf(g.out, "| %s | | | | | | 0 | | | %s |\n", s.name(), texts[s.verdict])
			continue
		}
		o := s.last().judge()
		fmt.Fprintf(g.out, "| %s | %s | %s | %+.1f %% | %.1f %% | %.4f | %d × %d | %s | %s | %s |\n", s.name(), digits(s.least[0]), digits(s.least[1]),
			100*o.effect, 100*o.bound, o.p, len(s.rounds), s.last().blocks(), change(s.bytes), change(s.allocs), texts[s.verdict])
	}
	fmt.Fprintln(g.out)
	for _, s := range g.subjects {
		switch {
		case s.verdict == acceptedSlower:
			fmt.Fprintf(g.out, "accepted: %s is slower (commit %s): %s\n", s.name(), s.accepted.commit, s.accepted.reason)
		case s.verdict == failedSlower:
			fmt.Fprintf(g.out, "FAILED: %s is slower in each of %d rounds (%s): make it faster, or accept it by a trailer \"Slower: %s <reason>\"\n",
				s.name(), rounds, s.kernel.why, s.bench)
		case s.verdict == failedAllocs:
			fmt.Fprintf(g.out, "FAILED: %s allocates more: %s B/op, %s allocs/op\n", s.name(), change(s.bytes), change(s.allocs))
		}
	}
	g.reportUnmeasured()
	n := g.count()
	fmt.Fprintf(g.out, "%d kernels: %d passed, %d accepted, %d failed, %d not decided, %d not measured; %d rounds in %v\n", len(g.subjects),
		n[passed], n[acceptedSlower], n[failedSlower]+n[failedAllocs], n[undecided], n[unmeasured], g.rounds, g.took.Round(time.Second))
}

// reportUnmeasured prints what was not measured, by reason.
func (g *gate) reportUnmeasured() {
	var notes []string
	names := map[string][]string{}
	for _, s := range g.subjects {
		if s.note == "" {
			continue
		}
		if names[s.note] == nil {
			notes = append(notes, s.note)
		}
		names[s.note] = append(names[s.note], s.name())
	}
	for _, note := range notes {
		fmt.Fprintf(g.out, "not measured, %s: %s\n", note, strings.Join(names[note], ", "))
	}
}

func (g *gate) count() map[verdict]int {
	n := map[verdict]int{}
	for _, s := range g.subjects {
		n[s.verdict]++
	}
	return n
}

// result is nil when all that was compared passed.
func (g *gate) result() error {
	switch n := g.count(); {
	case n[failedSlower]+n[failedAllocs] > 0:
		return errFailed
	case n[undecided] > 0:
		return errUndecided
	}
	return nil
}

// change is a figure of both sides, one where it is the same.
func change(sides [2]extent) string {
	if sides[0] == sides[1] {
		return sides[0].String()
	}
	return sides[0].String() + " → " + sides[1].String()
}

func (e extent) String() string {
	if e.least == e.most {
		return strconv.FormatInt(e.least, 10)
	}
	return fmt.Sprintf("%d…%d", e.least, e.most)
}

// digits is a time to three figures that count, at least.
func digits(ns float64) string {
	if ns >= 100 {
		return strconv.FormatFloat(ns, 'f', 0, 64)
	}
	return strconv.FormatFloat(ns, 'g', 3, 64)
}
