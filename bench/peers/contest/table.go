package contest

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Print writes a contest's results as one Markdown table: a case a row, a contestant
// a column, and how many times better ours is than the best peer.
func (c *Contest) Print(w io.Writer, s Settings, results []Result) {
	how := "median"
	if c.Best {
		how = "best"
	}
	fmt.Fprintf(w, "**%s**: %s %v a turn, %s of %d rounds; the last column is the median of the rounds' ratios.\n\n",
		c.Title, c.Workload, s.Each, how, s.Rounds*max(c.Times, 1))
	var names []string
	for _, r := range results {
		for _, f := range r.Figures {
			if !slices.Contains(names, f.Name) {
				names = append(names, f.Name)
			}
		}
	}
	fmt.Fprintf(w, "| case | unit | %s | ours to the best peer |\n|---|---|%s---:|\n",
		strings.Join(names, " | "), strings.Repeat("---:|", len(names)))
	for i := range results {
		r := &results[i]
		fmt.Fprintf(w, "| %s | %s |", r.Case, r.Unit)
		for _, name := range names {
			fmt.Fprintf(w, " %s |", r.cell(name))
		}
		fmt.Fprintf(w, " %s |\n", r.ratio())
	}
	fmt.Fprintln(w)
}

func (r *Result) cell(name string) string {
	for _, f := range r.Figures {
		if f.Name == name {
			return Short(f.Value)
		}
	}
	return "–"
}

func (r *Result) ratio() string {
	own, peer := r.Leading(Own), r.Leading(Peer)
	if own == nil || peer == nil {
		return "–"
	}
	return fmt.Sprintf("×%.2f", r.Advantage(own, peer))
}

// Short prints a number with three digits.
func Short(v float64) string {
	switch {
	case v >= 1e6:
		return digits(v/1e6) + " M"
	case v >= 1e4:
		return digits(v/1e3) + " k"
	}
	return digits(v)
}

func digits(v float64) string {
	if v >= 100 || v == math.Trunc(v) {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}
