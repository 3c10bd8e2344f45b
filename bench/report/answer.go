package main

import (
	"fmt"
	"io"
)

// line is one row of the answer: a job, what was measured, what it was held against in
// this run, what is to be reached, and whether it is.
type line struct {
	job      string
	measured string
	anchor   string // of this run
	figure   string // the ratio or the nanoseconds that are judged
	target   string
	reached  string
	recorded string // anchors of other languages and machines
}

// Values of line.reached.
const (
	yes     = "yes"
	no      = "**no**"
	between = "within the recorded range"
	unknown = "not measured"
)

func verdict(ok bool) string {
	if ok {
		return yes
	}
	return no
}

// answer prints what performance asks for, row by row, of what this run has measured.
// What is missing is measured first.
func answer(w io.Writer, s settings) error {
	err := s.fill()
	fmt.Fprintln(w, "**What is to be reached, and what is.** Anchors are of this run, in turns with ours; the last column has those that cannot run here "+
		"(other languages) as published or recorded on a machine of this kind: *not of this run*, for orientation only.")
	fmt.Fprintln(w)
	fmt.Fprintln(w, "| job | measured here | anchor of this run | judged | to reach | reached | recorded elsewhere, not of this run |")
	fmt.Fprintln(w, "|---|---|---|---:|---:|---|---|")
	for _, l := range s.facts.lines() {
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %s |\n", l.job, dash(l.measured), dash(l.anchor), dash(l.figure), l.target, l.reached, dash(l.recorded))
	}
	return err
}

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// lines are all rows.
func (f *facts) lines() (all []line) {
	all = append(all, f.queueLines()...)
	all = append(all, f.decodeLines()...)
	all = append(all, f.bookLines()...)
	all = append(all, f.riskLines()...)
	all = append(all, f.wireLines()...)
	all = append(all, f.fanoutLines()...)
	all = append(all, f.orderLines()...)
	all = append(all, f.scaleLines()...)
	all = append(all, f.journalLines()...)
	all = append(all, f.postgresLines()...)
	return append(all, f.sampleLine())
}

// recordedRange is a figure of elsewhere that we are held against.
type recordedRange struct{ low, high float64 }

// text is the range in a unit, one number when its ends are the same.
func (r recordedRange) text(unit float64, format string) string {
	low, high := fmt.Sprintf(format, r.low/unit), fmt.Sprintf(format, r.high/unit)
	if low == high {
		return low
	}
	return low + "–" + high
}

// held says whether v, of which more is better, reaches a multiple of the range: of its
// upper end, or of its lower one at least.
func (r recordedRange) held(v, times float64) string {
	switch {
	case v >= r.high*times:
		return yes
	case v >= r.low*times:
		return between
	}
	return no
}

// ratioLine is a row that judges how many times ours is the anchor; more is better
// with atLeast, less otherwise.
func ratioLine(job, target string, c *contested, own, anchor *entry, bound float64, atLeast bool) line {
	l := line{job: job, target: target, reached: unknown}
	if own == nil || anchor == nil {
		return l
	}
	r := over(own, anchor)
	l.measured, l.anchor = amount(own.Value, c.Unit), anchor.Name+" "+amount(anchor.Value, c.Unit)
	l.figure = fmt.Sprintf("%.2f×", r)
	l.reached = verdict(r >= bound == atLeast || r == bound)
	return l
}

// amount is a figure with its unit.
func amount(v float64, unit string) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%s M %s", trim(v/1e6), unit)
	case v >= 1e4:
		return fmt.Sprintf("%s k %s", trim(v/1e3), unit)
	}
	return trim(v) + " " + unit
}

// flatBound is how much dearer an operation may be three decades on that is still
// called flat.
const flatBound = 1.5

// flatLine judges how an operation grows from the small benchmark to the large one.
func (f *facts) flatLine(job, pkg, small, large string) line {
	l := line{job: job, target: fmt.Sprintf("≤ %.1f×", flatBound), reached: unknown}
	a, ok := f.benchmark(pkg, small)
	b, found := f.benchmark(pkg, large)
	if !ok || !found || a["ns/op"] == 0 {
		return l
	}
	r := b["ns/op"] / a["ns/op"]
	l.measured, l.anchor = trim(b["ns/op"])+" ns", trim(a["ns/op"])+" ns at the small end"
	l.figure, l.reached = fmt.Sprintf("%.2f×", r), verdict(r <= flatBound)
	return l
}

// nanosLine judges a benchmark's time, and that it allocates nothing.
func (f *facts) nanosLine(job, pkg, name string, bound float64) line {
	l := line{job: job, target: nanosTarget(bound), reached: unknown}
	if r, ok := f.benchmark(pkg, name); ok {
		l.judgeNanos(r["ns/op"], r["allocs/op"], bound)
	}
	return l
}

func nanosTarget(bound float64) string { return fmt.Sprintf("≤ %.0f ns, 0 allocations", bound) }

func (l *line) judgeNanos(ns, allocs, bound float64) {
	l.measured = fmt.Sprintf("%s ns, %s allocations", trim(ns), trim(allocs))
	l.figure = trim(ns) + " ns"
	l.reached = verdict(ns <= bound && allocs == 0)
}
