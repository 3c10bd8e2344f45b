// Package contest lets contestants take turns at the same work and compares them.
//
// A case is one workload. In each round every contestant runs once, forwards in one
// round and backwards in the next, so that nobody is always first and a machine that
// slows down slows all of them. Of a contestant's rounds the best or the median is its
// figure; a ratio of two contestants is the median of the ratios of their rounds,
// since the two halves of one round are seconds apart and two rounds may be a minute.
package contest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Role is what a contestant stands for.
type Role string

// Roles.
const (
	Own   Role = "own"   // QCAT
	Peer  Role = "peer"  // another library, or the plain way to do it
	Floor Role = "floor" // what the machine itself takes, with nothing of a library between
)

// Entrant is one contestant of a case.
type Entrant struct {
	Name string
	Role Role
	// Run does the work for about d, checks its result, and returns the figure.
	Run func(d time.Duration) (float64, error)
}

// Case is one workload and who is measured on it.
type Case struct {
	Name     string
	Unit     string
	Higher   bool // more is better
	Entrants []Entrant
	// Split divides every turn into as many shorter ones, for ratios that must be of
	// the same second, and for a best that nothing disturbed.
	Split int
}

// Contest is a table of cases.
type Contest struct {
	Name     string // for the command line and the JSON
	Title    string
	Workload string // in words, with sizes and what is checked
	// Best takes the best of the rounds, which on a shared machine is what repeats of
	// pure computing; otherwise the median counts, as for networks and disks.
	Best bool
	// Times multiplies the rounds, where what is measured drifts as a disk does; 0 is 1.
	Times int
	// Check, when there is one, is asked once before anything is measured: it holds the
	// contestants' results against one another where a turn could not.
	Check func() error
	Cases []Case
}

// Settings are how long and how often.
type Settings struct {
	Each   time.Duration // one turn of one contestant
	Rounds int
}

// Figure is what one contestant reached.
type Figure struct {
	Name   string    `json:"name"`
	Role   Role      `json:"role"`
	Value  float64   `json:"value"`
	Rounds []float64 `json:"rounds"`
}

// Result is what came of one case.
type Result struct {
	Contest string   `json:"contest"`
	Case    string   `json:"case"`
	Unit    string   `json:"unit"`
	Higher  bool     `json:"higher"`
	Figures []Figure `json:"figures"`
}

// Run measures all cases.
func (c *Contest) Run(s Settings) ([]Result, error) {
	if s.Rounds < 1 || s.Each <= 0 {
		return nil, errors.New("rounds and time must be positive")
	}
	if c.Check != nil {
		if err := c.Check(); err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
	}
	s.Rounds *= max(c.Times, 1)
	results := make([]Result, 0, len(c.Cases))
	for i := range c.Cases {
		r, err := c.Cases[i].run(s, c.Best)
		if err != nil {
			return results, fmt.Errorf("%s, %s: %w", c.Name, c.Cases[i].Name, err)
		}
		r.Contest = c.Name
		results = append(results, r)
	}
	return results, nil
}

func (c *Case) run(s Settings, best bool) (Result, error) {
	split := max(c.Split, 1)
	r := Result{Case: c.Name, Unit: c.Unit, Higher: c.Higher, Figures: make([]Figure, len(c.Entrants))}
	for i, e := range c.Entrants {
		r.Figures[i] = Figure{Name: e.Name, Role: e.Role}
	}
	for round := range s.Rounds * split {
		for turn := range c.Entrants {
			i := turn
			if round%2 == 1 {
				i = len(c.Entrants) - 1 - turn
			}
			v, err := c.Entrants[i].Run(s.Each / time.Duration(split))
			if err != nil {
				return r, fmt.Errorf("%s: %w", c.Entrants[i].Name, err)
			}
			r.Figures[i].Rounds = append(r.Figures[i].Rounds, v)
		}
	}
	for i := range r.Figures {
		f := &r.Figures[i]
		switch {
		case !best:
			f.Value = Median(f.Rounds)
		case c.Higher:
			f.Value = slices.Max(f.Rounds)
		default:
			f.Value = slices.Min(f.Rounds)
		}
	}
	return r, nil
}

// Leading returns the best figure of a role, nil when nobody has it.
func (r *Result) Leading(role Role) *Figure {
	var best *Figure
	for i := range r.Figures {
		f := &r.Figures[i]
		if f.Role == role && (best == nil || r.better(f.Value, best.Value)) {
			best = f
		}
	}
	return best
}

func (r *Result) better(a, b float64) bool {
	if r.Higher {
		return a > b
	}
	return a < b
}

// Advantage returns how many times better a is than b: above 1 when a is ahead.
func (r *Result) Advantage(a, b *Figure) float64 {
	var ratios []float64
	for i := range min(len(a.Rounds), len(b.Rounds)) {
		if r.Higher {
			ratios = append(ratios, a.Rounds[i]/b.Rounds[i])
		} else {
			ratios = append(ratios, b.Rounds[i]/a.Rounds[i])
		}
	}
	return Median(ratios)
}

// Median returns the middle of v, which it leaves as it is; of an even number the
// mean of the two in the middle.
func Median(v []float64) float64 {
	s := slices.SortedFunc(slices.Values(v), cmp.Compare[float64])
	if len(s) == 0 {
		return 0
	}
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}
