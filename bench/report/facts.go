package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

// facts are what the sections of this run have measured, for the answer at its end.
type facts struct {
	benchmarks map[string]result // the best run, by package and name
	postgres   map[int]result    // by rows a batch
	contests   []contested
	wire       []wireRow
}

func newFacts() *facts {
	return &facts{benchmarks: map[string]result{}, postgres: map[int]result{}}
}

// contested is one case of a contest as bench/peers writes it.
type contested struct {
	Contest string  `json:"contest"`
	Case    string  `json:"case"`
	Unit    string  `json:"unit"`
	Higher  bool    `json:"higher"`
	Figures []entry `json:"figures"`
}

// entry is what one contestant reached.
type entry struct {
	Name   string    `json:"name"`
	Role   string    `json:"role"` // own, peer or floor
	Value  float64   `json:"value"`
	Rounds []float64 `json:"rounds"`
}

// wireRow is what of a row of bench/wire the answer looks at.
type wireRow struct {
	Scenario string             `json:"scenario"`
	What     string             `json:"what"`
	Floor    bool               `json:"floor"`
	Clients  int                `json:"clients"`
	Offered  float64            `json:"offered_per_second"`
	Latency  map[string]float64 `json:"latency_ns"`
	Broken   string             `json:"broken"`
	P50Ratio float64            `json:"p50_to_floor"`
	P99Ratio float64            `json:"p99_to_floor"`

	Instruments int                `json:"instruments"`
	Accounts    int                `json:"accounts"`
	Extra       map[string]float64 `json:"extra"`
}

// load reads a JSON file into v. A section that failed may have left none.
func load(path string, v any) error {
	raw, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err == nil && len(raw) > 0 {
		err = json.Unmarshal(raw, v)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// best is the fastest of runs: on a busy machine the minimum is the figure that
// repeats.
func best(runs []result) result {
	return slices.MinFunc(runs, func(a, b result) int { return cmp.Compare(a["ns/op"], b["ns/op"]) })
}

func (f *facts) addBenchmark(pkg, name string, r result) { f.benchmarks[pkg+" "+name] = r }

func (f *facts) benchmark(pkg, name string) (result, bool) {
	r, ok := f.benchmarks[pkg+" "+name]
	return r, ok
}

// contest returns a case, nil when it was not held.
func (f *facts) contest(name, in string) *contested {
	for i := range f.contests {
		if c := &f.contests[i]; c.Contest == name && c.Case == in {
			return c
		}
	}
	return nil
}

// of returns a contestant by name, nil when it was not there.
func (c *contested) of(name string) *entry {
	if c == nil {
		return nil
	}
	for i := range c.Figures {
		if c.Figures[i].Name == name {
			return &c.Figures[i]
		}
	}
	return nil
}

// best returns the best contestant of a role, nil when there is none.
func (c *contested) best(role string) (lead *entry) {
	if c == nil {
		return nil
	}
	for i := range c.Figures {
		e := &c.Figures[i]
		if e.Role == role && (lead == nil || (e.Value > lead.Value) == c.Higher) {
			lead = e
		}
	}
	return lead
}

// over is a's figure in units of b's: the median of the ratios of their rounds, which
// were seconds apart.
func over(a, b *entry) float64 {
	var ratios []float64
	for i := range min(len(a.Rounds), len(b.Rounds)) {
		if b.Rounds[i] != 0 {
			ratios = append(ratios, a.Rounds[i]/b.Rounds[i])
		}
	}
	slices.Sort(ratios)
	switch n := len(ratios); {
	case n == 0:
		return 0
	case n%2 == 0:
		return (ratios[n/2-1] + ratios[n/2]) / 2
	default:
		return ratios[n/2]
	}
}

// wireRowAt returns the server's row of a scenario whose text begins with what, at so many
// clients (0: any) and nearest to a rate (0: the first); nil when there is none.
func (f *facts) wireRowAt(scenario, what string, clients int, rate float64) (found *wireRow) {
	for i := range f.wire {
		r := &f.wire[i]
		if r.Floor || r.Scenario != scenario || !strings.HasPrefix(r.What, what) || (clients > 0 && r.Clients != clients) {
			continue
		}
		if found == nil || (rate > 0 && distance(r.Offered, rate) < distance(found.Offered, rate)) {
			found = r
		}
	}
	return found
}

func distance(a, b float64) float64 { return max(a-b, b-a) }
