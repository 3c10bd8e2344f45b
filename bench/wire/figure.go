package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"time"
)

// figure is one row: a load, what became of it, and what stands beside it.
type figure struct {
	Scenario string `json:"scenario"`
	What     string `json:"what"`
	Floor    bool   `json:"floor"` // what the machine needs without the server
	// Where on the axes of the scenarios the row is; 0 where that says nothing.
	Instruments int `json:"instruments,omitempty"`
	Clients     int `json:"clients,omitempty"`
	Accounts    int `json:"accounts,omitempty"`

	Offered  float64 `json:"offered_per_second"` // 0: as much as possible
	Achieved float64 `json:"achieved_per_second"`
	Expected int64   `json:"expected"`
	Got      int64   `json:"delivered"`
	Missed   int64   `json:"left_out"`
	Refused  int64   `json:"refused"`

	Latency map[string]time.Duration `json:"latency_ns"` // by percentile
	Used    spent                    `json:"used"`
	Broken  string                   `json:"broken,omitempty"` // why the rate is too much

	// Against the floor of the same rate; 0 where there is none.
	P50Ratio  float64 `json:"p50_to_floor,omitempty"`
	P99Ratio  float64 `json:"p99_to_floor,omitempty"`
	RateRatio float64 `json:"rate_to_floor,omitempty"`

	Extra map[string]float64 `json:"extra,omitempty"` // of one scenario alone

	p50, p99 time.Duration // typical of its turns
}

// percentileNames are the keys of Latency, in the order of the columns.
var percentileNames = func() (names []string) {
	for _, p := range percentiles {
		names = append(names, fmt.Sprintf("p%g", p))
	}
	return append(names, "worst")
}()

// newFigure is the row of o.
func newFigure(scenario, what string, o *outcome) figure {
	f := figure{Scenario: scenario, What: what, Offered: o.offered, Achieved: o.achieved(), Expected: o.expected, Got: o.got, Missed: o.missed,
		Refused: o.refused, Used: o.spent, Latency: map[string]time.Duration{}}
	for i, d := range o.lat.row() {
		f.Latency[percentileNames[i]] = d
	}
	f.p50, f.p99 = o.typical(50), o.typical(99)
	return f
}

// beside sets the ratios against the floor: of what is typical of both sides' turns.
func (f *figure) beside(floor *figure) {
	ratio := func(a, b float64) float64 {
		if b == 0 {
			return 0
		}
		return math.Round(1000*a/b) / 1000
	}
	f.P50Ratio = ratio(float64(f.p50), float64(floor.p50))
	f.P99Ratio = ratio(float64(f.p99), float64(floor.p99))
	f.RateRatio = ratio(f.Achieved, floor.Achieved)
}

// column is a column of a table of figures.
type column struct {
	name string
	text func(f *figure) string
}

// Columns that more than one table has.
var (
	whatColumn     = column{"what", func(f *figure) string { return f.What }}
	achievedColumn = column{"achieved/s", func(f *figure) string { return count(f.Achieved) }}
	gotColumn      = column{"delivered", func(f *figure) string { return fmt.Sprint(f.Got) }}
	offeredColumn  = column{"offered/s", func(f *figure) string {
		switch {
		case f.Expected == 0:
			return "nothing"
		case f.Offered == 0:
			return "all it takes"
		}
		return count(f.Offered)
	}}
	verdictColumn = column{"verdict", func(f *figure) string {
		if f.Broken == "" {
			return "holds"
		}
		return "**breaks**: " + f.Broken
	}}
)

// latencyColumns are all percentiles.
func latencyColumns(names ...string) (cs []column) {
	for _, name := range names {
		cs = append(cs, column{name, func(f *figure) string {
			if f.Latency[name] == 0 {
				return "–"
			}
			return short(f.Latency[name])
		}})
	}
	return cs
}

// ratioColumns are those against the floor.
func ratioColumns() []column {
	return []column{
		{"p50 / floor", func(f *figure) string { return times(f.P50Ratio) }},
		{"p99 / floor", func(f *figure) string { return times(f.P99Ratio) }},
	}
}

// usedColumns are what the process in between has used.
func usedColumns() []column {
	return []column{
		{"CPU", func(f *figure) string { return fmt.Sprintf("%.0f%%", f.Used.CPU) }},
		{"generator", func(f *figure) string { return fmt.Sprintf("%.0f%%", f.Used.Generator) }},
		{"RSS", func(f *figure) string { return mib(f.Used.RSS) }},
		{"peak", func(f *figure) string { return mib(f.Used.Peak) }},
		{"GCs", func(f *figure) string { return ofServer(f, "%.0f", f.Used.GCs) }},
		{"worst pause", func(f *figure) string {
			if f.Used.GCs == 0 {
				return "–"
			}
			return short(f.Used.WorstPause)
		}},
		{"alloc B/s", func(f *figure) string { return ofServer(f, "%s", count(f.Used.Bytes)) }},
		{"objects/s", func(f *figure) string { return ofServer(f, "%s", count(f.Used.Objects)) }},
	}
}

// ofServer leaves out what a floor's process does not tell.
func ofServer(f *figure, format string, v any) string {
	if f.Floor {
		return "–"
	}
	return fmt.Sprintf(format, v)
}

func times(v float64) string {
	if v == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f×", v)
}

func mib(bytes int64) string { return fmt.Sprintf("%.0f MiB", float64(bytes)/(1<<20)) }

// count prints a number a second with three digits.
func count(v float64) string {
	switch {
	case v >= 999_500:
		return fmt.Sprintf("%.2f M", v/1e6)
	case v >= 9_995:
		return fmt.Sprintf("%.1f k", v/1e3)
	}
	return fmt.Sprintf("%.0f", v)
}

// printHead prints the head of a table, printRow a line of it: a row is there to be
// read as soon as it is measured.
func printHead(w io.Writer, cs []column) {
	for _, c := range cs {
		fmt.Fprintf(w, "| %s ", c.name)
	}
	fmt.Fprintf(w, "|\n|---|%s\n", strings.Repeat("---:|", len(cs)-1))
}

func printRow(w io.Writer, cs []column, f *figure) {
	for _, c := range cs {
		fmt.Fprintf(w, "| %s ", c.text(f))
	}
	fmt.Fprintln(w, "|")
}

// results are the figures of a run, for machines and for the plot.
type results struct {
	figures []figure
}

func (r *results) add(f ...figure) { r.figures = append(r.figures, f...) }

// writeJSON writes all figures to a file.
func (r *results) writeJSON(file string) error {
	b, err := json.MarshalIndent(r.figures, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o600)
}

// of are those of one scenario.
func (r *results) of(scenario string) []figure {
	return slices.DeleteFunc(slices.Clone(r.figures), func(f figure) bool { return f.Scenario != scenario })
}
